"""What a law of weights predicts for labels that it has not seen, and the Gaussian approximation by Laplace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import logsumexp

from ..._core.errors import BadInput, NotConverged
from ..._core.estimate import Estimate
from ..._core.shapes import Matrix, Numbers, Points, Row, Values
from ..._core.validate import points, real_array
from ..._core.value import Value
from ...laws import Gaussian
from .posterior import Posterior, checked_labels, require_posterior

BATCHES = 16  # of draws, from whose spread the error of a finite number of draws is estimated
SAME = 1e-6  # nats of evidence, by which ends of Newton steps at one mode may differ


@dataclass(frozen=True)
class Predictions(Value):
    """How well weights predict labels [mokrov2022, section 4.4].

    Parameters
    ----------
    accuracy : Estimate
        The share of the labels that get a probability above 1/2.
    log_likelihood : Estimate
        The mean of log p̄_n, the log of the mean over draws of the probability of the right label, in nats.
    accuracy_of_draws, log_likelihood_of_draws : float
        The standard errors of the two for these labels, from the finite number of draws alone.

    Notes
    -----
    The `stderr` of the estimates is that over labels: what other labels of the same law would change.
    """

    accuracy: Estimate
    log_likelihood: Estimate
    accuracy_of_draws: float
    log_likelihood_of_draws: float


def predictions(draws: Points, features: ArrayLike, labels: ArrayLike) -> Predictions:
    """Accuracy and log-likelihood of labels under the mean prediction of draws of (w, log α).

    Parameters
    ----------
    draws : (n, p + 1)
        Draws of (w, log α), n >= 16; the last column is not used.
    features, labels : (N, p) and (N,)
        The labels that are predicted, each ±1, and their features.

    Returns
    -------
    Predictions
        Of p̄_n = (1/n) Σ σ(y_n s_nᵀw).
    """
    features, signs = real_array(features, "features", 2), checked_labels(labels)
    draws = real_array(points(draws, features.shape[1] + 1), "draws", 2)
    if len(features) != len(signs) or not len(signs):
        raise BadInput(
            f"features has shape {features.shape}, labels {signs.shape}. They must be (N, p) and (N,) with N at least "
            "1. Pass one row of features for each label."
        )
    if len(draws) < BATCHES:
        raise BadInput(f"{len(draws)} draws are given. It must be at least {BATCHES}. Draw more.")
    batches = np.array_split(np.arange(len(draws)), BATCHES)
    chances = [_log_chances(draws[batch, :-1], features, signs) for batch in batches]
    sums = np.array([np.exp(part).sum(axis=0) for part in chances])
    log_sums = np.array([logsumexp(part, axis=0) for part in chances])  # a sum underflows where all draws are certain
    sizes = np.array([len(batch) for batch in batches])
    right = sums.sum(axis=0) / len(draws) > 0.5
    logs, n = np.asarray(logsumexp(log_sums, axis=0)) - np.log(len(draws)), len(signs)
    kept = [np.arange(BATCHES) != i for i in range(BATCHES)]  # without each batch: the jackknife
    others = (sums.sum(axis=0) - sums) / (len(draws) - sizes)[:, None] > 0.5
    log_others = np.array([np.asarray(logsumexp(log_sums[r], axis=0)) - np.log(sizes[r].sum()) for r in kept])
    return Predictions(
        Estimate(float(right.mean()), float(np.sqrt(right.var() / n)), "sample", "accuracy"),
        Estimate(float(logs.mean()), float(logs.std() / np.sqrt(n)), "sample", "log_likelihood"),
        _jackknife(others.mean(axis=1)),
        _jackknife(log_others.mean(axis=1)),
    )


def _log_chances(w: Points, features: Numbers, signs: Row) -> Numbers:
    """The logarithm of the probability of each label, (n, N)."""
    return -np.logaddexp(0.0, -(w @ (signs[:, None] * features).T))


def _jackknife(values: Values) -> float:
    """Standard error of a statistic from its values without each of the batches."""
    return float(np.sqrt((len(values) - 1) * values.var()))


def laplace(posterior: Posterior) -> Gaussian:
    """The Gaussian law at a mode of the posterior of (w, log α), with the inverse Hessian of V as its covariance.

    Parameters
    ----------
    posterior : Posterior
        What is approximated.

    Returns
    -------
    Gaussian
        N(m, C) at the mode m with the largest evidence -V(m) + ½ log det C among those that Newton steps in a
        trust region reach from w = 0, once with α = a/b, the centre of the prior, and once with α the mean square s²
        of the features, and from the best w for α = s², where the weights follow the labels, with the best α for it.

    Raises
    ------
    BadInput
        For what is no posterior.
    NotConverged
        Unless at one of them the gradient is below 1e-6 of the size of its terms and the Hessian positive definite.

    Notes
    -----
    V is convex in w and in log α but not in both. Where labels are few there are often two modes: one near w = 0 with
    α large, of little mass, and one where the weights follow the labels. There may be others.
    """
    require_posterior(posterior)
    scale = float(np.sqrt(np.mean(posterior.features**2)))
    nothing = np.zeros(posterior.dim - 1)
    starts = [np.append(nothing, np.log(posterior.shape / posterior.rate))]
    if scale:
        starts += [np.append(nothing, 2 * np.log(scale)), _following(posterior, 2 * np.log(scale))]
    modes = [_mode_from(posterior, start) for start in starts]
    size = float(np.sum(np.abs(posterior.features))) + posterior.dim
    good = [mode for mode in modes if mode.slope < 1e-6 * size and mode.lowest > 0]
    if not good:
        mode = modes[0]
        raise NotConverged(
            f"Newton steps ended where the gradient of V is {mode.slope:.3g} and the lowest eigenvalue of its Hessian "
            f"{mode.lowest:.3g}. The gradient must vanish and the Hessian be positive definite. Rescale the features.",
            gradient=mode.slope,
            eigenvalue=mode.lowest,
        )
    best = good[0]
    for mode in good[1:]:
        if mode.evidence > best.evidence + SAME:
            best = mode
    return Gaussian(best.point, np.linalg.inv(best.curvature))


@dataclass(frozen=True)
class _Mode:
    """Where Newton steps ended: the point (p + 1,), the Hessian there and what follows from both."""

    point: Values
    curvature: Matrix
    slope: float
    lowest: float
    evidence: float


def _following(posterior: Posterior, log_precision: float) -> Values:
    """(w, log α): the weights that are best for this log α, by convex minimisation, and the α that is best for them."""

    def with_precision(w):
        return np.append(w, log_precision)[None]

    w = minimize(
        lambda w: float(posterior.value(with_precision(w))[0]),
        np.zeros(posterior.dim - 1),
        jac=lambda w: posterior.grad(with_precision(w))[0, :-1],
        hess=lambda w: posterior.hessian(with_precision(w))[0, :-1, :-1],
        method="trust-exact",
    ).x
    return np.append(w, np.log((posterior.shape + len(w) / 2) / (posterior.rate + w @ w / 2)))


def _mode_from(posterior: Posterior, start: Values) -> _Mode:
    """The end of Newton steps in a trust region from this (w, log α)."""
    point = minimize(
        lambda x: float(posterior.value(x[None])[0]),
        start,
        jac=lambda x: posterior.grad(x[None])[0],
        hess=lambda x: posterior.hessian(x[None])[0],
        method="trust-exact",
        options={"gtol": 1e-9, "maxiter": 1000},
    ).x
    curvature = posterior.hessian(point[None])[0]
    evidence = -float(posterior.value(point[None])[0]) - float(np.linalg.slogdet(curvature)[1]) / 2
    slope = float(np.max(np.abs(posterior.grad(point[None]))))
    return _Mode(point, curvature, slope, float(np.linalg.eigvalsh(curvature)[0]), evidence)
