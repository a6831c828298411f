"""The JKO functional of a gradient map on a batch of particles, for potentials, interactions and the entropy."""

from __future__ import annotations

import math
from copy import copy

import torch

from ..._core.errors import Diverged, Unsupported
from ...energies.energy import Energy
from ...energies.internal import InternalEnergy
from ..local_coordinates import LocalCoordinates
from ..maps.convex import ConvexMap
from ..maps.jet import Jet
from ..requirements import require_differentiable
from .log_det import Exact, Stochastic, mean_log_det


class JKOFunctional:
    """½E|x - T(x)|² + dt (E V(T(x)) - θ E log det ∂T(x) + ½E W(T(x) - T(x'))) as a function of the convex map T.

    The entropy enters as -θ log det ∂T, θ the temperature; that of the law before the step is a constant.

    Parameters
    ----------
    energy : Energy
        Asked once whether it answers what training needs, with gradients on.
    at : torch.Tensor, (n, d)
        Points of the first law, of the kind that training gives.
    coordinates : LocalCoordinates
        Those of the points x and T(x) that it is given; the functional is that in these units, its energy that of the
        user's coordinates.

    Raises
    ------
    Unsupported
        For internal energies other than the entropy, and for potentials and kernels that do not take torch tensors.
    """

    def __init__(self, energy: Energy, at: torch.Tensor, coordinates: LocalCoordinates):
        self.potential, self.kernel, self.coordinates = energy.potential, energy.interaction, coordinates
        self.temperature = _temperature(energy.internal)
        for part, points in ((self.potential, coordinates.outward(at)), (self.kernel, coordinates.differences(at))):
            if part is not None:
                require_differentiable(part, points)

    def seen_in(self, coordinates: LocalCoordinates) -> JKOFunctional:
        """The same functional of points in other coordinates."""
        other = copy(self)
        other.coordinates = coordinates
        return other

    def scaled_step(self, dt: float) -> float:
        """dt in these units, in which ½E|x - T(x)|² is smaller by the square of the unit."""
        return dt / self.coordinates.unit**2

    def scaled_temperature(self, dt: float) -> float:
        """The factor of -E log det ∂T in these units."""
        return self.scaled_step(dt) * self.temperature

    def without_entropy(self, jet: Jet, x: torch.Tensor, dt: float) -> torch.Tensor:
        """All but the entropy, for the map whose derivatives at the points x (n, d) are `jet`."""
        moved, dt, coordinates = jet.gradient(), self.scaled_step(dt), self.coordinates
        loss = ((x - moved) ** 2).sum(-1).mean() / 2
        if self.potential is not None:
            loss = loss + dt * coordinates.asked(self.potential.value, self.potential, moved).mean()
        if self.kernel is not None:
            half = len(moved) // 2
            shifts = sorted({1, 1 + half // 3, 1 + half // 2, half} - {0})  # pairs of distinct points: E W without bias
            apart = (coordinates.differences(moved - moved.roll(shift, 0)) for shift in shifts)
            pairs = sum(self.kernel.value(difference).mean() for difference in apart)
            loss = loss + dt * pairs / (2 * len(shifts))
        return loss

    def surrogate(self, move: ConvexMap, x: torch.Tensor, log_det: Exact | Stochastic, dt: float) -> torch.Tensor:
        """A number whose gradient is that of the functional, over the square of the map's scale, on x (n, d)."""
        jet = move.at(x)
        loss = self.without_entropy(jet, x, dt)
        if self.temperature and math.isfinite(loss.item()):
            loss = loss - self.scaled_step(dt) * self.temperature * log_det.surrogate(jet)
        return loss / move.scale**2

    def value(self, move: ConvexMap, x: torch.Tensor, dt: float, determinants: int = 256) -> float:
        """The functional over the square of the map's scale on x (n, d), the log-determinant of the first of them."""
        with torch.no_grad():
            jet = move.at(x)
            loss = self.without_entropy(jet, x, dt).item()
            if not math.isfinite(loss):
                raise Diverged(
                    f"the loss is {loss}. It must stay finite. Use a smaller learning_rate or dtype='float64'."
                )
            if self.temperature:
                loss -= self.scaled_step(dt) * self.temperature * mean_log_det(jet.some(determinants))
            return loss / move.scale**2


def _temperature(internal: InternalEnergy | None) -> float:
    """The coefficient of the entropy, 0 without internal energy; `Unsupported` for anything else in it."""
    if internal is None:
        return 0.0
    terms = internal.terms()
    if terms is None or any(m != 1 for _, m in terms):
        why = "its terms() names no such sum" if terms is None else "it has other terms than the entropy"
        raise Unsupported(
            f"ICNNJKO needs Entropy as internal energy, got {internal!r}: {why}. For sums of Entropy and "
            "Power(m) use VariationalJKO or PWGF, on the line also QuantileJKO."
        )
    return float(sum(c for c, _ in terms))
