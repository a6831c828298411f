"""Metrics and energies of random Gaussian mixtures on the line, against closed forms and dense quadrature.

Mixtures have 1 to 6 components, distances to 1e6 and widths from 1e-4 on. Every answer must be right to 1e-8 relative
or be a typed error. Closed forms: l2, powers 2 and 3, quadratic and quartic potentials and interactions, |z| and
Gaussian kernels. Truth of l1, kl and the entropy: Gauss-Legendre with 20 points on panels of a quarter of a deviation
around every centre, out to 40 deviations, in extended precision (80 bits); panels of l1 are cut at the crossings, which
are found by bisection between all neighbouring points.

Run: python validation/batteries/mixtures.py [--quick] [--out FILE]
"""

import argparse
import itertools
import resource
import sys
import time
from pathlib import Path

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import erf

import pdeflow as pf

REAL = np.longdouble
BAR, ANSWERED, SECONDS, MEGABYTES = 1e-8, 0.97, 30.0, 1024.0


def mixture(rng, centres=None):
    """A random mixture; with `centres` given, half of the components sit near these."""
    count = int(rng.integers(1, 7))
    weights = rng.dirichlet(np.ones(count))
    means = rng.uniform(-1, 1, count) * 10 ** rng.uniform(-1, 6)
    widths = 10 ** rng.uniform(-4, 1, count)
    if centres is not None:
        for i in range(count):
            if rng.random() < 0.5:
                j = rng.integers(len(centres[0]))
                widths[i] = centres[1][j] * 10 ** rng.uniform(-0.3, 0.3)
                means[i] = centres[0][j] + widths[i] * rng.uniform(-2, 2)
    weights[-1] += 1 - weights.sum()
    return pf.laws.GaussianMixture(weights, means, widths**2)


def pair(seed):
    """Two mixtures some of whose components lie close together."""
    rng = np.random.default_rng(seed)
    p = mixture(rng)
    return p, mixture(rng, parts(p)[1:])


def parts(law):
    """Weights, means, deviations, each (k,)."""
    return law.weights, law.means[:, 0], np.sqrt(law.covs[:, 0, 0])


def panels(*laws):
    """Ends of panels of a quarter of a deviation around all centres, within 40 deviations, in extended precision."""
    steps = np.arange(-160, 161).astype(REAL) / 4
    edges = [REAL(m) + REAL(s) * steps for law in laws for _, m, s in zip(*parts(law))]
    return np.unique(np.concatenate(edges))


def log_density(law, x):
    """log p at the places x, in extended precision."""
    w, m, s = (a.astype(REAL) for a in parts(law))
    logs = np.log(w) - np.log(s) - np.log(2 * REAL(np.pi)) / 2 - ((x[..., None] - m) / s) ** 2 / 2
    top = logs.max(axis=-1)
    return np.log(np.exp(logs - top[..., None]).sum(axis=-1)) + top


def integral(function, edges):
    """Gauss-Legendre with 20 points in every panel."""
    z, w = (a.astype(REAL) for a in leggauss(20))
    half = np.diff(edges) / 2
    return float(half @ (function((edges[:-1] + half)[:, None] + half[:, None] * z) @ w))


def crossings(gap, edges):
    """Roots of gap between any two neighbours of 21 places in each panel, by bisection."""
    x = (edges[:-1, None] + np.diff(edges)[:, None] * np.linspace(0, 1, 21)[:-1].astype(REAL)).ravel()
    values = gap(x)
    i = np.flatnonzero((values[:-1] >= 0) != (values[1:] >= 0))
    low, high, sign = x[i], x[i + 1], values[i] >= 0
    for _ in range(64):
        middle = (low + high) / 2
        same = (gap(middle) >= 0) == sign
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return low


def l1_truth(p, q):
    """∫|p - q|."""

    def gap(x):
        return np.exp(log_density(p, x)) - np.exp(log_density(q, x))

    edges = panels(p, q)
    return integral(lambda x: np.abs(gap(x)), np.unique(np.concatenate([edges, crossings(gap, edges)])))


def kl_truth(p, q):
    """∫p log(p/q)."""

    def integrand(x):
        a, b = log_density(p, x), log_density(q, x)
        return np.exp(a) * (a - b) - np.exp(a) + np.exp(b)

    return integral(integrand, panels(p, q))


def entropy_truth(p):
    """∫p log p."""
    return integral(lambda x: np.exp(log_density(p, x)) * log_density(p, x), panels(p))


def normal(x, variance):
    """The density of N(0, variance) at x."""
    return np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def overlap(p, q):
    """∫pq."""
    (v, m, s), (w, n, t) = ((a.astype(REAL) for a in parts(law)) for law in (p, q))
    return v @ normal(m[:, None] - n, s[:, None] ** 2 + t**2) @ w


def l2_truth(p, q):
    """(∫(p - q)²)^½."""
    return float(np.sqrt(overlap(p, p) + overlap(q, q) - 2 * overlap(p, q)))


def cube(p):
    """∫p³, from the product of two Gaussians, which is a Gaussian."""
    w, m, s = (a.astype(REAL) for a in parts(p))
    total = REAL(0)
    for i, j in itertools.product(range(len(w)), repeat=2):
        both = s[i] ** 2 + s[j] ** 2
        centre, variance = (m[i] * s[j] ** 2 + m[j] * s[i] ** 2) / both, s[i] ** 2 * s[j] ** 2 / both
        total += w[i] * w[j] * normal(m[i] - m[j], both) * (w @ normal(centre - m, variance + s**2))
    return float(total)


