"""The energy that a QuantileJKO step minimises, prepared once: that of a piecewise linear quantile function."""

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from scipy.optimize import brentq

from ..._core.errors import NotAvailable, Unsupported
from ..._core.shapes import Values
from ...energies.energy import Energy
from ...energies.internal import InternalEnergy
from ...energies.potentials import as_quadratic
from .kinks import KinkTerm, potential_terms
from .mesh import Cells, Nodes
from .radius import RadiusTerm
from .terms import PotentialTerm, Term, interaction_terms

# Fast diffusion with m <= d/(d + 2) spreads laws so thin that they have no second moment.
LEAST_EXPONENT = 1 / 3

Powers = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class DiscreteEnergy:
    """The energy of the laws with piecewise linear quantile function at fixed levels.

    Attributes
    ----------
    cell_mass : (n,)
        Probability of each cell, the differences of the levels.
    node_mass : (n + 1,)
        Half of each adjacent cell.
    powers : tuple of pairs
        (c, m): the internal energy is the sum of c r^m/(m - 1), or c r log r for m = 1. Empty: there is none.
    confinement : tuple of float
        (k, center) of a potential k (x - center)²/2; k = 0 for none.
    terms : tuple of Term
        The energies beyond these.
    attraction : float
        Of the rank-one part -attraction q qᵀ of the Hessian, q the node masses.
    barrier : bool
        Whether cells must stay open, because the energy of an empty cell is infinite or infinitely steep.
    scanned : pair of float, or None
        Where kinks of the potential were looked for; None where it is not looked for kinks.
    origin : float or None
        Where the half line begins above which the nodes stay; None on the whole line.
    """

    cell_mass: Cells
    node_mass: Nodes
    powers: Powers
    confinement: tuple[float, float]
    terms: tuple[Term, ...]
    attraction: float
    barrier: bool
    scanned: tuple[float, float] | None = None
    origin: float | None = None

    @property
    def kinks(self) -> int:
        """How many kinks of the potential are integrated exactly."""
        return sum(len(term.kinks) for term in self.terms if isinstance(term, KinkTerm))

    @property
    def only_potential(self) -> PotentialTerm | None:
        """The term of the potential where it is all that there is and not quadratic, else None."""
        alone = not self.barrier and self.attraction == 0 and self.confinement[0] == 0 and len(self.terms) == 1
        return self.terms[0] if alone and isinstance(self.terms[0], PotentialTerm) else None

    def shifted(self, shift: float) -> "DiscreteEnergy":
        """The same energy of nodes that are given less `shift`."""
        k, center = self.confinement
        terms = tuple(term.shifted(shift) for term in self.terms)
        origin = None if self.origin is None else self.origin - shift
        return replace(self, confinement=(k, center - shift), terms=terms, origin=origin)


def discretise(energy: Energy, levels: Nodes, x: Values | None = None) -> DiscreteEnergy:
    """The energy of a problem on the mesh with these levels (n + 1,); `Unsupported` where it cannot be treated.

    x : increasing points, between the first and last of which kinks of the potential are looked for; None: nowhere.
    """
    w = np.diff(levels)
    node_mass = np.zeros(len(levels))
    node_mass[:-1] += w / 2
    node_mass[1:] += w / 2
    powers, own_terms = _internal(energy.internal, w)
    terms, attraction, repels = interaction_terms(energy.interaction, levels, w)
    confinement, potential = (0.0, 0.0), energy.potential
    logarithm = getattr(potential, "logarithm", None)
    if logarithm is not None:
        potential, strength = logarithm()
        own_terms.append(RadiusTerm(strength, w))
    if as_quadratic(potential) is not None:
        confinement = float(potential.matrix[0, 0]), float(potential.center[0])
    elif potential is not None:
        terms = [PotentialTerm(potential, w), *terms]
    barrier = len(powers) > 0 or len(own_terms) > 0 or repels
    scanned = None
    if barrier and x is not None and isinstance(terms[0] if terms else None, PotentialTerm):
        # open cells: a kink has an integral that is smooth
        terms[:1] = potential_terms(potential, w, x)
        scanned = float(x[0]), float(x[-1])
    origin = 0.0 if logarithm is not None else None
    return DiscreteEnergy(w, node_mass, powers, confinement, (*own_terms, *terms), attraction, barrier, scanned, origin)


