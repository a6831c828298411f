"""Rotated, separable and radial problems, solved on their parts, against closed forms and grids in the plane.

Where both sides are closed forms the bar is round-off. A run on the parts is held against the same problem without its
structure on a grid in the plane, by ChangCooper, in the means of nine smooth functions: a third of what half as many
cells change is the error of the grid, and the gap to the grid less its error is to be at most a fifth of it. The cell
masses of the radius of an Ornstein-Uhlenbeck law are held against the scaled chi law in l1, with the order in the
cells. JKO sequences of radii are held against the closed ones of Gaussians.

Run: python validation/batteries/lifts.py [--quick] [--out FILE]; exit code 1 where a bar is missed.
"""

import argparse
import pathlib
import sys

import numpy as np

import pdeflow as pf
from pdeflow.exact_sequences import POINTS
from pdeflow.laws import Chi

ROUND_OFF = 1e-12
RADIUS_BAR, ORDER_BAR = 1e-5, 0.05
GRID_SHARE = 0.2  # of the error of a grid that its extrapolated law may be off by
JKO_BAR = 1e-6  # W2 on 4,001 levels
TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
BUMPS = pf.laws.GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [2.0, 1.0]], [np.diag([0.09, 0.2]), 0.36 * np.eye(2)])


def closed_forms():
    """(what, gap) where both sides are closed."""
    inner = pf.problems.ou(10, seed=0)
    turned = pf.problems.rotated(inner, 1)
    turn, potential = np.array(turned.structure.rotation), inner.energy.potential
    direct = pf.problems.ou(10, turn @ potential.matrix @ turn.T, turn @ potential.center, initial=turned.initial)
    yield "rotated OU, d = 10: exact flow", pf.metrics.w2(pf.exact(turned).final, pf.exact(direct).final).value
    steps = [pf.exact_jko(problem, dt=1 / 16).final for problem in (turned, direct)]
    yield "rotated OU, d = 10: exact JKO", pf.metrics.w2(*steps).value
    mixture = pf.problems.mixture_ou(BUMPS, np.diag([1.2, 0.4]))
    turned = pf.problems.rotated(mixture, TURN)
    direct = pf.problems.mixture_ou(turned.initial, TURN @ np.diag([1.2, 0.4]) @ TURN.T, TURN @ [0.4, 0.4])
    laws = [pf.exact(problem).final for problem in (turned, direct)]
    x = laws[0].sample(1000, np.random.default_rng(0))
    gap = np.abs(laws[0].log_density(x) - laws[1].log_density(x)).max()
    yield "rotated mixture flow, d = 2: log densities", float(gap)


def plane_problems():
    """Problems in the plane with a structure, their truths on parts and how a law is compared on cells."""
    well = pf.problems.double_well(horizon=0.5)
    tang = pf.problems.styblinski_tang(1, temperature=0.5, horizon=0.5)
    return {
        "rotated OU, d = 2": pf.problems.rotated(pf.problems.ou(2, np.diag([1.0, 2.0]), horizon=0.5), TURN),
        "rotated double wells, d = 2": pf.problems.rotated(pf.problems.separable([well, well]), TURN),
        "rotated double well x Styblinski-Tang, d = 2": pf.problems.rotated(pf.problems.separable([well, tang]), TURN),
        "mexican hat, d = 2": pf.problems.mexican_hat(2),
    }


