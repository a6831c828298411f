"""What all metrics share: the check of their two laws, and the laws that count as one another's kind."""

import numpy as np
from scipy.linalg import block_diag

from .._core.errors import BadInput, NotAvailable
from ..laws import Barenblatt, Gaussian, Law, Product, Ring, Semicircle, Uniform


def checked_pair(approximation, truth, rng, metric):
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


def _unwrapped(law):
    while isinstance(law, Product) and len(law.laws) == 1:
        law = law.laws[0]
    return law


def answers(law, *questions) -> bool:
    """Whether the law's class has these questions in closed form (quantile and cdf count in dim 1 only)."""
    known = law.answers()
    return all(q in known and (law.dim == 1 or q not in ("quantile", "cdf")) for q in questions)


def generator(rng, what):
    """rng, or `NotAvailable` where it is None and `what` cannot be had without drawing."""
    if rng is None:
        raise NotAvailable(
            f"{what} has no closed form or quadrature here. Monte Carlo is possible. Pass rng=np.random.default_rng(seed)."
        )
    return rng


def as_gaussian(law):
    """The law as one Gaussian if it is a Gaussian or a product of such, else None."""
    if isinstance(law, Gaussian):
        return law
    if isinstance(law, Product):
        parts = [as_gaussian(part) for part in law.laws]
        if all(part is not None for part in parts):
            return Gaussian(law.mean(), block_diag(*[part.cov() for part in parts]))
    return None


def scale_family(law):
    """(family, centre (d,), spread) of laws that are the optimal push-forward of one another by x -> c + s(x - c'), else None.

    spread : root second moments about the centre, so that W2² = |Δcentre|² + |Δspread|² within a family: the map is the
    gradient of a convex function [docs/math.md 1, table].
    """
    if isinstance(law, Barenblatt):
        return ("Barenblatt", law.dim, law.m), law.center, np.array([np.sqrt(law.second_moment)])
    if isinstance(law, Ring):
        return ("Ring", law.dim), law.center, np.array([law.radius])
    if isinstance(law, Semicircle):
        return ("Semicircle", 1), np.array([law.center]), np.array([law.radius / 2])
    if isinstance(law, Uniform):
        return ("Uniform", law.dim), law.mean(), (law.high - law.low) / np.sqrt(12)
    return None


def blocks(first, second):
    """The two laws as equally long lists of independent blocks of equal dims, or None if they are no such products."""
    for law in (first, second):
        if isinstance(law, Product):
            sizes = [part.dim for part in law.laws]
            split = [split_law(each, sizes) for each in (first, second)]
            if all(part is not None for part in split):
                return split
    return None


def each_block(split, compute):
    """compute(a, b) over the blocks; a pair of the same two objects (a lifted law repeats one) is not computed again, unless it
    was drawn: repeated draws must be independent."""
    known, parts = {}, []
    for a, b in zip(*split):
        part = known.get((id(a), id(b))) or compute(a, b)
        if part.stderr == 0:
            known[id(a), id(b)] = part
        parts.append(part)
    return parts


def split_law(law, sizes):
    """Independent marginals of the law on consecutive blocks of these sizes, or None if they are not independent or not known."""
    if isinstance(law, Product) and [part.dim for part in law.laws] == list(sizes):
        return list(law.laws)
    gaussian = as_gaussian(law)
    ends = np.cumsum(sizes)
    cuts = [slice(end - size, end) for size, end in zip(sizes, ends)]
    if gaussian is not None:
        parts = [gaussian.cov()[cut, cut] for cut in cuts]
        if np.array_equal(block_diag(*parts), gaussian.cov()):
            return [Gaussian(gaussian.mean()[cut], part) for cut, part in zip(cuts, parts)]
    if isinstance(law, Uniform):
        return [Uniform(law.low[cut], law.high[cut]) for cut in cuts]
    return None


def together(hows) -> str:
    """The distinct ways of several parts in one phrase."""
    return ", ".join(dict.fromkeys(hows))
