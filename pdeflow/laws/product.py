"""Products of independent laws."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import block_diag

from .._core.errors import BadInput
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.validate import points
from .base import Law
from .cells import CellMasses, product_masses
from .gaussian import Gaussian

if TYPE_CHECKING:
    from .barenblatt import Barenblatt
    from .semicircle import Semicircle


class Product(Law):
    """The law of (x_1, ..., x_k) with independent blocks x_i ~ laws[i].

    Parameters
    ----------
    laws : sequence of Law
        The laws of the blocks; the dimension is the sum of theirs. What every one of them answers, the product answers.
    """

    def __init__(self, laws):
        self.laws = tuple(laws)
        if not self.laws or not all(isinstance(law, Law) for law in self.laws):
            raise BadInput(
                f"Product got {self.laws!r}. It takes a non-empty sequence of laws. Pass e.g. [Gaussian(0, 1)] * 3."
            )
        self.dim = sum(law.dim for law in self.laws)
        ends = np.cumsum([law.dim for law in self.laws])
        self._slices = [slice(end - law.dim, end) for end, law in zip(ends, self.laws)]

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        return np.concatenate([law.sample(n, rng) for law in self.laws], axis=1)

    def log_density(self, x: Points) -> Values:
        x = points(x, self.dim)
        parts = (law.log_density(x[:, block]) for law, block in zip(self.laws, self._slices))
        return sum(parts, start=np.zeros(len(x)))

    @property
    def moments_how(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return next((law.moments_how for law in self.laws if law.moments_how != "closed form"), "closed form")

    def mean(self) -> Vector:
        return np.concatenate([law.mean() for law in self.laws])

    def cov(self) -> Matrix:
        return np.asarray(block_diag(*[law.cov() for law in self.laws]))

    def quantile(self, u: ArrayLike) -> SameShape:
        return self._only("quantile").quantile(u)

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        return self._only("upper_quantile").upper_quantile(share)

    def cdf(self, x: ArrayLike) -> SameShape:
        return self._only("cdf").cdf(x)

    def _only(self, question):
        if self.dim != 1:
            raise self.not_available(question, "it exists in dim 1 only")
        return self.laws[0]

    def answers(self) -> list[str]:
        return [name for name in super().answers() if all(name in law.answers() for law in self.laws)]

    def entropy(self) -> float:
        return float(sum(law.entropy() for law in self.laws))

    def power_integral(self, m: float) -> float:
        return float(np.prod([law.power_integral(m) for law in self.laws]))

    def score(self, x: Points, power: float = 0.0) -> Points:
        """The scores of the blocks, each times the densities of the others to the power."""
        x = points(x, self.dim)
        scores = [law.score(x[:, block], power) for law, block in zip(self.laws, self._slices)]
        if power:
            logs = [law.log_density(x[:, block]) for law, block in zip(self.laws, self._slices)]
            for i, score in enumerate(scores):
                others = [log for j, log in enumerate(logs) if j != i]
                scores[i] = score * np.exp(power * np.sum(others, axis=0)).reshape(-1, 1)
        return np.concatenate(scores, axis=1)

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        parts = [law.finite_dissipation(power) for law in self.laws]
        return False if False in parts else None if None in parts else True

    def support(self) -> tuple[Vector, Vector] | None:
        boxes = [box for law in self.laws if (box := law.support()) is not None]
        if len(boxes) < len(self.laws):
            return None
        return np.concatenate([low for low, _ in boxes]), np.concatenate([high for _, high in boxes])

    def has_density(self) -> bool | None:
        parts = [law.has_density() for law in self.laws]
        return False if False in parts else None if None in parts else True

    def as_gaussian(self) -> Gaussian | None:
        parts = [part for law in self.laws if (part := law.as_gaussian()) is not None]
        if len(parts) < len(self.laws):
            return None
        cov, root = (np.asarray(block_diag(*blocks)) for blocks in zip(*[(part.cov(), part.root()) for part in parts]))
        return Gaussian.of_parts(self.mean(), cov, root)

    def factors(self) -> tuple[Law, ...] | None:
        return self.laws

    def blocks(self, sizes: Sequence[int]) -> tuple[Law, ...] | None:
        """A block of several laws is their product; a law that reaches over an end is asked for its own blocks."""
        left, blocks = list(self.laws), []
        for size in sizes:
            inside = []
            while size > 0 and left:
                part = left.pop(0)
                if part.dim > size:
                    split = part.blocks([size, part.dim - size])
                    if split is None:
                        return None
                    part, rest = split
                    left.insert(0, rest)
                inside.append(part)
                size -= part.dim
            if size > 0 or not inside:
                return None
            blocks.append(inside[0] if len(inside) == 1 else Product(inside))
        return None if left else tuple(blocks)

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        parts = [law.cell_masses(axes[block]) for law, block in zip(self.laws, self._slices)]
        known = [part for part in parts if part is not None]
        return product_masses(known) if len(known) == len(parts) else None

    def as_barenblatt(self) -> Barenblatt | None:
        return self.laws[0].as_barenblatt() if len(self.laws) == 1 else None

    def as_semicircle(self) -> Semicircle | None:
        return self.laws[0].as_semicircle() if len(self.laws) == 1 else None

    def radial_part(self) -> Law | None:
        if len(self.laws) == 1:
            return self.laws[0].radial_part()
        single = self.as_gaussian()
        return None if single is None else single.radial_part()

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        return self.laws[0].scale_family() if len(self.laws) == 1 else None

    def linear_pieces(self) -> tuple[Values, Values] | None:
        return self.laws[0].linear_pieces() if len(self.laws) == 1 else None

    def density_edges(self) -> Values | None:
        return self.laws[0].density_edges() if len(self.laws) == 1 else None

    def difference(self) -> Law | None:
        parts = [part for law in self.laws if (part := law.difference()) is not None]
        return Product(parts) if len(parts) == len(self.laws) else None

    def atoms(self) -> tuple[Points, Values] | None:
        return self.laws[0].atoms() if len(self.laws) == 1 else None

    def spec(self) -> dict[str, Any]:
        return {"law": "Product", "laws": [law.spec() for law in self.laws]}
