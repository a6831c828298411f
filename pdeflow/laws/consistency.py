"""The check of a user's law: that its answers have the right shapes and fit one another."""

from typing import cast

import numpy as np

from .._core.errors import BadInput
from .._core.rising import require_rising
from .._core.shapes import Points
from .._core.short_text import shown
from .._core.validate import draws, known_arguments
from .base import Law
from .line_integrals import LineDensities

_LEVELS = np.linspace(0.01, 0.99, 99)


@known_arguments
def law(law: Law, *, rng: np.random.Generator | None = None, n: int = 10_000, tolerance: float = 1e-6) -> float:
    """Whether the answers of a law have the right shapes and are answers of one law.

    Parameters
    ----------
    law : Law
        The law, of any dimension d. Questions that it does not answer are left out.
    rng : numpy.random.Generator
        Draws the sample that moments, distribution function and score are held against. It must be given.
    n : int
        How many points are drawn, at least 100.
    tolerance : float
        The largest error that passes, relative to the deviation of the law where it has a unit.

    Returns
    -------
    float
        The largest error of: the mass of the density and the distribution function as its integral (dimension 1), the
        quantile function as the inverse of the distribution function, the score as the slope of the log density.

    Raises
    ------
    BadInput
        Where the error exceeds `tolerance`, an answer has a wrong shape or is NaN, the distribution function decreases,
        the quantile function falls, rng is no generator, or mean, covariance or distribution function lie more than 6
        standard errors off those of the sample. It names the answer.
    """
    known = law.answers()
    x = np.asarray(law.sample(draws(n, rng), cast("np.random.Generator", rng)))
    _shape(law, "sample", x, (n, law.dim))
    if law.dim == 1 and "quantile" in known:
        require_rising(law.quantile, law)
    deviation = x.std(axis=0)
    errors = {"moments": _moments(law, x)} if {"mean", "cov"} <= set(known) else {}
    if "log_density" in known:
        logs = np.asarray(law.log_density(x))
        _shape(law, "log_density", logs, (n,))
    if law.dim == 1:
        errors |= _on_the_line(law, set(known), x, deviation)
    if {"log_density", "score"} <= set(known):
        errors["score"] = _slope(law, "score", x[:200], deviation)
    worst = max(errors, key=lambda name: errors[name], default=None)
    if worst is None:
        return 0.0
    if not errors[worst] <= tolerance:
        raise BadInput(
            f"{worst} of {shown(law)} is off by {errors[worst]:.3g}, relative to its scale. The answers of a law must "
            f"agree to {tolerance:g}. Correct {worst}, or what it is compared with.",
            answer=worst, error=errors[worst],
        )  # fmt: skip
    return errors[worst]


def _on_the_line(law: Law, known: set[str], x: Points, deviation) -> dict[str, float]:
    """The errors of what laws of dimension 1 answer; `BadInput` where the mass of the density is not one."""
    errors = {}
    if "cdf" in known:
        errors["cdf"] = _distribution(law, np.sort(x[:, 0]))
        if "quantile" in known:
            at = np.asarray(law.quantile(_LEVELS))
            _shape(law, "quantile", at, _LEVELS.shape)
            if law.has_density():
                errors["quantile"] = float(np.max(np.abs(np.asarray(law.cdf(at)) - _LEVELS)))
    if {"log_density", "quantile"} <= known:
        densities = LineDensities([law])
        half, _, logs = densities.first_look()
        densities.require_mass(half, logs)
    if {"log_density", "cdf"} <= known:
        errors["log_density"] = _slope(law, "cdf", x[:200], deviation)
    return errors


def _shape(law, question, answer, shape):
    bad = answer.shape != shape or np.isnan(answer).any()
    if bad:
        what = f"shape {answer.shape}" if answer.shape != shape else "NaN"
        raise BadInput(f"{question} of {shown(law)} gives {what}. It must give numbers of shape {shape}. Correct it.")


def _moments(law, x):
    """0, or `BadInput` where mean or covariance lie 6 standard errors off the sample's."""
    mean, cov = np.asarray(law.mean()), np.asarray(law.cov())
    _shape(law, "mean", mean, (law.dim,))
    _shape(law, "cov", cov, (law.dim, law.dim))
    offset = x - mean
    products = offset[:, :, None] * offset[:, None, :]
    for name, gap, values in (("mean", offset.mean(axis=0), offset), ("cov", products.mean(axis=0) - cov, products)):
        error = values.std(axis=0) / np.sqrt(len(x))
        if np.any(np.abs(gap) > 6 * error + 1e-9 * np.abs(values).max(axis=0)):
            raise BadInput(
                f"{name} of {shown(law)} lies {np.max(np.abs(gap)):.3g} off that of {len(x)} draws. It must lie within "
                "6 standard errors. Correct it, or sample."
            )
    return 0.0


def _distribution(law, x):
    """0, or `BadInput` where the distribution function decreases or is not that of the sorted sample."""
    level = np.asarray(law.cdf(x))
    _shape(law, "cdf", level, x.shape)
    if np.any(np.diff(level) < 0) or level.min() < 0 or level.max() > 1:
        raise BadInput(f"cdf of {shown(law)} decreases or leaves [0, 1]. It must rise from 0 to 1. Correct it.")
    counted = np.searchsorted(x, x, side="right") / len(x)
    if np.max(np.abs(level - counted)) > 3 / np.sqrt(len(x)):  # Kolmogorov: 3e-8 by chance
        raise BadInput(
            f"cdf of {shown(law)} lies {np.max(np.abs(level - counted)):.3g} off that of {len(x)} draws. They must "
            f"agree to {3 / np.sqrt(len(x)):.2g}. Correct cdf or sample."
        )
    return 0.0


def _slope(law, question, x, deviation):
    """The median error of the density as the slope of cdf, or of the score as that of the log density.

    The median, because differences across a kink are no slopes.
    """
    worst = 0.0
    with np.errstate(all="ignore"):
        given = np.asarray(law.score(x)) if question == "score" else np.exp(np.asarray(law.log_density(x)))[:, None]
        if question == "score":
            _shape(law, question, given, x.shape)
        for i, scale in enumerate(deviation):
            step = 1e-4 * scale * np.eye(law.dim)[i]
            ask = law.log_density if question == "score" else lambda at: law.cdf(at[:, 0])
            slope = sum(
                weight * (np.asarray(ask(x + k * step)) - np.asarray(ask(x - k * step)))
                for k, weight in ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
            ) / (1e-4 * scale)  # fmt: skip
            size = np.abs(given[:, i]) + 1 / scale
            worst = max(worst, float(np.nanmedian(np.abs(slope - given[:, i]) / size)))
    return worst


__all__ = ["law"]
