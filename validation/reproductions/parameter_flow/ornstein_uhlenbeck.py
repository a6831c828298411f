"""PWGF with affine maps on Ornstein-Uhlenbeck flows.

Order 1, 2 and 4 in the step for euler, heun and rk4; the explicit-Euler recursion itself.

With T = Uz + v of a Gaussian base law the projection error is zero and the law stays Gaussian: what is left is the
integrator. The steps of euler must be U ← U - h(AU - D U⁻ᵀ Σ_0⁻¹), v ← v - hA(v - b) in the coordinates of the base law
N(0, I) [docs/math.md 4.3], whatever the samples are. `python validation/reproductions/jin2025.py ornstein_uhlenbeck`
writes reports/pwgf_ou/recursion.md: the largest gap of mean and covariance to that recursion; and bounds.md with
bounds.png: from a mixture, where no map here is exact, the true W2 error and the true F - F* beside the a-posteriori
bounds that δ0 gives along the run [docs/math.md 8.2].
"""

from pathlib import Path

import numpy as np
from _report import REPORTS, command
from claims.pwgf_ou import problems
from matplotlib.figure import Figure

import pdeflow as pf
from pdeflow.report.plot.style import COLOURS


def recursion(problem, dt, steps):
    """Mean and covariance after `steps` explicit-Euler steps of the parameters, from the exact Ĝ = I and ∇F
    [docs/math.md 4.3].
    """
    potential, temperature = problem.energy.potential, problem.energy.internal.temperature
    u, v = np.linalg.cholesky(problem.initial.cov()), problem.initial.mean()
    for _ in range(steps):
        u, v = (
            u - dt * (potential.matrix @ u - temperature * np.linalg.inv(u).T),
            v - dt * potential.matrix @ (v - potential.center),
        )
    return v, u @ u.T


TIMES = [0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0]
MAPS = {
    "affine": pf.neural.PWGF(map=pf.neural.Affine(), samples=20_000),
    "planar, 2 layers": pf.neural.PWGF(map=pf.neural.Planar(layers=2), samples=20_000),
    "planar, 8 layers": pf.neural.PWGF(map=pf.neural.Planar(layers=8), samples=20_000),
    "coordinatewise": pf.neural.PWGF(map=pf.neural.Coordinatewise(), samples=20_000),
}


def bounds(out):
    """Rows of the table of bounds, and the figure."""
    rate = 1.2
    start = pf.laws.GaussianMixture([0.35, 0.65], [-1.0, 0.8], [0.4, 0.4])
    problem = pf.problems.mixture_ou(start, rate, 0.4, horizon=TIMES[-1])
    rest = pf.laws.Gaussian(0.4, 1 / rate)
    gap = pf.metrics.kl(start, rest).value
    lines = []
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, (name, method) in zip(COLOURS, MAPS.items(), strict=False):
        flow = pf.solve(problem, method, dt=0.05, times=TIMES)
        at, far = pf.neural.w2_bound(flow, convexity=rate)
        _, high = pf.neural.energy_bound(flow, rate=pf.neural.log_sobolev_rate(rate), gap=gap)
        steps = [int(np.argmin(np.abs(at - t))) for t in TIMES]
        true = [pf.metrics.w2(flow.at(t), problem.exact(t)).value for t in TIMES]
        excess = [pf.metrics.kl(flow.at(t), rest).value for t in TIMES]
        for t, k, w2, energy in zip(TIMES, steps, true, excess, strict=True):
            lines.append(
                f"| {name} | {t:g} | {flow.history[k - 1]['delta0']:.2e} | {w2:.4f} | {far[k]:.4f} | "
                f"{energy:.4f} | {high[k]:.4f} | {gap * np.exp(-2 * rate * t):.4f} |"
            )
        for axes, truth, bound in ((left, true, far), (right, excess, high)):
            axes.plot(at[1:], bound[1:], color=colour, ls="--", lw=1)
            axes.plot(TIMES, truth, color=colour, marker="o", ms=4, lw=1.2, label=name)
    right.plot(at, gap * np.exp(-2 * rate * at), color="#222222", lw=0.9, ls=":", label="gap e^(-2Kt), without δ0")
    left.set(xlabel="t", ylabel="W2 to the exact law", yscale="log", title="solid: true; dashed: bound from δ0")
    right.set(xlabel="t", ylabel="F - F*", yscale="log")
    right.legend(frameon=False, fontsize=8)
    figure.savefig(out / "bounds.png", dpi=110)
    return lines


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--out", type=Path, default=REPORTS / "pwgf_ou")


def run(options):
    """Compute the figure and write its report."""
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["| problem | samples | dt | steps | max gap of the mean | max gap of the covariance |", "|" + " --- |" * 6]
    for problem in [*problems(), pf.problems.ou(6, seed=1), pf.problems.ou(12, seed=2)]:
        for samples in (2000, 200 if problem.dim < 12 else 500):
            steps, dt = 50, 0.01
            method = pf.neural.PWGF(map=pf.neural.Affine(), samples=samples, integrator=pf.neural.Euler())
            law = pf.solve(problem, method, dt=dt, times=[steps * dt]).final
            mean, cov = recursion(problem, dt, steps)
            lines.append(
                f"| ou, d = {problem.dim} | {samples} | {dt} | {steps} | "
                f"{np.abs(law.mean() - mean).max():.1e} | {np.abs(law.cov() - cov).max():.1e} |"
            )
    made = f"Made by `{command()}`"
    text = (
        f"# Affine maps on Ornstein-Uhlenbeck flows\n\n{made}. Gap of the run to the explicit-Euler recursion of "
        "docs/math.md 4.3; the bar is 1e-12.\n\n"
    )
    (options.out / "recursion.md").write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    head = (
        f"# A-posteriori bounds beside the true errors\n\n{made}. V = 0.6 (x - 0.4)², temperature 1, from "
        "0.35 N(-1, 0.4) + 0.65 N(0.8, 0.4), 20,000 samples, adaptive steps. "
        "The bounds hold for the flow in θ with the δ0 of the run's own samples; the integrator's error is "
        "not in them.\n\n![True errors and bounds](bounds.png)\n\n"
        "| map | t | δ0 | W2 to the exact law | its bound | F - F* | its bound | gap e^(-2Kt) |\n"
        + "|"
        + " --- |" * 8
        + "\n"
    )
    rows = bounds(options.out)
    (options.out / "bounds.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    print("\n".join(rows))
