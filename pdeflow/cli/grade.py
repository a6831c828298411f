"""pdeflow grade: what is wrong with a solver, in words."""

from pathlib import Path

import click

from .._core.errors import BadInput
from .study import StudyFolder, executed


@click.command(short_help="Say what is wrong with a solver.")
@click.argument("file", type=click.Path())
def grade(file: str) -> int:
    """Run the solver of a Python FILE on an Ornstein-Uhlenbeck problem and say what is wrong with it.

    FILE holds `method`, an object with init, step and law (or pf.External). It may hold `problem`, a pf.problems.ou on
    the line, and `levels`, three steps that are halved: a scheme that is explicit on a grid needs small ones. The
    problem is printed first. A program is not told its constants: either they are built into it, or `problem` in FILE
    is the one that it solves.

    Exit code: 0 nothing was found, 1 something is wrong, 3 error.
    """
    path = Path(file)
    if not path.is_file() or path.suffix != ".py":
        raise BadInput(f"{file!r} is not a Python file. A file to grade has `method = MySolver()`. Pass its path.")
    module = executed(path)
    from ..case import grade as graded
    from ..case.equation import equation_of
    from ..case.grade import default_problem
    from ..method import runs_whole

    method = getattr(module, "method", None)
    if method is None:
        raise BadInput(f"{file} defines no method. It must have `method = MySolver()`. Add that line.")
    given = getattr(module, "problem", None)
    problem = default_problem() if given is None else given
    with StudyFolder(path):
        found = graded(method, problem, levels=getattr(module, "levels", None))
    equation = equation_of(problem)
    constants = ", ".join(f"{name} = {value}" for name, value in equation.constants.items())
    click.echo(f"Graded on {equation.formula} with {constants}, from {problem.initial}.")
    if given is None and runs_whole(method):
        click.echo(
            "A program must have these constants built in; if it solves others, add `problem = pf.problems.ou(...)`."
        )
    for one in found:
        click.echo(f"- {one}")
    click.echo("Nothing was found: drift, diffusion, start, times and mass are right." if not found else "")
    return 1 if found else 0
