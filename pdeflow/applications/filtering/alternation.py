"""A filter at work: the law is predicted up to an observation and corrected by it, in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._core.errors import BadInput
from ..._core.shapes import Points, Values
from ..._core.short_text import shown
from ..._core.validate import draws
from ...laws import Law, Particles, Reweighted, Stratified, reweighting
from ...laws.log_weights import LEAST_EFFECTIVE, PathWeight, effective_size, weights_at
from ...laws.metropolis_hastings import off_chains, on_chains
from ...trajectory import Trajectory

if TYPE_CHECKING:
    from .filter import Filter

# Nats by which the density of a piece of a quantile function differs from its neighbours', in the mean over the
# posterior. Posteriors of a Gaussian in 30 to 1,000 pieces, graded or uniform, given a place up to 30 away with noise
# of variance 1e-4 to 1, then err by at most 0.05 deviations in the mean, 6 % in the variance and 0.06 in the
# log-evidence; between 0.4 and 0.6 by three times that, and from 0.6 on most of them are of no use.
MOST_JUMP = 0.3
EVIDENCE_DRAWS = 4096  # of the predicted law, for the evidence of an observation where no quadrature gives it


class SystematicParticles(Particles):
    """Weighted particles whose draws are a systematic resample: each particle is drawn ⌊n w⌋ or ⌈n w⌉ times.

    The draws depend on each other (one uniform number moves all of them); the mean number of each is n w.
    """

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        total = np.cumsum(self.weights)
        at = np.searchsorted(total / total[-1], (np.arange(n) + rng.random()) / n, side="right")
        return self.x[np.minimum(at, len(self.x) - 1)]


class Alternation:
    """One run of a filter: the law so far, what was kept, what was met."""

    def __init__(
        self,
        problem: Filter,
        predict: Callable[..., Trajectory],
        sampler: Any,
        least_effective: float,
        seeds: list[int],
    ):
        self.filter, self._predict, self._sampler = problem, predict, sampler
        self._seeds = list(seeds)  # predictions take two each from its front, draws for the evidence one from its end
        self._least_effective = least_effective
        self.law, self.chains = problem.problem.initial, None
        if isinstance(sampler, Stratified):  # the start too
            self.law = Reweighted(self.law, PathWeight((), ()), sampler)
        self.laws: list[Law] = []
        self.observations: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.seconds, self.first, self.steps = 0.0, None, 0

    def predict(self, begin: float, ends: Values) -> None:
        """The laws at the times `ends` from the law at `begin`."""
        rng = np.random.default_rng(self._seeds.pop(0))
        atoms = self.law.atoms()
        start, chains = on_chains(self.law, rng, self.chains)
        if atoms is not None:
            start = SystematicParticles(*atoms)
        problem = replace(self.filter.problem, initial=start, horizon=float(ends[-1] - begin))
        flow = self._predict(problem, ends - begin, self._seeds.pop(0))
        if chains is not None:
            self.chains = chains
            self.observations[-1]["acceptance"] = chains.acceptance
        self.laws += [off_chains(law, chains) for law in flow.laws]
        self.law = self.laws[-1]
        self._moved = flow.final  # drawn by the same chains, for the evidence
        self._chains_of_draws = None if chains is None else len(chains.x)
        steps = self.steps
        self.history += [{**row, "step": row["step"] + steps, "time": row["time"] + begin} for row in flow.history]
        self.seconds += flow.stats.get("seconds", 0.0)
        self.first = flow.stats.get("first_call_seconds", 0.0) if self.first is None else self.first
        self.steps += flow.stats.get("steps", 0)

    def correct(self, k: int) -> None:
        """The law after observation k."""
        log_weight = self.filter.log_weight(k)
        found = reweighting(self.law, log_weight, self._sampler)
        now = float(self.filter.times[k])
        note: dict[str, Any] = {"time": now, "log_evidence": found.log_mean_weight}
        if found.log_mean_weight is None:
            rng = np.random.default_rng(self._seeds.pop())
            note |= _evidence_of_draws(self._moved, log_weight, rng, self._chains_of_draws)
        atoms = found.law.atoms()
        if atoms is not None:
            note["effective_size"] = _effective_size(atoms[1], self._least_effective, now)
        elif self.law.grid_axes() is None and self.law.pushed_from() is None:
            _require_pieces(self.law, found.law, now)
        self.observations.append(note)
        self.law = self.laws[-1] = found.law

    def trajectory(self, times: Values) -> Trajectory:
        stats: dict[str, Any] = {
            "seconds": self.seconds,
            "first_call_seconds": self.first or 0.0,
            "steps": self.steps,
            "log_evidence": float(sum(note["log_evidence"] for note in self.observations)),
            "observations": self.observations,
        }
        errors = [note["stderr"] for note in self.observations if "stderr" in note]
        if errors:
            stats["log_evidence_stderr"] = float(np.sqrt(np.sum(np.square(errors))))
        return Trajectory(times, self.laws, stats, self.history, problem=self.filter)


def _effective_size(weights: Values, least: float, now: float) -> float:
    """1/Σw², or `BadInput` where that is too small."""
    size = effective_size(weights)
    if not size >= least * (1 - 1e-12):  # of one particle 1/Σw² may be 1 - ε
        raise BadInput(
            f"The posterior after the observation at time {now:g} is carried by {size:.3g} of {len(weights)} particles "
            f"(1/Σw²), of which least_effective = {least:g} are asked: the mean of so few is off by "
            f"{size**-0.5:.2g} deviations. Take more particles, or a method with a density, such as grid.ChangCooper; "
            "or check the observation and its noise."
        )
    return size


def _require_pieces(before: Law, after: Law, now: float) -> None:
    """`BadInput` where the pieces of a predicted quantile function are too coarse where the posterior lives.

    Their density is constant within each, and jumps; beyond the last one there is nothing.
    """
    pieces = before.linear_pieces()
    if pieces is None:
        return
    levels, q = pieces
    full = (np.diff(levels) > 0) & (np.diff(q) > 0)
    heights = np.log(np.diff(levels)[full] / np.diff(q)[full])
    if len(heights) < 2:
        return
    steps = np.abs(np.diff(heights))
    jumps = (np.append(steps[0], steps) + np.append(steps, steps[-1])) / 2
    jump = float(np.diff(after.cdf(q))[full] @ jumps)
    if not jump <= MOST_JUMP:
        raise BadInput(
            f"The density of the law before the observation at time {now:g} jumps by {jump:.2g} nats from one piece of "
            f"its quantile function to the next, in the mean over the posterior; at most {MOST_JUMP:g} is accepted. "
            "The pieces must be fine where the posterior lives. Take more points, graded ones, or grid.ChangCooper; "
            "or check the observation and its noise."
        )


def _evidence_of_draws(
    law: Law, log_weight: Any, rng: np.random.Generator, chains: int | None = None
) -> dict[str, float]:
    """log E exp(log_weight) by draws of the predicted law, with its standard error.

    Draws by so many chains come from all chains in turn; those of one chain depend on each other, so that the error is
    that between chains (infinite for one). It is infinite too where few draws have most of the likelihood.
    """
    x, share = law.weighted_sample(EVIDENCE_DRAWS, rng)
    log = weights_at(log_weight, x)
    if not log.max() > -np.inf:
        raise BadInput(
            f"The likelihood is zero at all {len(x)} draws of {shown(law, 200)}. Its mean must be positive. Check the "
            "observation and its noise, or take a law that reaches there."
        )
    likelihood = np.exp(log - log.max())
    mean = float(share @ likelihood)
    parts, factor = share * (likelihood - mean), 1.0
    if effective_size(share * likelihood) < LEAST_EFFECTIVE:
        factor = np.inf
    elif chains is not None and chains < len(x):
        parts = np.bincount(np.arange(len(x)) % chains, weights=parts)
        factor = chains / (chains - 1) if chains > 1 else np.inf
    return {
        "log_evidence": float(log.max() + np.log(mean)),
        "stderr": float(np.sqrt(factor * np.sum(parts**2)) / mean) if np.isfinite(factor) else np.inf,
    }
