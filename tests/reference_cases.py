"""One small (problem, trajectory) for every kind of law that a file can hold."""

import io

import h5py
import numpy as np

import pdeflow as pf
from pdeflow.laws import (
    Barenblatt,
    Chi,
    DensityAtPoints,
    Gaussian,
    GaussianMixture,
    GridLaw,
    KernelDensity,
    Particles,
    Product,
    Quantiles,
    Radial,
    Ring,
    Uniform,
)
from pdeflow.reference.schema import BLOCK, seal

TIMES = np.array([0.0, 0.1, 0.3])
ERROR = pf.Estimate(1.0 / 3.0, 1e-3 / 7.0, "made up for a test", "w2")


def _closed_forms():
    mixture = [
        GaussianMixture([0.3, 0.7], [[-1.0 - t, 0.1], [2.0, t / 3]], [[[1.0, 0.2], [0.2, 0.7]], np.eye(2) * (1 + t)])
        for t in TIMES
    ]
    covariance = np.array([[1.3, 0.1 / 3], [0.1 / 3, 0.7]])
    yield "Gaussian", pf.problems.ou(2), [Gaussian([t / 3, 0.1], covariance * (1 + t)) for t in TIMES]
    yield "GaussianMixture", pf.problems.ou(2), mixture
    yield "Uniform", pf.problems.ou(2), [Uniform([-1.0 - t / 3, 0.1], [1.0, 0.2 + t]) for t in TIMES]
    yield (
        "Barenblatt",
        pf.problems.porous_medium(2, 2.4, 0.1, 1.0),
        [Barenblatt(2, 2.4, 0.1 + t, [t / 3, 0.1]) for t in TIMES],
    )
    yield "Chi", pf.problems.ou(1), [Chi(3, 1 / 3 + t) for t in TIMES]
    yield "Ring", pf.problems.ring_aggregation(), [Ring(1 / 3 + t, [0.1, t]) for t in TIMES]
    yield "Semicircle", pf.problems.log_repulsion(), list(pf.exact(pf.problems.log_repulsion(), TIMES).laws)


def _tables():
    rng = np.random.default_rng(5)
    edges = [np.cumsum(rng.random(n) + 0.1) for n in (5, 4, 3)]

    def masses(*shape):
        mass = rng.random(shape)
        return mass / mass.sum()

    yield "GridLaw", pf.problems.double_well(), [GridLaw(edges[0], masses(4)) for _ in TIMES]
    yield "GridLaw", pf.problems.ou(2), [GridLaw(edges[:2], masses(4, 3)) for _ in TIMES]
    yield "GridLaw", pf.problems.ou(3), [GridLaw(edges, masses(4, 3, 2)) for _ in TIMES]
    weights = [None, masses(7), np.full(7, 1 / 7)]
    yield "Particles", pf.problems.ou(2), [Particles(rng.standard_normal((7, 2)), w) for w in weights]
    yield "KernelDensity", pf.problems.ou(2), [KernelDensity(rng.standard_normal((7, 2)), w) for w in weights]
    yield (
        "DensityAtPoints",
        pf.problems.ou(2),
        [DensityAtPoints(rng.standard_normal((7, 2)), rng.standard_normal(7), w, w is None) for w in weights],
    )
    yield (
        "Quantiles",
        pf.problems.double_well(),
        [Quantiles(np.sort(rng.random(5)), [0, 0.1, 1 / 3, 0.7, 1]) for _ in TIMES],
    )
    for radius in [GridLaw(edges[0], masses(4)), Quantiles([0.1, 0.3, 0.7], [0, 1 / 3, 1]), Chi(3, 1 / 3)]:
        yield f"Radial of {type(radius).__name__}", pf.problems.mexican_hat(5), [Radial(radius, 5) for _ in TIMES]


def all_cases():
    cases = [
        (f"{kind}-{problem.dim}d", problem, pf.Trajectory(TIMES, laws))
        for kind, problem, laws in [*_closed_forms(), *_tables()]
    ]
    blocks = {"Gaussian": Gaussian(0.3, 0.1), "GridLaw": GridLaw(np.array([0.0, 1 / 3, 1.0]), [0.25, 0.75])}
    for kind, law in blocks.items():
        cases.append((f"Product-{kind}", pf.problems.ou(3), pf.Trajectory([0.5], [Product([law] * 3)])))
    return cases


CASES = all_cases()


def ou_grid(path, cells=16, **keywords):
    """A valid small file: OU masses on [-9, 9] at three times."""
    problem = pf.problems.ou()
    edges = np.linspace(-9, 9, cells + 1)
    flow = pf.exact(problem, TIMES)
    laws = [pf.laws.GridLaw(edges, np.diff(law.cdf(edges))) for law in flow.laws]
    pf.reference.save(path, problem, pf.Trajectory(TIMES, laws), error=ERROR, **keywords)
    return path


def saved(path, problem, trajectory, **keywords):
    """The reference that was written and read again."""
    return pf.reference.load(pf.reference.save(path, problem, trajectory, **{"error": ERROR, **keywords}))


def resigned(path, change):
    """Change a file through h5py and give it the seal that fits, as a careless writer might."""
    memory = io.BytesIO(path.read_bytes()[:-BLOCK])
    with h5py.File(memory, "r+") as content:
        change(content)
    body = memory.getvalue()
    path.write_bytes(body + seal(body))