def _internal(internal: InternalEnergy | None, w: Cells) -> tuple[Powers, list[Term]]:
    """The powers of an internal energy, and its term where it is not a sum of powers."""
    if internal is None:
        return (), []
    powers = internal.terms()
    if powers is None:
        return (), [DensityTerm(internal, w)]
    if min(m for _, m in powers) <= LEAST_EXPONENT:
        raise Unsupported(
            f"The internal energy is {internal!r}. Fast diffusion with m <= d/(d + 2), here 1/3, spreads laws so thin "
            "that they have no second moment: W2 between them is infinite and there is no JKO step. Use m > 1/3."
        )
    return tuple((c, m) for c, m in powers if c != 0), []


class DensityTerm(Term):
    """∫U(ρ) dx for a user's internal energy, by its value and pressure; the density of a cell is w/Δ.

    Where U has no second derivative, the Newton matrix takes differences of the pressure; the gradient stays exact.
    """

    def __init__(self, internal: InternalEnergy, w: Cells):
        self.internal, self.w = internal, w
        try:
            internal.second_derivative(np.ones(1))
        except NotAvailable:
            self.has_curvature = False
        else:
            self.has_curvature = True

    def value(self, x: Nodes) -> float:
        gaps = np.diff(x)
        if not np.all(gaps > 0):
            return np.inf
        with np.errstate(over="ignore", invalid="ignore"):  # a cell may be squeezed too far: the line search goes back
            total = float(np.sum(gaps * self.internal.value(self.w / gaps)))
        return total if total < np.inf else np.inf

    def roundoff(self, x: Nodes, value: float) -> float:
        """A width is known to EPS |x| of its own nodes, which the pressure turns into energy."""
        gaps = np.diff(x)
        reach = np.maximum(np.abs(x[:-1]), np.abs(x[1:]))
        density = self.w / gaps
        size = np.abs(gaps * self.internal.value(density)) + reach * np.abs(self.internal.pressure(density))
        return float(np.finfo(float).eps * np.sum(size))

    def derivatives(self, x: Nodes) -> tuple[np.ndarray, np.ndarray, np.ndarray, None]:
        gaps = np.diff(x)
        density = self.w / gaps
        pressure = np.asarray(self.internal.pressure(density))
        if self.has_curvature:
            slope = density * np.asarray(self.internal.second_derivative(density))
        else:
            h = 1e-5 * density
            above, below = (np.asarray(self.internal.pressure(density + sign * h)) for sign in (1, -1))
            slope = (above - below) / (2 * h)
        stiffness = slope * density / gaps
        gradient, diagonal = np.zeros(len(x)), np.zeros(len(x))
        gradient[:-1] += pressure
        gradient[1:] -= pressure
        diagonal[:-1] += stiffness
        diagonal[1:] += stiffness
        return gradient, diagonal, -stiffness, None


def spread_of_a_point(powers: Powers, internal: InternalEnergy | None, dt: float) -> float:
    """The width, in units of x, to which one JKO step of length dt spreads a point mass, roughly.

    One step of c Δ(ρ^m) makes a profile of scale (c dt / (m + 1))^(1/(m + 1)) [docs/math.md 1.1]; of several powers the
    widest counts. For another internal energy it is the width s at which the pressure p(1/s) dt is 2 s.
    """
    if len(powers) > 0:
        return max(float((c * dt / (m + 1)) ** (1 / (m + 1))) for c, m in powers if c > 0)
    if internal is None or internal.terms() is not None:
        return float((dt / 2) ** 0.5)

    def excess(log_s: float) -> float:
        with np.errstate(all="ignore"):  # an overflow says that the width is too small
            pressure: Any = internal.pressure(np.exp(-log_s))
        return 1.0 if not pressure < np.inf else float(np.sign(dt * pressure - 2 * np.exp(log_s)))

    return float(np.exp(float(cast(float, brentq(excess, -60.0, 60.0, xtol=1e-2)))))
