"""pdeflow compare: what a new board has worse or better than an old one."""

import click

from .._core.errors import BadInput

UNREADABLE = 2


@click.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option(
    "--false-alarms",
    default=0.01,
    show_default=True,
    help="Share of comparisons of boards that differ in seeds only which may show a regression.",
)
@click.option("--slower", default=1.5, show_default=True, help="Factor of a CPU time below which it is no finding.")
def compare(old: str, new: str, false_alarms: float, slower: float) -> int:
    """Say what got worse or better on a board.

    OLD and NEW are board.csv of `pdeflow score`, or folders that hold one. Errors are compared by standard errors,
    CPU seconds in units of a kernel timed in the same run.

    Exit code: 0 nothing got worse, 1 something did, 2 a board cannot be read or compared.
    """
    from ..report import compare as compared
    from ..report import read_board

    try:
        changes = compared(read_board(old), read_board(new), false_alarms=false_alarms, slower=slower)
    except BadInput as error:
        click.echo(f"BadInput: {error}", err=True)
        return UNREADABLE
    click.echo(changes if len(changes) else "No difference.")
    worse = len(changes.regressions)
    click.echo(f"{worse} got worse beyond noise (false alarms in at most {false_alarms:.2%} of comparisons).")
    return changes.exit_code
