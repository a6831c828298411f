"""Whether a trajectory solves its equation in the weak form, on smooth test functions."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from .._core.errors import BadInput, Diverged, NotAvailable
from .._core.quadrature import cell_nodes
from .._core.shapes import Numbers, Points, Row, Values
from .._core.short_text import shown
from ..energies.mean_field import mean_force
from ..laws import Law
from ..laws.cells import cell_volumes, center_weights

LONGEST_WAVE = 2  # of the test functions, in units of 1/deviation


def weak_residual(problem: Any, trajectory: Any, *, tolerance: float = np.inf) -> float:
    """The largest |∫φ dρ_t - ∫φ dρ_0 - ∫_0^t ∫ Lφ dρ_s ds| over stored times and smooth test functions φ.

    Parameters
    ----------
    problem : Problem
        Whose equation the laws should solve, ∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)).
    trajectory : Trajectory
        At least five laws, grids or clouds: the integral over time is that of a cubic spline through the stored times,
        whose error falls as the fourth power of their spacing.
    tolerance : float
        The largest residual that passes. By default every finite one does.

    Returns
    -------
    float
        The largest residual: a number without unit, beside functions between -1 and 1.

    Raises
    ------
    Diverged
        Where it exceeds `tolerance`: it names the time and the function.
    BadInput
        For a trajectory of fewer than five times.
    NotAvailable
        For laws whose integrals are not known: of a density where U needs one; with an interaction for laws that are
        neither grids of equal cells nor clouds of equal points.

    Notes
    -----
    φ is cos or sin of k·(x - m)/s with the mean m and the deviations s of the last law, for all whole k ≠ 0 with
    |k_i| <= 2 (in dimension above 3: of one entry), and

        Lφ = (p(ρ)/ρ) Δφ - (∇V + ∇W*ρ)·∇φ,    p = ρ U'(ρ) - U(ρ), the pressure [docs/math.md 14.3].

    For a cloud and entropy, p(ρ)/ρ = T needs no density. Nothing of any scheme enters: it tells a solution of another
    equation, as the self-convergence of a scheme cannot. Mass that leans on a wall or an end of the grid adds its own
    part, which is not in Lφ. On grids integrals are sums over centres of cells, with densities there from the masses
    of a cell and its neighbours, of fourth order in the width; ∇W*ρ is such a sum too, of fourth order for smooth W.
    """
    times, laws = trajectory.times, trajectory.laws
    if len(laws) < 5:
        raise BadInput(
            f"The trajectory stores {len(laws)} times. An integral over time needs five at least. Save at more: "
            "solve(..., times=[...])."
        )
    from scipy.interpolate import CubicSpline

    waves, spread = _waves(laws[-1])
    moments, rates = [], []
    for law in laws:
        moment, rate = _integrals(problem.energy, law, waves, spread)
        moments.append(moment)
        rates.append(rate)
    moved = CubicSpline(times, np.array(rates)).antiderivative()(times)
    residual = np.abs(np.array(moments) - moments[0] - moved + moved[0])
    at, which = np.unravel_index(int(np.argmax(residual)), residual.shape)
    worst = float(residual[at, which])
    if not worst <= tolerance:
        kind, wave = ("cos", "sin")[which % 2], waves[which // 2]
        raise Diverged(
            f"The equation in its weak form misses by {worst:.3g} at t = {times[at]:.6g}, on {kind} of "
            f"{shown(wave.tolist())}·(x - mean)/deviation. The bound is {tolerance:g}. Check signs and factors of the "
            "scheme, refine it, or save at more times.",
            time=float(times[at]),
            residual=worst,
        )
    return worst


def _waves(law: Law) -> tuple[Numbers, tuple[Row, Row]]:
    """Wave vectors (k, d), one of each pair ±k, and (mean, deviations) of the law."""
    dim = law.dim
    if dim <= 3:
        every = [np.array(k, dtype=float) for k in product(range(-LONGEST_WAVE, LONGEST_WAVE + 1), repeat=dim)]
        waves = [k for k in every if k.any() and k[np.flatnonzero(k)[0]] > 0]
    else:
        waves = [size * row for size in range(1, LONGEST_WAVE + 1) for row in np.eye(dim)]
    return np.array(waves), (law.mean(), np.sqrt(np.diag(law.cov())))


def _integrals(energy: Any, law: Law, waves: Numbers, frame: tuple[Row, Row]) -> tuple[Values, Values]:
    """(∫φ dρ, ∫Lφ dρ) for cos and sin of every wave, (2k,) each."""
    x, weight, share, pull = _nodes(energy, law)
    mean, spread = frame
    scaled = waves / spread
    phase = (x - mean) @ scaled.T
    cos, sin = np.cos(phase), np.sin(phase)
    size = np.sum(scaled**2, axis=1)
    along = pull @ scaled.T  # -(∇V + ∇W*ρ)·k
    moment = np.stack([weight @ cos, weight @ sin], axis=1)
    rate = np.stack(
        [
            -size * ((weight * share) @ cos) - weight @ (along * sin),
            -size * ((weight * share) @ sin) + weight @ (along * cos),
        ],
        axis=1,
    )
    return moment.ravel(), rate.ravel()


def _nodes(energy: Any, law: Law) -> tuple[Points, Values, Values, Points]:
    """Points (n, d), their weights, p(ρ)/ρ there, and -(∇V + ∇W*ρ) there (n, d)."""
    axes, atoms = law.grid_axes(), law.atoms()
    if axes is not None:
        mass = law.cell_masses(axes).mass  # type: ignore[union-attr]  # a grid knows its own cells
        x, _ = cell_nodes(axes, 1)  # the centres
        at_centers = center_weights(mass)
        weight, density = at_centers.ravel(), (at_centers / cell_volumes(axes)).ravel()
        force = None if energy.interaction is None else _grid_force(energy.interaction, at_centers, axes)
    elif atoms is not None:
        x, weight = atoms
        density = None
        force = None if energy.interaction is None else _cloud_force(energy.interaction, x, weight)
    else:
        raise NotAvailable(
            f"The law is {shown(law)}, neither a grid nor a cloud. Integrals of test functions are known of these. "
            "Save the run of a scheme on a grid or on particles; a closed form is held against pf.exact."
        )
    pull = -np.asarray(energy.potential.grad(x)) if energy.potential is not None else np.zeros_like(x)
    if force is not None:
        pull = pull - force
    full = weight != 0
    return x[full], weight[full], _pressure_share(energy.internal, density, full, law), pull[full]


def _pressure_share(internal: Any, density: Any, full: Any, law: Law) -> Values:
    if internal is None:
        return np.zeros(int(np.count_nonzero(full)))
    if internal.exponent == 1:  # the pressure of an entropy is T ρ: no density is needed
        return np.full(int(np.count_nonzero(full)), float(internal.coefficient))
    if density is None:
        raise NotAvailable(
            f"{shown(internal)} needs a density, and {shown(law)} has none. Save the run of a scheme on a grid."
        )
    inside = np.maximum(density[full], 0.0)  # beside a front the density at a centre may come out below zero
    return np.divide(np.asarray(internal.pressure(inside)), inside, out=np.zeros_like(inside), where=inside > 0)


def _cloud_force(kernel: Any, x: Points, weight: Values) -> Points:
    if np.ptp(weight) > 1e-12 * weight.max():
        raise NotAvailable(
            "The cloud has weights that differ, and the force of an interaction is that of equal points. Save a cloud "
            "of equal points."
        )
    return mean_force(kernel, x)


def _grid_force(kernel: Any, mass: Numbers, axes: Sequence[Row]) -> Points:
    """Σ_j ∇W(x_i - x_j) m_j at the centres of equal cells, (n, d)."""
    from scipy.signal import fftconvolve

    steps = [np.diff(edges) for edges in axes]
    if any(np.ptp(step) > 1e-9 * step.mean() for step in steps):
        raise NotAvailable(
            "The cells of the grid are not equal, and the force of an interaction is known on equal ones. Save the run "
            "of FiniteVolume."
        )
    gaps = [step.mean() * np.arange(-(step.size - 1), step.size) for step in steps]
    z = np.stack([part.ravel() for part in np.meshgrid(*gaps, indexing="ij")], axis=1)
    slope: Callable[[Points], Points] = kernel.grad
    with np.errstate(divide="ignore", invalid="ignore"):  # a singular kernel at z = 0, which exerts no force on itself
        gradient = np.where(np.any(z != 0, axis=1)[:, None], slope(z), 0.0)
    shape = tuple(gap.size for gap in gaps)
    # entry i + n - 1 of the whole convolution is Σ_j ∇W(x_i - x_j) m_j: the offsets begin at -(n - 1)
    cells = tuple(slice(n - 1, 2 * n - 1) for n in mass.shape)
    parts = [fftconvolve(gradient[:, i].reshape(shape), mass, mode="full")[cells] for i in range(mass.ndim)]
    return np.stack([part.ravel() for part in parts], axis=1)
