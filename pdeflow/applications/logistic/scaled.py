"""A posterior seen with the weights in units of their spread under the prior, where the prior has no wide tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._core.arrays import exp, like
from ..._core.errors import BadInput
from ..._core.shapes import Points, Values
from ..._core.short_text import shown
from ...energies.energy import Energy
from ...energies.internal import Entropy
from ...energies.potentials import Potential
from ...laws import Certificate, Law, Map, PushForward
from ...problems.problem import Problem
from .posterior import Posterior, require_posterior

Array = Any  # a numpy array or a torch tensor; answers are of the same kind


class WeightsTimesRoot(Map):
    """T(w, η) = (e^(power η) w, η): the weights times a power of their precision α = e^η.

    Parameters
    ----------
    dim : int
        p + 1, p the number of weights.
    power : float
        1/2 for the weights in units of their spread under the prior, -1/2 for the way back.
    """

    def __init__(self, dim: int, power: float):
        self.dim, self.power = dim, power
        self.row = np.r_[np.full(dim - 1, power), 0.0]

    def __call__(self, x: Array) -> Array:
        return x * exp(x[:, -1:] * like(self.row, x))

    def with_log_det(self, x: Points) -> tuple[Points, Values]:
        return self(x), self.power * (self.dim - 1) * x[:, -1]

    def invert(self, y: Points) -> tuple[Points, Certificate]:
        return WeightsTimesRoot(self.dim, -self.power)(y), Certificate(0.0, 0, len(y))


@dataclass(frozen=True)
class Scaled(Potential):
    """-log of the posterior density of (u, η), where u = e^(η/2) w are the weights in units of their prior spread.

    With the Jacobian of w = e^(-η/2) u it is, for the potential V of the posterior and p weights,

        V(e^(-η/2) u, η) + p η/2 = c Σ_n log(1 + exp(-y_n s_nᵀu e^(-η/2))) + |u|²/2 - a η + b e^η

    In these coordinates the prior is a standard normal law beside that of η, without the wide tails of w, whose force
    e^η |w| no batch of particles averages. **Its flow is another one** than that of (w, η); its end is the same law.

    Parameters
    ----------
    posterior : Posterior
        Of (w, η).

    Raises
    ------
    BadInput
        For what is no posterior; of `seen_weights` take the field `posterior`.

    Notes
    -----
    Where labels say much, u and η hold each other along a ridge, u = e^(η/2) ŵ, on which the flow is slow. Go on in the
    coordinates of `whitened`, to which `back` leads.
    """

    posterior: Posterior

    def __post_init__(self) -> None:
        require_posterior(self.posterior)

    @property
    def dim(self) -> int:
        return self.posterior.dim

    def value(self, x: Array) -> Array:
        return self.posterior.value(self._back(x)) + (self.dim - 1) / 2 * x[:, -1]

    def grad(self, x: Array) -> Array:
        y = self._back(x)
        slope = self.posterior.grad(y)
        out = slope * exp(x[:, -1:] * like(self._back.row, x))
        out[:, -1] += (self.dim - 1) / 2 - (slope[:, :-1] * y[:, :-1]).sum(-1) / 2
        return out

    @property
    def _back(self):
        return WeightsTimesRoot(self.dim, -0.5)

    def problem(self, initial: Law | None = None, horizon: float = 10.0) -> Problem:
        """The flow of this potential and the entropy at temperature 1.

        Parameters
        ----------
        initial : Law, optional
            Of (w, η). None: the prior. The start is its image in these coordinates.
        horizon : float
            Time up to which it is solved where no other times are asked, > 0.
        """
        base, maps = taken_apart(self.posterior.prior() if initial is None else initial)
        start = PushForward(base, (*maps, WeightsTimesRoot(self.dim, 0.5)))
        return Problem(Energy(potential=self, internal=Entropy()), start, horizon, name="scaled_logistic_posterior")

    def back(self, law: Law) -> PushForward:
        """The law of (w, η) that a law of (u, η) is."""
        base, maps = taken_apart(law)
        return PushForward(base, (*maps, self._back))


def taken_apart(law):
    """(base, maps) of a law, so that images of images keep one list of maps; `BadInput` for what is no law."""
    if not isinstance(law, Law):
        raise BadInput(
            f"A law is wanted and {shown(law, 200)} ({type(law).__name__}) is given. It must be a Law, of (w, log α) "
            "or, for `back`, of their image. Take one of pdeflow.laws, of a Problem its `initial`, of a run `final`."
        )
    pushed = law.pushed_from()
    return (law, ()) if pushed is None else pushed
