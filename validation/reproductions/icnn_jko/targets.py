"""Are the draws of `problems.mixture_target(..., ensemble="mokrov")` the targets of the published runs? Their particle
runs say so.

The published Euler-Maruyama runs (CPU, seeded right before the target is drawn) are functions of target and seed.
Redone here from the same two seeds on the target of the catalogue, the halves of SymKL must come out as published, to
the rounding of single precision over 4000 steps; on any other target they differ by tenths. `python
validation/reproductions/mokrov2022.py targets` writes reports/mokrov_targets/check.md.
"""

import zlib

import numpy as np
import torch
from _report import REPORTS
from scipy.stats import gaussian_kde

import pdeflow as pf

# dim, components, experiment, key: kl_train and kl_target of EM_sim_1000 in the results folder of the published code
RUNS = [
    (2, 5, 0, "venus", 0.30880945710147323, 0.17761023262465336),
    (12, 10, 3, "uran", 15.265859315187551, 3.9217274261062656),
]
PARTICLES, STEP, STEPS = 1000, 1e-3, 4000


def halves(dim, components, experiment, key):
    """KL(KDE of the particles, target) and KL(target, KDE), from the published seeds."""
    means = pf.problems.mixture_target(
        dim, components, 5.0, experiment, ensemble="mokrov"
    ).energy.potential.mixture.means
    numbers = np.random.RandomState(zlib.crc32(f"{key}@{dim}@{experiment}numpy".encode()))
    torch.manual_seed(zlib.crc32(f"{key}@{dim}@{experiment}pytorch".encode()))
    torch.rand(components, dim)  # what the means took of the stream
    means = torch.tensor(means, dtype=torch.float32)
    parts = torch.distributions.Independent(torch.distributions.Normal(means, torch.tensor([1.0])), 1)
    target = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(components)), parts)
    x = torch.distributions.MultivariateNormal(torch.zeros(dim), 16 * torch.eye(dim)).sample((PARTICLES,))
    spread = torch.tensor(np.sqrt(STEP), dtype=torch.float32)
    for _ in range(STEPS):
        noise = torch.normal(torch.tensor(0.0), spread, (PARTICLES, dim))
        away = means - x[:, None]
        drift = (torch.softmax(-(away**2).sum(-1) / 2, 1)[..., None] * away).sum(1)
        x = x + drift * STEP + np.sqrt(2.0) * noise
    density = pf.laws.KernelDensity(x.numpy().astype(float))
    # drawn as the published code drew, by the resampling of scipy
    model = gaussian_kde(density.x.T).resample(PARTICLES, seed=numbers).T
    there = density.log_density(model).mean() - target.log_prob(torch.tensor(model, dtype=torch.float32)).mean().item()
    truth = target.sample((PARTICLES,))
    back = target.log_prob(truth).mean().item() - density.log_density(truth.numpy().astype(float)).mean()
    return there, back


def arguments(parser):
    """The options of this figure on the command line."""


def run(options):
    """Compute the figure and write its report."""
    lines = [
        "# The targets of the published mixture runs",
        "",
        "Made by `python validation/reproductions/mokrov2022.py targets`: the published particle runs (1000 "
        "particles, dt = 0.001, kernel density estimate) redone from their seeds on the targets of",
        '`problems.mixture_target(..., ensemble="mokrov")`. Equal figures mean equal targets. kl_train is on',
        "points drawn from the "
        "kernel density by an SVD whose signs are the library's, so in higher dimension only kl_target must "
        "agree.",
        "",
        "| d | experiment | kl_train here | published | kl_target here | published |",
        "|" + " --- |" * 6,
    ]
    for dim, components, experiment, key, *told in RUNS:
        there, back = halves(dim, components, experiment, key)
        lines.append(f"| {dim} | {experiment} | {there:.6f} | {told[0]:.6f} | {back:.6f} | {told[1]:.6f} |")
        print(lines[-1], flush=True)
    out = REPORTS / "mokrov_targets" / "check.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
