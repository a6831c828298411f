"""Dual JKO with the step of the published runs, 0.1; the size is the number of bumps beside the quadratic functions.

The published runs have cubic polynomials on a box, a quadratic penalty with 1e-6 in place of the entropic one, 20,000
uniform pairs (x, y) and L-BFGS; there is none for the mixtures. `pf.neural.DualJKO` says where it differs.

*Authors* takes the constant, KL(model, truth) as the mean of r log r and KL(truth, model) as that of -log r, r =
model/truth, from the same 10,000 draws of the truth. *Honest* draws from both laws, 2 (r - 1)/(r + 1) log r averaged
over their even mixture, where the constant comes from draws of the model's own reference and the draws of the model are
weighted ones; on the line it is quadrature.
"""

import time

import numpy as np
from competitors.rows import Measured

import pdeflow as pf

LABEL = "dual JKO"
SIZES = (0, 100)
PUBLISHED = {0: "dual_jko", 100: "dual_jko"}
STEP, DRAWS, OWN_DRAWS = 0.1, 10_000, 50_000


def authors_sym_kl(law, truth, rng):
    """SymKL by the estimator of the published code."""
    x = truth.sample(DRAWS, rng)
    log_ratio = law.log_unnormalised(x) - truth.log_density(x)
    log_ratio -= log_ratio.max() + np.log(np.mean(np.exp(log_ratio - log_ratio.max())))
    return float(np.mean(np.exp(log_ratio) * log_ratio) - np.mean(log_ratio))


def honest_sym_kl(law, truth, rng):
    """SymKL by draws of both laws."""
    if law.dim == 1:
        return pf.metrics.sym_kl(law, truth).value
    law, total = law.normalised(OWN_DRAWS, rng), 0.0
    cloud = law.importance_sample(OWN_DRAWS, rng)
    ours = (cloud.x, cloud.weights)
    theirs = (truth.sample(OWN_DRAWS, rng), np.full(OWN_DRAWS, 1 / OWN_DRAWS))
    for x, weights in (ours, theirs):
        log_ratio = law.log_density(x) - truth.log_density(x)
        total += 0.5 * float(weights @ (2 * np.tanh(log_ratio / 2) * log_ratio))
    return total


def measure(experiment, problem, truths, times, size, seed) -> list[Measured]:
    """One `Measured` for each time."""
    begin = time.process_time()
    laws = pf.solve(problem, pf.neural.DualJKO(bumps=size), dt=STEP, times=list(times), seed=seed).laws
    seconds = time.process_time() - begin
    rng = np.random.default_rng([seed, problem.dim])
    return [
        Measured(authors_sym_kl(law, truth, rng), honest_sym_kl(law, truth, rng), seconds * when / times[-1])
        for law, truth, when in zip(laws, truths, times, strict=True)
    ]
