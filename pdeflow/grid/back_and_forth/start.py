"""First heights of a dual ascent: near the optimum, and smooth enough that their Laguerre cells are sound."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..._core.compiled import Run
from ..._core.shapes import Numbers, Values
from ...energies.internal import InternalEnergy
from .c_transform import lower_envelope

FRONT = 0.03  # of the largest density: heights below, at a front, are extended from those above
THIN = 1e-280  # the same where U'(0) = -inf: what floats can hold
BEND = 0.5  # curvature of the extension, in units of 1/dt
WIDER = 2.0  # factor of the variance from one guess to the next
LONGEST_MATRIX = 2048  # cells of an axis along which heat is a product with a matrix


def has_finite_slope_at_zero(internal: InternalEnergy) -> bool:
    """Whether U'(0) is finite, so that laws have fronts: powers above 1 alone."""
    terms = internal.terms()
    return terms is not None and all(m > 1 for _, m in terms)


def heated(mass: Numbers, deviations: tuple[float, float]) -> Numbers:
    """Masses after heat flow of these standard deviations, in cells, with no-flux ends; no term is ever subtracted."""
    for axis, deviation in enumerate(deviations):
        n = mass.shape[axis]
        if n == 1 or deviation == 0:
            continue
        if n > LONGEST_MATRIX:
            mass = gaussian_filter1d(mass, deviation, axis, mode="reflect", truncate=min(38.0, n / deviation))
            continue
        place = np.arange(n)
        gaps = place[:, None] - place, place[:, None] + place + 1, place[:, None] + place + 1 - 2 * n
        with np.errstate(under="ignore"):
            matrix = np.sum([np.exp(-0.5 * (gap / deviation) ** 2) for gap in gaps], axis=0)
            matrix /= matrix.sum(0)
            mass = matrix @ mass if axis == 0 else mass @ matrix.T
    return mass


def first_heights(
    mass: Numbers,
    potential: Numbers,
    open_points: np.ndarray,
    internal: InternalEnergy,
    widths: tuple[float, float],
    dt: float,
    run: Run,
) -> Iterator[Numbers]:
    """Guesses of the heights, the best first.

    φ = U'(ρ_s) + V with ρ_s the law after heat flow of the variance 2 dt max p'(ρ), p' = ρ U'': what the step does to
    it at most. For the entropy that is the step but for the potential, and since the logarithm of a law heated so long
    has second derivatives above -1/(2 dt T), the Laguerre cells are sound. Below FRONT of the largest density heights
    are extended (`extended`). On the line heights that transport the old law to the heated one follow (`monotone`).
    Further guesses heat longer, then leave V out, last is φ = 0, which moves nothing.
    """
    volume = widths[0] * widths[1]
    top = float(mass.max()) / volume
    diffusivity = top * float(np.asarray(internal.second_derivative(np.array([top])))[0])
    share = FRONT if has_finite_slope_at_zero(internal) else THIN
    for with_potential in (True, False):
        variance = 2 * dt * diffusivity
        for _ in range(3):
            deviations = float(np.sqrt(variance)) / widths[0], float(np.sqrt(variance)) / widths[1]
            density = heated(mass, deviations) / volume
            full = (density > share * density.max()) & open_points
            phi = np.zeros_like(mass)
            phi[full] = internal.derivative(density[full])
            if with_potential:
                phi += potential
            yield phi if full.all() else extended(phi, full, widths, dt, run)
            if mass.shape[1] == 1 and share == THIN:
                yield monotone(phi[:, 0], mass[:, 0], density[:, 0] * volume, widths[0] ** 2 / dt)[:, None]
            variance *= WIDER
    yield np.zeros_like(mass)


def extended(phi: Numbers, full: np.ndarray, widths: tuple[float, float], dt: float, run: Run) -> Numbers:
    """Heights that go on smoothly, curved downwards, where they are not known (`full` is False).

    There φ(y) = max over x of φ^{c'}(x) - c'(x, y), with c'(x, y) = BEND |x - y|²/(2 dt) and the c'-transform φ^{c'}
    from the points that are `full`, over the grid points x next to y' + (dt/BEND) ∇φ(y') of those. Back and forth once:
    two c-transforms.
    """
    weights = [BEND * h**2 / (2 * dt) if n > 1 else 1.0 for h, n in zip(widths, phi.shape)]
    forth = lower_envelope(np.where(full, phi, np.inf), weights, run)
    targets = []
    for axis, h in enumerate(widths):
        lines, known = np.moveaxis(phi, axis, 0), np.moveaxis(full, axis, 0)
        slope, sides = np.zeros_like(lines), np.zeros_like(lines)
        both = known[1:] & known[:-1]
        change = np.where(both, np.diff(lines, axis=0), 0.0)
        for part in (slice(1, None), slice(None, -1)):
            slope[part] += change
            sides[part] += both
        slope = np.moveaxis(slope / np.maximum(sides, 1), 0, axis)
        targets.append(np.rint(np.nonzero(full)[axis] + slope[full] * dt / (BEND * h**2)))
    inside = np.ones(len(targets[0]), dtype=bool)
    for target, n in zip(targets, phi.shape):
        inside &= (target >= 0) & (target < n)
    reached = np.zeros(phi.shape, dtype=bool)
    reached[tuple(target[inside].astype(int) for target in targets)] = True
    if not reached.any():
        return phi
    back = -lower_envelope(np.where(reached, -forth, np.inf), weights, run)
    return np.where(full, phi, back)


def monotone(phi: Values, mass: Values, target: Values, square_over_dt: float) -> Values:
    """Heights on the line whose Laguerre cells hold the masses `target` of a law that is constant on the cells.

    They are right for laws with jumps, of which the heated law's own heights are not. Their constant is that of `phi`
    where the target has its mass.
    """
    edges = np.arange(len(mass) + 1.0)
    below, above = np.append(0.0, np.cumsum(mass)), np.append(np.cumsum(mass[::-1])[::-1], 0.0)
    level, share = np.cumsum(target)[:-1], np.cumsum(target[::-1])[::-1][1:]
    place = np.where(level < 0.5, np.interp(level, below, edges), np.interp(-share, -above, edges))
    heights = np.append(0.0, np.cumsum((place - edges[1:-1]) * square_over_dt))
    return heights + float(target @ (phi - heights)) / float(target.sum())
