"""Builders of problems that are made of simpler ones, and keep their truth: rotations, products, radial potentials."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import block_diag

from .._core.errors import BadInput, Unsupported
from .._core.short_text import shown
from .._core.validate import count, instance_of, positive, real_array
from ..energies.energy import Energy
from ..energies.interactions import as_quadratic_attraction
from ..energies.internal import Entropy
from ..energies.lifted import (
    EvenPolynomial,
    Flat,
    RadiusPotential,
    Separable,
    of_radius,
    rotated_kernel,
    rotated_potential,
)
from ..energies.potentials import DoubleWell, Quadratic, StyblinskiTang, as_quadratic
from ..laws import Gaussian, Law, Product
from ..laws.affine_images import ROUNDED
from .catalogue import flow_or_none, start_law
from .exact_flows import LinearFlow
from .problem import Problem
from .random_draws import haar_rotation
from .registry import register
from .structure import Factors, Radius, Rotation, StructuredProblem, distinct, structured


@register
def rotated(problem: Problem, rotation: ArrayLike | int) -> Problem:
    """The law of Q x with x that of a problem: V(Qᵀx), W(Qᵀz), the start pushed by Q.

    Parameters
    ----------
    problem : Problem
        What is rotated, in dimension d.
    rotation : (d, d) array or int
        Q, orthogonal to round-off; a number is the seed of a rotation drawn by Haar measure.

    Returns
    -------
    Problem
        Its exact flow is that of the problem, rotated, where that is known. Flow and JKO steps commute with rotations
        [docs/math.md 10.7], so a method that treats parts runs the problem itself, and `solve` returns rotated laws.

    Raises
    ------
    BadInput
        For what is no problem, and for a matrix of another shape or one that is not orthogonal.
    Unsupported
        For a potential that depends on time.
    """
    instance_of(problem, "problem", Problem)
    _refuse_moving([problem.energy])
    turn, energy = _rotation(rotation, problem.dim), problem.energy
    whole = Energy(rotated_potential(energy.potential, turn), energy.internal, rotated_kernel(energy.interaction, turn))
    unstarted = Rotation((problem,), whole, problem.initial, rotation=turn)
    initial = unstarted.join([problem.initial])
    return structured(Rotation((problem,), whole, initial, rotation=turn), problem.horizon)


def _refuse_moving(energies: Sequence[Energy]) -> None:
    """`Unsupported` for potentials V(t, x)."""
    moving = [energy.potential for energy in energies if energy.time_dependent]
    if moving:
        raise Unsupported(
            f"The potential {shown(moving[0], 200)} depends on time. Problems are made of parts whose potentials do "
            "not. Build V(t, x) of the whole by pf.potentials.Moving, without its structure."
        )


def _rotation(rotation: Any, dim: int) -> np.ndarray:
    """An orthogonal matrix (dim, dim), or `BadInput`."""
    if np.ndim(rotation) == 0:
        return haar_rotation(dim, np.random.default_rng(count(rotation, "rotation", 0)))
    turn = real_array(rotation, "rotation", ndim=2)
    if turn.shape != (dim, dim):
        raise BadInput(
            f"rotation has shape {turn.shape}, the problem dim {dim}. It must be ({dim}, {dim}), or a whole number, "
            "the seed of a random one. Match the dimension."
        )
    off = float(np.abs(turn @ turn.T - np.eye(dim)).max())
    if off > ROUNDED * dim:
        raise BadInput(
            f"rotation is not orthogonal: Q Qᵀ is off the identity by {off:.3g}; round-off is at most "
            f"{ROUNDED * dim:.3g}. Take the Q of numpy.linalg.qr, or pass a seed."
        )
    return turn


@register
def separable(problems: Sequence[Problem]) -> Problem:
    """The product of problems: independent blocks of coordinates, one after the other, each with its own.

    Parameters
    ----------
    problems : sequence of Problem
        The problems of the blocks, of any dimensions, with one horizon. All have the same entropy, or none an internal
        energy; interactions are quadratic attractions of one strength, or none.

    Returns
    -------
    Problem
        Its exact flow is the product of theirs where all know one. Flow and JKO steps of the product are the products
        of theirs [docs/math.md 10.7], so a method that treats parts runs each different one once.

    Raises
    ------
    BadInput
        For no problems, and for horizons that differ.
    Unsupported
        For internal energies and interactions with which the blocks do not stay independent, and for potentials that
        depend on time.
    """
    given = list(problems) if isinstance(problems, list | tuple) else []
    if not given or not all(isinstance(problem, Problem) for problem in given):
        raise BadInput(
            f"problems is {shown(problems)}. It must be a list of problems, one for each block of coordinates. Pass "
            "e.g. [pf.problems.double_well()] * 3."
        )
    horizons = sorted({problem.horizon for problem in given})
    if len(horizons) > 1:
        raise BadInput(f"The horizons are {horizons}. A product has one. Pass the same horizon= to all.")
    energies = [problem.energy for problem in given]
    _refuse_moving(energies)
    _require_one_entropy(energies)
    _require_one_attraction(energies)
    initial = Product([problem.initial for problem in given])
    whole = Energy(_block_potential(given), energies[0].internal, energies[0].interaction)
    return structured(Factors.of(given, whole, initial), given[0].horizon)


def _require_one_entropy(energies: Sequence[Energy]) -> None:
    """`Unsupported` unless all have one entropy or no internal energy."""
    entropies = [None if one.internal is None else _temperature(one.internal) for one in energies]
    absent = [one.internal is None for one in energies]
    if len(set(absent)) > 1 or (not absent[0] and (None in entropies or len(set(entropies)) > 1)):
        raise Unsupported(
            f"The internal energies are {', '.join(sorted({repr(one.internal) for one in energies}))}. Blocks stay "
            "independent under one and the same Entropy, or without any. Choose one temperature."
        )


def _require_one_attraction(energies: Sequence[Energy]) -> None:
    """`Unsupported` unless all have one quadratic attraction or no interaction."""
    kernels = [one.interaction for one in energies]
    known = [kernel is None or as_quadratic_attraction(kernel) is not None for kernel in kernels]
    if not all(known) or any(kernel != kernels[0] for kernel in kernels):
        raise Unsupported(
            f"The interactions are {', '.join(sorted({repr(kernel) for kernel in kernels}))}. A function of x - y that "
            "keeps blocks independent is built for one QuadraticAttraction, or none. Take the same for all."
        )


def _temperature(internal: Any) -> float | None:
    """T where the internal energy is T r log r, else None."""
    return internal.coefficient if internal.exponent == 1 else None


def _block_potential(problems: Sequence[Problem]) -> Any:
    """Σ V_i(x_i): None where there is none, a `Quadratic` of quadratics."""
    potentials = [problem.energy.potential for problem in problems]
    if all(potential is None for potential in potentials):
        return None
    if all(as_quadratic(potential) is not None for potential in potentials):
        matrix = np.asarray(block_diag(*[potential.matrix for potential in potentials]))
        return Quadratic(matrix, np.concatenate([potential.center for potential in potentials]))
    present = [Flat(one.dim) if one.energy.potential is None else one.energy.potential for one in problems]
    return Separable(*distinct(present))


@register
def radial(
    profile: Any,
    dim: int,
    temperature: float = 1.0,
    initial: Law | None = None,
    horizon: float = 1.0,
) -> Problem:
    """V = v(|x|) with entropy, from a start that is invariant under rotations: the law stays so.

    Parameters
    ----------
    profile : sequence of float or Potential
        v, of the radius r >= 0: the coefficients of 1, r², r⁴, ..., of which a file keeps a record, or a potential on
        the line.
    dim : int
        d, at least 2.
    temperature : float
        T > 0, in the unit of v.
    initial : Law, optional
        The law at time 0, invariant under rotations about the origin (its `radial_part` is known): a Gaussian, a
        `Barenblatt`, a `Radial`. By default N(0, I/4).
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        The radius has the density f of ∂tf = ∂r(f U') + T ∂rrf with U = v - T (d - 1) log r on r > 0. W2 of two such
        laws is that of their radii, so JKO steps are those of the radius too. A method that treats parts runs on the
        half line.

    Raises
    ------
    BadInput
        For a profile, a dimension or a start that is none of these.
    """
    dim, temperature = count(dim, "dim", 2), positive(temperature, "temperature")
    line = _profile(profile)
    initial = start_law(dim, initial, 0.25)
    radius = initial.radial_part()
    if radius is None:
        raise BadInput(
            f"initial is {initial!r}. The start must be invariant under rotations about the origin, and known to be: a "
            "Gaussian of mean 0 with one variance, a Barenblatt about 0, a pf.laws.Radial. Choose one."
        )
    strength = _strength(line)
    potential = of_radius(line, dim) if strength is None else Quadratic(strength * np.eye(dim))
    whole = Energy(potential, Entropy(temperature))
    inner = Energy(RadiusPotential(line, dim, temperature), Entropy(temperature))
    part = Problem(inner, radius, horizon, name="radius", params={"dim": dim})
    structure = Radius((part,), whole, initial, dim=dim)
    exact = None
    if strength is not None:
        exact = flow_or_none(LinearFlow, strength * np.eye(dim), np.zeros(dim), temperature, initial)
    return StructuredProblem(whole, initial, horizon, exact=exact, made_of=structure)


def _profile(profile: Any) -> Any:
    """v as a potential on the line, or `BadInput`."""
    if not hasattr(profile, "value"):
        return EvenPolynomial(profile)
    if getattr(profile, "dim", None) != 1:
        raise BadInput(
            f"profile is {shown(profile)}. It must be a potential on the line, with dim 1, or the coefficients of 1, "
            "r², r⁴, ... Pass one of these."
        )
    return profile


def _strength(profile: Any) -> float | None:
    """a where v = a r²/2, else None."""
    quadratic = as_quadratic(profile)
    if quadratic is not None:
        return float(quadratic.matrix[0, 0]) if quadratic.center[0] == 0 else None
    coefficients = getattr(profile, "coefficients", ())
    return 2 * float(coefficients[1]) if len(coefficients) == 2 and coefficients[0] == 0 else None


@register
def mexican_hat(
    dim: int = 10, barrier: float = 1.0, temperature: float = 0.5, initial: Law | None = None, horizon: float = 0.5
) -> Problem:
    """V = barrier (|x|² - 1)², whose minimum is the unit sphere, from N(0, I/4) by default. `radial` with that profile.

    Parameters
    ----------
    dim : int
        Dimension of the space, at least 2.
    barrier : float
        Height of V at 0, > 0.
    temperature : float
        T > 0, in the unit of V.
    initial : Law, optional
        The law at time 0, invariant under rotations about the origin.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Its truth in any dimension is that of the radius: `pf.finer(pf.grid.ChangCooper(...), dt)`.

    Raises
    ------
    BadInput
        For a start in another dimension or of another kind, and values out of range.
    """
    barrier = positive(barrier, "barrier")
    return radial([barrier, -2 * barrier, barrier], dim, temperature, initial, horizon)


@register
def rotated_wells(
    dim: int = 30,
    barrier: float = 1.0,
    scale: float = 3 / 50,
    temperature: float = 0.5,
    seed: int = 0,
    horizon: float = 0.5,
) -> Problem:
    """Double wells in half of the coordinates, Styblinski-Tang in the other half, from N(0, I), rotated by a seed.

    Parameters
    ----------
    dim : int
        Dimension of the space, even.
    barrier : float
        Of `double_well`, > 0.
    scale : float
        Of `styblinski_tang`, > 0.
    temperature : float
        T > 0, in the unit of V.
    seed : int
        Of the rotation, >= 0: to a method nothing looks separable.
    horizon : float
        The time up to which it is solved, > 0, in the unit of t.

    Returns
    -------
    Problem
        Its truth in any dimension is that of two problems on the line: `pf.finer(pf.grid.ChangCooper(...), dt)`.

    Raises
    ------
    BadInput
        For an odd dimension, and values out of range.
    """
    if count(dim, "dim", 2) % 2:
        raise BadInput(f"dim is {dim}. Half of the coordinates are of each kind. Pass an even number.")
    start = Gaussian(0.0, 1.0)
    lines = (
        Problem(Energy(DoubleWell(barrier), Entropy(temperature)), start, horizon),
        Problem(Energy(StyblinskiTang(1, scale), Entropy(temperature)), start, horizon),
    )
    return rotated(separable([lines[0]] * (dim // 2) + [lines[1]] * (dim // 2)), seed)
