"""The part of the weights that the features see; the law of the other part is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..._core.errors import BadInput
from ..._core.shapes import Matrix, Points
from ..._core.validate import points, positive, real_array
from ..._core.value import Value
from .posterior import Posterior, require_posterior

WholeDraws = Float[np.ndarray, "n whole"]  # of more coordinates than the draws that they complete


@dataclass(frozen=True)
class SeenWeights(Value):
    """A posterior of (w, log α) taken apart into what the features see and what they do not (`seen_weights`).

    With orthonormal columns R and N, w = R v + N u and S N = 0, the likelihood is one of v, and

        p(v, η, u | labels) = p(v, η | labels) N(u; 0, e^-η I)

    where p(v, η | labels) is the posterior of the features S R alone [docs/math.md 12].

    Parameters
    ----------
    posterior : Posterior
        That of (v, log α), for the features S R: of r + 1 coordinates.
    seen : (p, r)
        R.
    unseen : (p, p - r)
        N; no columns where the features see all weights.
    steepest : float
        The largest |∂ log-likelihood/∂u|, which is neglected, in units of 1/u: c Σ_n |Nᵀ s_n|. 0 where S N = 0 exactly.
    """

    posterior: Posterior
    seen: Matrix
    unseen: Matrix
    steepest: float

    def completed(self, draws: Points, rng: np.random.Generator) -> WholeDraws:
        """Draws of (w, log α) from draws of (v, log α): u is drawn from its exact law given α.

        Parameters
        ----------
        draws : (n, r + 1)
            Of (v, log α).
        rng : Generator
            From which u is drawn; not used where the features see all weights.

        Returns
        -------
        (n, p + 1)
            R v + N u and log α.
        """
        draws = real_array(points(draws, self.posterior.dim), "draws", 2)
        v, eta = draws[:, :-1], draws[:, -1:]
        w = v @ self.seen.T
        if self.unseen.shape[1]:
            u = np.exp(-eta / 2) * rng.standard_normal((len(draws), self.unseen.shape[1]))
            w = w + u @ self.unseen.T
        return np.concatenate([w, eta], axis=1)


def seen_weights(posterior: Posterior, tolerance: float = 1e-12) -> SeenWeights:
    """The posterior of those combinations of the weights that the features see, and how to draw the others.

    A feature that is constant on the training part, and so 0 after `split`, or the sum of others, leaves directions of
    w in which the posterior of w given α is the prior. From the prior as start the tails there are Student's t with 2 a
    degrees of freedom, and the force on a particle |u| away is e^η |u|, which the flow itself makes small: it first
    lowers α to p/|u|². Methods that move particles spend their steps on what has a closed form.

    Parameters
    ----------
    posterior : Posterior
        Of all weights.
    tolerance : float
        Directions whose singular value of the features is at most `tolerance` times the largest count as unseen,
        0 < tolerance < 1. The default holds for sums that are exact; features written in few digits want a larger one,
        and `steepest` says what that neglects.

    Returns
    -------
    SeenWeights
        Where all are seen its posterior is the one given, and R the identity.

    Raises
    ------
    BadInput
        For what is no posterior, and where no feature is seen: all are zero.

    Notes
    -----
    The flow of the posterior of (v, η) is another one than the flow of that of (w, η) seen in these coordinates, as η
    is pulled by (r/2 + a) in place of (p/2 + a - e^η |u|²/2), whose mean over u given η is the same. Both end in the
    same law, and both begin at the prior.
    """
    require_posterior(posterior)
    if not positive(tolerance, "tolerance") < 1:
        raise BadInput(f"tolerance is {tolerance}. It must be below 1. Take e.g. 1e-6.")
    few = len(posterior.features) < posterior.dim - 1
    _, size, axes = np.linalg.svd(posterior.features, full_matrices=few)  # all p axes, and no N x N array
    rank = int(np.sum(size > tolerance * size[0]))
    if not rank:
        raise BadInput(
            "All features are zero, so that the labels say nothing of the weights. There must be one that is not. The "
            "posterior of the weights is posterior.prior(), that of their precision too."
        )
    seen, unseen = axes[:rank].T, axes[rank:].T
    if not unseen.shape[1]:
        return SeenWeights(posterior, np.eye(rank), unseen, 0.0)
    left_out = np.linalg.norm(posterior.features @ unseen, axis=1).sum()
    reduced = Posterior(
        posterior.features @ seen,
        posterior.labels,
        posterior.rate,
        posterior.shape,
        likelihood_factor=posterior.likelihood_factor,
    )
    return SeenWeights(reduced, seen, unseen, float(posterior.likelihood_factor * left_out))
