"""The two metrics of jinliu2025slides on the same flows: G by `PFPE`, Ĝ by `PWGF`.

G measures what moves mass, Ĝ every displacement; they agree on the line, and the slides state that the projection error
is smaller in G, and the step dearer. Both run with the same maps and samples, and are judged by exact laws: on
the line, in the plane (Styblinski-Tang), and on the ten-dimensional quadratic of the slides.

`python validation/reproductions/jin2025.py two_metrics` writes reports/pwgf_ou/two_metrics.md.
"""

import time

import numpy as np
from _report import REPORTS, command, markdown_table
from claims.pwgf_quadratic import problem as quadratic
from parameter_flow.styblinski_tang import truth

import pdeflow as pf

METHODS = {"Ĝ (PWGF)": pf.neural.PWGF, "G (PFPE)": pf.neural.PFPE}


def kl_above(dim):
    """A function of a law at t = 0.3: its KL to the stationary law over the exact one, less 1."""
    line, exact, rest = truth(0.06)
    at = rest.centers[0]
    log_z = np.log(np.sum(np.exp(-line.energy.potential.value(at[:, None])) * np.diff(rest.axes[0])))
    problem, known = pf.problems.styblinski_tang(dim, 0.06), dim * pf.metrics.kl(exact.at(0.3), rest).value

    def error(law):
        x, log_density = law.sample_with_log_density(100_000, np.random.default_rng(1))
        value = np.mean(log_density + problem.energy.potential.value(x)) + dim * log_z
        return f"KL {value / known - 1:+.2%}"

    return error


def cases():
    """Rows of: name, problem, map, samples, dt, time, error of a law in words."""
    start = pf.laws.GaussianMixture([0.35, 0.65], [-1.0, 0.8], [0.4, 0.4])
    line, ten = pf.problems.mixture_ou(start, 1.2, 0.4, horizon=1.0), quadratic()

    def w2(problem, t):
        def error(law):
            if law.dim > 1 and not isinstance(law, pf.laws.Gaussian):
                law = pf.laws.Particles(law.sample(1_000_000, np.random.default_rng(1)))
                law = pf.laws.Gaussian(law.mean(), law.cov())
            return f"W2 {pf.metrics.w2(law, problem.exact(t)).value:.1e}"

        return error

    planar, bare = pf.neural.Planar(layers=4), pf.neural.Planar(layers=8, affine=False)
    dozen = pf.neural.Planar(layers=12, affine=False)
    return [
        ("mixture on the line", line, planar, 2000, 0.1, 1.0, w2(line, 1.0)),
        ("Styblinski-Tang, d = 2", pf.problems.styblinski_tang(2, 0.06), bare, 4000, 0.05, 0.3, kl_above(2)),
        ("quadratic, d = 10", ten, pf.neural.Affine(), 200, 0.05, 2.0, w2(ten, 2.0)),
        ("quadratic, d = 10", ten, dozen, 1000, 0.05, 0.25, w2(ten, 0.25)),
    ]


def arguments(parser):
    """This figure has no options."""


def run(options):
    """Compute the table and write its report."""
    rows = []
    for name, problem, kind, samples, dt, t, error in cases():
        for word, method in METHODS.items():
            begin = time.process_time()
            ours = method(map=kind, samples=samples, integrator=pf.neural.Adaptive(tolerance=1e-3))
            cells = [name, repr(kind), samples, dt, t, word]
            try:
                flow = pf.solve(problem, ours, dt=dt, times=[t])
            except pf.PdeflowError as reason:
                rows.append([*cells, "", "", f"{type(reason).__name__}: {str(reason)[:80]}", ""])
                continue
            first, last = flow.history[0]["delta0"], flow.history[-1]["delta0"]
            seconds = time.process_time() - begin
            rows.append([*cells, f"{first:.2e}", f"{last:.2e}", error(flow.final), f"{seconds:.1f}"])
            print(rows[-1], flush=True)
    columns = [
        "problem",
        "map",
        "samples",
        "dt",
        "t",
        "metric",
        "δ0 of the first step",
        "δ0 of the last",
        "error",
        "CPU s",
    ]
    lines = [
        "# The two metrics of parametric flows",
        "",
        f"Made by `{command()}`: adaptive steps, the same maps and samples for both. δ0 is the squared distance of the",
        "velocity of the flow from what the map can do, in the metric of the line, at the run's own points. Errors are",
        "to the exact law: W2, of the Gaussians of the moments where d > 1 (by 1,000,000 draws, but for affine maps),",
        "or KL to the stationary law relative to the exact one.",
        "",
        *markdown_table(columns, rows),
        "",
        "As the slides say, δ0 of the first step is smaller in G where the map is not exact, equal on the line,",
        "and it costs more.",
        "",
    ]
    folder = REPORTS / "pwgf_ou"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "two_metrics.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