def on_the_plane(quick):
    """(what, error of the grid in the plane, gap of the lifted law to what that grid tends to)."""
    cells, steps = (160, 1 / 64) if quick else (320, 1 / 256)
    for name, problem in plane_problems().items():
        plain = pf.Problem(problem.energy, problem.initial, problem.horizon)
        fine, coarse = (
            _means(pf.solve(plain, pf.grid.ChangCooper(cells=n, time_order=2), dt=steps).final)
            for n in (cells, cells // 2)
        )
        lifted = _means(pf.solve(problem, pf.grid.ChangCooper(cells=1600, time_order=2), dt=steps).final)
        grid_error = (fine - coarse) / 3
        yield name, float(np.abs(grid_error).max()), float(np.abs(lifted - fine - grid_error).max())


def _means(law):
    """The means of nine smooth functions, by nodes of the cells."""
    x, weights = _nodes(law)
    a, b = x.T
    values = [a, b, a * a, a * b, b * b, a**4 / 10, np.cos(2 * a + b), np.sin(a - 3 * b), np.exp(-a * a - b * b)]
    return np.array(values) @ weights


def _nodes(law):
    """Points (n, d) and weights (n,) of a law that is made of laws on cells."""
    made, factors, radius = law.pushed_from(), law.factors(), law.radial_part()
    if made is not None:
        x, weights = _nodes(made[0])
        return made[1][0](x), weights
    if radius is not None:
        (r, weights), angles = _nodes(radius), 2 * np.pi * np.arange(64) / 64
        x = np.stack([np.outer(r, np.cos(angles)), np.outer(r, np.sin(angles))], axis=-1)
        return x.reshape(-1, 2), np.repeat(weights / 64, 64)
    if factors is not None:
        (one, p), (other, q) = map(_nodes, factors)
        x = np.stack(np.broadcast_arrays(one[:, 0][:, None], other[:, 0][None, :]), axis=-1)
        return x.reshape(-1, 2), np.multiply.outer(p, q).ravel()
    return law.quadrature_nodes(0)


def sequences():
    """(dim, W2 of a sequence on the radius to the closed one of Gaussians, at t = 1/2 with dt = 1/16)."""
    for dim in (3, 10, 100):
        problem = pf.problems.radial([0.0, 0.5], dim, horizon=0.5)
        closed = pf.exact_jko(problem, dt=1 / 16).final
        solved = pf.solve(problem, pf.grid.QuantileJKO(points=POINTS[0]), dt=1 / 16).final
        yield dim, pf.metrics.w2(solved, closed).value


def radii(quick):
    """(dim, l1 for the most cells, order) of the radius of an OU law at t = 1 from N(0, I/4)."""
    truth_scale = np.sqrt(0.25 * np.exp(-2) - np.expm1(-2))
    for dim in (3, 10, 100):
        problem, truth, errors = pf.problems.radial([0.0, 0.5], dim), Chi(dim, truth_scale), []
        for cells in (1000, 2000, 4000):
            method = pf.grid.ChangCooper(cells=cells, time_order=2)
            law = pf.solve(problem, method, dt=1 / (1024 if quick else 4096)).final.radial_part()
            errors.append(float(np.abs(law.mass - np.diff(truth.cdf(law.axes[0]))).sum()))
        yield dim, errors


def lines(quick):
    """(line of the table, whether the bar is met) of each comparison."""
    for what, gap in closed_forms():
        yield f"| {what} | closed form | {gap:.1e} | {ROUND_OFF:.0e} |", gap <= ROUND_OFF
    for what, error, gap in on_the_plane(quick):
        bar = GRID_SHARE * error
        yield f"| {what} | grid in the plane, error {error:.1e} | {gap:.1e} | {bar:.1e} |", gap <= bar
    for dim, errors in radii(quick):
        order = float(np.log2(errors[-2] / errors[-1]))
        met = errors[-1] <= RADIUS_BAR and abs(order - 2) <= ORDER_BAR
        how = f"scaled chi law, l1 of cell masses, 4,000 cells, order {order:.2f}"
        yield f"| OU on the radius, d = {dim} | {how} | {errors[-1]:.1e} | {RADIUS_BAR:.0e}, 2 ± {ORDER_BAR} |", met
    for dim, gap in sequences():
        yield (
            f"| JKO of OU on the radius, d = {dim} | closed sequence, W2 | {gap:.1e} | {JKO_BAR:.0e} |",
            gap <= JKO_BAR,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="coarser grids in the plane")
    parser.add_argument("--out", type=pathlib.Path, help="write the table here as Markdown")
    options = parser.parse_args()
    table = ["| what | against | gap | bar |", "| --- | --- | --- | --- |"]
    missed = 0
    for line, met in lines(options.quick):
        table.append(line if met else f"{line[:-2]} (missed) |")
        missed += not met
        print(table[-1], flush=True)
    if options.out is not None:
        command = f"Made by `python validation/batteries/lifts.py{' --quick' if options.quick else ''}`."
        text = "\n\n".join(["# " + __doc__.split("\n", 1)[0], __doc__.split("\n\n")[1], "\n".join(table), command])
        options.out.write_text(text + "\n", encoding="utf-8")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
