"""VariationalJKO on the porous medium equation ∂tρ = Δρ², beside the exact JKO sequence, the Barenblatt law and the
grid program.

`python validation/reproductions/fan2022.py porous_medium --scale paper` writes reports/variational_porous/paper.md and
paper.png. On the line it is fan2022iclr's setting (t_0 = 0.002, dt = 0.001, 20 steps): the JKO sequence itself is 1.15
% behind the equation in radius, and CvxoptJKO at the 300 cells that fan2022iclr took as truth is 2.0 % behind the JKO
sequence. In d = 2, 3 (t from 0.1 to 0.6) and d = 6 (the authors' d = 6: t_0 = 0.001, dt = 0.0005).
"""

import time
from pathlib import Path

import numpy as np
from _report import REPORTS, command
from claims.variational_ou import MAPS

import pdeflow as pf

SETTINGS = {1: (0.002, 0.001, 20), 2: (0.1, 0.05, 10), 3: (0.1, 0.05, 10), 6: (0.001, 0.0005, 20)}  # d: t_0, dt, steps
CELLS = {"quick": [100, 200, 300], "paper": [100, 200, 300, 400, 800]}
LEVELS = 200_001  # quantile levels that a law on the line is judged at


def line_figures(law, iterate, flow):
    """√M2, support radius and the L1 distances to the exact JKO iterate and to the equation's law, of a law on the
    line.
    """
    if isinstance(law, pf.laws.GridLaw):
        edges, mass = law.axes[0], law.mass
        second, occupied = law.cov()[0, 0], np.flatnonzero(mass > 1e-9)
        radius = (edges[occupied[-1] + 1] - edges[occupied[0]]) / 2
    else:
        u = (1 - np.cos(np.pi * np.arange(LEVELS) / (LEVELS - 1))) / 2
        x = law.quantile(u)
        edges = np.linspace(-1.05, 1.05, 401) * max(flow.radius, np.abs(x).max())
        mass = np.diff(np.interp(edges, x, u))
        middle, weight = (x[1:] + x[:-1]) / 2, np.diff(u)
        second, radius = weight @ (middle - weight @ middle) ** 2, (x[-1] - x[0]) / 2
    gaps = [np.abs(mass - np.diff(other.cdf(edges))).sum() for other in (iterate, flow)]
    return np.sqrt(second), radius, *gaps


class Monotone:
    """The law on the line of a push-forward whose maps need not be known to increase.

    Its quantile function where they do.
    """

    def __init__(self, law):
        self.law = law

    def quantile(self, u):
        x = self.law.push(self.law.base.quantile(u)[:, None])[:, 0]
        if np.any(np.diff(x) < 0):
            raise pf.Diverged(f"The map of {self.law!r} turns back, so it is no optimal map. Train longer.")
        return x


def variational(kind, outer):
    # a residual network follows the noise of the batches at the rate that suits the other maps
    rate = 0.025 if kind == "residual" else 0.05
    return pf.neural.VariationalJKO(
        map=MAPS[kind], outer=outer, learning_rate=rate, training=pf.neural.Training(pool=131_072)
    )


def line(scale, kinds, outer):
    """Markdown of the 1-D table, and the laws for the figure."""
    start, dt, steps = SETTINGS[1]
    problem = pf.problems.porous_medium(start=start, horizon=dt * steps)
    iterate, flow = pf.exact_jko(problem, dt=dt).final, problem.exact(problem.horizon)
    laws = {"exact JKO sequence": (iterate, 0.0), "equation (Barenblatt)": (flow, 0.0)}
    methods = {f"CvxoptJKO, {n} cells": pf.grid.CvxoptJKO(cells=n, lower=-0.8, upper=0.8) for n in CELLS[scale]}
    methods["QuantileJKO, 1000 points"] = pf.grid.QuantileJKO(points=1000)
    methods |= {f"VariationalJKO, {kind} map": variational(kind, outer) for kind in kinds}
    for name, method in methods.items():
        begin = time.perf_counter()
        law = pf.solve(problem, method, dt=dt).final
        laws[name] = Monotone(law) if isinstance(law, pf.laws.PushForward) else law, time.perf_counter() - begin
    lines = [
        "| law at t_0 + 0.02 | √M2 | off the JKO sequence | support radius | off the JKO sequence | L1 to "
        "the JKO sequence | L1 to the equation | seconds |",
        "|" + " --- |" * 8,
    ]
    figures = {name: line_figures(law, iterate, flow) for name, (law, _) in laws.items()}
    root, radius, *_ = figures["exact JKO sequence"]
    for name, (spread, reach, near, far) in figures.items():
        lines.append(
            f"| {name} | {spread:.6f} | {100 * (spread / root - 1):+.3f} % | {reach:.6f} | "
            f"{100 * (reach / radius - 1):+.3f} % | {near:.4f} | {far:.4f} "
            f"| {laws[name][1]:.0f} |"
        )
    return lines, {name: law for name, (law, _) in laws.items()}, figures


