"""Potentials V(t, x) that change with time. They answer no question without a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from .._core.errors import BadInput, Unsupported
from .._core.shapes import Vector
from .._core.short_text import shown
from .._core.validate import count, real, real_array, spd_matrix
from .potentials import Potential, Quadratic


class TimeDependent(Potential):
    """Base of the potentials V(t, x): `at` gives the potential of one time, and nothing else is answered.

    Notes
    -----
    `value`, `grad` and `hessian` raise `Unsupported`, so that a method or metric that knows no time cannot take V(0, x)
    for V(t, x). `solve` refuses methods whose `step` takes no `time`.
    """

    time_dependent = True

    def at(self, time: float) -> Any:
        """The potential x -> V(time, x), an object as any other potential."""
        raise NotImplementedError

    def value(self, x: Any) -> NoReturn:
        self._refuse("value")

    def grad(self, x: Any) -> NoReturn:
        self._refuse("grad")

    def hessian(self, x: Any) -> NoReturn:
        self._refuse("hessian")

    def _refuse(self, question: str) -> NoReturn:
        raise Unsupported(
            f"{shown(self, 300)} depends on time and has no {question} without one. ChangCooper, "
            "EulerMaruyama and methods of your own whose step takes time= follow it. Take one of these, or the "
            "potential of one time, potential.at(time)."
        )


@dataclass(frozen=True)
class Moving(TimeDependent):
    """V(t, x) = potential_at(t).value(x), for a function that gives the potential of each time.

    Parameters
    ----------
    potential_at : callable
        t -> a potential of that dimension, for every t >= 0 up to the last time that is asked for.
    dim : int, default 1
        Dimension.

    Raises
    ------
    BadInput
        For what is not callable, and at a time where it gives no potential of dimension dim.
    """

    potential_at: Callable[[float], Any]
    dim: int = 1

    def __post_init__(self) -> None:
        count(self.dim, "dim")
        if not callable(self.potential_at):
            raise BadInput(
                f"potential_at is {shown(self.potential_at)}. It must be a function of the time that gives a "
                "potential. Pass e.g. lambda t: Quadratic(1.0, np.sin(t))."
            )

    def at(self, time: float) -> Any:
        found = self.potential_at(_time(time))
        if getattr(found, "dim", None) != self.dim or not hasattr(found, "value"):
            raise BadInput(
                f"potential_at({time:g}) is {shown(found, 200)}. It must be a potential of dim {self.dim}. Return one "
                "of pdeflow.potentials or an object with dim, value and grad."
            )
        if is_time_dependent(found):
            raise BadInput(
                f"potential_at({time:g}) is {shown(found, 200)}, which depends on time itself. It must be the "
                "potential of that time. Return found.at(t)."
            )
        return found


@dataclass(frozen=True, eq=False)
class MovingQuadratic(TimeDependent):
    """V(t, x) = (x - b(t))ᵀ matrix (x - b(t)) / 2.

    Parameters
    ----------
    matrix : (d, d)
        Symmetric positive definite.
    center : callable
        t -> b(t), (d,) or one number for all coordinates, in units of x.

    Raises
    ------
    BadInput
        For another matrix or a center that is not callable, and at a time where it gives no such array.
    """

    matrix: np.ndarray
    center: Callable[[float], Any]

    def __post_init__(self) -> None:
        if not callable(self.center):
            raise BadInput(f"center is {shown(self.center)}. It must be a function of the time. Use Quadratic else.")
        dim = np.shape(self.matrix)[0] if np.ndim(self.matrix) else 1
        object.__setattr__(self, "matrix", spd_matrix(self.matrix, dim, "matrix"))
        self.center_at(0.0)

    @property
    def dim(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Dimension."""
        return len(self.matrix)

    def center_at(self, time: float) -> Vector:
        """b at one time, checked, (d,)."""
        time = _time(time)
        b = real_array(self.center(time), f"center({time:g})")
        if b.shape not in ((), (self.dim,)):
            raise BadInput(
                f"center({time:g}) has shape {b.shape}. It must be ({self.dim},) or a number. Return one for each axis."
            )
        return np.broadcast_to(b, (self.dim,)).copy()

    def at(self, time: float) -> Quadratic:
        return Quadratic(self.matrix, self.center_at(time))


def is_time_dependent(potential: Any) -> bool:
    """Whether a potential answers only at given times; a user's object says so by `time_dependent = True`."""
    return bool(getattr(potential, "time_dependent", False))


def _time(time: Any) -> float:
    time = real(time, "time")
    if not (np.isfinite(time) and time >= 0):
        raise BadInput(f"time is {time}. It is the time since the start: finite and >= 0. Shift it.")
    return float(time)
