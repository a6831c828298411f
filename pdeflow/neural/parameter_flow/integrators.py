"""Runge-Kutta steps for θ' = f(θ): explicit Euler, Heun, the classical fourth order, and an adaptive pair."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..._core.errors import Diverged, NotConverged
from ..._core.shapes import Values
from ..._core.validate import positive
from ..._core.value import Value

SHORTEST_STEP = 1e-7  # share of dt below which an adaptive step is refused


@dataclass(frozen=True)
class Slopes:
    """θ' at θ and what was found on the way.

    Parameters
    ----------
    eta : (p,) array
        θ'.
    size : callable
        (p,) -> float: the size of a change of θ in the units of the law's spread.
    found : object
        What else is known there.
    """

    eta: Values
    size: Callable[[Values], float]
    found: Any


@dataclass(frozen=True)
class Moved:
    """θ after a time dt.

    Parameters
    ----------
    theta : (p,) array
        θ.
    slopes : Slopes
        Those at θ.
    trial : float
        The step that an adaptive integrator should try next.
    steps : int
        Inner steps taken.
    evaluations : int
        Slopes asked for.
    """

    theta: Values
    slopes: Slopes
    trial: float
    steps: int
    evaluations: int


class Integrator(Value, ABC):
    """How θ' = f(θ) is followed over a step dt of a method."""

    @abstractmethod
    def advance(
        self, slope: Callable[[Values], Slopes], theta: Values, first: Slopes, dt: float, trial: float
    ) -> Moved:
        """θ after dt.

        Parameters
        ----------
        slope : callable
            θ -> `Slopes`. It may raise `Diverged`.
        theta : (p,) array
            θ at the beginning.
        first : Slopes
            Those at θ.
        dt : float
            The time to advance by.
        trial : float
            The first step that an adaptive integrator tries.
        """


class RungeKutta(Integrator):
    """One explicit step over dt; subclasses give its coefficients."""

    stages: ClassVar[tuple[tuple[float, ...], ...]]  # the coefficients of the slopes before each stage
    weights: ClassVar[tuple[float, ...]]

    def advance(self, slope, theta, first, dt, trial):
        slopes = [first.eta]
        for row in self.stages:
            slopes.append(slope(theta + dt * sum(a * k for a, k in zip(row, slopes) if a)).eta)
        theta = theta + dt * sum(b * k for b, k in zip(self.weights, slopes))
        return Moved(theta, slope(theta), dt, 1, len(slopes))


@dataclass(frozen=True)
class Euler(RungeKutta):
    """Explicit Euler, of order 1: what [jin2025] uses."""

    stages = ()
    weights = (1.0,)


@dataclass(frozen=True)
class Heun(RungeKutta):
    """The trapezoidal rule with an Euler predictor, of order 2."""

    stages = ((1.0,),)
    weights = (0.5, 0.5)


@dataclass(frozen=True)
class RK4(RungeKutta):
    """The classical Runge-Kutta step of order 4."""

    stages = ((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0))
    weights = (1 / 6, 1 / 3, 1 / 3, 1 / 6)


@dataclass(frozen=True)
class Adaptive(Integrator):
    """Steps of the pair of orders 3 and 2 of Bogacki and Shampine inside dt [bogacki1989].

    A step that leaves the invertible maps (`Diverged`) is halved, as one with too large an error is.

    Parameters
    ----------
    tolerance : float
        Error of an inner step, as a share of the spread of the law.

    Raises
    ------
    BadInput
        For a tolerance that is not positive.
    """

    tolerance: float = 1e-4

    def __post_init__(self):
        positive(self.tolerance, "tolerance")

    def advance(self, slope, theta, first, dt, trial):
        h, done, steps, asked = min(trial, dt), 0.0, 0, 0
        while done < dt * (1 - 1e-12):
            h = min(h, dt - done) if dt - done > 1.5 * h or dt - done <= h else (dt - done) / 2
            try:
                asked += 3
                two = slope(theta + h / 2 * first.eta).eta
                three = slope(theta + 3 * h / 4 * two).eta
                new = theta + h * (2 * first.eta + 3 * two + 4 * three) / 9
                last = slope(new)
                defect = h * (-5 * first.eta + 6 * two + 8 * three - 9 * last.eta) / 72
                error = first.size(defect) / self.tolerance
                reason = f"its error is {error:.3g} of the tolerance"
            except (Diverged, NotConverged) as fault:
                error, reason = np.inf, str(fault).partition(". ")[0]
            else:
                if error <= 1:
                    theta, first, done, steps = new, last, done + h, steps + 1
            h *= float(np.clip(0.9 * error ** (-1 / 3) if error > 0 else 5.0, 0.2, 5.0))
            if not h > SHORTEST_STEP * dt:
                raise Diverged(
                    f"An adaptive step fell to {h:.3g} of {dt:g}: {reason}. The map degenerates here. Use "
                    "more samples, a "
                    "larger damping or another map."
                )
        return Moved(theta, first, h, steps, asked)


INTEGRATORS = (Euler, Heun, RK4, Adaptive)
