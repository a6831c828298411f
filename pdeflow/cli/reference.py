"""pdeflow reference: make, show, check and compare reference files."""

from pathlib import Path

import click


@click.group(short_help="Make, show and check reference files.")
def reference() -> None:
    """Make, show, check and compare HDF5 reference files."""


@reference.command("make", short_help="Run a recipe and write its file.")
@click.argument("recipe")
@click.option("--directory", default=".", show_default=True, type=click.Path(), help="Where the file goes.")
@click.option("--overwrite", is_flag=True, help="Replace a file there that answers another question or is damaged.")
def make(recipe: str, directory: str, overwrite: bool) -> None:
    """Run a RECIPE (a name in references/recipes, or a Python file) and write its reference file."""
    from .. import reference as references

    click.echo(references.make(recipe, directory, overwrite=overwrite))


@reference.command("show", short_help="What is in a file.")
@click.argument("file", type=click.Path())
def show(file: str) -> None:
    """Attributes and variables of a reference FILE."""
    from .. import reference as references

    click.echo(references.describe_file(file))


@reference.command(short_help="Validate files.")
@click.argument("files", nargs=-1, required=True, type=click.Path())
def check(files: tuple[str, ...]) -> int:
    """Validate reference FILES; exit code 1 if any is not valid."""
    from .. import reference as references

    bad = 0
    for file in files:
        faults = references.check(file)
        bad += bool(faults)
        click.echo(f"{file}: {'valid' if not faults else 'NOT VALID'}")
        for fault in faults:
            click.echo(f"  {fault}")
    return 1 if bad else 0


@reference.command(short_help="Compare two files.")
@click.argument("first", type=click.Path())
@click.argument("second", type=click.Path())
def diff(first: str, second: str) -> int:
    """Differences of two reference files; exit code 1 if there are any."""
    from .. import reference as references

    differences = references.diff(first, second)
    for difference in differences:
        click.echo(difference)
    click.echo("no differences" if not differences else f"{len(differences)} difference(s)")
    return 1 if differences else 0


@reference.command(short_help="Make a file again by its recipe.")
@click.argument("file", type=click.Path())
@click.option("--verify", is_flag=True, help="Only compare: make it again in memory and leave FILE alone.")
def remake(file: str, verify: bool) -> int:
    """Make a reference FILE again by its recipe; with --verify, compare and exit with 1 if it differs.

    The recipe is the one named in the file, looked for in recipes/ beside it and in references/recipes.
    """
    from .. import reference as references

    if verify:
        differences = references.verify(file)
        for difference in differences:
            click.echo(difference)
        click.echo(
            f"{file}: {'its recipe makes the same file' if not differences else 'DIFFERS from what its recipe makes'}"
        )
        return 1 if differences else 0
    path = Path(file)
    recipe = path.parent / "recipes" / f"{path.stem}.py"
    click.echo(references.make(recipe if recipe.is_file() else path.stem, path.parent, overwrite=True))
    return 0
