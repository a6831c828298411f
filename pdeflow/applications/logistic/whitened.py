"""A posterior seen in the coordinates in which Laplace's Gaussian is the standard one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._core.arrays import like
from ...energies.energy import Energy
from ...energies.internal import Entropy
from ...energies.potentials import Potential
from ...laws import AffineMap, Law, PushForward
from ...problems.problem import Problem
from .posterior import Posterior, require_posterior
from .predictions import laplace
from .scaled import taken_apart

Array = Any  # a numpy array or a torch tensor; answers are of the same kind


@dataclass(frozen=True)
class Whitened(Potential):
    """V(C^½ z + m), with m the mode and C the inverse Hessian there of the potential V of a posterior (`laplace`).

    Where V is nearly quadratic this is nearly |z|²/2: all directions have one scale, so that learning rates and time
    steps suit all of them. **Its flow is another one**: seen in x = (w, log α), the gradient is that of the metric C⁻¹.
    Only the end is the same, the posterior itself, exactly, whether or not V is nearly quadratic.

    Parameters
    ----------
    posterior : Posterior
        V.
    to_user : AffineMap
        z -> x = C^½ z + m.

    Notes
    -----
    Far out V is steeper in these coordinates than in those of the posterior wherever C is wide: take them for laws near
    the posterior, not for the prior, whose tails are hundreds of units long here.
    """

    posterior: Posterior
    to_user: AffineMap

    def __post_init__(self) -> None:
        require_posterior(self.posterior)

    @property
    def dim(self) -> int:
        return self.posterior.dim

    def value(self, x: Array) -> Array:
        return self.posterior.value(self._outward(x))

    def grad(self, x: Array) -> Array:
        return self.posterior.grad(self._outward(x)) @ like(self.to_user.matrix, x)

    def _outward(self, x):
        return x @ like(self.to_user.matrix.T, x) + like(self.to_user.shift, x)

    def problem(self, initial: Law, horizon: float = 10.0) -> Problem:
        """The flow of this potential and the entropy at temperature 1 from a law of x = (w, log α).

        Parameters
        ----------
        initial : Law
            Of x; the start is its image in the coordinates z.
        horizon : float
            Time up to which it is solved where no other times are asked, > 0. One unit is the time in which a Gaussian
            with the covariance C relaxes.
        """
        inverse = np.linalg.inv(self.to_user.matrix)
        base, maps = taken_apart(initial)
        start = PushForward(base, (*maps, AffineMap(inverse, -inverse @ self.to_user.shift)))
        return Problem(Energy(potential=self, internal=Entropy()), start, horizon, name="whitened_logistic_posterior")

    def back(self, law: Law) -> PushForward:
        """The law of x = (w, log α) that a law of z is."""
        base, maps = taken_apart(law)
        return PushForward(base, (*maps, self.to_user))


def whitened(posterior: Posterior) -> Whitened:
    """The posterior in the coordinates z with x = C^½ z + m, m and C mean and covariance of its `laplace`.

    Parameters
    ----------
    posterior : Posterior
        Of (w, log α).

    Returns
    -------
    Whitened
        A potential over z, of which `problem` starts at a law of (w, log α) and `back` returns to such laws.

    Raises
    ------
    BadInput
        For what is no posterior.
    NotConverged
        Where no mode is found that is a minimum.
    """
    law = laplace(posterior)
    values, axes = np.linalg.eigh(law.cov())
    return Whitened(posterior, AffineMap((axes * np.sqrt(values)) @ axes.T, law.mean()))
