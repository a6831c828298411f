"""Metrics and energies of random Gaussian mixtures on the line, against closed forms and dense quadrature.

Mixtures have 1 to 6 components, distances to 1e6 and widths from 1e-4 on. Every answer must be right to 1e-8 relative
or be a typed error. Closed forms: l2, powers 2 and 3, quadratic and quartic potentials and interactions, |z| and
Gaussian kernels. Truth of l1, kl and the entropy: Gauss-Legendre in extended precision (80 bits) on panels of half a
deviation around every centre, out to 40 deviations, with ends at the places where one component of a law overtakes
another, where log densities turn sharply; panels of l1 are cut at the crossings too, which are found by bisection. A
panel is halved until rules with 10 and 20 points agree to 1e-13 of the whole. In the first pairs this is compared with
mpmath at 30 digits (`--mpmath COUNT`, on panels of their own).

Run: python validation/batteries/mixtures.py [--quick] [--mpmath COUNT] [--out FILE]
"""

import argparse
import itertools
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
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


def turns(law):
    """Places where two components of a law have equal densities, with the width over which one overtakes the other."""
    w, m, s = (a.astype(REAL) for a in parts(law))
    for i, j in itertools.combinations(np.flatnonzero(w > 0), 2):
        # log density of i less that of j, a quadratic in x - m_i
        far = m[j] - m[i]
        a = (1 / s[j] ** 2 - 1 / s[i] ** 2) / 2
        b = -far / s[j] ** 2
        c = far**2 / s[j] ** 2 / 2 + np.log(w[i] / s[i]) - np.log(w[j] / s[j])
        root = b * b - 4 * a * c
        if root < 0:
            continue
        half = -(b + np.copysign(np.sqrt(root), b)) / 2
        for x in [part / whole for part, whole in ((half, a), (c, half)) if whole != 0]:
            yield m[i] + x, 1 / np.maximum(abs(2 * a * x + b), REAL(1e-30))


def panels(*laws):
    """Ends of panels around all centres, within 40 deviations, and around all turns, in extended precision."""
    steps, ladder = np.arange(-80, 81).astype(REAL) / 2, REAL(2) ** np.arange(-2, 8)
    edges = [REAL(m) + REAL(s) * steps for law in laws for _, m, s in zip(*parts(law))]
    low, high = min(part.min() for part in edges), max(part.max() for part in edges)
    for law in laws:
        edges += [np.concatenate([x - width * ladder, [x], x + width * ladder]) for x, width in turns(law)]
    edges = np.unique(np.concatenate(edges))
    return edges[(edges >= low) & (edges <= high)]


def log_density(law, x):
    """log p at the places x, in extended precision."""
    w, m, s = (a.astype(REAL) for a in parts(law))
    logs = np.log(w) - np.log(s) - np.log(2 * REAL(np.pi)) / 2 - ((x[..., None] - m) / s) ** 2 / 2
    top = logs.max(axis=-1)
    return np.log(np.exp(logs - top[..., None]).sum(axis=-1)) + top


def integral(function, edges):
    """Gauss-Legendre with 20 points in every panel, which is halved until 10 points give the same."""
    rules = [tuple(a.astype(REAL) for a in leggauss(points)) for points in (10, 20)]
    low, high, done, size = edges[:-1], edges[1:], REAL(0), REAL(0)
    for _ in range(70):
        half = (high - low) / 2
        coarse, fine = (half * (function((low + half)[:, None] + half[:, None] * z) @ w) for z, w in rules)
        size = max(size, abs(done) + np.sum(np.abs(fine)))
        open_ = (np.abs(fine - coarse) > 1e-13 * size / 1000) & (half > 1e-18 * np.abs(low + half))
        done += np.sum(fine[~open_])
        if not open_.any():
            return float(done)
        low, high = low[open_], high[open_]
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    raise ArithmeticError("The truth did not converge.")


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


