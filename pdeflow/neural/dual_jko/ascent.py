"""The dual of an entropic JKO step as a concave function of the weights of a basis, and its ascent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import logsumexp

from ..._core.errors import Diverged, NotConverged
from ..._core.shapes import Numbers, Row, Values
from ..._core.validate import count, positive
from ..._core.value import Value
from ..maps.training import schedule

SHARE = 1e-4  # of the promised rise, which a step of Newton's method must give at least
STALLED = 1e-13  # a promised rise that round-off hides, of the dual
STALLED_AT = 1e-9  # largest promised rise at which a stall is the end, in nats
STILL = 1e-4  # promised rise below which nodes stay, in nats
ROUNDING = 1e-13  # added to a Hessian with ones on its diagonal
BLOCK = 25  # iterations of Adam between two placements of the nodes
KEPT = 1e-6  # least variance of a combination of functions that Adam moves, of the largest


@dataclass(frozen=True, eq=False)
class Dual:
    """The dual of one step, for f = Σ c_k f_k with weights c, over nodes.

    D(c) = -(1/κ) Σ_i w_i log Σ_j exp(l_ij + κ f(y_ij)) - log Σ_l exp(q_l - V(z_l)/T - f(z_l)) - ½ Σ_k λ_k c_k².

    It is the dual of docs/math.md 13.2 over 2 dt T, with h = 2 dt T f and κ = 2 dt T/γ, where g and the constant of h
    are those that are best for given f.

    Parameters
    ----------
    weights : (n,)
        w_i, of the points x_i of the old law; they sum to one.
    log_kernel : (n, j)
        l_ij: the logarithm of exp(-|x_i - y_ij|²/γ) times the weight of y_ij.
    at_targets : (n, j, k) or (j, k)
        The functions at y_ij, or at y_j where all x_i share them.
    log_gibbs : (m,)
        q_l - V(z_l)/T.
    at_reference : (m, k)
        The functions at z_l.
    stiffness : float
        κ.
    ridge : (k,)
        λ, of each weight.
    """

    weights: Values
    log_kernel: Numbers
    at_targets: Numbers
    log_gibbs: Values
    at_reference: Numbers
    stiffness: float
    ridge: Row

    def value(self, c: Row) -> float:
        """D(c)."""
        inner = self.log_kernel + self.stiffness * (self.at_targets @ c)
        top = inner.max(axis=1)
        inner -= top[:, None]
        log_sums = top + np.log(np.exp(inner, out=inner).sum(axis=1))
        outer = float(np.asarray(logsumexp(self.log_gibbs - self.at_reference @ c)))
        return float(-self.weights @ log_sums / self.stiffness - outer - 0.5 * self.ridge @ c**2)

    def shares(self, c: Row) -> tuple[Numbers, Values]:
        """(n, j): the coupling's law of y given x_i; (m,): the new law on z_l. Both sum to one."""
        inner = self.log_kernel + self.stiffness * (self.at_targets @ c)
        inner -= inner.max(axis=1, keepdims=True)
        np.exp(inner, out=inner)
        inner /= inner.sum(axis=1, keepdims=True)
        outer = self.log_gibbs - self.at_reference @ c
        outer = np.exp(outer - outer.max())
        return inner, outer / outer.sum()

    def slopes(self, c: Row) -> tuple[Row, Numbers]:
        """∇D (k,) and -∇²D (k, k)."""
        inner, outer = self.shares(c)
        joint = self.weights[:, None] * inner
        if self.at_targets.ndim == 2:
            means, joint = inner @ self.at_targets, joint.sum(axis=0)
        else:
            means = (inner[:, None, :] @ self.at_targets)[:, 0]
        flat = self.at_targets.reshape(-1, len(c))
        coupled = flat.T @ (joint.reshape(-1, 1) * flat) - means.T @ (self.weights[:, None] * means)
        center = outer @ self.at_reference
        offset = self.at_reference - center
        gradient = center - self.weights @ means - self.ridge * c
        hessian = self.stiffness * coupled + offset.T @ (outer[:, None] * offset) + np.diag(self.ridge)
        return gradient, hessian


@dataclass(frozen=True, eq=False)
class Ascent:
    """Where an ascent ended.

    Attributes
    ----------
    weights : (k,)
        The weights of the functions.
    dual : Dual
        With the nodes of the last iteration.
    iterations : int
        How many there were.
    gradient_norm : float
        The largest entry of the gradient before the last one.
    """

    weights: Row
    dual: Dual
    iterations: int
    gradient_norm: float


