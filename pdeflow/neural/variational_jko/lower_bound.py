"""What a step reports: the lower bound of the energy, its standard error, the gap to the energy where known."""

from __future__ import annotations

import numpy as np

from ..._core.shapes import Points, Values, Vector
from .dual_function import TestFunction
from .particle_energy import ParticleEnergy

DRAWS = 32_768  # of the reference


def lower_bound(
    outer: ParticleEnergy,
    test: TestFunction | None,
    x: Points,
    log_density: Values | None,
    batch: int,
    rng: np.random.Generator,
    center: Vector | float = 0.0,
) -> dict[str, float]:
    """The bound of the energy of a law by points that nothing was trained on.

    Parameters
    ----------
    outer : ParticleEnergy
        Potential and interaction.
    test : TestFunction or None
        That of the internal energy; None without one.
    x : (k·batch, d) array
        Points of the law, in blocks. The blocks are independent of each other, the points of one need not be.
    log_density : (k·batch,) array or None
        log ρ at the points, where it is known.
    rng : Generator
        Draws the reference.
    center : (d,) array or 0
        Where the law lies, if far from 0: sums of differences of points are taken about it.

    Returns
    -------
    dict
        bound: ∫V dρ + the lower bound of ∫U(ρ) dx by the test function + ½∬W dρ dρ (pairs of points of two blocks), and
        bound_stderr. Where log ρ is known also energy, gap and gap_stderr: ∫U(ρ) dx by log ρ on the same points minus
        its bound; the gap is >= 0 up to sampling, and 0 where h is optimal. Standard errors are those of the block
        means.
    """
    blocks = x.reshape(-1, batch, x.shape[1])
    means, inner, taken, spread = np.zeros(len(blocks)), None, 0.0, 0.0
    if test is not None:
        inner = test.at_law(x).reshape(-1, batch).mean(axis=1)
        taken, spread = test.at_reference(rng, DRAWS)
        means = means + inner
    potential, interaction = outer.potential_of_blocks(blocks), outer.interaction_of_blocks(blocks - center)
    if potential is not None:
        means = means + potential
    value = means.mean()
    if interaction is not None:
        pairs, own = interaction
        value, means = value + pairs, means + own
    bound = float(value - taken)
    out = {"bound": bound, "bound_stderr": float(np.hypot(_stderr(means), spread))}
    if test is not None and inner is not None and log_density is not None:
        known = np.asarray(test.internal.per_mass_of_log(log_density))
        gaps = known.reshape(-1, batch).mean(axis=1) - inner
        gap = float(gaps.mean() + taken)
        out |= {"energy": bound + gap, "gap": gap, "gap_stderr": float(np.hypot(_stderr(gaps), spread))}
    return out


def gain(before: TestFunction, after: TestFunction, x: Points, rng: np.random.Generator) -> float:
    """How much the bound of ∫U(ρ) dx on the held-out points x (n, d) rose from one test function to another."""
    state = rng.bit_generator.state
    taken = before.at_reference(rng, DRAWS)[0]
    rng.bit_generator.state = state  # the same draws for both
    return float((after.at_law(x) - before.at_law(x)).mean() - after.at_reference(rng, DRAWS)[0] + taken)


def _stderr(means):
    return means.std(ddof=1) / np.sqrt(len(means))
