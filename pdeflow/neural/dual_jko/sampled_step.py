"""A step in several dimensions: integrals by weighted draws."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from ..._core.errors import Diverged, NotConverged
from ..._core.shapes import Numbers, Points, Row, Values
from .basis import Basis
from .law import Reference
from .nodes import sampled_targets
from .step import State, Step, moments

BUMPS = 100  # unless given
ROUNDS = 5  # of placing the reference by the law found and finding the law on it
ENOUGH = 1e-3  # change of the log density between two rounds, in nats, at which they end
ANNEALED = 0.1  # effective share of the draws from which the next reference is found
NEEDED = 4  # least effective draws of the reference for each function
SPANNING = 2  # least effective draws for each moment of first order, without which a covariance is singular
WAVES = 64  # functions by which the law is held against the coupling
STEEPEST = 4.0  # largest wave number, per deviation of the law
SMALLEST = 1e-15  # level of a normal quantile


class SampledStep(Step):
    """One step with draws of a Gaussian reference, which follows the new law."""

    def take(self) -> State:
        """The state after the step."""
        dim, method, x = len(self.mean), self.method, self.state.x
        basis = self._basis()
        sobol = cast(Any, qmc.Sobol)(dim, seed=self.rng)  # the name of the argument in all versions of scipy
        normal = ndtri(np.clip(sobol.random(method.samples), SMALLEST, 1 - SMALLEST))
        half = self.rng.standard_normal((len(x), method.targets // 2, dim))
        pairs = np.concatenate([half, -half], axis=1)
        reference, c, rounds = Reference(*self.predicted()), None, 0
        while True:
            z, log_weight = reference.at(normal)
            ascent = self.ascended(
                basis,
                z,
                log_weight,
                self.start(basis, c, z),
                lambda at: sampled_targets(x, basis, at, self.scale, self.gamma, pairs),
            )
            _, shares = ascent.dual.shares(ascent.weights)
            reference, rounds = self._reference(basis, z, shares), rounds + 1
            before, c = c, ascent.weights
            change = np.inf if before is None else np.sqrt(shares @ (basis.values(z) @ (c - before)) ** 2)
            if change < ENOUGH or rounds == ROUNDS:
                break
        self._require_trust(basis, c, shares)
        facts = {
            "iterations": ascent.iterations,
            "rounds": rounds,
            "gradient_norm": ascent.gradient_norm,
            "effective_share": _effective_share(shares),
            "marginal_error": self._marginal_error(basis, c, pairs, z, shares),
        }
        return self.after(basis, c, reference, z, shares, facts)

    def _reference(self, basis: Basis, z: Points, shares: Values) -> Reference:
        """The Gaussian of the moments of the law found; `NotConverged` where too few draws have any share in it."""
        softer = _tempered(shares)
        if _effective_share(softer) * len(softer) < SPANNING * (len(self.mean) + 1):
            raise self._uncovered(basis, shares)
        return Reference(*moments(z, softer))

    def _basis(self) -> Basis:
        bumps = BUMPS if self.method.bumps is None else self.method.bumps
        which = self.rng.choice(len(self.state.x), size=bumps, p=self.state.weights)
        bare = self.whitened(np.empty((0, len(self.mean))), 1.0)
        centres = (self.state.x[which] - self.mean) @ bare.whitening.T
        return self.whitened(centres, self.method.width or float(np.sqrt(len(self.mean))))

    def _marginal_error(self, basis: Basis, c: Row, pairs: Numbers, z: Points, shares: Values) -> float:
        """Root mean square over random waves, none of them in the basis, of the gap of their means.

        The means are those of the law and of the second marginal of the coupling.
        """
        y, logs = sampled_targets(self.state.x, basis, c, self.scale, self.gamma, pairs)
        flat = y.reshape(-1, y.shape[-1])
        logs = logs + self.stiffness * basis.combined(flat, c).reshape(logs.shape)
        joint = np.exp(logs - logs.max(axis=1, keepdims=True))
        joint *= (self.state.weights / joint.sum(axis=1))[:, None]
        waves = self.rng.standard_normal((len(self.mean), WAVES)) / np.sqrt(len(self.mean)) * STEEPEST
        waves = basis.whitening.T @ (waves * self.rng.random(WAVES))
        phase = 2 * np.pi * self.rng.random(WAVES)
        gap = shares @ np.cos(z @ waves + phase) - joint.ravel() @ np.cos(flat @ waves + phase)
        return float(np.sqrt(np.mean(gap**2)))

    def _require_trust(self, basis: Basis, c: Row, shares: Values) -> None:
        """`Diverged` or `NotConverged` where the draws say nothing about the law."""
        if self.outgrown(basis, c):
            raise Diverged(
                f"h of step {self.state.steps + 1} grows as fast as |y|², the cost, so the dual is minus infinity. It "
                "must grow more slowly. Use a smaller dt or more samples.",
                law=self.state.law,
            )
        if _effective_share(shares) * len(shares) < NEEDED * basis.size:
            raise self._uncovered(basis, shares)

    def _uncovered(self, basis: Basis, shares: Values) -> NotConverged:
        share = _effective_share(shares)
        return NotConverged(
            f"The Gaussian reference of step {self.state.steps + 1} has {share * len(shares):.0f} effective draws "
            f"for {basis.size} functions; at least {NEEDED} for each are accepted. One Gaussian must cover the "
            "law. Use more samples, fewer bumps, a smaller dt, or fewer dimensions.",
            effective_share=share,
            law=self.state.law,
        )


def _effective_share(shares: Values) -> float:
    """1/(n Σ shares²): one for equal shares, 1/n where one has all."""
    return float(1 / (shares @ shares) / len(shares))


def _tempered(shares: Values) -> Values:
    """The shares to a power below one, where they would else be too few to find moments of."""
    power = 1.0
    while _effective_share(shares) < ANNEALED and power > 1e-3:
        power *= 0.8
        with np.errstate(under="ignore"):
            softer = shares**power
        softer = softer / softer.sum()
        if _effective_share(softer) >= ANNEALED:
            return softer
    return shares
