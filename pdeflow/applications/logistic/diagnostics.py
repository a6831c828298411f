"""Whether several chains have forgotten where they started, and how many independent draws they are worth."""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import rankdata

from ..._core.errors import BadInput
from ..._core.shapes import Vector

Chains = Float[np.ndarray, "chains draws d"]  # draws of several chains, in their order


def r_hat(chains: Chains) -> Vector:
    """Rank-normalised split R-hat of each coordinate, (m, n, d) -> (d,).

    Parameters
    ----------
    chains : (m, n, d)
        m chains of n draws, warm-up removed, m >= 2 and n >= 8.

    Returns
    -------
    (d,)
        The larger of the two R-hats of [vehtari2021], of the ranks of the draws and of their distances from the median.
        It goes to 1 for chains of one law; [vehtari2021] asks for less than 1.01.
    """
    halves = _halves(chains)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.maximum(_ratio(_normal_scores(halves)), _ratio(_normal_scores(folded)))


def effective_draws(chains: Chains) -> Vector:
    """How many independent draws estimate the mean of each coordinate as well, (m, n, d) -> (d,).

    Parameters
    ----------
    chains : (m, n, d)
        As for `r_hat`.

    Returns
    -------
    (d,)
        m n / (1 + 2 Σ ρ_t) of the rank-normalised halves of the chains ("bulk" effective size), with autocorrelations
        ρ_t of all chains, summed in pairs as long as these are positive, and not rising [vehtari2021, section 3.2]. It
        may exceed m n where draws alternate, at most by the factor log10(m n).
    """
    scores = _normal_scores(_halves(chains))
    m, n, dim = scores.shape
    centred = scores - scores.mean(axis=1, keepdims=True)
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    spectrum = np.abs(np.fft.rfft(centred, size, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, size, axis=1)[:, :n] / n  # (m, n, d), biased as usual
    within = covariance[:, 0].mean(axis=0) * n / (n - 1)
    total = within * (n - 1) / n + scores.mean(axis=1).var(axis=0, ddof=1)
    correlation = 1 - (within - covariance.mean(axis=0) * n / (n - 1)) / total  # (n, d)
    correlation[0] = 1
    pairs = correlation[: n // 2 * 2].reshape(-1, 2, dim).sum(axis=1)
    positive = np.logical_and.accumulate(pairs > 0, axis=0)
    time = -1 + 2 * np.where(positive, np.minimum.accumulate(pairs, axis=0), 0.0).sum(axis=0)
    return m * n / np.maximum(time, 1 / np.log10(m * n))


def _halves(chains):
    """Each chain cut in two, (2 m, n // 2, d); `BadInput` for fewer draws than make sense."""
    chains = np.asarray(chains, dtype=float)
    if chains.ndim != 3 or len(chains) < 2 or chains.shape[1] < 8 or not np.isfinite(chains).all():
        raise BadInput(
            f"chains has shape {chains.shape}. It must be (chains, draws, d) of finite numbers, with at least 2 chains "
            "of 8 draws. Draw more."
        )
    still = np.flatnonzero(np.ptp(chains, axis=(0, 1)) == 0)
    if len(still):
        raise BadInput(
            f"Coordinate {still[0]} is the same in all draws. A coordinate must vary, for its ranks to say anything. "
            "Drop it, or look for what holds the chains."
        )
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _normal_scores(chains):
    """Normal quantiles of the ranks among all draws of a coordinate."""
    m, n, dim = chains.shape
    ranks = rankdata(chains.reshape(m * n, dim), axis=0).reshape(m, n, dim)
    return ndtri((ranks - 3 / 8) / (m * n + 1 / 4))


def _ratio(scores):
    """√(pooled variance / variance within chains) of each coordinate."""
    n = scores.shape[1]
    within = scores.var(axis=1, ddof=1).mean(axis=0)
    between = scores.mean(axis=1).var(axis=0, ddof=1)
    return np.sqrt((n - 1) / n + between / within)
