"""Chang-Cooper against scipy.linalg.solve_banded: python benchmarks/chang_cooper.py

(a) 2,000 cells x 5,000 implicit Euler steps (the filtering grid of the literature, [-5, 5]) against the same matrix
given to
    solve_banded at each step. Bar: 5x.
(b) Time to an L1 error (sum of |cell mass - exact cell mass|) of 1e-5 on OU from N(2, 1/4) at t = 1, from the problem
to the law, warm,
    against a Crank-Nicolson code by solve_banded. Both sides are tuned first: of all (cells, steps) in a table that
    reach 1e-5, the one with the least work enters the comparison. Bar: 2x.

Medians of interleaved repeats after a warm-up. The exit status is 1 if a bar is missed.
"""

import sys
import time

import numpy as np
from scipy.linalg import solve_banded

import pdeflow as pf
from pdeflow.grid.chang_cooper.rates import bernoulli

OU = pf.problems.ou()
ENDS = (
    -4.0,
    5.5,
)  # for both sides of (b): leaves 3e-5 of the stationary law outside, and less than 1e-6 of the law at t = 1


def bands(edges, dt, weight):
    """I - weight dt L as solve_banded wants it (3, n), and the rates (up, down)."""
    centers, h = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    w = np.diff(centers**2 / 2)
    up, down = bernoulli(w) / h**2, bernoulli(-w) / h**2
    matrix = np.zeros((3, len(centers)))
    matrix[0, 1:] = -weight * dt * down
    matrix[1] = 1 + weight * dt * (np.append(up, 0) + np.append(0, down))
    matrix[2, :-1] = -weight * dt * up
    return matrix, up, down


def banded_euler(edges, mass, dt, steps):
    matrix, _, _ = bands(edges, dt, 1.0)
    for _ in range(steps):
        mass = solve_banded((1, 1), matrix, mass, check_finite=False)
    return mass


def banded_crank_nicolson(cells, steps):
    """As a user would write it: exact initial masses, one explicit and one implicit half step a step."""
    edges = np.linspace(*ENDS, cells + 1)
    mass, dt = np.diff(OU.initial.cdf(edges)), 1.0 / steps
    matrix, up, down = bands(edges, dt, 0.5)
    flux = np.zeros(cells + 1)
    for _ in range(steps):
        flux[1:-1] = down * mass[1:] - up * mass[:-1]
        mass = solve_banded((1, 1), matrix, mass + 0.5 * dt * np.diff(flux), overwrite_b=True, check_finite=False)
    return edges, mass


def pdeflow_run(cells, steps):
    method = pf.grid.ChangCooper(cells=cells, lower=ENDS[0], upper=ENDS[1], time_order=2)
    law = pf.solve(OU, method, dt=1.0 / steps).final
    return law.axes[0], law.mass


def l1(edges, mass):
    return np.abs(mass - np.diff(OU.exact(1.0).cdf(edges))).sum()


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def tuned(solver):
    """The (cells, steps) with the least work cells x steps that reaches 1e-5.

    Both codes take time in proportion to it.
    """
    choices = []
    for cells in (400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1400, 1600, 2000):
        for steps in (20, 30, 40, 50, 60, 70, 80, 90, 100, 115, 130, 145, 160, 180, 200, 250, 300, 400):
            try:
                if l1(*solver(cells, steps)) <= 1e-5:
                    choices.append((cells * steps, cells, steps))
                    break
            except pf.Diverged:
                continue
    return min(choices)[1:]


def compare(ours, theirs, repeats):
    """Medians of interleaved repeats, in ms."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return np.median(pairs, axis=0) * 1e3


def main():
    rows = []
    method = pf.grid.ChangCooper(cells=2000, lower=-5.0, upper=5.0)
    state = method.init(OU, None)
    edges = state.grid.edges
    ours, theirs = compare(
        lambda: method.advance(OU, method.init(OU, None), 1e-3, 5000, None),
        lambda: banded_euler(edges, state.mass, 1e-3, 5000),
        5,
    )
    gap = np.abs(method.advance(OU, state, 1e-3, 5000, None).mass - banded_euler(edges, state.mass, 1e-3, 5000)).max()
    rows.append(("(a) 2000 cells x 5000 steps", f"same result to {gap:.0e}", ours, theirs, 5.0))

    mine, other = tuned(pdeflow_run), tuned(banded_crank_nicolson)
    ours, theirs = compare(lambda: pdeflow_run(*mine), lambda: banded_crank_nicolson(*other), 31)
    what = (
        f"{mine[0]} x {mine[1]} (L1 {l1(*pdeflow_run(*mine)):.2e}) against {other[0]} x {other[1]} (L1 "
        f"{l1(*banded_crank_nicolson(*other)):.2e})"
    )
    rows.append(("(b) OU to L1 1e-5", what, ours, theirs, 2.0))

    print(f"{'case':<28} {'pdeflow ms':>11} {'solve_banded ms':>16} {'ratio':>7} {'bar':>5}   setting")
    for case, what, ours, theirs, bar in rows:
        print(f"{case:<28} {ours:11.3f} {theirs:16.3f} {theirs / ours:7.1f} {bar:5.1f}   {what}")
    return 0 if all(theirs / ours >= bar for _, _, ours, theirs, bar in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
