"""What metrics share: the check of their two laws, the grid and the independent blocks on which they compare them."""

from collections.abc import Callable, Iterable

import numpy as np

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.shapes import Row
from ..laws import Law, Map
from ..laws.affine_images import keeps_distances


def checked_pair(approximation: Law, truth: Law, rng: np.random.Generator | None, metric: str) -> tuple[Law, Law]:
    """The two laws, a product of one block unwrapped; `BadInput` unless both are laws of one dimension."""
    for role, law in (("approximation", approximation), ("truth", truth)):
        if not isinstance(law, Law):
            raise BadInput(
                f"The {role} given to {metric} is {type(law).__name__}. Metrics compare pdeflow laws. "
                "Wrap it: Particles(x) for samples, GridLaw(edges, mass) for cell masses; of a trajectory take .at(t)."
            )
    if approximation.dim != truth.dim:
        raise BadInput(
            f"{metric} got laws of dim {approximation.dim} and {truth.dim}. Both must have one dimension. "
            "Compare marginals, or lift the 1-D law with Product or pf.lift."
        )
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise BadInput(f"rng is {rng!r}. It must be a numpy Generator or None. Pass np.random.default_rng(seed).")
    return _unwrapped(approximation), _unwrapped(truth)


def reduced(first: Law, second: Law, *, isometric: bool) -> tuple[Law, Law]:
    """Two simpler laws with the same relative entropy and L1 distance or, if `isometric`, the same W2 distance.

    The maps by which both laws were moved alike are taken off where they have inverses (where they keep distances, if
    `isometric`), and of two laws that are invariant under rotations the radii are left.
    """
    while True:
        mine, theirs = first.pushed_from(), second.pushed_from()
        if mine is None or theirs is None or not (mine[1] and theirs[1]):
            break
        (one, maps), (other, others) = mine, theirs
        if not _comes_off(maps[-1], others[-1], isometric):
            break
        first, second = _moved(one, maps[:-1]), _moved(other, others[:-1])
    radii = [radius for radius in (first.radial_part(), second.radial_part()) if radius is not None]
    needed = ("quantile",) if isometric else ("quantile", "log_density")
    if len(radii) < 2 or not all(answers(radius, *needed) for radius in radii):
        return first, second
    return radii[0], radii[1]


def _comes_off(one: Map, other: Map, isometric: bool) -> bool:
    """Whether two laws can be compared without the last maps that moved them."""
    if one is not other and one != other:
        return False
    return keeps_distances(one) if isometric else one.lacks("invert") is None


def _moved(law: Law, maps: Iterable[Map]) -> Law:
    for move in maps:
        law = law.pushed(move)
    return _unwrapped(law)


def common_grid(first: Law, second: Law) -> tuple[Row, ...] | None:
    """The edges on which two laws are compared: those of the grid among them, None if neither is a grid.

    Of two grids it is the one with fewer cells (a tie goes to the first, the approximation), because a finer one
    aggregates and a coarser one has no detail to give.
    """
    grids = [axes for axes in (first.grid_axes(), second.grid_axes()) if axes is not None]
    return min(grids, key=lambda axes: np.prod([len(edges) - 1 for edges in axes])) if grids else None


def _unwrapped(law):
    """The law itself, out of products of one block."""
    while True:
        factors = law.factors()
        if factors is None or len(factors) != 1:
            return law
        law = factors[0]


def answers(law: Law, *questions: str) -> bool:
    """Whether the law answers all of these questions."""
    known = law.answers()
    return all(question in known for question in questions)


def require_densities(*laws: Law) -> None:
    """`NotAvailable` for a law whose density is not known at its own draws either: drawing does not help then."""
    for law in laws:
        if not answers(law, "log_density") and type(law).sample_with_log_density is Law.sample_with_log_density:
            raise law.not_available("log_density")


def generator(
    rng: np.random.Generator | None, what: str, lacking: Iterable[tuple[Law, str]] = ()
) -> np.random.Generator:
    """rng, or `NotAvailable` where it is None and `what` cannot be had without drawing.

    lacking : (law, question) pairs, the questions that would make quadrature possible.
    """
    if rng is None:
        missing = dict.fromkeys(f"{question!r} of {type(law).__name__}" for law, question in lacking)
        instead = f", or add what quadrature needs: {', '.join(missing)}" if missing else ""
        raise NotAvailable(
            f"{what} has no closed form or quadrature here. Monte Carlo is possible. Pass "
            f"rng=np.random.default_rng(seed){instead}."
        )
    return rng


def lacking(laws: Iterable[Law], *questions: str) -> list[tuple[Law, str]]:
    """(law, question) for every question that quadrature on the line needs and a law does not answer."""
    return [(law, question) for law in laws if law.dim == 1 for question in questions if not answers(law, question)]


def blocks(first: Law, second: Law) -> list[tuple[Law, ...]] | None:
    """The two laws as equally long tuples of independent blocks of equal dims, or None if they are no such products."""
    for law in (first, second):
        factors = law.factors()
        if factors is not None:
            sizes = [part.dim for part in factors]
            split = [each.blocks(sizes) for each in (first, second)]
            known = [parts for parts in split if parts is not None]
            if len(known) == 2:
                return known
    return None


def each_block(split: list[tuple[Law, ...]], compute: Callable[[Law, Law], Estimate]) -> list[Estimate]:
    """compute(a, b) over the blocks.

    A pair of the same two objects (a lifted law repeats one) is not computed again, unless it was drawn: repeated draws
    must be independent.
    """
    known, parts = {}, []
    for a, b in zip(*split):
        part = known.get((id(a), id(b))) or compute(a, b)
        if part.stderr == 0:
            known[id(a), id(b)] = part
        parts.append(part)
    return parts
