"""What a step reports: the lower bound of the energy, its standard error, and the gap to the energy where that is known."""

import numpy as np

from ...mean_field import mean_energy


def measure(energy, test, x, log_density, batch, rng, n=32768):
    """{bound, bound_stderr[, energy, gap, gap_stderr]} on held-out points x (k·batch, d), with log ρ (k·batch,) where it is known.

    bound : ∫V dρ + the lower bound of ∫U(ρ) dx by the test function + ½∬W dρ dρ (pairs within a block). gap : ∫U(ρ) dx by log ρ on the
    same points minus its bound; it is >= 0 up to sampling, and 0 where h is optimal. Standard errors are those of the block means.
    """
    k, dim = len(x) // batch, x.shape[1]
    means, reference, spread = np.zeros(k), 0.0, 0.0
    if test is not None:
        inner = test.at_law(x).reshape(k, batch).mean(axis=1)
        reference, spread = test.at_reference(rng, n)
        means = means + inner
    if energy.potential is not None:
        means = means + energy.potential.value(x).reshape(k, batch).mean(axis=1)
    if energy.interaction is not None:
        means = means + np.array([_pairs(energy.interaction, part) for part in x.reshape(k, batch, dim)])
    bound = float(means.mean() - reference)
    out = {"bound": bound, "bound_stderr": float(np.hypot(_stderr(means), spread))}
    if test is not None and log_density is not None:
        gaps = energy.internal.per_mass(log_density).reshape(k, batch).mean(axis=1) - inner
        gap = float(gaps.mean() + reference)
        out |= {"energy": bound + gap, "gap": gap, "gap_stderr": float(np.hypot(_stderr(gaps), spread))}
    return out


def gain(before, after, x, rng, n=32768):
    """How much the bound of ∫U(ρ) dx on the held-out points x (k, d) rose from one test function to another."""
    state = rng.bit_generator.state
    taken = before.at_reference(rng, n)[0]
    rng.bit_generator.state = state  # the same draws for both
    return float((after.at_law(x) - before.at_law(x)).mean() - after.at_reference(rng, n)[0] + taken)


def _stderr(means):
    return means.std(ddof=1) / np.sqrt(len(means))


def _pairs(kernel, x):
    """½ E W(x_i - x_j) over the pairs i ≠ j of a block, (n, d)."""
    n = len(x)
    whole = mean_energy(kernel, x)  # leaves out i = j where W(0) is infinite, and counts them elsewhere
    own = 0.0 if getattr(kernel, "singular", False) else float(kernel.value(np.zeros((1, x.shape[1])))[0]) / (2 * n)
    return (whole - own) * n / (n - 1)
