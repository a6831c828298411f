"""Finite mixtures of laws of any kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.arrays import log_sum_exp
from .._core.errors import BadInput
from .._core.estimate import Estimate, together
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.short_text import cut, shown
from .._core.validate import at_finite_points, draws, points, readonly, real_array
from .base import Law
from .cells import CellMasses, mixture_masses

OF_ALL = ("log_density", "mean", "cov", "cdf")  # what a mixture answers where every component does
_ANY_POWER = 1e6  # a power of the density at which whatever ends without a jump has a finite dissipation


class Mixture(Law):
    """Σ w_i λ_i of laws λ_i of any kinds on R^d. Of Gaussians alone a `GaussianMixture` knows more.

    Parameters
    ----------
    weights : (k,)
        Above 0, with the sum one to 1e-12; they are never renormalised.
    laws : sequence of Law
        The components, k laws of one dimension.

    Raises
    ------
    BadInput
        Where the weights are no probabilities, their number is not that of the laws, or dimensions differ.

    Notes
    -----
    Density, moments, distribution function, cell masses and means of functions are the weighted sums of those of the
    components, where all of these know them. Quantiles and the entropy have no such form and are not answered.
    """

    def __init__(self, weights: ArrayLike, laws: Sequence[Law]):
        weights, laws = real_array(weights, "weights", ndim=1), tuple(laws)
        dims = sorted({law.dim for law in laws if isinstance(law, Law)})
        if len(weights) != len(laws) or len(dims) != 1 or not all(isinstance(law, Law) for law in laws):
            raise BadInput(
                f"{len(weights)} weights and the laws {shown(laws)}. There must be one weight for each, and laws "
                "of one dimension. Match them."
            )
        if np.any(weights <= 0) or abs(weights.sum() - 1) > 1e-12:
            raise BadInput(
                f"weights sum to {weights.sum():.15g}, smallest {weights.min():.3g}. They must be > 0 and sum to one. "
                "Divide by their sum, and leave laws of weight 0 out."
            )
        self.weights, self.laws, self.dim = readonly(weights), laws, dims[0]

    def answers(self) -> list[str]:
        known = set.intersection(*[set(law.answers()) for law in self.laws])
        return [name for name in super().answers() if name not in OF_ALL or name in known]

    def _require(self, question: str) -> None:
        """`NotAvailable` where a component does not answer."""
        silent = [law for law in self.laws if question not in law.answers()]
        if silent:
            raise self.not_available(question, f"its component {shown(silent[0], 80)} does not")

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        x = np.empty((len(which), self.dim))
        for i, law in enumerate(self.laws):
            chosen = which == i
            x[chosen] = law.sample(int(chosen.sum()), rng)
        return x

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        self._require("log_density")
        x = points(x, self.dim)
        logs = [np.log(w) + law.log_density(x) for w, law in zip(self.weights, self.laws)]
        return log_sum_exp(np.stack(logs, axis=-1))

    def mean(self) -> Vector:
        self._require("mean")
        return self.weights @ np.array([law.mean() for law in self.laws])

    def cov(self) -> Matrix:
        self._require("cov")
        offset = np.array([law.mean() for law in self.laws]) - self.mean()
        inner = np.array([law.cov() for law in self.laws])
        return np.einsum("k,kij->ij", self.weights, inner) + np.einsum("k,ki,kj->ij", self.weights, offset, offset)

    def cdf(self, x: ArrayLike) -> SameShape:
        self._require("cdf")
        return sum((w * law.cdf(x) for w, law in zip(self.weights, self.laws)), start=np.zeros(()))

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        """False where a component has a jump, which no other one fills; for the entropy True where it is of all.

        What is infinite at every power is so by a jump. At the edge of a component that ends without one, the mixture
        may have mass of another component, and ∫|∇ρ|²/ρ be finite: that is not known here.
        """
        if any(law.finite_dissipation(_ANY_POWER) is False for law in self.laws):
            return False
        return True if power == 0 and all(law.finite_dissipation(power) for law in self.laws) else None

    def support(self) -> tuple[Vector, Vector] | None:
        boxes = [box for law in self.laws if (box := law.support()) is not None]
        if len(boxes) < len(self.laws):
            return None
        return np.min([low for low, _ in boxes], axis=0), np.max([high for _, high in boxes], axis=0)

    def has_density(self) -> bool | None:
        known = [law.has_density() for law in self.laws]
        return False if False in known else None if None in known else True

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        known = [masses for law in self.laws if (masses := law.cell_masses(axes)) is not None]
        return mixture_masses(self.weights, known) if len(known) == len(self.laws) else None

    def projected(self, direction: Vector) -> Mixture | None:
        parts = [part for law in self.laws if (part := law.projected(direction)) is not None]
        return Mixture(self.weights, parts) if len(parts) == len(self.laws) else None

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        found = [value for law in self.laws if (value := law.mean_of(function, breakpoints)) is not None]
        if len(found) < len(self.laws):
            return None
        value = float(self.weights @ [each.value for each in found])
        return Estimate(value, 0.0, together([each.how for each in found]), "mean")

    def spec(self) -> dict[str, Any]:
        return {"law": "Mixture", "weights": self.weights.tolist(), "laws": [law.spec() for law in self.laws]}

    def __repr__(self) -> str:
        return cut(f"Mixture(weights={shown(self.weights.tolist())}, laws={shown(list(self.laws))})")
