"""Force ∇W*ρ and energy ½∬W dρ dρ of an interaction kernel on a cloud of points, exactly for the cloud's empirical law.

| kernel | cost |
| --- | --- |
| QuadraticAttraction, PowerLaw with exponents 2 and 4 | O(n) by moments, any dimension |
| exponents 1, 2 and 4 on the line | O(n log n) by sorting |
| the other kernels of pdeflow.interactions | O(n²), compiled, in tiles |
| a user's kernel | O(n²), its own numpy `grad` or `value`, in blocks of bounded memory |
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.compiled import BLOCK, alone, crew
from .._core.errors import BadInput
from .._core.shapes import Matrix, Points, Vector
from .._core.validate import points, real_array, require_gradient
from .interactions import as_gaussian_attraction, power_terms
from .pair_sums import block_moments, block_sums, moment_force, pair_energy, pair_force

SHORT_CLOUD = 1 << 15  # points up to which sums in O(n) are not worth other threads
PAIRS_AT_ONCE = 1 << 19  # differences held in memory at once for a user's kernel


def mean_force(
    kernel: Any,
    x: ArrayLike,
    at: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    workers: Any = None,
) -> Points:
    """The force of a cloud on points: (∇W*ρ)(y) = Σ_j w_j ∇W(y - x_j) for the cloud ρ of x.

    Particles move along its negative.

    Parameters
    ----------
    kernel : object
        Of pdeflow.interactions, or any object with grad(z) (n, d) -> (n, d).
    x : (n, d)
        The cloud.
    at : (m, d), optional
        The points y. By default x itself, where a point exerts no force on itself (W is even) and w_i is not given to
        the others.
    weights : (n,), optional
        w_j >= 0, default 1/n each.
    workers : callable, optional
        A `compiled.crew` already at work; by default one is called.

    Returns
    -------
    (m, d)
        The force, the same bits for every number of threads.

    Raises
    ------
    BadInput
        For points that are not finite, and for a user's gradient of another shape or not finite.
    """
    x, at, alone = _clouds(x, at)
    given = None if weights is None else _weights(weights, x)
    terms = power_terms(kernel)
    if terms is None and as_gaussian_attraction(kernel) is None:
        return _user_force(kernel, x, at, alone, given)
    if workers is None:
        with crew() as workers:
            return _force(kernel, terms, x, at, given, workers)
    return _force(kernel, terms, x, at, given, workers)


@dataclass(frozen=True, eq=False)
class MomentField:
    """∇W*ρ of a kernel with exponents 2 and 4, by the moments of ρ alone [docs/math.md 2.1].

    It is linear y + quartic [(|y|² + tr S) y + 2 S y - q] with y = x - mean. Called with points (m, d) it gives the
    force there, (m, d); summed over the cloud it is 0.

    Attributes
    ----------
    mean : (d,)
        Of ρ.
    second : (d, d)
        S, the covariance.
    third : (d,)
        q = E|y|²y.
    linear, quartic : float
        Coefficients of the exponents 2 and 4.
    """

    mean: Vector
    second: Matrix
    third: Vector
    linear: float
    quartic: float

    def __call__(self, at: Points) -> Points:
        at = np.ascontiguousarray(points(real_array(at, "at"), len(self.mean)))
        with crew() as workers:
            return self.force(at, workers)

    def force(self, at: Points, workers: Any) -> Points:
        """The force at points (m, d), by a crew already at work."""
        out = np.zeros_like(at)
        run = alone if len(at) <= SHORT_CLOUD else workers
        run(len(at), moment_force, at, self.mean, self.second, self.third, self.linear, self.quartic, out)
        return out


def moment_field(kernel: Any, x: ArrayLike) -> MomentField | None:
    """The `MomentField` of the cloud x (n, d), or None for a kernel that moments do not determine."""
    terms = power_terms(kernel)
    if terms is None or any(p not in (2, 4) for _, p in terms):
        return None
    x, _, _ = _clouds(x, None)
    with crew() as workers:
        return _moment_field(_split(terms, x.shape[1])[0], x, workers)


def _moment_field(quick, x, workers, weights=None):
    weights = np.full(len(x), 1 / len(x)) if weights is None else weights / weights.sum()
    mean, second, third, _ = _moments(x, weights, workers)
    return MomentField(mean, second, third, quick[2], quick[4])


def mean_energy(kernel: Any, x: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The energy ½ Σ_i Σ_j w_i w_j W(x_i - x_j) of a weighted cloud.

    Pairs i = j are left out where W(0) is infinite (`kernel.singular`), and count elsewhere.

    Parameters
    ----------
    kernel : object
        Of pdeflow.interactions, or any object with value(z) (n, d) -> (n,).
    x : (n, d)
        The cloud.
    weights : (n,), optional
        >= 0, default 1/n each.

    Returns
    -------
    float
        The energy. For n independent draws of a law with W(0) finite the expectation is the energy of the law plus
        (W(0) - E W)/(2n); leaving the pairs i = j out of a singular kernel loses a share 1/n [docs/math.md 3].
    """
    x, _, _ = _clouds(x, None)
    weights = np.full(len(x), 1 / len(x)) if weights is None else _weights(weights, x)
    terms = power_terms(kernel)
    if terms is None and as_gaussian_attraction(kernel) is None:
        return _user_energy(kernel, x, weights)
    with crew() as workers:
        return _energy(kernel, terms, x, weights, workers)


def _weights(weights, x):
    weights = real_array(weights, "weights", ndim=1)
    if len(weights) != len(x):
        raise BadInput(f"{len(x)} points and {len(weights)} weights. There must be one weight per point. Pass as many.")
    return weights


