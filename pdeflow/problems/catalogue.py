"""The catalogue: named problems of the literature, each with its exact law where one is known.

Those with an interaction stand in `interaction_catalogue`.

Every entry is a registered builder: it records its name and arguments, so that a reference file can rebuild it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput, Unsupported
from .._core.validate import count, positive, spd_matrix
from ..energies.energy import Energy
from ..energies.internal import Entropy, Power
from ..energies.potentials import DoubleWell, MixturePotential, Quadratic, StyblinskiTang
from ..energies.time_dependent import MovingQuadratic
from ..laws import Barenblatt, Gaussian, GaussianMixture, Law
from .exact_flows import DrivenFlow, LinearFlow, PorousMediumFlow
from .problem import ExactFlow, Problem
from .random_draws import mokrov_matrix, mokrov_means, uniform_matrix, uniform_means
from .registry import register


def _linear(matrix, center, temperature, initial, horizon):
    quadratic = Quadratic(matrix, center)
    energy = Energy(potential=quadratic, internal=Entropy(temperature))
    initial = start_law(quadratic.dim, initial, 1.0)
    flow = flow_or_none(LinearFlow, quadratic.matrix, quadratic.center, float(temperature), initial)
    return Problem(energy, initial, horizon, exact=flow)


def _driven(potential, temperature, initial, horizon):
    initial = start_law(potential.dim, initial, 1.0)
    arguments = potential.matrix, np.zeros(potential.dim), float(temperature), initial
    flow = flow_or_none(lambda: DrivenFlow(*arguments, potential=potential))
    return Problem(Energy(potential, Entropy(temperature)), initial, horizon, exact=flow)


def flow_or_none(flow: Callable[..., ExactFlow], *parameters: Any) -> ExactFlow | None:
    """The exact flow, or None where it is not closed from that start: solvers treat the problem all the same."""
    try:
        return flow(*parameters)
    except Unsupported:
        return None


@register
def ou(
    dim: int = 1,
    matrix: ArrayLike | None = None,
    center: ArrayLike | Callable[[float], Any] | None = None,
    temperature: float = 1.0,
    initial: Law | None = None,
    horizon: float = 1.0,
    seed: int | None = None,
    ensemble: str = "uniform",
) -> Problem:
    """Ornstein-Uhlenbeck: ∂tρ = ∇·(ρ A(x - b)) + T Δρ; the Gaussian law is exact also where A and the start do not
    commute.

    Parameters
    ----------
    dim : int
        Dimension d of the space, >= 1.
    matrix : (dim, dim) or float, optional
        A, symmetric positive definite, per unit of t; a number means that multiple of I. By default I.
    center : (dim,) or callable, optional
        b, in units of x; by default 0. A function t -> b(t) moves the potential, see Notes.
    temperature : float
        T > 0, in units of x² per unit of t.
    initial : Law, optional
        The law at time 0; by default N(2, I/4) in each coordinate, and N(0, I) where a seed is given.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.
    seed : int, optional
        >= 0; draws A and b.
    ensemble : {"uniform", "mokrov"}
        The law of the draws, see Notes; "mokrov" needs a seed.

    Returns
    -------
    Problem
        From other laws than Gaussians and their mixtures it has no exact law (as in `heat` and `mixture_ou`).

    Raises
    ------
    BadInput
        For another ensemble, a seed beside a matrix or a center, "mokrov" without a seed, and values out of range.

    Notes
    -----
    "uniform": random rotation, eigenvalues uniform in [0.2, 3], b ~ N(0, I). "mokrov" (the published draws of
    [mokrov2021]): A⁻¹ = U(𝟏 + diag(u))Vᵀ with U S Vᵀ the SVD of XᵀX, X uniform on [0,1]^(d x d), u uniform on [0,1]^d,
    𝟏 the matrix of ones; b ~ N(0, I).

    With a function as center the potential is a `potentials.MovingQuadratic`: m' = -A(m - b(t)), and the covariance
    is that of a centre at rest [docs/math.md 4]. It is solved by `grid.ChangCooper` on the line, by
    `particle.EulerMaruyama` and by methods whose `step` takes `time`; all others, and all that asks for an energy
    without a time, raise `Unsupported`. Such a function is not recorded, so that no file rebuilds the problem.
    """
    dim = count(dim, "dim")
    if ensemble not in ("uniform", "mokrov"):
        raise BadInput(f"ensemble is {ensemble!r}. It must be 'uniform' or 'mokrov'. Choose one.")
    if seed is None and ensemble == "mokrov":
        raise BadInput("ensemble='mokrov' without a seed. The draw needs one. Pass seed=0, 1, ...")
    if seed is not None:
        if matrix is not None or center is not None:
            raise BadInput("seed= and matrix= or center= are given. seed draws both. Pass either.")
        rng = np.random.default_rng(count(seed, "seed", 0))
        matrix = uniform_matrix(dim, rng) if ensemble == "uniform" else mokrov_matrix(dim, rng)
        center = rng.standard_normal(dim)
        initial = Gaussian(np.zeros(dim), 1.0) if initial is None else initial
    matrix = spd_matrix(1.0 if matrix is None else matrix, dim, "matrix")
    initial = Gaussian(np.full(dim, 2.0), 0.25) if initial is None else initial
    if callable(center):
        return _driven(MovingQuadratic(matrix, center), temperature, initial, horizon)
    return _linear(matrix, np.zeros(dim) if center is None else center, temperature, initial, horizon)


def start_law(dim: int, initial: Law | None, variance: float) -> Law:
    """`initial`, or N(0, variance I) in R^dim if it is None; `BadInput` if it lives in another dimension."""
    if initial is None:
        return Gaussian(np.zeros(count(dim, "dim")), variance)
    if initial.dim != count(dim, "dim"):
        raise BadInput(f"dim = {dim}, but {initial!r} lives in dimension {initial.dim}. They must agree. Pass dim=.")
    return initial


@register
def heat(dim: int = 1, temperature: float = 1.0, initial: Law | None = None, horizon: float = 1.0) -> Problem:
    """∂tρ = T Δρ (default N(0, I)); exact from a Gaussian or a Gaussian mixture: Σ_t = Σ_0 + 2 T t I.

    Parameters
    ----------
    dim : int
        Dimension of the space, >= 1.
    temperature : float
        T > 0, in units of x² per unit of t.
    initial : Law, optional
        The law at time 0; by default N(0, I).
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Its exact law is None from other starts.

    Raises
    ------
    BadInput
        For a start in another dimension than `dim`, and values out of range.
    """
    initial = start_law(dim, initial, 1.0)
    flow = flow_or_none(LinearFlow, np.zeros((dim, dim)), np.zeros(dim), float(temperature), initial)
    return Problem(Energy(internal=Entropy(temperature)), initial, horizon, exact=flow)


@register
def mixture_ou(
    initial: Law | None = None,
    matrix: ArrayLike = 1.2,
    center: ArrayLike = 0.4,
    temperature: float = 1.0,
    horizon: float = 1.0,
) -> Problem:
    """A Gaussian mixture under an Ornstein-Uhlenbeck flow stays one: exact multimodal truth in any dimension
    [docs/math.md 10.1].

    Parameters
    ----------
    initial : Law, optional
        The law at time 0; by default 0.3 N(-1.5, 0.09) + 0.7 N(2, 0.36) on the line.
    matrix : (d, d) or float
        A, symmetric positive definite, per unit of t; a number means that multiple of I.
    center : (d,) or float
        b, in units of x.
    temperature : float
        T > 0, in units of x² per unit of t.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        ∂tρ = ∇·(ρ A(x - b)) + T Δρ in the dimension d of the start.

    Raises
    ------
    BadInput
        For a matrix that is not symmetric positive definite, and values out of range.
    """
    initial = GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36]) if initial is None else initial
    return _linear(
        spd_matrix(matrix, initial.dim, "matrix"),
        np.broadcast_to(center, (initial.dim,)),
        temperature,
        initial,
        horizon,
    )


@register
def mixture_target(
    dim: int,
    components: int,
    half_width: float,
    seed: int = 0,
    temperature: float = 1.0,
    initial: Law | None = None,
    horizon: float = 4.0,
    ensemble: str = "uniform",
) -> Problem:
    """V = -T log q with q = equal weights, unit covariances, means uniform in [-half_width, half_width]^dim drawn by
    `seed`.

    Parameters
    ----------
    dim, components : int
        Dimension of the space and number of the components of q, >= 1.
    half_width : float
        > 0, in units of x.
    seed : int
        >= 0; draws the means.
    temperature : float
        T > 0, in units of x² per unit of t.
    initial : Law, optional
        The law at time 0, by default N(0, 16 I), as in the published runs.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.
    ensemble : {"uniform", "mokrov"}
        "mokrov": the very targets of the published runs of [mokrov2021], the same bits.

    Returns
    -------
    Problem
        It has no exact law for t > 0; q itself is stationary.

    Raises
    ------
    BadInput
        For another ensemble, a configuration of "mokrov" that was not published, and values out of range.

    Notes
    -----
    With "mokrov", seed is the number of the experiment, 0 to 4 (0 alone where one was run), and (dim, components,
    half_width) is one of (2, 5, 5), (4, 6, 5), (6, 7, 5), (8, 8, 5), (10, 9, 5), (12, 10, 5), (13, 10, 5), (32, 10, 3).
    """
    k, width, seed = count(components, "components"), positive(half_width, "half_width"), count(seed, "seed", 0)
    if ensemble not in ("uniform", "mokrov"):
        raise BadInput(f"ensemble is {ensemble!r}. It must be 'uniform' or 'mokrov'. Choose one.")
    shape = (k, count(dim, "dim"))
    draw = mokrov_means if ensemble == "mokrov" else uniform_means
    target = GaussianMixture(np.full(k, 1 / k), draw(shape, width, seed), 1.0)
    initial = Gaussian(np.zeros(dim), 16.0) if initial is None else initial
    return Problem(Energy(MixturePotential(target, temperature), Entropy(temperature)), initial, horizon)


@register
def double_well(
    barrier: float = 1.0, temperature: float = 0.5, initial: Law | None = None, horizon: float = 2.0
) -> Problem:
    """V = barrier (x² - 1)² on the line, from N(1, 1/16) by default. No closed form.

    Parameters
    ----------
    barrier : float
        Height of V at 0, > 0.
    temperature : float
        T > 0, in the unit of V.
    initial : Law, optional
        The law at time 0, on the line.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        ∂tρ = ∇·(ρ∇V) + T Δρ, without an exact law.

    Raises
    ------
    BadInput
        For a start in another dimension, and values out of range.
    """
    initial = Gaussian(1.0, 1 / 16) if initial is None else initial
    return Problem(Energy(DoubleWell(barrier), Entropy(temperature)), initial, horizon)


@register
def styblinski_tang(
    dim: int, scale: float = 3 / 50, temperature: float = 1.0, initial: Law | None = None, horizon: float = 1.8
) -> Problem:
    """V = scale Σ(x_i⁴ - 16x_i² + 5x_i) from N(0, I): separable, so its truth is pf.lift(solve(the 1-D problem,
    ChangCooper(...)), dim).

    Parameters
    ----------
    dim : int
        Dimension of the space, >= 1.
    scale : float
        > 0.
    temperature : float
        T > 0, in the unit of V.
    initial : Law, optional
        The law at time 0; by default N(0, I).
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        ∂tρ = ∇·(ρ∇V) + T Δρ, without an exact law.

    Raises
    ------
    BadInput
        For a start in another dimension, and values out of range.

    Notes
    -----
    [jin2025] prints 3/50, its slides 1/50: two different problems (docs/math.md 8.3).
    """
    initial = Gaussian(np.zeros(count(dim, "dim")), 1.0) if initial is None else initial
    return Problem(Energy(StyblinskiTang(dim, scale), Entropy(temperature)), initial, horizon)


@register
def porous_medium(dim: int = 1, m: float = 2.0, start: float = 0.002, horizon: float = 0.02) -> Problem:
    """∂tρ = Δρ^m from the Barenblatt law of PDE time `start`; exact(t) is that of start + t [docs/math.md 1].

    Parameters
    ----------
    dim : int
        Dimension of the space, >= 1.
    m : float
        Exponent, > 1.
    start : float
        > 0, in the unit of t.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        With its exact law.

    Raises
    ------
    BadInput
        For values out of range.
    """
    initial = Barenblatt(dim, m, start)
    return Problem(Energy(internal=Power(m)), initial, horizon, exact=PorousMediumFlow(float(m), 1.0, initial))
