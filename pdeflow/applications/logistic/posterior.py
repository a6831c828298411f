"""The posterior of Bayesian logistic regression, as a potential over the weights and the log of their precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from ..._core.arrays import exp, is_tensor, like
from ..._core.errors import BadInput
from ..._core.shapes import Points, Values
from ..._core.short_text import shown
from ..._core.validate import draws, points, positive, readonly, real_array
from ...energies.energy import Energy
from ...energies.internal import Entropy
from ...energies.potentials import Potential
from ...laws import Law
from ...problems.problem import Problem
from .prior import Prior

Array = Any  # a numpy array or a torch tensor; answers are of the same kind
MOST = 4_000_000  # numbers of the largest array of margins in numpy; more points are taken in turns


class Posterior(Potential):
    """V(w, η) = -log p(w, η | labels) up to a constant: logistic regression with a prior on the precision α = e^η.

    Given the weights w, label y_n = ±1 of the features s_n has probability σ(y_n s_nᵀw); the prior is
    w | α ~ N(0, I/α) and α ~ Gamma(shape a, rate b). A point is x = (w, η) with η = log α, so d = p + 1, and

        V(w, η) = c Σ_n log(1 + exp(-y_n s_nᵀw)) + e^η |w|²/2 - (p/2 + a) η + b e^η

    [docs/math.md 12], where η in a η is the Jacobian of α = e^η together with the density of the Gamma law. At
    temperature 1 the posterior is the Gibbs law exp(-V).

    Parameters
    ----------
    features : (N, p)
        s. There is no intercept: append a column of ones for one, which the prior then shrinks like the others.
    labels : (N,)
        y, each -1 or +1.
    rate : float, default 0.01
        b > 0, the rate of the Gamma law of α, in units of 1/α. [mokrov2022] states 0.01; the code of its authors has
        100, a prior mean of α of 0.01 in place of 100.
    shape : float, default 1.0
        a > 0, the shape of that law.
    likelihood_factor : float, default 1.0
        c > 0, by which the log-likelihood is multiplied: N/n for a batch of n of N points (see `minibatch`).

    Raises
    ------
    BadInput
        For features or labels of other shapes, labels other than ±1, and numbers that are not positive.

    Notes
    -----
    Values, gradients and Hessians are those of one definition for numpy arrays and torch tensors; they cost O(n N p)
    for n points. Without the Jacobian, which [mokrov2022] does not state, the prior of α would be Gamma(0, b), whose
    mass is not finite.

    References
    ----------
    [mokrov2022], section 4.4; the model is that of [liu2016], section 5.
    """

    def __init__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        rate: float = 0.01,
        shape: float = 1.0,
        *,
        likelihood_factor: float = 1.0,
    ):
        features = real_array(features, "features", 2)
        signs = checked_labels(labels)
        if len(features) != len(signs) or not features.size:
            raise BadInput(
                f"features has shape {features.shape}, labels {signs.shape}. They must be (N, p) and (N,) with N and p "
                "at least 1. Pass one row of features for each label."
            )
        self.features, self.labels = readonly(features), readonly(signs)
        self.rate, self.shape = positive(rate, "rate"), positive(shape, "shape")
        self.likelihood_factor = positive(likelihood_factor, "likelihood_factor")
        self.dim = features.shape[1] + 1
        self._signed = readonly(signs[:, None] * features)

    def __repr__(self) -> str:
        rows, columns = self.features.shape
        factor = "" if self.likelihood_factor == 1 else f", likelihood_factor={self.likelihood_factor:g}"
        return f"Posterior({rows} x {columns} features, rate={self.rate:g}, shape={self.shape:g}{factor})"

    def value(self, x: Array) -> Array:
        return self._in_turns(self._value, x)

    def grad(self, x: Array) -> Array:
        return self._in_turns(self._grad, x)

    def hessian(self, x: Array) -> Array:
        w, eta = self._split(x)
        signed = like(self._signed, x)
        chance = _logistic(-(w @ signed.T))
        curvature = self.likelihood_factor * chance * (1 - chance)
        alpha, p = exp(eta), self.dim - 1
        out = like(np.zeros((self.dim, self.dim)), x) + 0 * x[:, :, None]
        out[:, :p, :p] = (curvature[:, None, :] * signed.T) @ signed + alpha[:, None, None] * like(np.eye(p), x)
        out[:, :p, p] = out[:, p, :p] = alpha[:, None] * w
        out[:, p, p] = alpha * ((w * w).sum(-1) / 2 + self.rate)
        return out

    def _value(self, x):
        w, eta = self._split(x)
        loss = _softplus(-(w @ like(self._signed, x).T)).sum(-1)
        shrinkage = exp(eta) * ((w * w).sum(-1) / 2 + self.rate)
        return self.likelihood_factor * loss + shrinkage - ((self.dim - 1) / 2 + self.shape) * eta

    def _grad(self, x):
        w, eta = self._split(x)
        signed, alpha = like(self._signed, x), exp(eta)
        out = 0 * x
        out[:, :-1] = -self.likelihood_factor * (_logistic(-(w @ signed.T)) @ signed) + alpha[:, None] * w
        out[:, -1] = alpha * ((w * w).sum(-1) / 2 + self.rate) - ((self.dim - 1) / 2 + self.shape)
        return out

    def _split(self, x):
        return x[:, :-1], x[:, -1]

    def _in_turns(self, function, x):
        """function(x) of numpy arrays in blocks whose margins take at most `MOST` numbers; of tensors at once."""
        rows = max(1, MOST // len(self.labels))
        if is_tensor(x) or len(x) <= rows:
            return function(x)
        return np.concatenate([function(x[i : i + rows]) for i in range(0, len(x), rows)])

    def minibatch(self, rows: ArrayLike) -> Posterior:
        """The same posterior with the log-likelihood estimated by some of the points, times N/n.

        Parameters
        ----------
        rows : (n,) of int
            Which points; one may occur several times.

        Returns
        -------
        Posterior
            Of these points. Prior and Jacobian enter whole, so that over rows drawn uniformly, with or without
            replacement, its value and its gradient have those of the whole posterior as their means.
        """
        chosen = np.asarray(rows)
        count = len(self.labels)
        if chosen.ndim != 1 or not chosen.size or chosen.dtype.kind not in "iu":
            raise BadInput(
                f"rows is {shown(rows)}. It must be a vector of at least one integer. Take rng.choice({count}, size, "
                "replace=False)."
            )
        if chosen.min() < 0 or chosen.max() >= count:
            raise BadInput(
                f"rows goes from {chosen.min()} to {chosen.max()}. There are {count} points, counted from 0. Choose "
                "rows of these."
            )
        factor = self.likelihood_factor * count / len(chosen)
        return Posterior(self.features[chosen], self.labels[chosen], self.rate, self.shape, likelihood_factor=factor)

    def prior(self) -> Prior:
        """The law of (w, η) before the labels are seen."""
        return Prior(self.dim - 1, self.rate, self.shape)

    def problem(self, initial: Law | None = None, horizon: float = 10.0) -> Problem:
        """The flow of this potential and the entropy at temperature 1, which ends in the posterior.

        Parameters
        ----------
        initial : Law, optional
            On R^(p + 1). None: the `prior`, exactly, from which [mokrov2022] starts too.
        horizon : float
            Time up to which it is solved where no other times are asked, > 0.

        Notes
        -----
        For a shape a <= 1 the weights have no variance under the prior: their tails are those of Student's t with 2 a
        degrees of freedom. Draws, and maps of draws, know nothing of that.
        """
        return Problem(
            Energy(potential=self, internal=Entropy()),
            self.prior() if initial is None else initial,
            horizon,
            name="logistic_posterior",
        )

    def log_likelihood(self, w: Points) -> Values:
        """c Σ_n log σ(y_n s_nᵀw), (n, p) -> (n,)."""
        w = points(w, self.dim - 1)

        def of_some(part: Points) -> Values:
            return -self.likelihood_factor * _softplus(-(part @ self._signed.T)).sum(-1)

        return self._in_turns(of_some, w)

    def log_marginal(self, w: Points) -> Values:
        """log p(labels, w), with α integrated out exactly, (n, p) -> (n,).

        Notes
        -----
        It is the log-likelihood plus the log density of the prior of w alone,

            log Γ(a + p/2) - log Γ(a) + a log b - (p/2) log 2π - (a + p/2) log(b + |w|²/2)

        [docs/math.md 12], and so up to a constant the log density of the posterior of w. For batches it holds the
        factor c, and is unbiased as they are.
        """
        w = points(w, self.dim - 1)
        p = self.dim - 1
        constant = gammaln(self.shape + p / 2) - gammaln(self.shape) + self.shape * np.log(self.rate)
        constant -= p / 2 * np.log(2 * np.pi)
        return self.log_likelihood(w) + constant - (self.shape + p / 2) * np.log(self.rate + (w * w).sum(-1) / 2)

    def sample_precision(self, w: Points, rng: np.random.Generator) -> Values:
        """One exact draw of α given each row of the weights w, (n, p) -> (n,).

        α | w ~ Gamma(shape a + p/2, rate b + |w|²/2): the Gibbs step [docs/math.md 12]. It does not see the labels.
        """
        w = points(w, self.dim - 1)
        draws(len(w), rng)
        return rng.gamma(self.shape + (self.dim - 1) / 2, 1 / (self.rate + (w * w).sum(-1) / 2))


def require_posterior(value: Any) -> None:
    """`BadInput` unless `value` is a `Posterior`."""
    if not isinstance(value, Posterior):
        raise BadInput(
            f"posterior is {shown(value, 200)} ({type(value).__name__}). It must be a logistic.Posterior. Pass "
            "logistic.Posterior(features, labels), or the field `posterior` of what seen_weights has returned."
        )


def _softplus(z: Array) -> Array:
    """log(1 + e^z), without overflow."""
    return z.logaddexp(z.new_zeros(())) if is_tensor(z) else np.logaddexp(0.0, z)


def _logistic(z: Array) -> Array:
    """1 / (1 + e^-z), without overflow."""
    if is_tensor(z):
        return z.sigmoid()
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, decay) / (1 + decay)


def checked_labels(labels: ArrayLike) -> Values:
    """Labels (N,) as floats, or `BadInput` where one is not -1 or +1."""
    words = [one for one in np.asarray(labels, dtype=object).ravel() if isinstance(one, str | bool | np.bool_)]
    if words:
        raise BadInput(
            f"labels has the value {words[0]!r}. Each must be -1 or +1. Code two classes as numbers: "
            f"np.where(labels == {words[0]!r}, 1, -1)."
        )
    signs = real_array(labels, "labels", 1)
    if not np.all(np.abs(signs) == 1):
        raise BadInput(
            f"labels has the values {shown(np.unique(signs)[:5].tolist())}. Each must be -1 or +1. Code classes 0 "
            "and 1 as 2 * labels - 1."
        )
    return signs
