"""Whether a step is too large for a drift: without noise, steps from the cloud then overshoot farther and farther."""

import numpy as np

from ..._core.errors import BadInput, Diverged
from ..._core.shapes import Points
from ...energies.mean_field import mean_force
from .drift import Cloud, Drift

PROBES = 128  # particles that are followed, each moved by noise to both sides
PAIRS = 4  # steps in a row that must overshoot
OVERSHOOT = 1 + 1e-4  # of the force before, turned round
GROWTH = 16.0  # of the mean squared force over the steps that overshoot
MOST_LOOKED_AT, MOST_OVERSHOOTING = 32, 1000


@np.errstate(over="ignore", invalid="ignore")  # an infinite size ends the look, an infinite growth is named
def refuse_overshooting(cloud: Cloud, dt: float, steps: int) -> None:
    """`Diverged` where steps of length dt without noise, from the cloud on, turn the force round and make it grow.

    Over at least four steps in a row the force g of the next step has <g', g> < -<g, g> over the particles: in a
    quadratic valley of curvature λ that is dt λ > 2, where the cloud grows without bound, finite for long or not. A
    stable scheme ends in forces that do not grow: by Cauchy's inequality <g', g> >= -<g, g> wherever <g', g'> is not
    larger. A kink makes particles jump to and fro with forces that stay the same. At most 128 particles are followed,
    each moved by one and two steps of noise to both sides, for as many steps as were taken, at most 32, and longer
    only while they overshoot.
    """
    if cloud.drift.linear_rate is not None:  # then dt is judged by its largest rate, see `Drift`
        return
    x = _followed(cloud, dt)
    finest = 1e-10 * float(np.max(np.abs(x))) if x.size else 0.0
    force = _force(cloud.drift, x)
    row, first = 0, 0.0
    for number in range(MOST_OVERSHOOTING):
        size = float(np.sum(force * force))
        if not 0 < size < np.inf or dt * np.sqrt(size / len(x)) <= finest:
            return
        x = x - dt * force
        new = _force(cloud.drift, x)
        turned = float(np.sum(new * force)) < -OVERSHOOT * size
        first = size if turned and row == 0 else first
        row = row + 1 if turned else 0
        growth = float(np.sum(new * new)) / first if turned else 0.0
        if row >= PAIRS and growth > GROWTH:
            factor = growth ** (0.5 / row)
            raise Diverged(
                f"dt = {dt:g} is too large for the drift: from step {cloud.steps} on (t = {cloud.steps * dt:.6g}), and "
                f"without noise, {row} steps in a row overshoot, and each multiplies the force by {-factor:.4g}. The "
                f"cloud grows without bound, or jumps to and fro, finite for long or not. Use dt below about "
                f"{2 * dt / (1 + factor):.3g}; accuracy asks for much less.",
                step=cloud.steps,
                dt=dt,
                factor=factor,
            )
        if not turned and number + 1 >= min(steps, MOST_LOOKED_AT):
            return
        force = new


def _followed(cloud: Cloud, dt: float) -> Points:
    """Some of the particles, moved by noise to both sides: what grows up to there alone has a bound."""
    x = cloud.x[:: -(-len(cloud.x) // PROBES)]
    noise = np.sqrt(2 * cloud.drift.temperature * dt)
    return np.concatenate([x + share * noise for share in (-2, -1, 1, 2)]) if noise > 0 else x


def _force(drift: Drift, x: Points) -> Points:
    """∇V + ∇W*ρ for ρ the empirical law of x (n, d); 0 where it is not finite, for what lies out there is lost."""
    total = np.zeros_like(x)
    with np.errstate(all="ignore"):
        try:
            if drift.potential is not None:
                total = total + np.asarray(drift.potential.grad(x.copy()), dtype=float)
            if drift.kernel is not None and len(x) > 1:
                total = total + mean_force(drift.kernel, x)
        except BadInput:  # V has no finite gradient there: no verdict
            return np.zeros_like(x)
    return np.where(np.isfinite(total), total, 0.0)