def _clouds(x, at):
    x = real_array(x, "x")
    x = np.ascontiguousarray(x[:, None] if x.ndim == 1 else x)
    if x.ndim != 2 or len(x) == 0:
        raise BadInput(f"x has shape {x.shape}. A cloud is an (n, d) array with n >= 1. Reshape it.")
    if at is None:
        return x, x, True
    return x, np.ascontiguousarray(points(real_array(at, "at"), x.shape[1])), False


def _split(terms, dim):
    """(sum of the coefficients by exponent that moments or sorting take, terms left for pairs)."""
    quick, slow = {1: 0.0, 2: 0.0, 4: 0.0}, []
    for c, p in terms:
        if p in (2, 4) or (p == 1 and dim == 1):
            quick[int(p)] += c
        else:
            slow.append((c, p))
    return quick, slow


def _force(kernel, terms, x, at, weights, workers):
    quick, slow = _split(terms or [], x.shape[1])
    quartic = quick[2] != 0 or quick[4] != 0
    out = _moment_field(quick, x, workers, weights).force(at, workers) if quartic else np.zeros_like(at)
    if weights is not None and quartic:
        out *= weights.sum()
    if quick[1] != 0:
        out[:, 0] += quick[1] * _mass_below_less_above(x[:, 0], at[:, 0], weights)
    if slow or terms is None:
        slope, rate = (0.0, 0.0) if terms is not None else _gaussian(kernel)
        powers = np.array([(c, p - 2) for c, p in slow], dtype=float).reshape(-1, 2)
        given = (np.ones(len(x)), len(x)) if weights is None else (weights, 1.0)
        workers(len(at), pair_force, at, x, *given, powers, -2 * rate * slope, rate, out)
    return out


def _mass_below_less_above(line, own, weights):
    """The mass of the points of the line below each of `own`, less that above."""
    order = np.argsort(line, kind="stable")
    below, upto = np.searchsorted(line[order], own, "left"), np.searchsorted(line[order], own, "right")
    if weights is None:
        return (below + upto - len(line)) / len(line)
    share = np.concatenate([[0.0], np.cumsum(weights[order])])
    return share[below] + share[upto] - share[-1]


def _energy(kernel, terms, x, weights, workers):
    quick, slow = _split(terms or [], x.shape[1])
    value, mass = 0.0, weights.sum()
    if quick[2] != 0 or quick[4] != 0:
        _, second, _, fourth = _moments(x, weights, workers)
        trace = np.trace(second)
        value += 0.5 * quick[2] / 2 * 2 * mass * trace
        value += 0.5 * quick[4] / 4 * (2 * mass * fourth + 2 * trace**2 + 4 * np.sum(second * second))
    if quick[1] != 0:
        order = np.argsort(x[:, 0], kind="stable")
        share = np.cumsum(weights[order])[:-1]
        value += 0.5 * quick[1] * 2 * ((share * (mass - share)) @ np.diff(x[order, 0]))
    if slow or terms is None:
        slope, rate = (0.0, 0.0) if terms is not None else _gaussian(kernel)
        powers = np.array([(c / p, p) for c, p in slow if p != 0], dtype=float).reshape(-1, 2)
        log_factor = float(sum(c for c, p in slow if p == 0))
        sums = np.zeros(-(-len(x) // BLOCK))
        workers(len(x), pair_energy, x, weights, powers, log_factor, slope, rate, kernel.singular, sums)
        value += sums.sum()
    return float(value)


def _gaussian(kernel):
    return -kernel.strength, 1 / kernel.width**2


def _moments(x, weights, workers):
    """Mean (d,), and of y = x - mean: Σ w yyᵀ (d, d), Σ w |y|²y (d,) and Σ w |y|⁴; weights of any sum."""
    n, dim = x.shape
    blocks = -(-n // BLOCK)
    sums, second = np.zeros((blocks, dim)), np.zeros((blocks, dim, dim))
    third, fourth = np.zeros((blocks, dim)), np.zeros(blocks)
    run = alone if n <= SHORT_CLOUD else workers
    run(n, block_sums, x, weights, sums)
    mean = sums.sum(axis=0) / weights.sum()
    run(n, block_moments, x, weights, mean, second, third, fourth)
    return mean, second.sum(axis=0), third.sum(axis=0), fourth.sum()


def _user_force(kernel, x, at, alone, weights):
    """By blocks of rows; a point's pair with itself is not asked for where the points are the cloud itself."""
    n, dim = x.shape
    force = np.empty_like(at)
    rows = max(1, PAIRS_AT_ONCE // n)
    for start in range(0, len(at), rows):
        part = at[start : start + rows]
        z = (part[:, None, :] - x[None, :, :]).reshape(-1, dim)
        asked = np.ones(len(z), dtype=bool)
        if alone:
            asked[np.arange(len(part)) * n + start + np.arange(len(part))] = False
        gradient = np.zeros_like(z)
        answer = np.asarray(kernel.grad(z[asked]))
        require_gradient(answer, z[asked], "interaction.grad(z)")
        gradient[asked] = answer
        gradient = gradient.reshape(len(part), n, dim)
        force[start : start + rows] = (
            gradient.sum(axis=1) / n if weights is None else np.einsum("j,ijk->ik", weights, gradient)
        )
    return force


def _user_energy(kernel, x, weights):
    rows = max(1, PAIRS_AT_ONCE // len(x))
    total = 0.0
    for start in range(0, len(x), rows):
        part = x[start : start + rows]
        z = (part[:, None, :] - x[None, :, :]).reshape(-1, x.shape[1])
        values = kernel.value(z).reshape(len(part), -1)
        if getattr(kernel, "singular", False):
            values[np.arange(len(part)), start + np.arange(len(part))] = 0.0
        total += weights[start : start + rows] @ values @ weights
    return float(0.5 * total)
