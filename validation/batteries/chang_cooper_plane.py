"""ChangCooper in the plane and in space: orders, Gibbs law, mass, sign and speed on a rotated double well.

python validation/batteries/chang_cooper_plane.py [--quick] [--out]

V = (u² - 1)² + v² in coordinates turned by 30° (in space: by a seeded rotation, v in two dimensions), T = 1. Orders in
time are those of the distance to exp(tL) on the same cells; orders in space those of exp(tL) in cell masses against the
product of the laws of u (6,400 cells of the line) and v (closed form), turned, whose cell masses come from quadrature.
Times of a step are CPU times of all threads together, which other work on the machine does not lengthen much: on idle
cores a step takes no longer. The exit status is 1 where a bar is missed.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

import pdeflow as pf

ANGLE = np.pi / 6
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
SPIN = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]
BOX = {"lower": (-3.4, -4.0), "upper": (3.4, 4.0)}


def problem(dim=2, temperature=1.0):
    turn = TURN if dim == 2 else SPIN

    def value(x):
        y = x @ turn
        return (y[:, 0] ** 2 - 1) ** 2 + np.sum(y[:, 1:] ** 2, axis=1)

    energy = pf.Energy(pf.potentials.FromFunction(value, dim=dim), pf.Entropy(temperature))
    initial = pf.laws.Gaussian(np.array([1.0, 0.5, 0.0])[:dim], 0.1 * np.eye(dim))
    return pf.Problem(energy, initial, 1.0, name="rotated double well")


class TurnedProduct(pf.laws.Law):
    """The law of TURN (u, v) with independent u, of cells on the line, and Gaussian v; log p(u) by a cubic spline."""

    dim = 2

    def __init__(self, u, v):
        self.v, full = v, u.mass > 1e-250
        centers = u.centers[0][full]
        self.ends, self.spline = centers[[0, -1]], CubicSpline(centers, np.log(u.density[full]))

    def log_density(self, x):
        y = x @ TURN
        inside = (y[:, 0] >= self.ends[0]) & (y[:, 0] <= self.ends[1])
        first = np.where(inside, self.spline(np.clip(y[:, 0], *self.ends)), -np.inf)
        return first + self.v.log_density(y[:, 1:])

    def sample(self, n, rng):
        raise NotImplementedError

    def answers(self):
        return ["log_density"]


def truth(t):
    u0, v0 = np.array([1.0, 0.5]) @ TURN
    well = pf.potentials.FromFunction(lambda x: (x[:, 0] ** 2 - 1) ** 2)
    line = pf.Problem(pf.Energy(well, pf.Entropy(1.0)), pf.laws.Gaussian(u0, 0.1), 1.0, name="u")
    u = pf.grid.exponential(line, pf.grid.ChangCooper(cells=6400, lower=-4.0, upper=4.0), [t]).final
    v = pf.problems.ou(matrix=2.0, temperature=1.0, initial=pf.laws.Gaussian(v0, 0.1)).exact(t)
    return TurnedProduct(u, v)


def slopes(errors):
    return np.diff(np.log(errors)) / np.log(0.5)


def orders_in_time(quick):
    """(what, measured, bar, met) of both orders."""
    cells, well = (64 if quick else 128), problem()
    limit = pf.grid.exponential(well, pf.grid.ChangCooper(cells=cells, **BOX), [0.5]).final.mass
    for order in (1, 2):
        method = pf.grid.ChangCooper(cells=cells, time_order=order, **BOX)
        steps = [16, 32, 64, 128, 256]
        errors = [np.abs(pf.solve(well, method, dt=0.5 / n, times=[0.5]).final.mass - limit).sum() for n in steps]
        found = slopes(errors)[1:]
        shown = ", ".join(f"{slope:.3f}" for slope in found) + f" (last error {errors[-1]:.1e})"
        yield f"order in time, time_order={order}", shown, f"{order} ± 0.1", np.abs(found - order).max() <= 0.1


def orders_in_space(quick):
    well, law, errors = problem(), truth(0.5), []
    counts = [40, 80, 160] if quick else [40, 80, 160, 320]
    for cells in counts:
        found = pf.grid.exponential(well, pf.grid.ChangCooper(cells=cells, **BOX), [0.5]).final
        errors.append(pf.metrics.l1(found, law).value)
    found = slopes(errors)
    shown = ", ".join(f"{slope:.3f}" for slope in found) + f" (last error {errors[-1]:.1e})"
    yield f"order in space, {counts[0]} to {counts[-1]} cells an axis", shown, "2 ± 0.1", np.abs(found - 2).max() <= 0.1


def conserved(quick):
    """Gibbs law, mass and sign, for long and short steps, in two and three dimensions."""
    drift, mass, least = 0.0, 0.0, np.inf
    for dim, cells in ((2, 128 if quick else 512), (3, 36 if quick else 96)):
        for order in (1, 2):
            well = problem(dim, 0.5)
            method = pf.grid.ChangCooper(cells=cells, time_order=order)
            law = pf.grid.gibbs(well, method)
            start = method.init(replace(well, initial=law), None)
            for dt in (1e-3, 0.1, 10.0):
                state = method.advance(well, start, dt, 20, None)
                drift = max(drift, float(np.abs(state.mass - law.mass).sum()))
            moved = method.advance(well, method.init(well, None), 1 / 32, 32, None)
            mass = max(mass, abs(float(moved.mass.sum() - 1)))
            least = min(least, moved.least) if order == 1 else least
    yield "Gibbs law after 20 steps of 0.001, 0.1 and 10, Σ|Δm|", f"{drift:.1e}", "1e-11", drift <= 1e-11
    yield "mass after 32 steps of 1/32", f"{mass:.1e}", "1e-12", mass <= 1e-12
    yield "smallest cell met with time_order=1", f"{least:.1e}", "0", least >= 0


def speed(quick):
    for dim, cells, bar in ((2, 256 if quick else 512, 25.0), (3, 64 if quick else 128, 250.0)):
        well, method = problem(dim), pf.grid.ChangCooper(cells=cells, time_order=2)
        state = method.init(well, None)
        for _ in range(2):  # the first step is made of others, the second factorises
            state = method.step(well, state, 1 / 64, None)
        spent = []
        for _ in range(12 if dim == 2 else 6):
            begun = time.process_time()
            state = method.step(well, state, 1 / 64, None)
            spent.append(1e3 * (time.process_time() - begun))
        what, shown = (
            f"one Strang step of order 2, {' x '.join([str(cells)] * dim)} cells",
            f"{np.median(spent):.0f} ms",
        )
        yield what, shown, f"{bar:.0f} ms", np.median(spent) <= bar


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", action="store_true", help="write validation/batteries/results/chang_cooper_plane.md")
    options = parser.parse_args()
    lines, missed = ["| what | measured | bar | met |", "| --- | --- | --- | --- |"], 0
    for part in (orders_in_time, orders_in_space, conserved, speed):
        for what, shown, bar, met in part(options.quick):
            lines.append(f"| {what} | {shown} | {bar} | {'yes' if met else 'NO'} |")
            missed += not met
            print(lines[-1], flush=True)
    if options.out:
        run = "`python validation/batteries/chang_cooper_plane.py --out`"
        head = f"# ChangCooper in the plane and in space\n\n{run}, two CPU cores\n\n"
        target = Path(__file__).parent / "results" / "chang_cooper_plane.md"
        target.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
