"""Exact JKO sequences: ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt), iterate by iterate, where they are closed."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._core.errors import NotAvailable, NotConverged
from .._core.shapes import Matrix, Vector
from ..energies.energy import Energy
from ..energies.interactions import LogRepulsion, as_quadratic_attraction, power_terms
from ..energies.internal import InternalEnergy
from ..energies.potentials import as_quadratic
from ..laws import Barenblatt, FromQuantile, Gaussian, Law, Semicircle
from .exact_flows import ContractedQuantile
from .problem import Problem
from .structure import Structure


def jko_iterates(problem: Problem, dt: float) -> Iterator[Law]:
    """Generator of ρ_0, ρ_1, ... ; `NotAvailable` at once where no closed sequence is known."""
    for closed in (_gaussian, _barenblatt, _newtonian, _semicircle):
        iterates = closed(problem.energy, problem.initial, dt)
        if iterates is not None:
            return iterates
    structure = problem.structure
    if structure is not None:
        return _joined(structure, [jko_iterates(part, dt) for part in structure.parts])
    raise NotAvailable(
        f"The JKO sequence of {problem.name!r} from {problem.initial!r} has no closed form here. Closed are: Gaussians "
        "(quadratic potential, entropy, quadratic attraction), Barenblatt profiles (their own Power(m), isotropic "
        "quadratic terms), W = x²/2 - |x| and semicircles under LogRepulsion. On the line "
        "compare with QuantileJKO on a fine grid; for problems of parts take pf.jko_sequence."
    )


def _joined(structure: Structure, parts: list[Iterator[Law]]) -> Iterator[Law]:
    """Steps of a problem with a structure are those of its parts."""
    yield structure.initial
    for part in parts:
        next(part)
    for laws in zip(*parts, strict=True):
        yield structure.join(laws)


def quadratic_terms(energy: Energy, dim: int) -> tuple[Matrix, Vector, float] | None:
    """(A, b, attraction) where the potential is ½(x-b)ᵀA(x-b) or absent and the kernel a quadratic attraction or
    absent."""
    attraction = _attraction(energy.interaction)
    if attraction is None:
        return None
    if energy.potential is None:
        return np.zeros((dim, dim)), np.zeros(dim), attraction
    if as_quadratic(energy.potential) is None:
        return None
    return energy.potential.matrix, energy.potential.center, attraction


def _attraction(kernel: Any) -> float | None:
    """Strength of a quadratic attraction, 0 for no kernel, None for any other kernel."""
    if kernel is None:
        return 0.0
    return kernel.strength if as_quadratic_attraction(kernel) is not None else None


def _is_newtonian(kernel: Any) -> bool:
    return power_terms(kernel) == [(1.0, 2), (-1.0, 1)]


def _is_log_repulsion(kernel: Any) -> bool:
    return isinstance(kernel, LogRepulsion) and power_terms(kernel) is not None


def gaussian_jko_step(
    mean: Vector,
    cov: Matrix,
    matrix: Matrix,
    center: Vector,
    temperature: float,
    dt: float,
    attraction: float = 0.0,
) -> tuple[Vector, Matrix]:
    """One exact JKO step of a Gaussian: (mean, cov) -> (mean, cov), A and Σ need not commute [docs/math.md 4.1].

    mean = K⁻¹(m + dt A b) with K = I + dt A; with K' = K + dt attraction I, c = dt T and H = K'^(-1/2) Σ K'^(-1/2),
    cov = K'^(-1/2) ½[H + 2cI + (H² + 4cH)^(1/2)] K'^(-1/2). No Riccati equation is solved.
    """
    new_mean, root = _gaussian_jko_root(mean, np.linalg.cholesky(cov), matrix, center, temperature, dt, attraction)
    new_cov = root @ root.T
    return new_mean, (new_cov + new_cov.T) / 2


def _gaussian_jko_root(
    mean: Vector, root: Matrix, matrix: Matrix, center: Vector, temperature: float, dt: float, attraction: float
) -> tuple[Vector, Matrix]:
    """`gaussian_jko_step` of a factor of the covariance: spreads of a stiff flow differ by more than a covariance of
    floats can hold."""
    rates, basis = np.linalg.eigh(matrix)
    new_mean = basis @ ((basis.T @ (mean + dt * matrix @ center)) / (1 + dt * rates))
    shrink = (basis / np.sqrt(1 + dt * (rates + attraction))) @ basis.T
    c = dt * temperature
    if c == 0:
        return new_mean, shrink @ shrink @ root
    turn, deviations, _ = np.linalg.svd(shrink @ root)
    h = deviations**2
    y = 0.5 * (h + 2 * c + np.sqrt(h * h + 4 * c * h))
    return new_mean, shrink @ (turn * np.sqrt(y))


def _gaussian(energy: Energy, initial: Law, dt: float) -> Iterator[Law] | None:
    """Gaussians under quadratic energies, with entropy or without an internal energy."""
    quadratic, law = quadratic_terms(energy, initial.dim), initial.as_gaussian()
    temperature = 0.0 if energy.internal is None else _coefficient(energy.internal, 1.0)
    if quadratic is None or law is None or temperature is None:
        return None
    matrix, center, attraction = quadratic

    def iterates(law: Gaussian) -> Iterator[Law]:
        yield initial
        while True:
            mean, root = _gaussian_jko_root(law.mean(), law.root(), matrix, center, temperature, dt, attraction)
            law = Gaussian.from_root(mean, root)
            yield law

    return iterates(law)


def _coefficient(internal: InternalEnergy | None, exponent: float) -> float | None:
    """c where the internal energy is c times the power `exponent` of the density (1: the entropy), else None."""
    return internal.coefficient if internal is not None and internal.exponent == exponent else None


def barenblatt_jko_scale(scale: float, beta: float, coefficient: float, confinement: float, dt: float) -> float:
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
        f"The scale of a Barenblatt JKO step has not settled after 200 Newton iterations: {root} from {scale}, dt = "
        f"{dt}. "
        "It converges for steps of ordinary size. Use a smaller dt.",
        residual=residual,
    )


def _barenblatt(energy: Energy, initial: Law, dt: float) -> Iterator[Law] | None:
    """Barenblatt profiles under their own power of the density and isotropic quadratic terms."""
    quadratic, law = quadratic_terms(energy, initial.dim), initial.as_barenblatt()
    if quadratic is None or law is None:
        return None
    (matrix, target, attraction), coefficient = quadratic, _coefficient(energy.internal, law.m)
    pull = float(matrix[0, 0])
    if coefficient is None or not np.allclose(matrix, pull * np.eye(law.dim), rtol=1e-14, atol=0):
        return None
    target = law.center if energy.potential is None else target

    def iterates(law: Barenblatt) -> Iterator[Law]:
        yield initial
        while True:
            scale = barenblatt_jko_scale(law.scale, law.beta, coefficient, pull + attraction, dt)
            center = (law.center + dt * pull * target) / (1 + dt * pull)
            law = Barenblatt.of_scale(law.dim, law.m, scale, center)
            yield law

    return iterates(law)


def _interaction_alone(energy: Energy, law: Law) -> bool:
    return energy.potential is None and energy.internal is None and law.dim == 1


def _newtonian(energy: Energy, law: Law, dt: float) -> Iterator[Law] | None:
    """Laws on the line under W = x²/2 - |x|."""
    known = {"quantile", "mean"} <= set(law.answers())
    if not (_interaction_alone(energy, law) and _is_newtonian(energy.interaction) and known):
        return None

    def iterates() -> Iterator[Law]:
        shrink = 1.0
        yield law
        while True:
            shrink /= 1 + dt
            yield FromQuantile(ContractedQuantile(law, shrink))

    return iterates()


def _semicircle(energy: Energy, initial: Law, dt: float) -> Iterator[Law] | None:
    """Semicircles under W = attraction x²/2 - repulsion log|x|."""
    kernel, law = energy.interaction, initial.as_semicircle()
    if not (_interaction_alone(energy, initial) and _is_log_repulsion(kernel)) or law is None:
        return None
    stretch, push = 1 + dt * kernel.attraction, 2 * dt * kernel.repulsion

    def iterates(law: Semicircle) -> Iterator[Law]:
        yield initial
        while True:
            law = Semicircle((law.radius + np.sqrt(law.radius**2 + 4 * stretch * push)) / (2 * stretch), law.center)
            yield law

    return iterates(law)
