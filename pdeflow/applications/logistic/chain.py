"""The posterior by a long exact chain: Pólya-Gamma Gibbs sampling, with a verdict on whether it has mixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import get_lapack_funcs

from ..._core.errors import BadInput, NotConverged, Unsupported
from ..._core.shapes import Matrix, Points, Vector
from ..._core.validate import count, positive
from ..._core.value import Value
from ...laws import Particles
from .diagnostics import Chains, effective_draws, r_hat
from .polya_gamma import polya_gamma
from .posterior import Posterior, require_posterior

LARGEST_R_HAT = 1.01  # [vehtari2021]
POTRF, POTRS, TRTRS = get_lapack_funcs(("potrf", "potrs", "trtrs"), dtype=np.float64)
PROPOSALS, WIDTHS = 2, 7  # of the scale of w in a sweep; of widths 1, 1/2, ..., 1/64
LEAST_EFFECTIVE = 0.5  # of the draws kept: correlated draws would make a truth that is narrower than it says


@dataclass(frozen=True)
class Chain(Value):
    """Draws of a posterior of (w, log α) by `gibbs`.

    Parameters
    ----------
    draws : (m, n, p + 1)
        n draws of each of m chains, in their order, warm-up removed and thinned.
    thin : int
        Sweeps from one draw to the next.
    warm_up : int
        Sweeps of each chain before the first.
    """

    draws: Chains
    thin: int
    warm_up: int

    def r_hat(self) -> Vector:
        """Rank-normalised split R-hat of each coordinate, (p + 1,)."""
        return r_hat(self.draws)

    def effective(self) -> Vector:
        """Effective number of draws of each coordinate, (p + 1,)."""
        return effective_draws(self.draws)

    def points(self) -> Points:
        """All draws, (m n, p + 1)."""
        return self.draws.reshape(-1, self.draws.shape[2])

    def law(self, r_hat: float = LARGEST_R_HAT, effective: float = LEAST_EFFECTIVE) -> Particles:
        """The empirical law of all draws, as a truth to compare with.

        Parameters
        ----------
        r_hat : float
            Every coordinate must have a smaller one.
        effective : float
            The least share of effective draws among the draws, for every coordinate.

        Raises
        ------
        NotConverged
            Where a coordinate misses either; it is named.
        """
        found, worth = self.r_hat(), self.effective()
        worst = int(np.argmax(found))
        if not found[worst] < positive(r_hat, "r_hat"):
            raise NotConverged(
                f"R-hat of coordinate {worst} is {found[worst]:.4f}: the chains do not agree on its law. It must be "
                f"below {r_hat:g}. Draw longer chains, or with a longer warm_up.",
                coordinate=worst,
                r_hat=float(found[worst]),
            )
        least, kept = int(np.argmin(worth)), len(self.points())
        if worth[least] < positive(effective, "effective") * kept:
            raise NotConverged(
                f"{kept} draws of coordinate {least} are worth {worth[least]:.0f} independent ones. They must be worth "
                f"{effective:g} of their number. Enlarge thin (it is {self.thin}).",
                coordinate=least,
                effective=float(worth[least]),
            )
        return Particles(self.points())


def gibbs(
    posterior: Posterior,
    rng: np.random.Generator,
    *,
    draws: int = 2048,
    chains: int = 4,
    thin: int = 5,
    warm_up: int = 500,
) -> Chain:
    """The posterior by Gibbs sampling with Pólya-Gamma variables, whose only error is that of a finite chain.

    Parameters
    ----------
    posterior : Posterior
        With likelihood_factor 1.
    rng : Generator
        What is drawn from; each chain has a generator of its own, spawned from it.
    draws : int
        Kept from each chain.
    chains : int
        Their number, at least 2. Each starts at a draw of the prior, wider than the posterior.
    thin : int
        Sweeps from one kept draw to the next.
    warm_up : int
        Sweeps before the first that counts.

    Returns
    -------
    Chain
        Its `law()` raises unless the chains have mixed.

    Notes
    -----
    One sweep draws, each exactly from its law given the others [polson2013],

        ω_n ~ PG(1, s_nᵀw),   w ~ N(C Sᵀy/2, C) with C = (Sᵀ diag(ω) S + α I)⁻¹,   α ~ Gamma(a + p/2, b + |w|²/2),

    and between the last two takes two Metropolis steps w -> c w with α integrated out. Where most labels are nearly
    certain, ω and the length of w hold each other fast: on twonorm these steps make the length forget twenty times
    sooner.

    *The reference* that the reproductions compare with: the defaults, four chains of 500 + 10,240 sweeps of which every
    fifth is kept, so 8,192 draws; R-hat below 1.01 in every coordinate and at least 4,096 effective draws of each. On
    sets of more than 2,000 training points a quarter of that: 2,048 draws, at least 1,024 effective (of twonorm every
    tenth sweep), and ratios to null levels are told as they would be by 8,192.
    A sweep costs O(N p²) and about 150 ns times N.
    """
    require_posterior(posterior)
    count(draws, "draws", 8)
    count(chains, "chains", 2)
    count(thin, "thin")
    count(warm_up, "warm_up", 0)
    if not isinstance(rng, np.random.Generator):
        raise BadInput(f"rng is {rng!r}. It must be a generator. Pass np.random.default_rng(seed).")
    if posterior.likelihood_factor != 1:
        raise Unsupported(
            f"likelihood_factor is {posterior.likelihood_factor:g}. Pólya-Gamma variables need a likelihood to the "
            "power 1. Take the whole posterior, not a batch of it."
        )
    found = [_run(posterior, own, draws, thin, warm_up) for own in rng.spawn(chains)]
    return Chain(np.stack(found), thin, warm_up)


def _run(posterior: Posterior, rng: np.random.Generator, draws: int, thin: int, warm_up: int) -> Points:
    """One chain, (draws, p + 1)."""
    s, p = posterior.features, posterior.dim - 1
    pull, identity, start = s.T @ posterior.labels / 2, np.eye(p), posterior.prior().sample(1, rng)[0]
    w, alpha = start[:-1], float(np.exp(start[-1]))
    out = np.empty((draws, p + 1))
    for sweep in range(warm_up + draws * thin):
        omega = polya_gamma(s @ w, rng)
        w = _normal(s.T @ (omega[:, None] * s) + alpha * identity, pull, rng)
        w = _rescaled(posterior, w, rng)
        alpha = float(posterior.sample_precision(w[None], rng)[0])
        kept = sweep - warm_up + 1
        if kept > 0 and kept % thin == 0:
            out[kept // thin - 1] = *w, np.log(alpha)
    return out


def _rescaled(posterior: Posterior, w: Vector, rng: np.random.Generator) -> Vector:
    """Metropolis steps w -> c w with α integrated out, log c symmetric of a random width: exact for the law of w."""
    margins, square, p = posterior.labels * (posterior.features @ w), float(w @ w) / 2, len(w)
    power, scale = posterior.shape + p / 2, 1.0

    def level(c: float) -> float:  # of log c, so that c^p is the Jacobian of w -> c w
        loss = float(np.logaddexp(0.0, -c * margins).sum())
        return p * np.log(c) - loss - power * np.log(posterior.rate + c * c * square)

    here = level(scale)
    for width in 2.0 ** -rng.integers(WIDTHS, size=PROPOSALS):
        other = scale * float(np.exp(width * rng.standard_normal()))
        there = level(other)
        if -rng.standard_exponential() < there - here:
            scale, here = other, there
    return scale * w


def _normal(precision: Matrix, pull: Vector, rng: np.random.Generator) -> Vector:
    """A draw of N(P⁻¹ pull, P⁻¹), P the precision; straight from LAPACK, as small matrices cost nothing else."""
    root, fault = POTRF(precision, lower=1)
    if fault:
        raise NotConverged(
            f"The precision of the weights is not positive definite in double precision (dpotrf: {fault}). It is Sᵀ "
            "diag(ω) S + α I. Standardise the features, or drop some that are sums of others.",
            fault=int(fault),
        )
    return POTRS(root, pull, lower=1)[0] + TRTRS(root, rng.standard_normal(len(pull)), lower=1, trans=1)[0]
