"""ICNN-JKO on the Styblinski-Tang potential.

Order one in dt on the line, and the 30-dimensional flow against its exact KL(t).

Truth of the study: Chang-Cooper on a fine grid. `python validation/reproductions/jin2025.py styblinski_tang_by_icnn`
writes reports/icnn_styblinski/flow.md: KL(t) to the stationary law, the mean and variance of a coordinate and the mass
of its right well, for every t, against the exact figures of docs/math.md 8.3. The potential separates, so KL is d times
the one-dimensional one; the scheme does not know that.
"""

import time
from pathlib import Path

import numpy as np
from _report import REPORTS, command

import pdeflow as pf

EXACT = {
    0.0: 88.5461194365,
    0.3: 49.820229252,
    0.6: 27.345769229,
    0.9: 15.960690570,
    1.2: 10.516888961,
    1.5: 7.970073463,
    1.8: 6.779864779,
}
MEAN, VARIANCE = -0.38981646676, 6.6711166225  # of a coordinate at t = 1.8 [docs/math.md 8.3]
LOG_Z = 154.5142754327 / 30  # of exp(-V) in one dimension, scale 3/50
TOP = 0.15673125678034  # the maximum between the wells


def rows(dim, dt, method, samples):
    """One Markdown line for each time."""
    problem = pf.problems.styblinski_tang(dim)
    begin, lines = time.perf_counter(), []

    def look(step, t, law):
        t = round(t, 10)
        if min(abs(t - known) for known in EXACT) > 1e-9:
            return
        x, log_density = law.sample_with_log_density(samples, np.random.default_rng(1))
        values = log_density + problem.energy.potential.value(x) + dim * LOG_Z
        exact = EXACT[t] * dim / 30
        kl, stderr = values.mean(), values.std(ddof=1) / np.sqrt(samples)
        lines.append(
            f"| {t:g} | {kl:.3f} | {stderr:.3f} | {exact:.4f} | {kl / exact - 1:+.2%} | {x.mean():.4f} | "
            f"{x.var(axis=0).mean():.3f} "
            f"| {(x > TOP).mean():.4f} | {time.perf_counter() - begin:.0f} |"
        )
        print(lines[-1], flush=True)

    pf.solve(problem, method, dt=dt, on_step=look)
    return lines


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--dim", type=int, default=30)
    parser.add_argument("--dt", type=float, default=0.05)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=REPORTS / "icnn_styblinski" / "flow.md")


def run(options):
    """Compute the figure and write its report."""
    method = pf.neural.ICNNJKO(
        width=options.width, iterations=options.iterations, network=pf.neural.Network(depth=options.depth)
    )
    lines = rows(options.dim, options.dt, method, options.samples)
    head = (
        f"# The {options.dim}-dimensional Styblinski-Tang flow\n\nMade by `{command()}` with `{method}`, dt "
        f"= {options.dt}.\n"
        f"At t = 1.8 a coordinate has mean {MEAN:.4f} and variance {VARIANCE:.3f} exactly [docs/math.md 8.3].\n\n"
        "| t | KL to the stationary law | Monte Carlo se | exact | relative error | mean of a coordinate | "
        "variance | mass right of the top | seconds |\n" + "|" + " --- |" * 9 + "\n"
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
