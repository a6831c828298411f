"""Problems that the tests of CvxoptJKO share."""

import numpy as np

import pdeflow as pf
from pdeflow.grid.cvxopt_jko.kkt import StructuredKKT, square_root

JKO = pf.grid.CvxoptJKO


REPULSION = pf.interactions.LogRepulsion(0.1)  # convex in the masses on domains shorter than 2√20


def drift(strength=1.0):
    return pf.potentials.Quadratic(strength)


def stated(energy, initial, horizon=0.5):
    return pf.Problem(energy, initial, horizon, name="test")


PROBLEMS = {
    "linear": (stated(pf.Energy(potential=drift()), pf.laws.Gaussian(2.0, 0.25)), 0.5, {}),
    "power 2": (pf.problems.porous_medium(1, 2.0, 0.002, 0.02), 0.01, {}),
    "power 2, drift": (stated(pf.Energy(drift(4.0), pf.Power(2.0)), pf.laws.Uniform(0.2, 1.0)), 0.1, {}),
    "power 3": (pf.problems.porous_medium(1, 3.0, 0.002, 0.02), 0.01, {}),
    "power 1.5": (pf.problems.porous_medium(1, 1.5, 0.002, 0.02), 0.01, {}),
    "entropy": (pf.problems.ou(), 0.25, {}),
    "double well": (pf.problems.double_well(), 0.1, {}),
    "interaction": (
        stated(pf.Energy(interaction=REPULSION), pf.laws.Semicircle(1.0)),
        0.2,
        {"lower": -2.0, "upper": 2.0},
    ),
    "all three": (
        stated(pf.Energy(drift(), pf.Entropy(0.2), REPULSION), pf.laws.Gaussian(0.5, 0.04)),
        0.1,
        {"lower": -3.0, "upper": 3.0},
    ),
}


def one_step(problem, dt, cells=26, **fields):
    method = JKO(cells=cells, **fields)
    state = method.step(problem, method.init(problem, None), dt, None)
    return method, state


def kkt_error(pairs, p, d, hessian, rows, sums, rng):
    """The largest error of the KKT solver for a random right-hand side, against the dense matrix of `rows`, `sums`."""
    n, k, size = pairs.n, pairs.k, pairs.size
    h = np.zeros((n, n)) if hessian is None else np.diag(hessian) if hessian.ndim == 1 else hessian
    dense = np.block(
        [
            [rows.T @ h @ rows, sums.T, -np.diag(1 / d)],
            [sums, np.zeros((k, k)), np.zeros((k, size))],
            [-np.eye(size), np.zeros((size, k)), -np.diag(d)],
        ]
    )
    right = rng.standard_normal(len(dense))
    x, y, z = (part.copy() for part in np.split(right, [size, size + k]))
    StructuredKKT(p, pairs, square_root(hessian)).factor(d).solve(x, y, z)
    return np.abs(np.concatenate([x, y, z]) - np.linalg.solve(dense, right)).max()
