"""Maps of R^d: what pushes laws, and the certificate of an inversion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core.errors import NotAvailable
from .._core.shapes import Points, Values


@dataclass(frozen=True)
class Certificate:
    """What an inversion promises.

    Parameters
    ----------
    residual : float
        The largest relative residual |T(x) - y| / (s + |y - m|), with the scale s and the centre m of the map.
    iterations : int
        The most steps that an inner solver took at any point.
    points : int
        How many points were inverted.
    """

    residual: float
    iterations: int
    points: int


class Map(ABC):
    """A map T of R^d that pushes laws: `PushForward(base, maps)` is the law of T_k(... T_1(x)), x ~ base.

    A subclass gives `__call__`; it answers the rest or says in `lacks` why it cannot. Whoever needs something of a map asks
    the map; nobody asks which class it is.

    Attributes
    ----------
    dim : int
        d.
    affine : bool
        Whether T(x) = matrix x + shift for certain; `matrix` (d, d) and `shift` (d,) then exist.
    increasing : bool
        Whether T is an increasing function on the line (dimension 1 only).
    """

    dim: int
    affine: bool = False
    increasing: bool = False
    matrix: np.ndarray
    shift: np.ndarray

    @abstractmethod
    def __call__(self, x: Points) -> Points:
        """T(x), (n, d) -> (n, d)."""

    def with_log_det(self, x: Points) -> tuple[Points, Values]:
        """T(x) (n, d) and log|det ∂T(x)| (n,). Raises `NotAvailable` where the map does not know it."""
        raise self.not_available("with_log_det")

    def invert(self, y: Points) -> tuple[Points, Certificate]:
        """The points x (n, d) with T(x) = y, and the certificate.

        Raises `NotAvailable` where the map has no inverse that can be certified, `NotConverged` where a solve misses its
        tolerance: never the last iterate.
        """
        raise self.not_available("invert")

    def lacks(self, question: str) -> str | None:
        """Why this map does not answer `question` ("with_log_det", "invert" or "to_data"), in a sentence; None if it does."""
        if question in ("with_log_det", "invert", "to_data") and getattr(type(self), question) is getattr(
            Map, question
        ):
            return f"It has no {question}."
        return None

    def not_available(self, question: str) -> NotAvailable:
        """The error for a question that this map does not answer."""
        why = self.lacks(question) or f"It has no {question}."
        return NotAvailable(f"A map is {type(self).__name__}. {why} Sample instead, or use a map that has one.")

    def numbers_a_point(self) -> int:
        """How many numbers the widest array holds per point; bounds how many points are worked on at a time."""
        return self.dim

    def then(self, other: Map) -> tuple[Map, ...]:
        """The maps of first this one and then `other`: one map where two of a kind compose to one, else both."""
        return (self, other)

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON data, with the recorded name of the kind of map under "map", and named arrays: what `from_data` needs."""
        raise self.not_available("to_data")

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Map:
        """The map of `to_data`. Raises `BadInput` where arrays are missing, misshapen or not finite."""
        raise NotImplementedError
