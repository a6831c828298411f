"""Exact JKO sequences: ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt), iterate by iterate, where they are closed."""

import numpy as np
from scipy.optimize import brentq

from .._core.errors import NotAvailable, NotConverged
from .._core.validate import positive
from ..energies.interactions import LogRepulsion, PowerLaw, QuadraticAttraction
from ..energies.internal import Entropy, Power
from ..energies.potentials import Quadratic
from ..laws import Barenblatt, FromQuantile, Gaussian, Semicircle
from .exact_flows import ContractedQuantile


def jko_iterates(problem, dt):
    """Generator of ρ_0, ρ_1, ... ; `NotAvailable` at once where no closed sequence is known."""
    energy, initial = problem.energy, problem.initial
    quadratic = energy.potential is None or isinstance(energy.potential, Quadratic)
    attraction = _attraction(energy.interaction)
    if quadratic and attraction is not None:
        if isinstance(initial, Gaussian) and (energy.internal is None or isinstance(energy.internal, Entropy)):
            return _gaussian(energy, attraction, initial, dt)
        isotropic = energy.potential is None or np.allclose(
            energy.potential.matrix, energy.potential.matrix[0, 0] * np.eye(initial.dim), rtol=1e-14, atol=0
        )
        if (
            isinstance(initial, Barenblatt)
            and isinstance(energy.internal, Power)
            and energy.internal.m == initial.m
            and isotropic
        ):
            return _barenblatt(energy, attraction, initial, dt)
    if energy.potential is None and energy.internal is None and initial.dim == 1:
        if _is_newtonian(energy.interaction) and {"quantile", "mean"} <= set(initial.answers()):
            return _newtonian(initial, dt)
        if isinstance(energy.interaction, LogRepulsion) and isinstance(initial, Semicircle):
            return _semicircle(energy.interaction, initial, dt)
    raise NotAvailable(
        f"The JKO sequence of {problem.name!r} from {initial!r} has no closed form here. Closed are: Gaussians (quadratic potential, entropy, "
        "quadratic attraction), Barenblatt profiles (their own Power(m), isotropic quadratic terms), W = x²/2 - |x| and semicircles "
        "under LogRepulsion. Compare with QuantileJKO at a fine grid instead."
    )


def _attraction(kernel):
    """Strength of a quadratic attraction, 0 for no kernel, None for any other kernel."""
    if kernel is None:
        return 0.0
    return kernel.strength if isinstance(kernel, QuadraticAttraction) else None


def _is_newtonian(kernel):
    return isinstance(kernel, PowerLaw) and kernel.a == 2 and kernel.b == 1


def gaussian_jko_step(mean, cov, matrix, center, temperature, dt, attraction=0.0):
    """One exact JKO step of a Gaussian: (mean, cov) -> (mean, cov), A and Σ need not commute [docs/math.md 4.1].

    mean = K⁻¹(m + dt A b) with K = I + dt A; with K' = K + dt attraction I, c = dt T and H = K'^(-1/2) Σ K'^(-1/2),
    cov = K'^(-1/2) ½[H + 2cI + (H² + 4cH)^(1/2)] K'^(-1/2). No Riccati equation is solved.
    """
    rates, basis = np.linalg.eigh(matrix)
    new_mean = basis @ ((basis.T @ (mean + dt * matrix @ center)) / (1 + dt * rates))
    root = (basis / np.sqrt(1 + dt * (rates + attraction))) @ basis.T
    c = dt * temperature
    h, turn = np.linalg.eigh(root @ cov @ root)
    y = 0.5 * (h + 2 * c + np.sqrt(h * h + 4 * c * h))
    new_cov = root @ (turn * y) @ turn.T @ root
    return new_mean, (new_cov + new_cov.T) / 2


def entropic_jko_variance(variance, rate, temperature, dt, epsilon) -> float:
    """Variance after one entropic JKO step of a centred Gaussian in dim 1 under V = rate x²/2 [docs/math.md 13.1].

    min ½∫|x-y|² dπ + epsilon ∫π log π + dt F: with c the covariance of old and new position, s² the old variance,
    1 + dt a - dt T s²/(c² + ε c) = s²/c, and the new variance is (c² + ε c)/s². For ε -> 0 it is the JKO step.
    Its stationary variance is about (T + ε/(2 dt))/a: the entropic step heats.
    """
    s2, stretch, heat = positive(variance, "variance"), 1 + dt * rate, dt * temperature
    positive(epsilon, "epsilon")

    def balance(c):  # increasing in c
        return stretch - heat * s2 / (c * c + epsilon * c) - s2 / c

    c = brentq(balance, s2 / stretch, 2 * s2 / stretch + np.sqrt(2 * heat * s2 / stretch), xtol=1e-300, rtol=1e-15)
    return float((c * c + epsilon * c) / s2)


def _gaussian(energy, attraction, law, dt):
    d = law.dim
    matrix = np.zeros((d, d)) if energy.potential is None else energy.potential.matrix
    center = np.zeros(d) if energy.potential is None else energy.potential.center
    temperature = 0.0 if energy.internal is None else energy.internal.temperature
    while True:
        yield law
        law = Gaussian(*gaussian_jko_step(law.mean(), law.cov(), matrix, center, temperature, dt, attraction))


def barenblatt_jko_scale(scale, beta, coefficient, confinement, dt):
    """Root μ of (1 + dt λ) μ - dt c β μ^(1 - 1/β) = scale [docs/math.md 1.1, 1.2].

    The left side is increasing and concave, so Newton's iterates from the left climb to the root. They start at the
    larger of the two roots that one gets by leaving out either term of μ; the root is at most their sum.
    """
    stretch, source, power = 1 + dt * confinement, dt * coefficient * beta, 1 - 1 / beta
    root = max(scale / stretch, (source / stretch) ** (1 / (1 - power)))
    for _ in range(200):
        residual = stretch * root - source * root**power - scale
        new = root - residual / (stretch - source * power * root ** (power - 1))
        if abs(new - root) <= 4e-16 * new:  # two units in the last place
            return float(new)
        root = new
    raise NotConverged(
        f"The scale of a Barenblatt JKO step has not settled after 200 Newton iterations: {root} from {scale}, dt = {dt}. "
        "It converges for steps of ordinary size. Use a smaller dt.",
        residual=residual,
    )


def _barenblatt(energy, attraction, law, dt):
    pull = 0.0 if energy.potential is None else float(energy.potential.matrix[0, 0])
    target = law.center if energy.potential is None else energy.potential.center
    while True:
        yield law
        scale = barenblatt_jko_scale(law.scale, law.beta, energy.internal.coefficient, pull + attraction, dt)
        law = Barenblatt.of_scale(law.dim, law.m, scale, (law.center + dt * pull * target) / (1 + dt * pull))


def _newtonian(law, dt):
    shrink = 1.0
    yield law
    while True:
        shrink /= 1 + dt
        yield FromQuantile(ContractedQuantile(law, shrink))


def _semicircle(kernel, law, dt):
    stretch, push = 1 + dt * kernel.attraction, 2 * dt * kernel.repulsion
    while True:
        yield law
        law = Semicircle((law.radius + np.sqrt(law.radius**2 + 4 * stretch * push)) / (2 * stretch), law.center)