def by_mpmath(p, q):
    """(l1, kl, entropy) at 30 digits, by mpmath's own rule on panels of one deviation, cut at turns and crossings."""
    import mpmath  # comes with torch; only this comparison needs it

    with mpmath.workdps(30):
        laws = [[[mpmath.mpf(float(a)) for a in part] for part in zip(*parts(law)) if part[0] > 0] for law in (p, q)]

        def density(law, x):
            return mpmath.fsum(w * mpmath.npdf(x, m, s) for w, m, s in law)

        def gap(x):
            return density(laws[0], x) - density(laws[1], x)

        edges = {m + s * k for law in laws for _, m, s in law for k in range(-14, 15)}
        edges |= {mpmath.mpf(str(x)) for law in (p, q) for x, _ in turns(law)}
        edges = sorted(edges)
        cuts = []
        for low, high in itertools.pairwise(edges):
            x = [low + (high - low) * i / 6 for i in range(7)]
            y = [gap(place) for place in x]
            cuts += [
                mpmath.findroot(gap, (a, b), solver="anderson", tol=1e-45, verify=False)
                for a, b, f, g in zip(x, x[1:], y, y[1:]) if f * g < 0
            ]  # fmt: skip
        edges = sorted({*edges, *cuts})

        def relative(x):
            a, b = (density(law, x) for law in laws)
            return a * mpmath.log(a / b) if a > mpmath.mpf(10) ** -40 else mpmath.mpf(0)

        def entropy(x):
            a = density(laws[0], x)
            return a * mpmath.log(a) if a > mpmath.mpf(10) ** -40 else mpmath.mpf(0)

        return [float(mpmath.quad(f, edges, maxdegree=4)) for f in (lambda x: abs(gap(x)), relative, entropy)]


def compare(seed):
    """The largest relative difference between this truth and mpmath's, for one pair."""
    p, q = pair(seed)
    mine = l1_truth(p, q), kl_truth(p, q), entropy_truth(p)
    return max(abs(a - b) / abs(b) for a, b in zip(mine, by_mpmath(p, q)))


def asked(seed):
    """One pair: for each question (name, value or None, truth, seconds); and the peak memory of the process in MB."""
    rows = []
    for name, ask, truth in questions(*pair(seed)):
        start = time.perf_counter()
        try:
            value = ask().value
        except pf.PdeflowError:
            value = None
        seconds = time.perf_counter() - start
        rows.append((name, value, None if value is None else truth(), seconds))
    return rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(count, jobs):
    """(table, peak memory): for each question how many were asked, answered, wrong, the largest error and time."""
    table, peak = {}, 0.0
    with ProcessPoolExecutor(jobs) as pool:
        for seed, (rows, memory) in enumerate(pool.map(asked, range(count), chunksize=5)):
            peak = max(peak, memory)
            for name, value, exact, seconds in rows:
                row = table.setdefault(name, {"asked": 0, "answered": 0, "wrong": 0, "error": 0.0, "seconds": 0.0})
                row["asked"] += 1
                row["seconds"] = max(row["seconds"], seconds)
                if value is None:
                    continue
                error = abs(value - exact) / abs(exact) if exact else abs(value)
                row["answered"] += 1
                row["error"] = max(row["error"], error)
                if not error <= BAR:
                    row["wrong"] += 1
                    print(f"wrong: {name}, seed {seed}: {value!r} for {exact!r}", file=sys.stderr, flush=True)
    return table, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="20 pairs instead of 500")
    parser.add_argument("--out", type=Path, help="a file for the table")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--mpmath", type=int, default=0, help="pairs to compare with mpmath, a minute each")
    arguments = parser.parse_args()
    count = 20 if arguments.quick else 500
    table, peak = run(count, arguments.jobs)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        differences = list(pool.map(compare, range(arguments.mpmath)))
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
    lines += ["", f"Peak memory of a process {peak:.0f} MB. Bars missed: {', '.join(missed) or 'none'}."]
    if differences:
        lines += [
            f"The truth of l1, kl and the entropy differs from mpmath's by at most {max(differences):.1e} of itself in "
            f"{len(differences)} pairs."
        ]
        missed += ["mpmath"] * (not max(differences) <= BAR / 10)
    print("\n".join(lines))
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if missed or peak > MEGABYTES else 0


if __name__ == "__main__":
    sys.exit(main())
