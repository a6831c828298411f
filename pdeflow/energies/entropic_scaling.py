"""Steps of JKO with entropic transport by scaling, in logarithms: the iteration, and its proximal step.

The coupling of the old law and the new one is diag(a) K diag(b), with a kernel K of exp(-|x - y|²/(2 ε)). How K is
applied is the caller's: axis by axis on a grid, by pairs of points elsewhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import wrightomega

from .._core.errors import NotConverged
from .._core.shapes import Numbers

Terms = tuple[tuple[float, float], ...]  # (c, m) for each c r^m/(m-1), or c r log r where m = 1

Logs = Callable[[Numbers], Numbers]  # of a function to another

ACCURACY = 1e-14  # of log r, relative to its size
MOST = 100


class Scaling(NamedTuple):
    """One iteration of `scale`, all in logarithms.

    Attributes
    ----------
    log_a, log_b : (n_1, ...)
        The scalings.
    log_q : (n_1, ...)
        Kᵀa.
    log_first : (n_1, ...)
        K b, so that log_a + log_first is the coupling's first marginal.
    """

    log_a: Numbers
    log_b: Numbers
    log_q: Numbers
    log_first: Numbers


def scale(
    log_mass: Numbers,
    log_b: Numbers,
    products: tuple[Logs, Logs],
    proximal: Logs,
    error: Callable[[Scaling], float],
    tolerance: float,
    iterations: int,
) -> tuple[Scaling, int, float]:
    """Iterate a = old/(K b), b = r/(Kᵀa) with the proximal step r of Kᵀa, until the error has come to the tolerance.

    Parameters
    ----------
    log_mass : (n_1, ...)
        The logarithm of the old law's masses.
    log_b : (n_1, ...)
        Where b starts.
    products : pair of callables
        log b -> log(K b), and log a -> log(Kᵀa).
    proximal : callable
        log q -> log r, the new law's masses: the proximal step of the energy in the Kullback-Leibler divergence, see
        `log_density`.
    error : callable
        Of an iteration.
    tolerance, iterations : float, int
        When to end.

    Returns
    -------
    (Scaling, int, float)
        The last iteration, how many there were, and the error of the last.
    """
    kernel, transposed = products
    log_first = kernel(log_b)
    iteration = 0
    while True:
        iteration += 1
        log_a = log_mass - log_first
        log_q = transposed(log_a)
        log_r = proximal(log_q)
        log_b = np.where(np.isfinite(log_r), log_r - log_q, -np.inf)
        log_first = kernel(log_b)
        scaling = Scaling(log_a, log_b, log_q, log_first)
        left = error(scaling)
        if not left > tolerance or iteration >= iterations:
            return scaling, iteration, left


def log_density(log_q: Numbers, potential: Numbers, terms: Terms, dt: float, regularisation: float) -> Numbers:
    """s = log r with ε (s - log q) + dt (V + U'(e^s)) = 0, which minimises ε KL(r | q) + dt ∫ (V r + U(r)).

    Parameters
    ----------
    log_q : (n_1, ...)
        The logarithm of the density before; -inf stays.
    potential : (n_1, ...)
        V, inf where s is -inf.
    terms : pairs (c, m)
        U, see `InternalEnergy.terms`: at most one power below 1, and then no other power.
    dt, regularisation : float
        The step and ε.

    Notes
    -----
    The entropy alone is linear in s, one power with or without it a Wright omega function. With more powers, Newton's
    method goes down from the least root for one power alone: the equation is convex and increases.
    """
    heat = sum(c for c, m in terms if m == 1)
    slope = regularisation + dt * heat
    full = np.isfinite(log_q) & np.isfinite(potential)
    answer = np.full(log_q.shape, -np.inf)
    linear = (regularisation * log_q[full] - dt * (potential[full] + heat)) / slope
    powers = [(c, m) for c, m in terms if m != 1]
    s = linear
    for c, m in powers:
        # slope (linear - s) = dt c m/(m-1) e^((m-1) s), so that w = (m-1)(linear - s) has w + log w = the argument
        turned = wrightomega(np.log(dt * c * m / slope) + (m - 1) * linear).real
        root = linear - turned / (m - 1)
        s = np.minimum(s, root) if m > 1 else root
    if len(powers) > 1:
        s = _newton(s, linear, slope, powers, dt)
    answer[full] = s
    return answer


def _newton(s: Numbers, linear: Numbers, slope: float, powers: list[tuple[float, float]], dt: float) -> Numbers:
    """The root below s of slope (s - linear) + dt Σ c m/(m-1) e^((m-1) s)."""
    for _ in range(MOST):
        parts = [dt * c * m * np.exp((m - 1) * s) for c, m in powers]
        value = slope * (s - linear) + sum(part / (m - 1) for part, (_, m) in zip(parts, powers))
        step = value / (slope + sum(parts))
        s = s - step
        if np.all(np.abs(step) <= ACCURACY * np.maximum(np.abs(s), 1.0)):
            return s
    raise NotConverged(
        f"The density of a cell has not settled after {MOST} iterations of Newton's method (last change "
        f"{np.abs(step).max():.3g} of its logarithm). It converges for energies of ordinary size. Use a smaller dt.",
        residual=float(np.abs(step).max()),
    )
