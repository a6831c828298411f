"""Starts times potentials times horizons on ChangCooper: is what it hands out right, and what it refuses not?

Each run on 400 cells of the automatic domain is held against 64 times as many cells there, with the same steps: what is
left is due to the cells. The bar: no run is accepted whose mean is off by more than 0.05 standard deviations, its
variance by 20 % (a cell of one deviation adds 8 %) or its distribution function by 0.03. Refusals of runs within
these limits are counted; they have no bar.

Run: python validation/batteries/resolution.py [--quick] [--out FILE]; exit code 1 where a bar is missed.
"""

import argparse
import pathlib
import sys

import numpy as np
from scipy import stats

import pdeflow as pf

LIMITS = {"mean": 0.05, "variance": 0.2, "level": 0.03}
FINER = 64


def function(value):
    """A potential Σ value(x_i) without gradient, which ChangCooper does not ask for."""
    return pf.potentials.FromFunction(lambda x: value(x).sum(-1))


STARTS = {
    "N(0, 1)": pf.laws.Gaussian(0, 1),
    "N(1, 1)": pf.laws.Gaussian(1, 1),
    "N(3, 1/4)": pf.laws.Gaussian(3, 0.25),
    "N(0, 1e-6)": pf.laws.Gaussian(0, 1e-6),
    "N(10, .01)": pf.laws.Gaussian(10, 0.01),
    "N(100, .01)": pf.laws.Gaussian(100, 0.01),
    "N(1e4, .01)": pf.laws.Gaussian(1e4, 0.01),
    "U(-1, 1)": pf.laws.Uniform(-1, 1),
    "U(999, 1001)": pf.laws.Uniform(999, 1001),
    "two narrow": pf.laws.GaussianMixture([0.5, 0.5], [-5, 5], 0.01),
    "Laplace": pf.laws.FromQuantile(stats.laplace.ppf),
    "lognormal": pf.laws.FromQuantile(lambda u: stats.lognorm.ppf(u, 1.0)),
    "Student 6": pf.laws.FromQuantile(lambda u: stats.t.ppf(u, 6)),
    "Student 3": pf.laws.FromQuantile(lambda u: stats.t.ppf(u, 3)),
}
POTENTIALS = {
    "x²/2": (pf.potentials.Quadratic(1.0), 1.0),
    "x²/2, T = .001": (pf.potentials.Quadratic(1.0), 1e-3),
    "50 x²": (pf.potentials.Quadratic(100.0), 1.0),
    "5000 x²": (pf.potentials.Quadratic(1e4), 1.0),
    "x⁴/4": (function(lambda x: x**4 / 4), 1.0),
    "(x² - 1)², T = .2": (function(lambda x: (x**2 - 1) ** 2), 0.2),
    "|x|": (function(np.abs), 1.0),
    "x²/2 + sin 5x": (function(lambda x: x**2 / 2 + np.sin(5 * x)), 1.0),
}


def errors_of(law, fine):
    """Errors of the mean in deviations, of the variance (relative) and of the distribution function."""
    variance, edges = fine.cov()[0, 0], law.axes[0]
    return {
        "mean": abs(law.mean()[0] - fine.mean()[0]) / np.sqrt(variance),
        "variance": abs(law.cov()[0, 0] / variance - 1),
        "level": np.abs(law.cdf(edges) - fine.cdf(edges)).max(),
    }


def judged(start, potential, temperature, horizon):
    """("accepted" or "refused", the errors against many more cells, or None where the domain has no automatic ends)."""
    problem = pf.Problem(pf.Energy(potential, pf.Entropy(temperature)), start, horizon)
    method = pf.grid.ChangCooper(400)
    try:
        state = method.advance(problem, method.init(problem, None), horizon / 20, 20, None)
    except pf.BadInput:
        return "refused", None
    edges = state.grid.edges
    verdict = "accepted"
    try:
        method.law(state)
    except pf.BadInput:
        verdict = "refused"
    finer = pf.grid.ChangCooper(400 * FINER, float(edges[0]), float(edges[-1]))
    fine = finer.advance(problem, finer.init(problem, None), horizon / 20, 20, None)
    return verdict, errors_of(pf.laws.GridLaw((edges,), state.mass), pf.laws.GridLaw((fine.grid.edges,), fine.mass))


def main():
    """Print the table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    lines = ["| potential | start | horizon | verdict | mean | variance | level | |", "|" + 8 * "---|"]
    counts = {"accepted": 0, "refused": 0, "accepted and wrong": 0, "refused and right": 0}
    for name, (potential, temperature) in list(POTENTIALS.items())[:: 3 if options.quick else 1]:
        for start_name, start in list(STARTS.items())[:: 3 if options.quick else 1]:
            for horizon in (0.05, 1.0, 10.0):
                verdict, errors = judged(start, potential, temperature, horizon)
                counts[verdict] += 1
                if errors is None:
                    continue
                wrong = any(errors[key] > limit for key, limit in LIMITS.items())
                note = {("accepted", True): "accepted and wrong", ("refused", False): "refused and right"}
                note = note.get((verdict, wrong), "")
                counts[note] = counts.get(note, 0) + 1
                numbers = " | ".join(f"{errors[key]:.1e}" for key in LIMITS)
                lines.append(f"| {name} | {start_name} | {horizon:g} | {verdict} | {numbers} | {note} |")
    lines.append("\n" + ", ".join(f"{key} {count}" for key, count in counts.items() if key) + ".")
    print("\n".join(lines))
    if options.out:
        heading = "# What ChangCooper hands out and refuses\n\nMade by `python validation/batteries/resolution.py`.\n"
        options.out.write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")
    return 1 if counts["accepted and wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
