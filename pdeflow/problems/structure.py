"""Problems that are made of simpler ones: what they are made of, and how laws of the parts make a law of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar, cast

import numpy as np

from .._core.errors import Unsupported
from .._core.shapes import Matrix
from .._core.value import Value
from ..energies.energy import Energy
from ..laws import AffineMap, Gaussian, GaussianMixture, Law, Product, Radial
from ..laws.affine_images import ROUNDED
from .exact_flows import elapsed
from .problem import Problem

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Structure(Value):
    """The parts of a problem, whose flows and JKO steps together are those of the whole.

    Parameters
    ----------
    parts : tuple of Problem
        The different parts. Each may have a structure itself.
    energy : Energy
        That of the whole.
    initial : Law
        The start of the whole, which is made of those of the parts.
    """

    parts: tuple[Problem, ...]
    energy: Energy
    initial: Law

    @property
    def blocks(self) -> int:
        """How many independent laws make one of the whole: errors in l1 add up over so many."""
        return 1

    def join(self, laws: Sequence[Law]) -> Law:
        """The law of the whole that has these laws of the parts, one each."""
        raise NotImplementedError

    def split(self, law: Law) -> tuple[Law, ...] | None:
        """The laws of the blocks that `started` takes, or None where the law is not made of such."""
        raise NotImplementedError

    def started(self, blocks: tuple[Law, ...], horizon: float) -> Self:
        """The same structure with parts that start at the laws of `split` and run up to `horizon`."""
        parts = tuple(replace(part, initial=law, horizon=horizon) for part, law in zip(self.parts, blocks))
        return replace(self, parts=parts)

    def at(self, initial: Law, horizon: float) -> Self | None:
        """The structure of the same problem with another start and horizon; None where the start has none."""
        blocks = self.split(initial)
        return None if blocks is None else replace(self.started(blocks, horizon), initial=initial)


@dataclass(frozen=True, eq=False)
class Rotation(Structure):
    """The law of Q x with x of the one part.

    rotation : (d, d), orthogonal.
    """

    rotation: Matrix = field(kw_only=True)

    def _move(self) -> AffineMap:
        return AffineMap(self.rotation)

    def join(self, laws: Sequence[Law]) -> Law:
        (law,), move = laws, self._move()
        mixture = None if law.factors() is not None else law.gaussian_components()
        if mixture is None or len(mixture[1]) == 1:
            return law.pushed(move)
        weights, components = mixture
        parts = [component.moved(move.matrix, move.matrix @ component.mean()) for component in components]
        return GaussianMixture.of_components(weights, parts)

    def split(self, law: Law) -> tuple[Law, ...] | None:
        if law.dim != len(self.rotation):
            return None
        made = law.pushed_from()
        if made is not None and made[1] and made[1][-1] == self._move():
            base, maps = made
            for move in maps[:-1]:
                base = base.pushed(move)
            return (base,)
        back = replace(self, rotation=self.rotation.T).join([law])
        single = back.as_gaussian()
        return (back if single is None else _without_rounding(single),)


def _without_rounding(law: Gaussian) -> Gaussian:
    """The Gaussian with 0 for the correlations that are no more than the round-off of a rotation."""
    cov = law.cov().copy()
    spread = np.sqrt(np.diag(cov))
    cov[np.abs(cov) <= ROUNDED * law.dim * np.multiply.outer(spread, spread)] = 0.0
    return law if np.array_equal(cov, law.cov()) else Gaussian(law.mean(), cov)


def distinct(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[int, ...]]:
    """The different ones among the items in the order in which they come, and the number of each item among them."""
    different: list[Item] = []
    which = []
    for item in items:
        found = next((i for i, other in enumerate(different) if other is item or other == item), len(different))
        different += [item] if found == len(different) else []
        which.append(found)
    return tuple(different), tuple(which)


@dataclass(frozen=True, eq=False)
class Factors(Structure):
    """The law of independent blocks of coordinates, one after the other.

    which : (k,) the number of the part to which each block belongs.
    """

    which: tuple[int, ...] = field(kw_only=True)

    @classmethod
    def of(cls, problems: Sequence[Problem], energy: Energy, initial: Law) -> Factors:
        """The structure of blocks with these problems, of which equal ones are one part."""
        parts, which = distinct(problems)
        return cls(parts, energy, initial, which=which)

    @property
    def blocks(self) -> int:
        return len(self.which)

    def join(self, laws: Sequence[Law]) -> Law:
        return Product([laws[i] for i in self.which])

    def split(self, law: Law) -> tuple[Law, ...] | None:
        return law.blocks([self.parts[i].dim for i in self.which])

    def started(self, blocks: tuple[Law, ...], horizon: float) -> Factors:
        different: dict[tuple[int, int], Problem] = {}
        for i, law in zip(self.which, blocks, strict=True):
            if (i, id(law)) not in different:
                different[i, id(law)] = replace(self.parts[i], initial=law, horizon=horizon)
        problems = [different[i, id(law)] for i, law in zip(self.which, blocks, strict=True)]
        return Factors.of(problems, self.energy, self.initial)


@dataclass(frozen=True, eq=False)
class Radius(Structure):
    """The law that is invariant under rotations about the origin, with the radius of the one part.

    dim : dimension of the whole.
    """

    dim: int = field(kw_only=True)

    def join(self, laws: Sequence[Law]) -> Law:
        return Radial(laws[0], self.dim)

    def split(self, law: Law) -> tuple[Law, ...] | None:
        radius = law.radial_part() if law.dim == self.dim else None
        return None if radius is None else (radius,)


@dataclass(frozen=True)
class StructuredProblem(Problem):
    """A problem that knows of what it is made.

    made_of : its structure; None where `dataclasses.replace` gave it a start or an energy that has none.
    """

    made_of: Structure | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        made_of = self.made_of
        if made_of is not None and made_of.energy is not self.energy and made_of.energy != self.energy:
            made_of = None
        if made_of is not None and (made_of.initial is not self.initial or made_of.parts[0].horizon != self.horizon):
            made_of = made_of.at(self.initial, self.horizon)
        object.__setattr__(self, "made_of", made_of)
        super().__post_init__()

    @property
    def structure(self) -> Structure | None:
        return self.made_of


@dataclass(frozen=True, eq=False)
class JoinedFlow(Value):
    """The exact flow of a problem with a structure, from the exact flows of its parts."""

    structure: Structure
    initial: Law

    def __post_init__(self) -> None:
        structure = self.structure.at(self.initial, self.structure.parts[0].horizon)
        if structure is None or any(part.exact is None for part in structure.parts):
            raise Unsupported(
                f"The flow of a part has no closed form from {self.initial!r}. Start from laws of which each part "
                "knows its exact flow."
            )
        object.__setattr__(self, "structure", structure)

    def __call__(self, t: float) -> Law:
        t = elapsed(t)
        return self.structure.join([cast("Law", part.exact(t)) for part in self.structure.parts if part.exact])


def structured(structure: Structure, horizon: float) -> StructuredProblem:
    """The problem of a structure; its exact flow is known where all parts know theirs."""
    exact = None
    if all(part.exact is not None for part in structure.parts):
        exact = JoinedFlow(structure, structure.initial)
    return StructuredProblem(structure.energy, structure.initial, horizon, exact=exact, made_of=structure)
