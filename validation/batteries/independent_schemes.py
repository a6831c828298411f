"""Two independent schemes in the plane: FiniteVolume against ChangCooper, and against BackAndForthJKO as dt -> 0.

They share no equations: upwind fluxes of the whole velocity, exponentially fitted fluxes of a linear equation, and JKO
steps by duality. (a) A double well times an Ornstein-Uhlenbeck flow, rotated, so that no axis is one of the grid's,
with FiniteVolume in implicit substeps to a tolerance and ChangCooper of second order in time: the difference is that of
two errors of second order in the cell width. (b) A porous medium in an anisotropic quadratic potential from a
Barenblatt profile off its centre: the difference is the time error of JKO, of first order, down to that of the grids.

Bars: (a) the L1 difference of cell masses falls with order at least 1.8, to below 2e-3; (b) it falls with order at
least 0.8 in dt, to below 4e-3, which is about where the error of the grid begins.

Run: python validation/batteries/independent_schemes.py [--quick] [--out FILE]; exit code 1 where a bar is missed.
"""

import argparse
import pathlib
import sys

import numpy as np

import pdeflow as pf


def rotated_well():
    """The rotated product without its structure, so that every method sees a problem in the plane."""
    well = pf.problems.double_well(temperature=0.5, horizon=0.5)
    start = pf.laws.Gaussian(0.5, 0.25)
    linear = pf.problems.ou(matrix=2.0, temperature=0.5, initial=start, horizon=0.5)
    rotation = np.array([[0.8, -0.6], [0.6, 0.8]])
    whole = pf.problems.rotated(pf.problems.separable([well, linear]), rotation)
    return pf.Problem(whole.energy, whole.initial, 0.5)


def porous_medium():
    potential = pf.potentials.Quadratic(np.array([[1.0, 0.3], [0.3, 2.0]]), [0.3, 0.0])
    return pf.Problem(pf.Energy(potential, pf.Power(2.0)), pf.laws.Barenblatt(2, 2.0, 0.1, [-0.3, 0.3]), 0.2)


def mass(problem, method, dt):
    return pf.solve(problem, method, dt=dt).final.mass


def volumes(cells, end, tolerance):
    return pf.grid.FiniteVolume(cells, -end, end, "implicit", tolerance=tolerance)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two grids, and two steps of JKO")
    parser.add_argument("--out", type=pathlib.Path, help="where the table is written, as Markdown")
    options = parser.parse_args(arguments)

    counts, first = (48, 80) if options.quick else (48, 80, 120), []
    for cells in counts:
        one = mass(rotated_well(), volumes(cells, 3.0, 1e-4), 0.25)
        other = mass(rotated_well(), pf.grid.ChangCooper(cells, -3.0, 3.0, time_order=2), 1 / 256)
        first.append(float(np.abs(one - other).sum()))
    orders = -np.diff(np.log(first)) / np.diff(np.log(counts))
    good = [bool(orders.min() >= 1.8 and first[-1] < (4e-3 if options.quick else 2e-3))]

    cells, second = 64, []
    steps = (4, 8) if options.quick else (4, 8, 16)
    one = mass(porous_medium(), volumes(cells, 2.5, 1e-5), 0.1)
    for count in steps:
        other = mass(porous_medium(), pf.grid.BackAndForthJKO(cells, -2.5, 2.5, tolerance=1e-5), 0.2 / count)
        second.append(float(np.abs(one - other).sum()))
    falls = -np.diff(np.log2(second))
    good.append(bool(falls.min() >= 0.8 and second[-1] < (9e-3 if options.quick else 4e-3)))

    lines = ["| schemes | level | L1 difference | local order |", "|" + " --- |" * 4]
    for names, levels, found, local in (
        ("FiniteVolume, ChangCooper", [f"{n}² cells" for n in counts], first, orders),
        (f"FiniteVolume, BackAndForthJKO, {cells}² cells", [f"dt = {0.2 / n:g}" for n in steps], second, falls),
    ):
        shown = ["", *(f"{order:.2f}" for order in local)]
        lines += [f"| {names} | {a} | {b:.2e} | {c} |" for a, b, c in zip(levels, found, shown)]
    print("\n".join(lines))
    if options.out:
        title = "# Two independent schemes in the plane"
        made = "Made by `python validation/batteries/independent_schemes.py`."
        options.out.write_text("\n".join([title, "", made, "", *lines, ""]), encoding="utf-8")
    print(f"{sum(good)} of {len(good)} bars are met")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
