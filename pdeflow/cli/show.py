"""pdeflow show: a reference file or the long table of a report, as text."""

from functools import partial
from pathlib import Path

import click

from .._core.errors import BadInput


@click.command(short_help="A reference file or a table as text.")
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
        from .._core.files import place_of, write_whole
        from ..report import plot

        stored = references.load(file)
        times = stored.trajectory.times
        drawn = plot.density(stored.trajectory, times=times[:: max(1, len(times) // 6)])
        kind, possible = Path(figure).suffix[1:] or "png", drawn.canvas.get_supported_filetypes()
        if kind not in possible:
            raise BadInput(f"{figure!r} names a picture of kind {kind!r}. Possible: {', '.join(possible)}. Rename it.")
        write_whole(place_of(figure), partial(drawn.savefig, format=kind, dpi=130))
        click.echo(f"figure: {figure}")
