"""How often a verdict of `fit_order` errs: simulated errors a h^p (1 + b r + c r²) with noise, with and without floors.

A false alarm is a correct claim that ends as `fail`, a false pass a claim off by 1/2 or 1 that ends as `pass`. The
bars: without noise no false alarm, at least 95 % `pass` over three octaves or more, and at most 0.1 % false passes;
with noise at most 0.5 % of either in every cell (one value of p, b and c), give or take four standard errors of the
simulation itself.

Run: python validation/batteries/verdicts.py [--quick] [--repeats K] [--out FILE]; exit code 1 where a bar is missed.
"""

import argparse
import pathlib
import sys
from itertools import product

import numpy as np

from pdeflow.study.evidence import Series, verdicts

ORDERS = (0.5, 1.0, 2.0)
TERMS = ((0.0, 0.0), (-0.5, 0.0), (0.8, 0.0), (-0.6, 0.4), (1.0, 0.5))
FLOORS = (("sum", 0.0), ("sum", 0.5), ("squares", 1.0))
CELLS = ((0.03, 4), (0.1, 4), (0.1, 5), (0.3, 5), (0.3, 6), (1.0, 6), (1.0, 7))
QUICK = ((0.03, 4), (0.3, 6))


def drawn(rng):
    """Steps, errors, order of a series without noise, drawn from the family of the first bar."""
    ratio = rng.uniform(1.5, 10) ** -np.arange(rng.integers(4, 9))
    shape = np.zeros(1)
    while shape.min() < 0.3:
        shape = 1 + rng.uniform(-1, 1) * ratio + rng.uniform(-0.5, 0.5) * ratio**2
    order = rng.choice([0.5, 1, 1.5, 2, 3, 4])
    error = ratio**order * shape
    kept = error > 1e-13  # above round-off
    return ratio[kept], error[kept], order


def noise_free(series, seed=0):
    """Counts of verdicts on correct claims over three octaves or more, on those over less, and on wrong claims."""
    rng, counts = np.random.default_rng(seed), np.zeros((3, 3), dtype=int)
    words = ("pass", "fail", "inconclusive")
    for _ in range(series):
        h, error, order = drawn(rng)
        if len(h) < 4:
            continue
        values = Series(h, error, 0 * error, 0 * error)
        counts[0 if h.max() >= 8 * h.min() else 1, words.index(verdicts(values, order, 0.1)[1][()])] += 1
        for claim in (order - 1, order - 0.5, order + 0.5, order + 1):
            if claim > 0:
                counts[2, words.index(verdicts(values, claim, 0.1)[1][()])] += 1
    return counts


def rates(order, terms, floor, noise, levels, repeats, rng):
    """Shares of false alarms, of false passes (the worst claim), and of conclusive verdicts on the correct claim."""
    adds, size = floor
    h = 0.5 ** np.arange(levels)
    signal = h**order * (1 + terms[0] * h + terms[1] * h**2)
    base, spread = size * signal[-1], noise * signal[-1]
    mean = signal + base if adds == "sum" else np.hypot(signal, base)
    error = np.abs(mean + spread * rng.standard_normal((repeats, levels)))
    series = Series(h, error, np.full(error.shape, spread), np.full(levels, base), adds)
    words = verdicts(series, order, 0.1)[1]
    wrong = [claim for claim in (order - 0.5, order + 0.5, order + 1) if claim > 0]
    passed = max(np.mean(verdicts(series, claim, 0.1)[1] == "pass") for claim in wrong)
    return np.mean(words == "fail"), passed, np.mean(words != "inconclusive")


def table(cells, repeats, seed=1):
    """Lines of the table, and whether every bar is met."""
    bar = 0.005 + 4 * np.sqrt(0.005 / repeats)
    lines, good = [], True
    for (adds, size), (noise, levels) in product(FLOORS, cells):
        rng = np.random.default_rng(seed)
        found = np.array([rates(p, t, (adds, size), noise, levels, repeats, rng) for p, t in product(ORDERS, TERMS)])
        good &= bool(found[:, :2].max() <= bar)
        alarm, passed, sure = 100 * found[:, 0].max(), 100 * found[:, 1].max(), 100 * found[:, 2]
        lines.append(
            f"| {adds} | {size:g} | {noise:g} | {levels} | {alarm:.2f} % | {passed:.2f} % | {sure.min():.1f} % | "
            f"{sure.mean():.1f} % |"
        )
        print(lines[-1], flush=True)
    return lines, good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--series", type=int)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    repeats = options.repeats or (200 if options.quick else 2000)
    counts = noise_free(options.series or (300 if options.quick else 5000))
    good = (
        counts[:2, 1].sum() == 0 and counts[0, 0] >= 0.95 * counts[0].sum() and counts[2, 0] <= 1e-3 * counts[2].sum()
    )
    named = zip(("correct, h_max/h_min >= 8", "correct, less", "off by 1/2 or 1"), counts, strict=True)
    head = ["| without noise | pass | fail | inconclusive |", "|---|---|---|---|"]
    head += [f"| {name} | {row[0]} | {row[1]} | {row[2]} |" for name, row in named]
    head += [
        "",
        f"With noise, {repeats} repeats for each of p in {ORDERS} and (b, c) in {TERMS}; floor and noise over the "
        "finest error. The worst cell counts, and for conclusive verdicts on a correct claim the mean as well.",
        "",
        "| floor adds as | floor | noise | levels | false alarms | false passes | conclusive, worst | mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(head), flush=True)
    lines, within = table(QUICK if options.quick else CELLS, repeats)
    if options.out:
        options.out.write_text("# Error rates of verdicts\n\n" + "\n".join([*head, *lines]) + "\n")
    return 0 if good and within else 1


if __name__ == "__main__":
    sys.exit(main())
