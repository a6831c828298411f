"""README.md of an exported case: the equation, what is asked, and how answers look."""

import json
from collections.abc import Iterable, Mapping

from .answers import columns_of
from .case import Case
from .equation import equation_of, initial_in_words
from .initial_data import WHAT


def readme(case: Case, data: Iterable[str], lacking: Mapping[str, str]) -> str:
    """The text of README.md. data, lacking : the kinds in which the initial law is there, and why not in the others."""
    equation, dim = equation_of(case.problem), case.problem.dim
    constants = "\n".join(f"- `{name}` = `{json.dumps(value)}`" for name, value in equation.constants.items())
    rows = "\n".join(
        f"| `{answer}` | `{','.join(columns_of(answer, dim))}` | {', '.join(case.measured(answer))} |"
        for answer in case.answers()
    )
    files = "\n".join(f"- `initial/{name}.csv`: {WHAT[name]}" for name in data)
    gone = "".join(f"\n- no {name}: {why}." for name, why in lacking.items())
    where = f"in dimension {dim}" if dim > 1 else "on the line"
    particles = f"\nFor particles the same is\n\n    {equation.particles}\n" if equation.particles else ""
    first = f"answer={case.answers()[0]} dt={case.levels[0]!r} time={case.times[0]!r} seed=0"
    return f"""# {case.name}

## The equation

    {equation.formula}

{equation.words} ρ(x, t) is a probability density {where}, of mass one.
{particles}
{constants or "There are no constants."}

At time 0 the law is {initial_in_words(case.problem)}

It lies in `initial/` as data, and all of it in `initial/initial.h5`:

{files}{gone}

## What is asked

The law at the times {", ".join(map(repr, case.times))}, computed with each of the steps
dt = {", ".join(map(repr, case.levels))}. Every time is a multiple of every step. All numbers are in
`case.json`. A method that draws random numbers runs with several seeds, each at all steps.

## What to write

One file for each step, time and seed, of any name that ends with `.csv` (or `.npz`, `.h5`), in one folder. Text
begins with a line that says what it is:

    # {first} rows=1000

(`rows`, how many follow, may be left out; with it a file that was cut is noticed.) Rows of numbers follow, with a
decimal point and 17 digits. Choose one kind of answer. In NPZ and HDF5 the arrays are named as in
docs/any_language.md of pdeflow, and `answer`, `dt`, `time` and `seed` are arrays of no dimension or attributes. All
may stand in one file too: text after text, or one group each in HDF5.

| answer | a row of CSV | judged in |
| --- | --- | --- |
{rows}

`masses` are probabilities of cells and not densities: none negative, the sum one to 1e-8. `quantiles` run from level
0 to level 1. Nothing is clipped or renormalised.

    pdeflow case example-output . --out example    # how such files look
    pdeflow judge . --results FOLDER --order 1     # exit code 0: order 1 holds, 1: it fails, 2: not decided, 3: error
"""
