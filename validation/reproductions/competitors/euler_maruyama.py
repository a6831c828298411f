"""Euler-Maruyama at dt = 0.001 with a kernel density estimate by Scott's rule: the published rows EM_sim.

The authors' estimator on Ornstein-Uhlenbeck flows reads the estimate at the particles that it was made of (the first
1,000 or 10,000 of them), so that each contributes its own kernel, and at as many draws of the truth. On mixtures it
reads it at points drawn from it, as the honest one does everywhere.
"""

import time

import numpy as np
from competitors.rows import Measured, independent_sym_kl

import pdeflow as pf

LABEL = "EM + KDE"
KERNEL_DENSITY = True  # its floor is that of `exact_draws`
SIZES = (1_000, 10_000, 50_000)
PUBLISHED = {size: f"EM_sim_{size}" for size in SIZES}
STEP, HONEST_DRAWS = 1e-3, 5_000


def estimates(experiment, x, truth, seed) -> tuple[float, float]:
    """SymKL of the kernel density of x (n, d) by the authors' estimator and by independent draws."""
    density, draws, rng = pf.laws.KernelDensity(x), min(len(x), 10_000), np.random.default_rng([seed, 1])
    there = density.x[:draws] if experiment == "ornstein_uhlenbeck" else density.sample(draws, rng)
    back = truth.sample(draws, rng)
    authors = np.mean(density.log_density(there) - truth.log_density(there))
    authors += np.mean(truth.log_density(back) - density.log_density(back))
    return float(authors), independent_sym_kl(density, truth, min(draws, HONEST_DRAWS), rng)


def measure(experiment, problem, truths, times, size, seed) -> list[Measured]:
    """One `Measured` for each time."""
    begin = time.process_time()
    laws = pf.solve(problem, pf.particle.EulerMaruyama(size), dt=STEP, times=list(times), seed=seed).laws
    seconds = time.process_time() - begin
    found = [estimates(experiment, law.x, truth, seed) for law, truth in zip(laws, truths, strict=True)]
    return [Measured(*pair, seconds * when / times[-1]) for pair, when in zip(found, times, strict=True)]
