"""pdeflow show: a reference file or the long table of a report, as text."""

from pathlib import Path

import click

from .._core.errors import BadInput


@click.command()
@click.argument("file", type=click.Path())
@click.option("--figure", type=click.Path(), help="Draw the densities of a 1-D reference into this picture.")
def show(file: str, figure: str | None) -> None:
    """A reference file (.h5) or the long table of a report (.csv), as text."""
    if Path(file).suffix == ".csv":
        import pandas as pd

        if not Path(file).is_file() or Path(file).stat().st_size == 0:
            raise BadInput(f"{file!r} does not exist or is empty. A table is the table.csv of a report. Pass its path.")
        click.echo(pd.read_csv(file).to_string(index=False))
        return
    from .. import reference as references

    click.echo(references.describe_file(file))
    if figure:
        from ..report import plot

        stored = references.load(file)
        times = stored.trajectory.times
        plot.density(stored.trajectory, times=times[:: max(1, len(times) // 6)]).savefig(figure, dpi=130)
        click.echo(f"figure: {figure}")
