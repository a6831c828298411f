"""What a step reports: the lower bound of the energy, its standard error, and the gap to the energy where that is known."""

import numpy as np

from ...energies.mean_field import mean_energy


def measure(energy, test, x, log_density, batch, rng, n=32768):
    """{bound, bound_stderr[, energy, gap, gap_stderr]} on held-out points x (k·batch, d), with log ρ (k·batch,) where it is known.

    bound : ∫V dρ + the lower bound of ∫U(ρ) dx by the test function + ½∬W dρ dρ (pairs of points of two blocks). gap : ∫U(ρ) dx by log ρ on the
    same points minus its bound; it is >= 0 up to sampling, and 0 where h is optimal. Standard errors are those of the block means. The blocks are
    independent of each other, the points of one need not be.
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
        pairs, own = _interaction(energy.interaction, x.reshape(k, batch, dim))
        value, means = means.mean() + pairs, means + own
    else:
        value = means.mean()
    bound = float(value - reference)
    out = {"bound": bound, "bound_stderr": float(np.hypot(_stderr(means), spread))}
    if test is not None and log_density is not None:
        gaps = energy.internal.per_mass_of_log(log_density).reshape(k, batch).mean(axis=1) - inner
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


def _interaction(kernel, blocks):
    """(½ E W(x - y) over the pairs of points of different blocks, (k,) that of each block with itself, whose spread tells the error of the first); (k, n, d).

    Blocks that are drawn evenly or have the moments of their law repel their own points: their pairs are farther apart than independent ones, by a share of 1/n.
    """
    k, n, _ = blocks.shape
    own = np.array([mean_energy(kernel, block) for block in blocks])
    pairs = []
    for a in range(0, k, 2):
        b = (a + 1) % k
        both = mean_energy(kernel, np.concatenate([blocks[a], blocks[b]]), np.full(2 * n, 1 / n))
        pairs.append((both - own[a] - own[b]) / 2)
    return np.mean(pairs), own