@dataclass(frozen=True)
class Newton(Value):
    """Damped Newton's method: the dual is concave in the weights of the basis.

    Parameters
    ----------
    tolerance : float
        Of the rise that the quadratic model still promises, in nats.
    iterations : int
        At most.
    """

    tolerance: float = 1e-12
    iterations: int = 100

    def __post_init__(self):
        positive(self.tolerance, "tolerance")
        count(self.iterations, "iterations")

    def maximise(self, place: Callable[[Row], Dual | None], start: Row, rng: np.random.Generator) -> Ascent:
        """The weights at which the dual is largest; rng is not used.

        Parameters
        ----------
        place : weights (k,) -> Dual or None
            The dual with its nodes placed for these weights; None where it is minus infinity.
        start : (k,)
            Where it is finite.
        rng : Generator
            Of other ways up.

        Notes
        -----
        Nodes move with the weights until the promised rise is small, and then stay.
        """
        c, dual = start, _at_start(place, start)
        for iteration in range(1, self.iterations + 1):
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
                value, (gradient, hessian) = dual.value(c), dual.slopes(c)
            if not (np.isfinite(value) and np.all(np.isfinite(hessian))):
                raise Diverged(
                    f"The dual is {value}, or its derivatives are not finite. They must be. Use a smaller dt, a larger "
                    "regularisation, fewer bumps or a larger ridge."
                )
            scale = np.sqrt(np.maximum(np.diag(hessian), 1e-300))
            scaled = hessian / np.outer(scale, scale) + ROUNDING * np.eye(len(c))
            with np.errstate(over="ignore", invalid="ignore"):  # the same
                step = np.linalg.solve(scaled, gradient / scale) / scale
                promised = float(gradient @ step)
            if not np.isfinite(promised):
                raise Diverged(
                    f"Newton's method promises {promised}. It must stay finite. Use a smaller dt, a larger "
                    "regularisation, fewer bumps or a larger ridge."
                )
            if promised <= 2 * self.tolerance:
                return Ascent(c + step, dual, iteration, float(np.abs(gradient).max()))
            length, settled = 1.0, promised < STILL
            while True:
                trial = c + length * step
                there = dual if settled else place(trial)
                if there is not None and there.value(trial) >= value + SHARE * length * promised:
                    break
                length /= 2
                if length * promised < STALLED * max(1.0, abs(value)):
                    if promised < STALLED_AT:
                        return Ascent(c, dual, iteration, float(np.abs(gradient).max()))
                    raise self._stopped(iteration, promised)
            c, dual = trial, there
        raise self._stopped(self.iterations, promised)

    def _stopped(self, iteration, promised):
        return NotConverged(
            f"Newton's method promises a rise of {promised / 2:.3g} nats after {iteration} iterations; at most "
            f"{self.tolerance:g} is accepted. Use more iterations, a smaller dt, fewer bumps or a larger ridge.",
            residual=promised,
        )


@dataclass(frozen=True)
class Adam(Value):
    """Stochastic ascent by Adam in torch over batches of points of the old law, as [frogner2020] solves the dual.

    The functions are first made orthonormal under the new law, as it is at the start; without that Adam takes far
    longer.

    Parameters
    ----------
    iterations : int
        Steps of Adam; the learning rate falls to zero as a cosine.
    batch : int
        Points of the old law in a batch.
    learning_rate : float
        Of Adam, in nats.
    """

    iterations: int = 500
    batch: int = 256
    learning_rate: float = 0.02

    def __post_init__(self):
        count(self.iterations, "iterations")
        count(self.batch, "batch")
        positive(self.learning_rate, "learning_rate")

    def maximise(self, place: Callable[[Row], Dual | None], start: Row, rng: np.random.Generator) -> Ascent:
        """The weights after the ascent; see `Newton.maximise`. Nodes are placed anew every 25 iterations."""
        c, iteration = start, 0
        dual, moments = _at_start(place, start), None
        while iteration < self.iterations:
            block = range(iteration, min(iteration + BLOCK, self.iterations))
            c, moments = self._block(dual, c, block, moments, rng)
            iteration += len(block)
            dual = _at_start(place, c)
        gradient, _ = dual.slopes(c)
        return Ascent(c, dual, self.iterations, float(np.abs(gradient).max()))

    def _block(self, dual, start, block, memory, rng):
        """The weights after some iterations on the same nodes, and what Adam remembers."""
        if memory is None:
            _, outer = dual.shares(start)
            offset = dual.at_reference - outer @ dual.at_reference
            spread, basis = np.linalg.eigh(offset.T @ (outer[:, None] * offset))
            kept = spread > KEPT * spread[-1]
            move = torch.zeros(int(kept.sum()), dtype=torch.float64, requires_grad=True)
            memory = basis[:, kept] / np.sqrt(spread[kept]), move, torch.optim.Adam([move], lr=self.learning_rate)
        turn, move, optimiser = memory
        before, shared = move.detach().numpy().copy(), dual.at_targets.ndim == 2
        first, turned, ridge = (torch.as_tensor(part) for part in (start - turn @ before, turn, dual.ridge))
        targets, reference = torch.as_tensor(dual.at_targets), torch.as_tensor(dual.at_reference)
        log_kernel, log_gibbs = torch.as_tensor(dual.log_kernel), torch.as_tensor(dual.log_gibbs)
        for iteration in block:
            rows = torch.as_tensor(rng.choice(len(dual.weights), size=self.batch, p=dual.weights))
            optimiser.param_groups[0]["lr"] = self.learning_rate * schedule(iteration, self.iterations)
            optimiser.zero_grad()
            c = first + turned @ move
            inner = log_kernel[rows] + dual.stiffness * ((targets if shared else targets[rows]) @ c)
            outer = torch.logsumexp(log_gibbs - reference @ c, 0)
            loss = torch.logsumexp(inner, 1).mean() / dual.stiffness + outer + 0.5 * (ridge * c * c).sum()
            if not torch.isfinite(loss):
                raise Diverged(f"The dual is {-loss.item()}. It must stay finite. Use a smaller learning_rate or dt.")
            loss.backward()
            optimiser.step()
        return start + turn @ (move.detach().numpy() - before), memory


def _at_start(place, c):
    dual = place(c)
    if dual is None:
        raise Diverged(
            "h grows as fast as |y|², the cost, so the dual is minus infinity. It must grow more slowly. Use a "
            "smaller dt, a smaller learning_rate or more samples; where the start has wide tails, as a law without "
            "variance, take coordinates in which it has none."
        )
    return dual