def differences(p):
    """Weights, means, variances of X - Y."""
    w, m, s = (a.astype(REAL) for a in parts(p))
    return np.outer(w, w).ravel(), np.subtract.outer(m, m).ravel(), np.add.outer(s**2, s**2).ravel()


def fourth(w, m, v):
    """E z⁴ of a mixture."""
    return float(w @ (m**4 + 6 * m**2 * v + 3 * v**2))


def absolute(w, m, v):
    """E|z| of a mixture."""
    s = np.sqrt(v)
    return float(
        w @ (s * np.sqrt(2 / REAL(np.pi)) * np.exp(-(m**2) / (2 * v)) + m * erf((m / s / np.sqrt(2)).astype(float)))
    )


def wave(w, m, v):
    """E cos(z) of a mixture."""
    return float(w @ (np.cos(m) * np.exp(-v / 2)))


def questions(p, q):
    """(name, what is asked, truth) of one pair."""
    w, m, s = (a.astype(REAL) for a in parts(p))
    z = differences(p)
    quartic = pf.potentials.FromFunction(lambda x: (x**4).sum(-1))
    cosine = pf.potentials.FromFunction(lambda x: 2 + np.cos(x).sum(-1))
    kernel = pf.interactions.GaussianAttraction(1.0, 2.0)

    def energy(**slot):
        return lambda: pf.Energy(**slot).evaluate(p)

    yield "l1", lambda: pf.metrics.l1(p, q), lambda: l1_truth(p, q)
    yield "l2", lambda: pf.metrics.l2(p, q), lambda: l2_truth(p, q)
    yield "kl", lambda: pf.metrics.kl(p, q), lambda: kl_truth(p, q)
    yield "entropy", energy(internal=pf.Entropy(1.0)), lambda: entropy_truth(p)
    yield "power 2", energy(internal=pf.Power(2.0)), lambda: float(overlap(p, p))
    yield "power 3", energy(internal=pf.Power(3.0)), lambda: cube(p) / 2
    yield "quadratic potential", energy(potential=pf.potentials.Quadratic(1.0)), lambda: float(w @ (m**2 + s**2)) / 2
    yield "x⁴", energy(potential=quartic), lambda: fourth(w, m, s**2)
    if np.max(np.abs(m)) < 1e3:  # the cosine of a number that is rounded to 1e-10 is no better known than that
        yield "2 + cos x", energy(potential=cosine), lambda: 2 + wave(w, m, s**2)
    quadratic = pf.interactions.QuadraticAttraction(1.0)
    yield "|z|²/2", energy(interaction=quadratic), lambda: float(z[0] @ (z[1] ** 2 + z[2])) / 4
    newton = pf.interactions.PowerLaw(2.0, 1.0)
    yield "|z|²/2 - |z|", energy(interaction=newton), lambda: float(z[0] @ (z[1] ** 2 + z[2])) / 4 - absolute(*z) / 2
    power = pf.interactions.PowerLaw(4.0, 2.0)
    yield "|z|⁴/4 - |z|²/2", energy(interaction=power), lambda: fourth(*z) / 8 - float(z[0] @ (z[1] ** 2 + z[2])) / 4
    gauss = float(-0.5 * z[0] @ (np.exp(-(z[1] ** 2) / (4 + 2 * z[2])) * np.sqrt(4 / (4 + 2 * z[2]))))
    yield "-exp(-|z|²/4)", energy(interaction=kernel), lambda: gauss


def run(count):
    """The table: for each question how many were asked, answered, wrong, the largest error and the longest time."""
    table = {}
    for seed in range(count):
        for name, ask, truth in questions(*pair(seed)):
            row = table.setdefault(name, {"asked": 0, "answered": 0, "wrong": 0, "error": 0.0, "seconds": 0.0})
            row["asked"] += 1
            start = time.perf_counter()
            try:
                value = ask().value
            except pf.PdeflowError:
                continue
            finally:
                row["seconds"] = max(row["seconds"], time.perf_counter() - start)
            exact = truth()
            error = abs(value - exact) / abs(exact) if exact else abs(value)
            row["answered"] += 1
            row["error"] = max(row["error"], error)
            if not error <= BAR:
                row["wrong"] += 1
                print(f"wrong: {name}, seed {seed}: {value!r} for {exact!r}", file=sys.stderr)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="20 pairs instead of 500")
    parser.add_argument("--out", type=Path, help="a file for the table")
    arguments = parser.parse_args()
    count = 20 if arguments.quick else 500
    table = run(count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = [
        f"# Mixtures on the line, {count} pairs",
        "",
        "| question | asked | answered | wrong | largest relative error | longest, s |",
    ]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for name, row in table.items():
        name = name.replace("|", "\\|")
        cells = f"{row['asked']} | {row['answered']} | {row['wrong']} | {row['error']:.1e} | {row['seconds']:.2f}"
        lines.append(f"| {name} | {cells} |")
    missed = [
        name
        for name, row in table.items()
        if row["wrong"] or row["answered"] < ANSWERED * row["asked"] or row["seconds"] > SECONDS
    ]
    lines += ["", f"Peak memory of the process {peak:.0f} MB. Bars missed: {', '.join(missed) or 'none'}."]
    print("\n".join(lines))
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if missed or peak > MEGABYTES else 0


if __name__ == "__main__":
    sys.exit(main())
