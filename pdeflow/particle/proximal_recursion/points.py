"""Points that stay where they are, with the volume that each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ..._core.errors import BadInput
from ..._core.shapes import Points, Values
from ..._core.validate import readonly, real_array
from ...laws import Law


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """Points x_j with volumes v_j, such that ∫f dx ≈ Σ_j v_j f(x_j): where a law is known on them, it is known as such.

    Parameters
    ----------
    x : (n, d)
        The points.
    volumes : (n,)
        > 0, in units of x^d.
    """

    x: Points
    volumes: Values

    def __post_init__(self) -> None:
        x, volumes = real_array(self.x, "x", ndim=2), real_array(self.volumes, "volumes", ndim=1)
        if len(x) == 0 or len(x) != len(volumes) or not volumes.min() > 0:
            least = f", the least {volumes.min():.3g}" if len(volumes) else ""
            raise BadInput(
                f"{len(x)} points and {len(volumes)} volumes{least}. Each point, one at least, needs a volume > 0. "
                "Match them."
            )
        if len(np.unique(x, axis=0)) < len(x):
            raise BadInput(
                f"{len(x)} points lie at {len(np.unique(x, axis=0))} places. Two points at one place have one density, "
                "and the scaling tells them apart by nothing. Pass each place once, with the sum of its volumes."
            )
        object.__setattr__(self, "x", readonly(x))
        object.__setattr__(self, "volumes", readonly(volumes))

    @classmethod
    def drawn(cls, law: Law, n: int, rng: np.random.Generator) -> Self:
        """n draws x_j of a law with density p, with the volumes 1/(n p(x_j)): Monte Carlo integration over R^d.

        Parameters
        ----------
        law : Law
            With log_density. It must be wider than all laws that the points are to carry, else few points carry all.
        n : int
            How many.
        rng : Generator
            The only source of randomness.
        """
        x, log_density = law.sample_with_log_density(n, rng)
        return cls(x, np.exp(-log_density) / n)

    @classmethod
    def of_cells(cls, edges: Sequence[ArrayLike]) -> Self:
        """The centres of the cells of a box and their volumes.

        Parameters
        ----------
        edges : sequence of (n_i + 1,)
            The cell edges of each axis, increasing.
        """
        axes = [real_array(axis, "edges", ndim=1) for axis in edges]
        centres = np.meshgrid(*[(axis[1:] + axis[:-1]) / 2 for axis in axes], indexing="ij")
        widths = np.meshgrid(*[np.diff(axis) for axis in axes], indexing="ij")
        return cls(np.stack(centres, axis=-1).reshape(-1, len(axes)), np.prod(widths, axis=0).ravel())

    def __repr__(self) -> str:
        return f"FixedPoints(n={len(self.x)}, dim={self.x.shape[1]})"
