"""Example 2 of appendix B.2 of fan2022iclr as it stands: W = x²/2 - log|x| from N(0, 1), and what forward steps do.

The law tends to the semicircle of radius √2 and its variance is ½ + ½ exp(-2t) [docs/math.md 2.2]. `QuantileJKO` takes
backward steps; explicit steps, which the source says are of no use here, are refused with a reason from draws of
N(0, 1), which lie too close together, and run from its quantiles.

`python validation/reproductions/fan2022.py semicircle` writes reports/variational_ring/semicircle.md.
"""

import time
from dataclasses import replace

import numpy as np
from _report import REPORTS, command, markdown_table

import pdeflow as pf

TIMES = (0.5, 1.0, 2.0, 5.0)
FORWARD = {
    "InteractingParticles, 1,000 draws, dt = 0.05": pf.particle.InteractingParticles(1000),
    "VariationalJKO, forward-backward": pf.neural.VariationalJKO(scheme="forward-backward"),
}


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--points", type=int, default=200)


def run(options):
    """Compute the figure and write its report."""
    start = pf.laws.Gaussian(0.0, 1.0)
    problem = replace(pf.problems.log_repulsion(), initial=start, horizon=TIMES[-1], exact=None)
    rest, rows = pf.laws.Semicircle(np.sqrt(2.0)), []
    for dt in (0.1, 0.05, 0.025):
        begin = time.process_time()
        flow = pf.solve(problem, pf.grid.QuantileJKO(points=options.points), dt=dt, times=TIMES)
        seconds = time.process_time() - begin
        for t in TIMES:
            variance, exact = float(flow.at(t).cov()[0, 0]), 0.5 + 0.5 * np.exp(-2 * t)
            gap = pf.metrics.w2(flow.at(t), rest).value
            rows.append(
                [dt, t, f"{variance:.6f}", f"{exact:.6f}", f"{variance - exact:+.1e}", f"{gap:.1e}", f"{seconds:.1f}"]
            )
    refused = []
    for name, method in FORWARD.items():
        try:
            pf.solve(problem, method, dt=0.05, times=TIMES)
        except pf.PdeflowError as error:
            refused.append(f"- {name}: `{type(error).__name__}`. {error}")
        else:
            raise SystemExit(f"{name} ran: this report is out of date.")
    begin = time.process_time()
    even = pf.solve(problem, pf.particle.InteractingParticles(200, start="quantiles"), dt=0.01, times=TIMES)
    seconds = time.process_time() - begin
    told = ", ".join(f"{float(even.at(t).cov()[0, 0]):.6f} at t = {t:g}" for t in (0.5, 5.0))
    gap = pf.metrics.w2(even.final, rest).value
    lines = [
        "# The semicircle from N(0, 1)",
        "",
        f"Made by `{command()}`: QuantileJKO with {options.points} points. The source names this example and",
        "shows no result.",
        "",
        *markdown_table(["dt", "t", "variance", "exact", "difference", "W2 to the semicircle", "CPU seconds"], rows),
        "",
        "## Forward steps",
        "",
        *refused,
        f"- InteractingParticles, 200 quantiles in place of draws, dt = 0.01: runs, with variance {told}, and W2",
        f"  {gap:.1e} to the semicircle at the end, in {seconds:.1f} CPU seconds.",
        "",
    ]
    folder = REPORTS / "variational_ring"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "semicircle.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
