"""How often a verdict of `fit_order` errs: simulated errors a h^p (1 + b r + c r²) with noise, with and without floors.

b and c are drawn anew for each series, uniform in |b| <= 1, |c| <= 1/2 where 1 + b r + c r² >= 0.3 at every level. A
false alarm is a correct claim that ends as `fail`, a false pass a claim off by 1/2 or 1 that ends as `pass`; the claim
of order 1/2 for errors that do not fall is one of them. The bars:

- without noise no false alarm, at least 95 % `pass` over three octaves or more, at most 0.1 % false passes;
- with noise at most 0.5 % of either in every cell (levels, noise, floor and order), give or take three standard errors
  of the simulation; so too where levels (4 to 8), ratio (1.5 to 4) and noise (0.03 to 2) are drawn anew for each 20
  series, on which no threshold was chosen;
- conclusive in 95 % at 4, 5, 6 levels for noise 0.03, 0.1, 0.3 of the finest error, over all orders. `limit` is what
  the most powerful test of p against p - 1/2 and p + 1/2 reaches for the order with the fewest decided, if it may
  choose its threshold by the cell. No verdict may: it does not know the cell.

Run: python validation/batteries/verdicts.py [--quick] [--repeats K] [--jobs N] [--out FILE]; it exits with code 1
where a bar is missed.
"""

import argparse
import pathlib
import sys
from itertools import product

import joblib
import numpy as np

from pdeflow.study.evidence import Series, centre, log_evidence, odds, verdicts, words

ORDERS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
FLOORS = (("sum", 0.0), ("sum", 0.5), ("squares", 1.0))
DECIDED = ((0.03, 4), (0.1, 5), (0.3, 6))  # where 95 % are to be conclusive
ANY = (None, None)  # noise and levels drawn anew
CELLS = (*DECIDED, (0.1, 4), (0.3, 5), (1.0, 6), (1.0, 7), ANY)
SHARE, CHUNK = 0.005, 100


def terms(rng, ratio, repeats):
    """The factors 1 + b r + c r² of so many series."""
    found = np.zeros((0, len(ratio)))
    while len(found) < repeats:
        b, c = rng.uniform(-1, 1, (repeats, 1)), rng.uniform(-0.5, 0.5, (repeats, 1))
        shape = 1 + b * ratio + c * ratio**2
        found = np.concatenate([found, shape[shape.min(axis=-1) >= 0.3]])
    return found[:repeats]


def noise_free(count, seed=0):
    """Counts of verdicts on correct claims over three octaves or more, on those over less, and on wrong claims."""
    rng, counts = np.random.default_rng(seed), np.zeros((3, 3), dtype=int)
    names = ("pass", "fail", "inconclusive")
    for _ in range(count):
        h = rng.uniform(1.5, 10) ** -np.arange(rng.integers(4, 9))
        order = rng.choice(ORDERS)
        error = h**order * terms(rng, h, 1)[0]
        h, error = h[error > 1e-13], error[error > 1e-13]  # above round-off
        if len(h) < 4:
            continue
        series = Series(h, error, 0 * error, 0 * error)
        counts[0 if h.max() >= 8 * h.min() else 1, names.index(verdicts(series, order, 0.1)[()])] += 1
        for claim in (order - 1, order - 0.5, order + 0.5, order + 1):
            if claim > 0:
                counts[2, names.index(verdicts(series, claim, 0.1)[()])] += 1
    return counts


def simulated(order, floor, noise, levels, repeats, rng):
    """Series of one cell in pieces that fit into fast memory; floor and noise in units of the finest error."""
    adds, size = floor
    chunk = CHUNK if levels else CHUNK // 5
    for start in range(0, repeats, chunk):
        spread, h = noise, 0.5 ** np.arange(levels or 0)
        if levels is None:
            spread, h = (
                np.exp(rng.uniform(np.log(0.03), np.log(2))),
                rng.uniform(1.5, 4) ** -np.arange(rng.integers(4, 9)),
            )
        signal = h**order * terms(rng, h, min(chunk, repeats - start))
        signal /= signal[:, -1:]
        mean = signal + size if adds == "sum" else np.hypot(signal, size)
        error = np.abs(mean + spread * rng.standard_normal(mean.shape))
        yield Series(h, error, np.full(error.shape, spread), np.full(len(h), size), adds)


