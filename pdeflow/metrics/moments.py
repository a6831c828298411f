"""Errors of the first two moments."""

import numpy as np

from .._core.errors import NotAvailable
from .._core.estimate import Estimate
from .._core.validate import count, known_arguments
from ..laws import Law, Particles
from ..laws.draws import drawn
from .metric import metric
from .pair import answers, checked_pair, generator
from .scales import length, squared_length


@metric(floor_adds="squares", scale=length)
@known_arguments
def mean_error(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """|E_approximation x - E_truth x|, the Euclidean norm.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed for a law that does not know this moment, of which n points are drawn.
    n : int
        How many, at least 2.

    Returns
    -------
    Estimate
        The distance of the two moments.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None, and where the moment of a law on the line does not exist.
    NotConverged
        Where the tails of a law given by its quantiles are too heavy for a certain value.

    Notes
    -----
    A cloud is taken for what it is; stderr is then the sampling error (tr Σ / n)^½ of a cloud of n independent draws (n
    is the effective number 1/Σw² for weights).
    """
    return _moment_error(approximation, truth, "mean", rng, n)


@metric(floor_adds="squares", scale=squared_length)
@known_arguments
def cov_error(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """|Σ_approximation - Σ_truth| in the Frobenius norm.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed for a law that does not know this moment, of which n points are drawn.
    n : int
        How many, at least 2.

    Returns
    -------
    Estimate
        The distance of the two moments.

    Raises
    ------
    NotAvailable
        Where draws are needed and rng is None, and where the moment of a law on the line does not exist.
    NotConverged
        Where the tails of a law given by its quantiles are too heavy for a certain value.

    Notes
    -----
    stderr as in `mean_error`, with ((E|y|⁴ - |Σ|_F²)/n)^½ for y = x - E x.
    """
    return _moment_error(approximation, truth, "cov", rng, n)


def _moment_error(approximation, truth, moment, rng, n):
    name = f"{moment}_error"
    laws = checked_pair(approximation, truth, rng, name)
    values, variance, notes = [], 0.0, []
    for law in laws:
        try:
            value = getattr(law, moment)()
            if law.moments_how != "closed form":
                notes.append(law.moments_how)
        except NotAvailable:
            if answers(law, moment):  # the law knows its moment, and this one does not exist: draws would hide that
                raise
            law = Particles(drawn(law, count(n, "n", 2), generator(rng, f"{name} against {law!r}")))
            value = getattr(law, moment)()
            notes.append(f"Monte Carlo, n = {n}")
        values.append(value)
        atoms = law.atoms()
        if atoms is not None:
            x, weights = atoms
            variance += _sampling_variance(x, weights, law.mean(), law.cov(), moment)
            notes.append(f"stderr of {len(x)} independent draws")
    how = "; ".join(dict.fromkeys(notes)) if notes else "closed form"
    return Estimate(float(np.linalg.norm(values[0] - values[1])), float(np.sqrt(variance)), how, name)


def _sampling_variance(x, weights, mean, cov, moment):
    """E|moment of the cloud - moment of the law it was drawn from|², estimated from the cloud."""
    share = np.sum(weights**2)
    if moment == "mean":
        return np.trace(cov) * share
    squares = np.sum((x - mean) ** 2, axis=1)
    return max(weights @ squares**2 - np.sum(cov * cov), 0.0) * share


def moments_of(law, moment, rng, n, metric):
    """(mean or cov of the law, how), from n draws where the law does not know it and rng is given."""
    try:
        return getattr(law, moment)(), law.moments_how
    except NotAvailable:
        if answers(law, moment):
            raise
        cloud = Particles(drawn(law, count(n, "n", 2), generator(rng, f"{metric} against {law!r}")))
        return getattr(cloud, moment)(), f"Monte Carlo, n = {n}"
