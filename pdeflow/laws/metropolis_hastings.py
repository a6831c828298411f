"""Metropolis-Hastings chains for reweighted laws, with proposals that the unweighted law leaves as it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from .._core.errors import BadInput, NotAvailable, NotConverged
from .._core.shapes import Points
from .._core.short_text import shown
from .._core.validate import count, draws, positive
from .._core.value import Value
from .base import Law
from .log_weights import weights_at
from .push_forward import PushForward
from .reweighted import Reweighted, unnested


class Proposal(Protocol):
    """A step that is reversible under the unweighted law: the acceptance then knows the weights only."""

    def propose(self, base: Law, x: Points, rng: np.random.Generator) -> Points:
        """Proposals (n, d) from the places x (n, d)."""
        ...


@dataclass(frozen=True)
class Independence(Value):
    """Proposals drawn from the unweighted law, whatever the place: those of [mokrov2022, Algorithm 3]."""

    def propose(self, base: Law, x: Points, rng: np.random.Generator) -> Points:
        return base.sample(len(x), rng)


@dataclass(frozen=True)
class CrankNicolson(Value):
    """Preconditioned Crank-Nicolson proposals m + √(1 - β²) (x - m) + β ξ, ξ ~ N(0, Σ), for N(m, Σ) [cotter2013].

    Parameters
    ----------
    step : float
        β in (0, 1]; 1 proposes independently.
    acceptance : float, optional
        The share of proposals that shall be taken, in (0, 1): then β is tuned to it in every step of the warm-up, and
        stays from there on. The posterior of a start after many observations is much narrower than the start, so that
        a β that is never tuned is taken less and less often.

    Raises
    ------
    NotAvailable
        By the chains, where the unweighted law is not Gaussian.
    """

    step: float = 0.5
    acceptance: float | None = None

    def __post_init__(self):
        if not positive(self.step, "step") <= 1:
            raise BadInput(f"step is {self.step}. It must be in (0, 1]. Take e.g. 0.5.")
        if self.acceptance is not None and not positive(self.acceptance, "acceptance") < 1:
            raise BadInput(f"acceptance is {self.acceptance}. It must be in (0, 1). Take e.g. 0.4.")

    def tuned(self, acceptance: float) -> CrankNicolson:
        """The proposal after a step of the warm-up of which this share was taken."""
        if self.acceptance is None:
            return self
        return replace(self, step=min(1.0, self.step * float(np.exp(0.5 * (acceptance - self.acceptance)))))

    def propose(self, base: Law, x: Points, rng: np.random.Generator) -> Points:
        law = base.as_gaussian()
        if law is None:
            raise NotAvailable(
                f"CrankNicolson proposes by the mean and covariance of a Gaussian, and the start is {shown(base, 200)}."
                " Independence() is possible for any law. Take it, or start from a Gaussian."
            )
        noise = rng.standard_normal(x.shape) @ law.root().T
        return law.mean() + np.sqrt(1 - self.step**2) * (x - law.mean()) + self.step * noise


@dataclass(frozen=True)
class MetropolisHastings(Value):
    """Chains in parallel that leave a `Reweighted` law as it is [metropolis1953; mokrov2022, Algorithm 2].

    From x a place y is proposed and taken with probability min(1, exp(log_weight(y) - log_weight(x))), since the
    proposal is reversible under the unweighted law [docs/math.md 11, eq. (21)].

    Parameters
    ----------
    proposal : Independence or CrankNicolson
        How places are proposed; CrankNicolson(acceptance=0.4) by default. Or an object of your own with propose(base,
        x, rng) and, if the warm-up shall tune it, tuned(share of the last proposals taken) -> proposal.
    chains : int
        How many run at once. The draws of one chain depend on each other, those of different chains do not.
    warm_up : int
        Steps before the first draw of each chain.
    every : int
        Steps from one draw of a chain to the next.

    Raises
    ------
    BadInput
        For numbers that make no sense.
    NotConverged
        By `sample`, where a chain has found no place of positive weight in its warm-up.

    Notes
    -----
    Chains start from draws of the unweighted law. [mokrov2022] takes 1000 steps of warm-up and every second place.
    """

    proposal: Any = field(default_factory=lambda: CrankNicolson(acceptance=0.4))
    chains: int = 1024
    warm_up: int = 1000
    every: int = 2

    def __post_init__(self):
        for name, least in (("chains", 1), ("warm_up", 0), ("every", 1)):
            count(getattr(self, name), name, least)
        if not callable(getattr(self.proposal, "propose", None)):
            raise BadInput(
                f"proposal is {shown(self.proposal)}. It must have propose(base, x, rng). Take Independence() or "
                "CrankNicolson()."
            )

    def sample(self, law: Reweighted, n: int, rng: np.random.Generator) -> Points:
        """n draws (n, d) from chains that start anew."""
        return self.start(law, rng).draw(draws(n, rng))

    def start(self, law: Reweighted, rng: np.random.Generator, x: Points | None = None) -> Chains:
        """Chains that have taken no step yet, at x (chains, d); by default at draws of the unweighted law."""
        x = law.base.sample(self.chains, rng) if x is None else x
        return Chains(self, law, x, weights_at(law.log_weight, x), rng)


class Chains:
    """Chains of Metropolis-Hastings on their way, which go on from where they are: no draw is given out twice.

    Parameters
    ----------
    settings : MetropolisHastings
        The kind of step.
    law : Reweighted
        What they draw from.
    x : (chains, d)
        Where they are.
    log_weight : (chains,)
        The log weights there.
    rng : Generator
        Their own.
    """

    def __init__(self, settings: MetropolisHastings, law: Reweighted, x: Points, log_weight: Any, rng: Any):
        self.settings, self.law, self.x, self.log_weight, self.rng = settings, law, x, log_weight, rng
        self.proposal = settings.proposal
        self._rest, self._warm = x[:0], False  # places that were reached and not yet given out
        self._accepted, self._proposed = 0, 0

    @property
    def acceptance(self) -> float:
        """The share of the proposals that were taken so far; NaN before the first."""
        return self._accepted / self._proposed if self._proposed else float("nan")

    def advance(self, steps: int, tune: bool = False) -> None:
        """Take so many steps, after each of which the proposal may be tuned: then they are no draws yet."""
        base, log_weight = self.law.base, self.law.log_weight
        for _ in range(steps):
            new = self.proposal.propose(base, self.x, self.rng)
            there = weights_at(log_weight, new)
            with np.errstate(invalid="ignore"):  # from a place without weight every place is taken
                taken = ~(np.log(self.rng.random(len(new))) >= there - self.log_weight)
            self.x = np.where(taken[:, None], new, self.x)
            self.log_weight = np.where(taken, there, self.log_weight)
            if tune and hasattr(self.proposal, "tuned"):
                self.proposal = self.proposal.tuned(float(taken.mean()))
            self._accepted, self._proposed = self._accepted + int(taken.sum()), self._proposed + len(new)

    def draw(self, n: int) -> Points:
        """The next n draws (n, d): all chains after the warm-up, then all chains again, and so on."""
        found, total = [self._rest], len(self._rest)
        while total < n:
            if self._warm:
                self.advance(self.settings.every)
            else:
                self.advance(self.settings.warm_up, tune=True)
                self._require_weight()
                self._warm = True
            found.append(self.x)
            total += len(self.x)
        x = np.concatenate(found)
        self._rest = x[n:].copy()
        return x[:n]

    def _require_weight(self) -> None:
        """`NotConverged` where chains have not found a place of positive weight: their places are no draws."""
        lost = int(np.sum(self.log_weight == -np.inf))
        if lost:
            raise NotConverged(
                f"{lost} of {len(self.x)} chains are where the weight is zero after {self.settings.warm_up} steps of "
                "warm-up. All must have found a place where it is positive, or their places are no draws of the law. "
                "Use a longer warm_up, or start from a law that is nearer.",
                lost=lost,
            )

    def sample(self, law: Reweighted, n: int, rng: np.random.Generator) -> Points:
        """The next n draws, as the sampler of the law that the chains were started for."""
        return self.draw(n)


def on_chains(law: Law, rng: np.random.Generator, before: Chains | None = None) -> tuple[Law, Chains | None]:
    """The same law drawn by chains that go on: the law, and the chains to ask for their acceptance.

    A law is left as it is, with None, unless it is a `Reweighted` or its push-forward whose sampler starts chains. They
    start where the chains `before` are, with their tuned proposal, if these are of the same start; every place of a
    start stands for its whole path, so that no preimage has to be found [docs/math.md 11 (e)].
    """
    base, maps = unnested(law)
    if not isinstance(base, Reweighted) or not isinstance(base.sampler, MetropolisHastings):
        return law, None
    if before is not None and before.law.base is base.base:
        chains = base.sampler.start(base, rng, before.x)
        chains.proposal = before.proposal
    else:
        chains = base.sampler.start(base, rng)
    new = Reweighted(base.base, base.log_weight, chains)
    return (PushForward(new, maps) if maps else new), chains


def off_chains(law: Law, chains: Chains | None) -> Law:
    """The law of `on_chains`, moved by further maps or not, with the sampler that it had."""
    base, maps = unnested(law)
    if chains is None or not isinstance(base, Reweighted) or base.sampler is not chains:
        return law
    new = Reweighted(base.base, base.log_weight, chains.settings)
    return PushForward(new, maps) if maps else new
