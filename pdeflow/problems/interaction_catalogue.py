"""The problems of the catalogue with an interaction; `catalogue` has those without."""

import numpy as np

from .._core.validate import positive
from ..energies.energy import Energy
from ..energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from ..energies.internal import Entropy, Power
from ..energies.potentials import Quadratic
from ..laws import Gaussian, Law, Semicircle, Uniform
from .catalogue import flow_or_none, start_law
from .exact_flows import LinearFlow, LogRepulsionFlow, NewtonianFlow
from .problem import Problem
from .registry import register


@register
def mckean_vlasov_ou(
    strength: float = 0.5,
    attraction: float = 1.2,
    temperature: float = 0.4,
    initial: Law | None = None,
    horizon: float = 1.0,
) -> Problem:
    """V = strength |x|²/2, W = attraction |x|²/2: mean rate `strength`, covariance rate strength + attraction; exact
    from a Gaussian.

    Parameters
    ----------
    strength, attraction : float
        Both > 0, per unit of t.
    temperature : float
        T > 0, in units of x² per unit of t.
    initial : Law, optional
        The law at time 0; by default N(1, 0.3) on the line.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Its exact law is None from other starts.

    Raises
    ------
    BadInput
        For values out of range.
    """
    initial = Gaussian(1.0, 0.3) if initial is None else initial
    quadratic = Quadratic(positive(strength, "strength"), np.zeros(initial.dim))
    energy = Energy(quadratic, Entropy(temperature), QuadraticAttraction(attraction))
    flow = flow_or_none(LinearFlow, quadratic.matrix, quadratic.center, float(temperature), initial, float(attraction))
    return Problem(energy, initial, horizon, exact=flow)


@register
def newtonian_1d(initial: Law | None = None, horizon: float = 1.0) -> Problem:
    """W = x²/2 - |x| on the line: explicit quantiles for any start (default N(0.3, 2.25)); equilibrium uniform on
    mean ± 1.

    Parameters
    ----------
    initial : Law, optional
        The law at time 0, on the line.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        With its exact law [docs/math.md 2.2].

    Raises
    ------
    Unsupported
        For a start that is not on the line or lacks quantiles or a mean.
    """
    initial = Gaussian(0.3, 2.25) if initial is None else initial
    return Problem(Energy(interaction=PowerLaw(2.0, 1.0)), initial, horizon, exact=NewtonianFlow(initial))


@register
def log_repulsion(
    attraction: float = 1.0, repulsion: float = 1.0, initial: Law | None = None, horizon: float = 1.0
) -> Problem:
    """W = attraction x²/2 - repulsion log|x| on the line; from a semicircle (default radius 3.4) the law stays one.

    Parameters
    ----------
    attraction : float
        > 0, per unit of t.
    repulsion : float
        > 0, in units of x² per unit of t.
    initial : Law, optional
        The law at time 0, on the line.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Its exact law [docs/math.md 2.2] is None from other starts.

    Raises
    ------
    BadInput
        For values out of range.
    """
    initial = Semicircle(3.4) if initial is None else initial
    flow = flow_or_none(LogRepulsionFlow, float(attraction), float(repulsion), initial)
    return Problem(Energy(interaction=LogRepulsion(attraction, repulsion)), initial, horizon, exact=flow)


@register
def ring_aggregation(
    dim: int = 2, a: float = 4.0, b: float = 2.0, initial: Law | None = None, horizon: float = 10.0
) -> Problem:
    """W = |x|^a/a - |x|^b/b from N(0, I/4): towards a shell of radius aggregation.ring_radius(a, b, dim), 1/√3 for
    (4, 2) in the plane.

    Parameters
    ----------
    dim : int
        Dimension of the space, >= 1.
    a, b : float
        Exponents with a > b.
    initial : Law, optional
        The law at time 0; by default N(0, I/4).
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Without an exact law.

    Raises
    ------
    BadInput
        For a start in another dimension than `dim`, for a <= b, and values out of range.
    """
    initial = start_law(dim, initial, 0.25)
    return Problem(Energy(interaction=PowerLaw(a, b)), initial, horizon)


@register
def aggregation_diffusion(
    mass: float = 1.0,
    m: float = 3.0,
    diffusion: float = 0.1,
    half_width: float = 3.0,
    initial: Law | None = None,
    horizon: float = 60.0,
) -> Problem:
    """W = -exp(-|x|²)/π with diffusion Δρ^m in the plane, from the uniform law on [-half_width, half_width]²
    [fan2022iclr section 4.4].

    Parameters
    ----------
    mass : float
        Total mass M > 0.
    m : float
        Exponent, > 1.
    diffusion : float
        Factor of Δρ^m, > 0.
    half_width : float
        > 0, in units of x.
    initial : Law, optional
        The law at time 0; by default that uniform law.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Without an exact law.

    Raises
    ------
    BadInput
        For values out of range.

    Notes
    -----
    For total mass M the probability p = ρ/M obeys ∂tp = M ∇·(p∇W*p) + M^(m-1) diffusion Δp^m (docs/math.md 2.3):
    `mass` enters through both coefficients.
    """
    mass, width = positive(mass, "mass"), positive(half_width, "half_width")
    initial = Uniform([-width, -width], [width, width]) if initial is None else initial
    energy = Energy(
        internal=Power(m, positive(diffusion, "diffusion") * mass ** (m - 1)),
        interaction=GaussianAttraction(mass / np.pi),
    )
    return Problem(energy, initial, horizon)