def words_on(claims, order, *cell, repeats, seed):
    """The verdicts on each claim about errors of this order."""
    found = {claim: [] for claim in claims}
    for series in simulated(order, *cell, repeats, np.random.default_rng(seed)):
        middle = centre(series)
        for claim in claims:
            found[claim].append(words(*odds(series, claim, 0.1, middle)))
    return {claim: np.concatenate(each) for claim, each in found.items()}


def rates(order, floor, noise, levels, repeats, seed):
    """Shares of false alarms, of false passes (the worst claim), and of conclusive verdicts on the correct claim."""
    claims = [order, *(claim for claim in (order - 0.5, order + 0.5, order + 1) if claim > 0)]
    on_claim = words_on(claims, order, floor, noise, levels, repeats=repeats, seed=seed)
    right = on_claim.pop(order)
    return (
        np.mean(right == "fail"),
        max(np.mean(each == "pass") for each in on_claim.values()),
        np.mean(right == "pass"),
    )


def limit(order, floor, noise, levels, repeats, seed):
    """Power of the odds of p against p - 1/2 and p + 1/2, each at its own threshold for this cell."""
    orders = np.array([order - 0.5, order, order + 0.5])
    logs = []
    for p in orders:
        drawn = simulated(p, floor, noise, levels, repeats, np.random.default_rng(seed + 1))
        logs.append(np.concatenate([log_evidence(series, orders) for series in drawn]))
    power = [
        np.mean(logs[1][:, 1] - logs[1][:, k] >= np.quantile(logs[k][:, 1] - logs[k][:, k], 1 - SHARE)) for k in (0, 2)
    ]
    return min(power)


def row(floor, noise, levels, repeats, seed=1):
    """The line of one cell, and whether it meets the bars."""
    cell = (floor, noise, levels)
    found = np.array([rates(order, *cell, repeats, seed) for order in ORDERS])
    flat = words_on([0.5], 0.0, *cell, repeats=repeats, seed=seed)[0.5]  # errors that do not fall
    found[0, 1] = max(found[0, 1], np.mean(flat == "pass"))
    good = bool(found[:, :2].max() <= SHARE + 3 * np.sqrt(SHARE / repeats))
    alarm, passed, sure = 100 * found[:, 0].max(), 100 * found[:, 1].max(), 100 * (found[:, 0] + found[:, 2])
    best = "-"
    if (noise, levels) in DECIDED:
        least = ORDERS[int(np.argmin(sure))]
        best = f"{100 * limit(least, *cell, min(repeats, 4000), seed):.1f} % (p = {least:g})"
        good &= bool(sure.mean() >= 95)
    each = " / ".join(f"{one:.1f}" for one in sure)
    shown = f"{noise:g} | {levels}" if levels else "0.03 ... 2 | 4 ... 8"
    line = f"| {floor[0]} | {floor[1]:g} | {shown} | {alarm:.2f} % | {passed:.2f} % | {sure.mean():.1f} % "
    return f"{line}| {each} | {best} |", good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--series", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    repeats = options.repeats or (200 if options.quick else 10000)
    counts = noise_free(options.series or (300 if options.quick else 5000))
    good = (
        counts[:2, 1].sum() == 0 and counts[0, 0] >= 0.95 * counts[0].sum() and counts[2, 0] <= 1e-3 * counts[2].sum()
    )
    named = zip(("correct, h_max/h_min >= 8", "correct, less", "off by 1/2 or 1"), counts, strict=True)
    head = ["| without noise | pass | fail | inconclusive |", "|---|---|---|---|"]
    head += [f"| {name} | {row[0]} | {row[1]} | {row[2]} |" for name, row in named]
    head += [
        "",
        f"With noise and ratio 2 (1.5 to 4 in the rows of many levels), {repeats} repeats for each order p in "
        f"{ORDERS}; floor and noise in units of the finest error without floor. False alarms and false passes are "
        "those of the worst order and claim; `limit` is "
        "explained in `validation/batteries/verdicts.py`.",
        "",
        "| floor adds as | floor | noise | levels | false alarms | false passes | conclusive | by order | limit |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(head), flush=True)
    cells = list(product(FLOORS, DECIDED if options.quick else CELLS))
    tasks = (joblib.delayed(row)(floor, *cell, repeats) for floor, cell in cells)
    lines, met = [], []
    for line, meets in joblib.Parallel(n_jobs=options.jobs, return_as="generator")(tasks):
        lines.append(line)
        met.append(meets)
        print(line, flush=True)
    if options.out:
        options.out.write_text("# Error rates of verdicts\n\n" + "\n".join([*head, *lines]) + "\n")
    return 0 if good and all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
