"""The entropic JKO step of a Gaussian in closed form: what time and regularisation do, and nothing else."""

from collections.abc import Iterator

import numpy as np

from .._core.errors import NotAvailable
from .._core.shapes import Matrix, Vector
from ..laws import Gaussian
from .exact_jko import quadratic_terms
from .problem import Problem


def entropic_gaussian_step(
    mean: Vector, cov: Matrix, matrix: Matrix, center: Vector, temperature: float, dt: float, regularisation: float
) -> tuple[Vector, Matrix]:
    """One entropic JKO step (mean, cov) -> (mean, cov) for V = (x - b)ᵀA(x - b)/2 [docs/math.md 13.1].

    mean = K⁻¹(m + dt A b) with K = I + dt A; with c = dt T, H = K^(-1/2) Σ K^(-1/2),

        cov = K^(-1/2) ½[H + (2c + ε) I + (H² + 2 (2c + ε) H + ε² I)^(1/2)] K^(-1/2),

    which solves K S K - (2c + ε) K + c (c + ε) S⁻¹ = Σ. A and Σ need not commute. For ε = 0 it is the JKO step.
    """
    rates, basis = np.linalg.eigh(matrix)
    new_mean = basis @ ((basis.T @ (mean + dt * matrix @ center)) / (1 + dt * rates))
    shrink = (basis / np.sqrt(1 + dt * rates)) @ basis.T
    h, turn = np.linalg.eigh(shrink @ cov @ shrink)
    both = 2 * dt * temperature + regularisation
    y = 0.5 * (h + both + np.sqrt(h * h + 2 * both * h + regularisation**2))
    root = shrink @ (turn * np.sqrt(y))
    return new_mean, root @ root.T


def entropic_iterates(problem: Problem, dt: float, regularisation: float) -> Iterator[Gaussian]:
    """Generator of the laws after 0, 1, 2, ... steps; `NotAvailable` at once where they are no Gaussians."""
    energy, law = problem.energy, problem.initial.as_gaussian()
    internal = energy.internal
    temperature = 0.0 if internal is None else (internal.coefficient if internal.exponent == 1 else None)
    quadratic = quadratic_terms(energy, problem.dim)
    if law is None or temperature is None or quadratic is None or energy.interaction is not None:
        raise NotAvailable(
            f"The entropic JKO sequence of {problem.name!r} from {problem.initial!r} has no closed form here. Closed "
            "are Gaussians under a quadratic potential and the entropy. Compare with a finer grid instead."
        )
    matrix, center, _ = quadratic

    def iterates(law: Gaussian) -> Iterator[Gaussian]:
        while True:
            yield law
            law = Gaussian(
                *entropic_gaussian_step(law.mean(), law.cov(), matrix, center, temperature, dt, regularisation)
            )

    return iterates(law)
