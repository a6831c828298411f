"""The standard battery: 21 problems with their truths, one metric, and the methods of the house at quick sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import grid, laws, metrics, neural, particle, problems
from .._core.estimate import Estimate
from ..laws import Law
from ..metrics import metric
from ..problems.problem import Problem
from ..report.scoring import Entry
from ..study import finer
from ..trajectory import Trajectory, exact, lift

TIME = 0.5  # at which all laws are compared
_EACH = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
_FEW = (1 / 2, 1 / 4, 1 / 8)
_RADII, _ANGLES, _RADIAL_STEPS = 200, 60, 400


def standard_problems() -> dict[str, Problem]:
    """The problems of the standard battery by name; the number after a name is the dimension.

    Returns
    -------
    {str: Problem}
        Linear and nonlinear diffusion, multimodal laws, interactions, potentials that are made of simpler ones and do
        not look so, in dimensions 1 to 30, up to time 1/2.
    """
    built: dict[str, Problem] = {}
    for dim in (1, 2, 10, 30):
        built[f"ou {dim}"] = problems.ou(dim, seed=0, horizon=TIME)
    for dim in (1, 2, 10):
        built[f"mixture_ou {dim}"] = problems.mixture_ou(_two_bumps(dim), horizon=TIME)
    for dim in (1, 2, 10):
        built[f"porous_medium {dim}"] = problems.porous_medium(dim, start=0.1, horizon=TIME)
    built["double_well"] = problems.double_well(horizon=TIME)
    for dim in (1, 10, 30):
        built[f"styblinski_tang {dim}"] = problems.styblinski_tang(dim, horizon=TIME)
    built["mckean_vlasov_ou"] = problems.mckean_vlasov_ou(horizon=TIME)
    built["log_repulsion"] = problems.log_repulsion(horizon=TIME)
    built["newtonian_1d"] = problems.newtonian_1d(horizon=TIME)
    built["ring_aggregation 2"] = problems.ring_aggregation(2, horizon=TIME)
    stretched = problems.mixture_ou(_two_bumps(10), np.diag(np.linspace(0.4, 2.2, 10)), horizon=TIME)
    built["rotated mixture_ou 10"] = problems.rotated(stretched, 0)
    built["mexican_hat 10"] = problems.mexican_hat(10, horizon=TIME)
    built["rotated_wells 30"] = problems.rotated_wells(30, horizon=TIME)
    return built


def _two_bumps(dim: int) -> Law:
    """0.3 N(-1.5 e, 0.09 I) + 0.7 N(2 e, 0.36 I) with e the unit vector of equal entries: the start of `mixture_ou`."""
    e = np.full(dim, dim**-0.5)
    return laws.GaussianMixture([0.3, 0.7], [-1.5 * e, 2.0 * e], [0.09 * np.eye(dim), 0.36 * np.eye(dim)])


@metric(floor_adds="squares", scale=metrics.sliced_w2.scale)
def standard_metric(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None) -> Estimate:
    """The metric of the standard battery: `sliced_w2` with 50 directions and 4,000 draws; on the line it is `w2`.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed in d > 1.

    Returns
    -------
    Estimate
        The distance, not its square.
    """
    return metrics.sliced_w2(approximation, truth, rng=rng, projections=50, n=4000)


def standard_truth(problem: Problem, times: Sequence[float]) -> Trajectory:
    """The truth of each problem of the battery.

    Parameters
    ----------
    problem : Problem
        One of `standard_problems`.
    times : sequence of float
        When it is needed.

    Returns
    -------
    Trajectory
        The closed form where there is one. For `double_well` and `styblinski_tang` a fine Chang-Cooper run, lifted to
        products in d > 1, with its own error by a coarser run; the same on their parts for `mexican_hat` and
        `rotated_wells`. For `ring_aggregation`, whose law stays radial, 12,000
        points whose radii solve the radial equation.

    Notes
    -----
    For W = |x|⁴/4 - |x|²/2 in the plane and a radial law with M = E|x|², the velocity is -x (|x|² + 2M - 1): from
    E|x - y|²(x - y) = x (|x|² + 2M) for a centred radial y.
    """
    if problem.exact is not None:
        return exact(problem, times)
    if problem.name == "ring_aggregation":
        return _radial(problem, times)
    by_parts = problem.initial.dim == 1 or problem.structure is not None
    line = problem if by_parts else problems.styblinski_tang(1, horizon=TIME)
    fine = finer(grid.ChangCooper(cells=800, time_order=2), dt=1 / 256)(line, times)
    if problem.initial.dim == 1:
        return fine
    # SW2 is at most W2/sqrt(d), which is W2 of a factor where all factors are equal
    gaps = [metrics.w2(fine.at(time), fine.stats["coarser"].at(time)).value for time in times]
    largest = max(gaps) / np.sqrt(fine.dim)
    error = Estimate(float(largest), 0.0, "a coarser run of the parts", "sliced_w2")
    laws = fine.laws if by_parts else lift(fine, problem.initial.dim).laws
    return Trajectory(fine.times, laws, {"error": error, "error_metric": "sliced_w2"}, problem=problem)


def _radial(problem: Problem, times: Sequence[float]) -> Trajectory:
    """Radii at quantiles of the start, moved by Runge-Kutta steps; angles evenly spaced, turned from ring to ring."""
    share = (np.arange(_RADII) + 0.5) / _RADII
    start = np.sqrt(-2 * problem.initial.cov()[0, 0] * np.log1p(-share))
    turn = 2 * np.pi * (np.arange(_ANGLES)[None, :] / _ANGLES + (0.618034 * np.arange(_RADII)[:, None]) % 1)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=-1)

    def velocity(r: np.ndarray) -> np.ndarray:
        return -r * (r**2 + 2 * np.mean(r**2) - 1)

    def law(time: float) -> Law:
        r, h = start, time / _RADIAL_STEPS
        for _ in range(_RADIAL_STEPS):
            a = velocity(r)
            b = velocity(r + h / 2 * a)
            c = velocity(r + h / 2 * b)
            r = r + h / 6 * (a + 2 * b + 2 * c + velocity(r + h * c))
        return laws.Particles((r[:, None, None] * circle).reshape(-1, 2))

    error = Estimate(1 / _RADII, 0.0, "the spacing of the radii", "sliced_w2")
    found = [law(float(time)) for time in times]
    return Trajectory(np.asarray(times, dtype=float), found, {"error": error}, problem=problem)


def _neural() -> dict[str, Any]:
    """The neural methods, which need torch."""
    training = neural.Training(pool=2**14)  # more particles cost time, and such short trainings gain nothing by them
    return {
        "ICNNJKO": neural.ICNNJKO(width=16, iterations=40, batch=512, training=training),
        "VariationalJKO": neural.VariationalJKO(outer=4, batch=256, training=training),
        "PWGF": neural.PWGF(map=neural.Planar(layers=6), samples=500),
        "PFPE": neural.PFPE(map=neural.Affine(), samples=500, features=20),
    }


HOUSE = {
    **dict.fromkeys(
        ("ChangCooper", "FiniteVolume", "QuantileJKO", "CvxoptJKO", "BackAndForthJKO", "EntropicJKO"), "classical"
    ),
    **dict.fromkeys(("EulerMaruyama", "Blob", "InteractingParticles"), "particle"),
    **dict.fromkeys(("ICNNJKO", "VariationalJKO", "PWGF", "PFPE"), "neural"),
}
_STEPS = {"classical": _EACH, "particle": _EACH, "neural": _FEW}
_SEEDS = {"classical": 1, "particle": 5, "neural": 2}
_FEWER = ("CvxoptJKO",)  # whose cells grow with 1/dt, and its time with them


def house_methods(names: Iterable[str] = tuple(HOUSE)) -> list[Entry]:
    """Methods of pdeflow on the board, at sizes at which the whole board takes minutes.

    Parameters
    ----------
    names : iterable of str
        Keys of `HOUSE`, all by default.

    Returns
    -------
    list of Entry
        Each with its class, steps and seeds. Random ones run with several seeds, so that their noise is known. SVGD is
        none of them: it goes to the same limit by another flow, and the board compares laws on the way.

    Raises
    ------
    PdeflowError
        For neural methods where torch is not installed.
    """
    names = list(names)
    methods: dict[str, Any] = {
        "ChangCooper": grid.ChangCooper(cells=400),
        "FiniteVolume": grid.FiniteVolume(),
        "QuantileJKO": grid.QuantileJKO(points=300),
        "CvxoptJKO": grid.CvxoptJKO(),
        "BackAndForthJKO": grid.BackAndForthJKO(),
        "EntropicJKO": grid.EntropicJKO(),
        "EulerMaruyama": particle.EulerMaruyama(particles=4000),
        # its cloud is judged, not its density, whose quantiles along 50 directions cost more than the run
        "Blob": particle.Blob(cells=80, smoothed=False),
        "InteractingParticles": particle.InteractingParticles(particles=4000),
    }
    if any(HOUSE[name] == "neural" for name in names):
        methods |= _neural()
    steps = {**{name: _STEPS[kind] for name, kind in HOUSE.items()}, **dict.fromkeys(_FEWER, _FEW)}
    seeds = {name: _SEEDS[kind] for name, kind in HOUSE.items()}
    steps["Blob"], seeds["Blob"] = _FEW[:1], 1  # its substeps keep a tolerance: no order in dt, and nothing random
    return [Entry(name, methods[name], HOUSE[name], steps[name], seeds[name]) for name in names]
