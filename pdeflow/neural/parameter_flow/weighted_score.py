"""Draws of a law with λ^q ∇log λ at them.

Finite at the edge of a support, and carried through maps without an inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._core.errors import NotAvailable, Unsupported
from ..._core.shapes import Points, Values
from ...energies.internal import InternalEnergy
from ...laws import Law


@dataclass(frozen=True)
class WeightedScore:
    """The score of a law λ at n points, times a power of the density.

    Parameters
    ----------
    power : float
        q.
    score : (n, d) array
        λ^q ∇log λ.
    weight : (n,) array
        λ^q.
    """

    power: float
    score: Points
    weight: Values


@dataclass(frozen=True)
class ScoredPoints:
    """Points, and a law at them.

    Parameters
    ----------
    x : (n, d) array
        The points.
    log_density : (n,) array
        log λ.
    scores : tuple of WeightedScore
        One for each power that was asked for.
    """

    x: Points
    log_density: Values
    scores: tuple[WeightedScore, ...]


def density_powers(internal: InternalEnergy) -> tuple[float, ...]:
    """The powers q of the density in ∇U'(ρ) = Σ c m ρ^q ∇log ρ, q = m - 1 for each term of U.

    (0,) for a U that is no such sum.

    Raises `Unsupported` for powers m < 1, and for an internal energy that knows neither its terms nor its second
    derivative.
    """
    terms = internal.terms()
    if terms is None:
        try:
            internal.second_derivative(np.ones(1))
        except NotAvailable as error:
            raise Unsupported(
                f"The internal energy {internal!r} is no sum of entropies and powers. Parametric flows then "
                f"need U''. {error}"
            ) from error
        return (0.0,)
    if any(m < 1 for _, m in terms):
        raise Unsupported(
            f"The internal energy is {internal!r}. Parametric flows treat Entropy, Power(m) with m > 1 and "
            "their sums. Use one of "
            "these, or a grid method."
        )
    return tuple(m - 1 for _, m in terms)


def require_finite_dissipation(law: Law, powers: tuple[float, ...]) -> None:
    """Raise `Unsupported` where ∫λ^(2q)|∇log λ|² dλ is known to be infinite, or a map does not carry the score."""
    for part in law.factors() or ():
        require_finite_dissipation(part, powers)
    origin = law.pushed_from()
    if origin is not None:
        base, maps = origin
        require_finite_dissipation(base, powers)
        for move in maps:
            why = move.lacks("with_score")
            if why is not None:
                raise Unsupported(
                    f"The initial law is moved by {type(move).__name__}. {why} A score is carried by maps "
                    "with with_score. Start "
                    "from the law of a PWGF run, or from a Gaussian, a mixture or a Barenblatt law."
                )
    elif any(law.finite_dissipation(power) is False for power in powers):
        raise Unsupported(
            f"{law!r} dissipates infinitely at the edge of its support under this internal energy, so that "
            "its velocity has no "
            "projection. Possible are laws whose density falls to zero smoothly enough. Start from a "
            "Gaussian, a mixture or a "
            "Barenblatt law of this m."
        )


def draw_with_scores(law: Law, n: int, rng: np.random.Generator, powers: tuple[float, ...]) -> ScoredPoints:
    """n draws of the law with its scores. Raises `Unsupported` where it has none."""
    factors, origin = law.factors(), law.pushed_from()
    if factors is not None:
        return _joined([draw_with_scores(part, n, rng, powers) for part in factors])
    if origin is None:
        return with_scores(law, law.sample(n, rng), powers)
    base, maps = origin
    drawn = draw_with_scores(base, n, rng, powers)
    for move in maps:
        drawn = _carried(move, drawn)
    return drawn


def with_scores(law: Law, x: Points, powers: tuple[float, ...]) -> ScoredPoints:
    """The points with the scores of a law there. Raises `Unsupported` where it has none."""
    try:
        log_density = law.log_density(x)
        scores = []
        for q in powers:
            weight = np.exp(q * log_density) if q else np.ones(len(x))
            scores.append(WeightedScore(q, law.score(x, q) if q else law.score(x), weight))
    except NotAvailable as error:
        raise Unsupported(
            f"The score ∇log λ of the initial law {law!r} is not known, and an internal energy needs it at "
            "draws of the law. Start "
            "from a Gaussian, a mixture, a Barenblatt law, a product of these or one of these moved by "
            "parametric maps, or give "
            "the law log_density(x) and score(x, power)."
        ) from error
    return ScoredPoints(x, log_density, tuple(scores))


def _carried(move, drawn: ScoredPoints) -> ScoredPoints:
    """The points T(x) with the scores of the law that T makes of that of the points x."""
    scores, y, volume = [], drawn.x, np.zeros(len(drawn.x))
    for each in drawn.scores:
        y, volume, score = move.with_score(drawn.x, each.score, each.weight)
        thinner = np.exp(-each.power * volume)  # ρ^q = λ^q thinner
        scores.append(WeightedScore(each.power, score * thinner[:, None], each.weight * thinner))
    return ScoredPoints(y, drawn.log_density - volume, tuple(scores))


def _joined(parts: list[ScoredPoints]) -> ScoredPoints:
    """Those of a product, from those of its independent parts: each score is multiplied by the λ^q of the others."""
    scores = []
    for each in zip(*[part.scores for part in parts]):
        blocks = []
        for i, own in enumerate(each):
            others = np.prod([other.weight for j, other in enumerate(each) if j != i], axis=0)
            blocks.append(own.score * np.reshape(others, (-1, 1)))
        weight = np.prod([own.weight for own in each], axis=0)
        scores.append(WeightedScore(each[0].power, np.concatenate(blocks, axis=1), weight))
    x = np.concatenate([part.x for part in parts], axis=1)
    return ScoredPoints(x, np.sum([part.log_density for part in parts], axis=0), tuple(scores))
