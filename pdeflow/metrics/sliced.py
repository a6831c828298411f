"""The sliced Wasserstein distance."""

import numpy as np

from .._core.arrays import power_of_two
from .._core.estimate import Estimate
from .._core.validate import count, known_arguments
from ..laws import Law, Particles
from ..laws.draws import drawn
from .metric import metric
from .pair import checked_pair, generator
from .scales import length
from .w2 import closed_w2, w2


@metric(floor_adds="squares", scale=length)
@known_arguments
def sliced_w2(
    approximation: Law,
    truth: Law,
    *,
    rng: np.random.Generator | None = None,
    projections: int = 200,
    n: int = 10_000,
) -> Estimate:
    """The sliced Wasserstein distance SW2, not its square: SW2² = E_θ W2²(θ·X, θ·Y), θ uniform on the unit sphere.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed in d > 1, unless the value has a closed form.
    projections : int
        How many directions are drawn, at least 2.
    n : int
        How many points are drawn of a law that is not projected exactly.

    Returns
    -------
    Estimate
        The distance. stderr is that of the mean over the random directions, for the distance itself.

    Raises
    ------
    NotAvailable
        Where directions are needed and rng is None, or in dimension 1 where a law has no quantile function.

    Notes
    -----
    The normalisation is the mean over directions, with no factor d: two laws that differ by a shift s have SW2 =
    |s|/√d, and in dimension 1 SW2 = W2. Gaussians, mixtures and clouds are projected exactly. Two laws of one scale
    family whose shape is scaled alike in all directions (Barenblatts, Rings) have SW2 = W2/√d.
    """
    first, second = checked_pair(approximation, truth, rng, "sliced_w2")
    if first.dim == 1:
        flat = w2(first, second, rng=rng)
        return Estimate(flat.value, flat.stderr, flat.how, "sliced_w2")
    family, closed = first.scale_family(), closed_w2(first, second)
    if family is not None and len(family[2]) == 1 and closed is not None:
        return Estimate(closed / np.sqrt(first.dim), 0.0, "closed form", "sliced_w2")
    rng = generator(rng, "sliced_w2 in dim > 1")
    projections = count(projections, "projections", 2)
    directions = rng.standard_normal((projections, first.dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    (first, note_1), (second, note_2) = (_projectable(law, rng, n) for law in (first, second))
    distances = np.array([w2(_project(first, t), _project(second, t)).value for t in directions])
    size = power_of_two(distances.max())
    squares = (distances / size) ** 2
    value = float(np.sqrt(squares.mean()))
    stderr = float(squares.std(ddof=1) / np.sqrt(projections) / (2 * value)) if value > 0 else 0.0
    value, stderr = size * value, size * stderr
    notes = "".join(f"; {note}" for note in dict.fromkeys([note_1, note_2]) if note)
    return Estimate(value, stderr, f"Monte Carlo, {projections} directions{notes}", "sliced_w2")


def _projectable(law, rng, n):
    """A law that is projected exactly, and a note where it is made of draws."""
    law = law.as_gaussian() or law
    if law.projected(np.eye(law.dim)[0]) is not None:
        return law, ""
    return Particles(drawn(law, count(n, "n", 2), rng)), f"{n} draws of {type(law).__name__}, biased upward"


def _project(law, direction):
    flat = law.projected(direction)
    assert flat is not None  # of laws that _projectable has let through
    return flat
