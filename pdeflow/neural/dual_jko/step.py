"""What both ways of taking a step share: its constants, where it starts, and one ascent of the dual."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._core.errors import BadInput, Unsupported
from ..._core.shapes import Matrix, Numbers, Points, Row, Values, Vector
from ...laws import Law
from ...problems.entropic_gaussian import entropic_gaussian_step
from ...problems.problem import Problem
from .ascent import Ascent, Dual
from .basis import Basis
from .law import DualLaw

FLATTEST = 1e-9  # rate of the quadratic that predicts the law after a step
FAINTEST = -40.0  # log density of the predicted law, relative to its top, to which the start is fitted


@dataclass(frozen=True, eq=False)
class State:
    """What a step begins with.

    Attributes
    ----------
    law : Law
        The law so far.
    x : (n, d)
        Points that stand for it.
    weights : (n,)
        Their weights; the sum is one.
    steps : int
        Taken so far.
    facts : Mapping
        What the last step reports.
    """

    law: Law
    x: Points
    weights: Values
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


class Step:
    """One step of length dt from a state: the constants of it, and what does not depend on the dimension.

    Attributes
    ----------
    bounded : bool
        Whether h must grow more slowly than the cost |y|²: where y is not kept in a box.

    Parameters
    ----------
    method : DualJKO
        The parameters.
    problem : Problem
        What is solved.
    state : State
        Where the step begins.
    dt : float
        Its length.
    rng : Generator
        The only source of randomness.
    """

    bounded = True

    def __init__(self, method: Any, problem: Problem, state: State, dt: float, rng: np.random.Generator):
        self.method, self.problem, self.state, self.dt, self.rng = method, problem, state, dt, rng
        self.temperature = entropy_temperature(problem)
        self.gamma = 2 * method.regularisation
        self.scale = 2 * dt * self.temperature  # h = scale f
        self.stiffness = self.scale / self.gamma
        self.spread = np.sqrt(self.scale + self.gamma / 2)
        self.mean, self.cov = moments(state.x, state.weights)
        self.diffused = self.cov + self.spread**2 * np.eye(len(self.mean))
        self.warmth = self.temperature + method.regularisation / (2 * dt)

    def ascended(
        self,
        basis: Basis,
        z: Points,
        log_weight: Values,
        start: Row,
        targets_at: Callable[[Row], tuple[Numbers, Numbers]],
    ) -> Ascent:
        """One round: the best weights for these points of the reference, on targets that follow the weights."""
        log_gibbs = log_weight - potential_over(self.problem, z, self.temperature)
        ridge = np.where(np.arange(basis.size) < basis.quadratics, 0.0, self.method.ridge)
        at_reference = basis.values(z)

        def place(c):
            if self.bounded and self.outgrown(basis, c):
                return None
            y, logs = targets_at(c)
            at_targets = basis.values(y.reshape(-1, y.shape[-1])).reshape(*y.shape[:-1], basis.size)
            return Dual(self.state.weights, logs, at_targets, log_gibbs, at_reference, self.stiffness, ridge)

        return self.method.optimiser.maximise(place, start, self.rng)

    def outgrown(self, basis: Basis, c: Row) -> bool:
        """Whether h grows as fast as the cost |y|², so that the dual is minus infinity."""
        return bool(np.linalg.eigvalsh(0.5 * self.scale * basis.quadratic_part(c)[1]).max() >= 1)

    def predicted(self) -> tuple[Vector, Matrix]:
        """Mean and covariance after the step for the convex quadratic that is V on the law, as near as may be."""
        whitened = self.whitened(np.empty((0, len(self.mean))), 1.0)
        root = np.sqrt(self.state.weights)[:, None]
        functions = np.column_stack([np.ones(len(root)), whitened.values(self.state.x)])
        values = self.temperature * potential_over(self.problem, self.state.x, self.temperature)
        fitted = np.linalg.lstsq(root * functions, root[:, 0] * values, rcond=None)[0]
        slope, hessian = whitened.quadratic_part(fitted[1:])
        rates, axes = np.linalg.eigh(hessian)
        rates = np.maximum(rates, FLATTEST)
        center = self.mean - axes @ ((axes.T @ (slope + hessian @ self.mean)) / rates)
        matrix = (axes * rates) @ axes.T
        return entropic_gaussian_step(
            self.mean, self.cov, matrix, center, self.temperature, self.dt, self.method.regularisation
        )

    def start(self, basis: Basis, c: Row | None, z: Points) -> Row:
        """The weights of the round before; at first those of exp(-V/T - f) nearest the predicted Gaussian."""
        if c is not None:
            return c
        mean, cov = self.predicted()
        offset = z - mean
        logs = -0.5 * (offset @ np.linalg.inv(cov) * offset).sum(axis=1)
        wanted = -potential_over(self.problem, z, self.temperature) - logs
        root = np.exp(0.5 * np.maximum(logs, FAINTEST))
        count = basis.quadratics
        functions = np.column_stack([np.ones(len(z)), basis.values(z)[:, :count]])
        weights = np.linalg.lstsq(functions * root[:, None], wanted * root, rcond=None)[0]
        return np.concatenate([weights[1:], np.zeros(basis.size - count)])

    def whitened(self, centres: Points, width: float) -> Basis:
        """The basis in the axes and deviations of the old law after the diffusion of a step."""
        values, axes = np.linalg.eigh(self.diffused)
        return Basis(self.mean, (axes / np.sqrt(values)).T, centres, width)

    def after(self, basis: Basis, c: Row, region: Any, x: Points, weights: Values, facts: Mapping[str, Any]) -> State:
        """The state after the step."""
        law = DualLaw(self.problem.energy.potential, self.temperature, basis, c, region)
        return State(law, x, weights, self.state.steps + 1, {**facts, "effective_temperature": self.warmth})


def moments(x: Points, weights: Values) -> tuple[Vector, Matrix]:
    """Mean (d,) and covariance (d, d) of weighted points."""
    mean = weights @ x
    return mean, ((x - mean) * weights[:, None]).T @ (x - mean)


def entropy_temperature(problem: Problem) -> float:
    """T of the entropy; `Unsupported` for other energies."""
    energy = problem.energy
    internal = energy.internal
    if internal is None or internal.exponent != 1 or energy.interaction is not None:
        raise Unsupported(
            f"DualJKO got the internal energy {internal!r} and the interaction {energy.interaction!r}. The conjugate "
            "of the energy is closed for the entropy with a potential. Use Entropy and no interaction, or EntropicJKO."
        )
    return internal.coefficient


def potential_over(problem: Problem, x: Points, temperature: float) -> Values:
    """V/T at the points x (n, d); `BadInput` where it is not finite."""
    potential = problem.energy.potential
    if potential is None:
        return np.zeros(len(x))
    if problem.energy.time_dependent:
        raise Unsupported(
            f"{potential!r} depends on time, and DualJKO knows no time. Take a fixed potential, or ChangCooper."
        )
    values = np.asarray(potential.value(x), dtype=float)
    bad = ~np.isfinite(values)
    if bad.any():
        raise BadInput(
            f"V({x[bad][0]}) = {values[bad][0]}. V must be finite wherever the law may reach. Use ChangCooper for "
            "walls."
        )
    return values / temperature