def picture(laws, figures, path):
    """Densities at the last time with a histogram of draws of the first VariationalJKO run, and the error of the grid
    program against its cells beside the effect that it was meant to show.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, law in laws.items():
        if isinstance(law, pf.laws.GridLaw):
            if name.startswith(("CvxoptJKO, 300", "CvxoptJKO, 200")):
                left.stairs(law.mass / np.diff(law.axes[0]), law.axes[0], label=name, lw=0.8)
            continue
        u = np.linspace(0, 1, 401)
        x = law.quantile(u)
        if name.startswith(("exact", "equation", "VariationalJKO")):
            left.plot((x[1:] + x[:-1]) / 2, np.diff(u) / np.diff(x), label=name, lw=1.0)
    first = next((law for name, law in laws.items() if name.startswith("VariationalJKO")), None)
    if first is not None:
        draws = first.quantile(np.sort(np.random.default_rng(0).uniform(size=20_000)))
        left.hist(draws, bins=80, density=True, color="C0", alpha=0.2, label="20,000 draws of VariationalJKO")
    left.set(xlabel="x", ylabel="density", xlim=(-0.75, 0.75))
    left.legend(fontsize=6)
    root = figures["exact JKO sequence"][0]
    cells = sorted(int(name.split()[1]) for name in laws if name.startswith("Cvxopt"))
    right.loglog(cells, [abs(figures[f"CvxoptJKO, {n} cells"][0] / root - 1) for n in cells], "o-", label="CvxoptJKO")
    right.axhline(
        abs(figures["equation (Barenblatt)"][0] / root - 1),
        color="k",
        label="equation against the JKO sequence: the effect",
    )
    ours = [name for name in figures if name.startswith("VariationalJKO")]
    for name, style in zip(ours, ("--", ":", "-.")):
        right.axhline(abs(figures[name][0] / root - 1), ls=style, color="C1", label=name)
    right.axvline(300, color="grey", lw=0.5)
    right.set(xlabel="cells on [-0.8, 0.8]", ylabel="relative error of √M2")
    right.legend(fontsize=6)
    figure.savefig(path, dpi=110)


def higher(dim, kind, outer, seed, samples=1_000_000):
    """One row: √M2 of the model, of the exact JKO iterate at the same dt and of the equation."""
    start, dt, steps = SETTINGS[dim]
    problem = pf.problems.porous_medium(dim=dim, start=start, horizon=dt * steps)
    iterate, flow = pf.exact_jko(problem, dt=dt).final, problem.exact(problem.horizon)
    begin = time.perf_counter()
    law = pf.solve(problem, variational(kind, outer), dt=dt, seed=seed).final
    seconds = time.perf_counter() - begin
    x = law.sample(samples, np.random.default_rng(seed + 1))
    r2 = ((x - x.mean(axis=0)) ** 2).sum(axis=1)
    root, stderr = np.sqrt(r2.mean()), r2.std() / (2 * np.sqrt(r2.mean() * samples))
    known, there = np.sqrt(iterate.second_moment), np.sqrt(flow.second_moment)
    begun = np.sqrt(problem.initial.second_moment)
    return (
        f"| {dim} | {start:g} | {dt:g} | {steps} | {kind} | {begun:.5f} | {there:.5f} | {known:.5f} | "
        f"{root:.5f} | {stderr:.1g} | {100 * (root / known - 1):+.2f} % "
        f"| {100 * (np.sqrt(r2.max()) / iterate.radius - 1):+.2f} % | {seconds:.0f} |"
    )


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--dims", type=int, nargs="*", default=[1, 2, 3, 6])
    parser.add_argument("--maps", nargs="*", default=["linear", "icnn", "residual"])
    parser.add_argument("--outer", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)


def run(options):
    """Compute the figure and write its report."""
    outer = options.outer or (100 if options.scale == "quick" else 400)
    out = options.out or REPORTS / "variational_porous" / f"{options.scale}.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# VariationalJKO on the porous medium equation",
        "",
        f"Made by `{command()}`: m = 2, {outer} outer iterations a step, mass one.",
        "",
    ]
    if 1 in options.dims:
        table, laws, figures = line(options.scale, options.maps, outer)
        picture(laws, figures, out.with_suffix(".png"))
        lines += ["## d = 1: t_0 = 0.002, dt = 0.001, 20 steps (fan2022iclr section 4.3)", "", *table, ""]
        lines += [
            f"![densities, and the error of the grid program against its cells]({out.with_suffix('.png').name})",
            "",
        ]
    if set(options.dims) - {1}:
        lines += [
            "## Higher dimension",
            "",
            "| d | t_0 | dt | steps | map | √M2 at the start | equation | exact JKO | model | se | model off "
            "exact JKO | farthest of the sample off the JKO radius | seconds |",
            "|" + " --- |" * 13,
        ]
        for dim in options.dims:
            for kind in options.maps if dim > 1 else ():
                lines.append(higher(dim, kind, outer, options.seed))
                print(lines[-1], flush=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
