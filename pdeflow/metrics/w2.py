"""The Wasserstein distance W2."""

import numpy as np

from .._core.errors import BadInput
from .._core.estimate import Estimate, together
from .._core.fingerprint import sha256
from .._core.validate import count, known_arguments
from ..laws import Law
from .cloud_transport import certified_w2
from .gaussian import gaussian_distance
from .metric import metric
from .pair import blocks, checked_pair, each_block, reduced
from .samples import REFERENCE_SEED, drawn_null, sample_of, thinned
from .scales import length
from .w2_line import w2_on_the_line

# Null levels by the fingerprint of the truth, and sizes: all rows of a study share them.
_LEVELS: dict[tuple[str, int, int, int], float | None] = {}
_MOST_LEVELS = 100


@metric(floor_adds="squares", scale=length)
@known_arguments
def w2(
    approximation: Law,
    truth: Law,
    *,
    rng: np.random.Generator | None = None,
    n: int = 2000,
    null_draws: int = 1,
) -> Estimate:
    """The Wasserstein distance W2, not its square: W2² = min over couplings of E|X - Y|².

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed where laws in d > 1 are compared by draws, and to thin a cloud of more than n points.
    n : int
        The largest number of points of a cloud in d > 1, at least 2.
    null_draws : int
        Over how many pairs of samples of the truth the null level is averaged where clouds are transported and rng is
        given; 0 for none. Each costs as much as the value; a truth and sizes that were met before cost nothing, but for
        a truth that is a cloud.

    Returns
    -------
    Estimate
        The distance; `how` says which of the ways below was taken. `null` is the mean of the value over pairs of
        samples of the truth of the sizes used (for weighted clouds the effective ones, 1/Σw²), in d > 1 where clouds
        are transported and rng is given; else None. Of a truth that is a cloud nothing fresh can be drawn: both clouds
        together are parted at random there, and `null` is None where their weights are not equal.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None, where a law on the line has no quantile function, or where clouds of
        different weights or sizes meet in d > 1 and POT is missing.
    NotConverged
        Where quadrature in the level does not converge, as for heavy tails, and where no transport plan between clouds
        is certified.

    Notes
    -----
    Closed form: Gaussians (Bures) and laws of one scale family (Barenblatts of one d and m, Rings, Semicircles, Uniform
    boxes), whatever their centres. In dimension 1: ∫(Q_1 - Q_2)² du, exact on merged levels where both quantile
    functions are piecewise linear (Particles, Quantiles, GridLaw, Uniform). From a mixture of Gaussians (or a Gaussian)
    to these, or to another mixture, the integral is taken over the places of the mixture, told from the means of its
    components: to round-off, however narrow and far apart these are; levels between separate modes that agree to four
    roundings count as equal. Else adaptive quadrature in the level (about 1e-13 relative; what is accepted is an error
    of 1e-9 W2² + 1e-11 |Q| W2 of W2², |Q| the size of the quantiles). Tails are measured from their own ends
    (`Law.upper_quantile`); the last levels of a law without it must be as light. Products of equal blocks: W2² adds
    over the blocks. Two laws that were moved by one rotation are compared without it, and two that are invariant under
    rotations by their radii.

    Everything else is exact transport between clouds: Particles as they are up to n points, and n draws of any other
    law. The plan comes from POT's network simplex, or from scipy's assignment solver where all weights are equal, and
    is returned only with dual potentials that prove its cost optimal to 1e-10 of itself, whatever the unit of length
    and however far a point lies out; clouds on the same points are compared by the exact differences of their weights.
    Such a value is biased upward like n^(-1/d): compare it with the null level, which two exact samples reach and no
    less. The samples for it come from a seed of their own, so that it is the same for all approximations, unless the
    truth is a cloud. stderr is that of the transport cost about its biased mean, from the variance of the dual
    potentials. Where these are not unique, as between groups of points that no mass connects, those that share the cost
    of each point most evenly are taken: chance in the number of points of a far group is then not part of it.
    """
    first, second = checked_pair(approximation, truth, rng, "w2")
    return _w2(first, second, rng, count(n, "n", 2), count(null_draws, "null_draws", 0))


def closed_w2(first: Law, second: Law) -> float | None:
    """W2 in closed form for two Gaussians or two laws of one scale family, else None."""
    gaussians = first.as_gaussian(), second.as_gaussian()
    if gaussians[0] is not None and gaussians[1] is not None:
        return gaussian_distance(gaussians[0], gaussians[1])
    mine, other = first.scale_family(), second.scale_family()
    if mine is None or other is None or mine[0] != other[0]:
        return None
    return float(np.hypot(np.linalg.norm(mine[1] - other[1]), np.linalg.norm(mine[2] - other[2])))


def _w2(first, second, rng, n, null_draws):
    closed = closed_w2(first, second)
    if closed is not None:
        return Estimate(closed, 0.0, "closed form", "w2")
    if first.dim == 1:
        value, how = w2_on_the_line(first, second)
        return Estimate(value, 0.0, how, "w2")
    simpler = reduced(first, second, isometric=True)
    if simpler[0] is not first:
        return _w2(*simpler, rng, n, null_draws)
    split = blocks(first, second)
    if split is not None:
        return _w2_of_blocks(each_block(split, lambda a, b: _w2(a, b, rng, n, null_draws)))
    x, y = (thinned(sample_of(law, rng, n, "w2"), n, rng, "w2") for law in (first, second))
    value, stderr = certified_w2(x.points, x.weights, y.points, y.weights)
    sizes = dict.fromkeys(str(len(sample.points)) for sample in (x, y))
    notes = "".join(f"; {note}" for note in dict.fromkeys(sample.note for sample in (x, y) if sample.chosen))
    how = f"empirical, n = {' and '.join(sizes)}, biased upward like n^(-1/{first.dim}){notes}"
    null = None if rng is None else _null_level(second, x, y, null_draws)
    return Estimate(value, stderr, how, "w2", null=null)


def _w2_of_blocks(parts: list[Estimate]) -> Estimate:
    value = float(np.linalg.norm([part.value for part in parts]))
    stderr = float(np.linalg.norm([part.value * part.stderr for part in parts])) / value if value > 0 else 0.0
    # a block that is compared exactly has no bias
    levels = [part.null for part in parts if part.stderr > 0 or part.null is not None]
    known = [level for level in levels if level is not None]
    null = float(np.linalg.norm(known)) if known and len(known) == len(levels) else None
    return Estimate(value, stderr, f"sum over blocks: {together(part.how for part in parts)}", "w2", null=null)


def _null_level(truth, x, y, draws):
    """The mean of W2 over pairs of samples as large as these, kept for the next cloud of these sizes.

    Of a truth that is a cloud the pairs are parts of x and y together: then the level is that of these two alone. Nor
    is it kept for a truth without a fingerprint, which may have changed since.
    """
    if draws == 0:
        return None
    if truth.atoms() is not None:
        return _drawn_level(truth, x, y, draws)
    try:
        key = sha256(truth), round(1 / x.share), round(1 / y.share), draws
    except BadInput:
        return _drawn_level(truth, x, y, draws)
    found = _LEVELS.get(key)
    if found is None:
        found = _drawn_level(truth, x, y, draws)
        if len(_LEVELS) >= _MOST_LEVELS:
            _LEVELS.clear()
        _LEVELS[key] = found
    return found


def _drawn_level(truth, x, y, draws):
    rng = np.random.default_rng(REFERENCE_SEED)
    return drawn_null(lambda a, b: certified_w2(a.points, a.weights, b.points, b.weights)[0], truth, rng, (x, y), draws)
