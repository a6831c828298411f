"""The standard errors and null levels of the metrics between samples, against the spread of repeated draws.

Clouds of 200 points of N(shift, I) and N(0, I) in d = 2 and 10 are drawn again and again. The root mean square of the
reported stderr over the deviation of the values must lie between the bars of the metric; at the null level (shift 0)
the mean value must be the mean reported null level to five standard errors and 3 %.

Run: python validation/batteries/sample_errors.py [--quick] [--out FILE]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import pdeflow as pf
from pdeflow.laws import Gaussian, Particles

POINTS, SHIFTS, DIMENSIONS = 200, (0.0, 0.3, 1.0), (2, 10)
# least and largest stderr over deviation: 100 values know a deviation to 7 %, and two runs in a hundred are beyond 2.5
# of that. At the null level influences are noise, which the estimates take off only on the mean.
RATIO, AT_NULL = (0.75, 1.35), (0.75, 1.5)
LOOSE = {
    "max_sliced_w2": (0.7, 1.9),  # the maximum over directions is narrower than the value along one
    "w2": (0.75, 1.6),  # the noise of its potentials is not taken off: in d = 40 the rest would be a fifth too small
}


def estimates(repeats):
    """Metric -> (function of the clouds x and y and of a seed, how many repeats)."""
    m, rng = pf.metrics, np.random.default_rng
    few = slice(None, 100)

    def cut(cloud):
        return Particles(cloud.x[few])

    return {
        "energy_distance": (lambda x, y, seed: m.energy_distance(x, y), repeats),
        "mmd": (lambda x, y, seed: m.mmd(x, y, bandwidth=1.5), repeats),
        "ksd": (lambda x, y, seed: m.ksd(x, Gaussian(np.zeros(x.dim), 1.0), bandwidth=1.5), repeats),
        "c2st": (lambda x, y, seed: m.c2st(x, y, rng=rng(seed)), repeats),
        "sinkhorn_divergence": (
            lambda x, y, seed: m.sinkhorn_divergence(cut(x), cut(y), regularisation=1.0, rng=rng(seed)),
            repeats // 2,
        ),
        "max_sliced_w2": (lambda x, y, seed: m.max_sliced_w2(x, y, rng=rng(seed), starts=2), repeats // 2),
        "w2": (lambda x, y, seed: m.w2(cut(x), cut(y), rng=rng(seed)), repeats // 2),
    }


def clouds(dim, shift, seed):
    """Two clouds whose laws are `shift` apart along the first axis."""
    rng = np.random.default_rng([seed, dim, round(10 * shift)])
    x, y = rng.standard_normal((2, POINTS, dim))
    x[:, 0] += shift
    return Particles(x), Particles(y)


def judged(name, dim, shift, measure, repeats):
    """A row of the table, and what it misses."""
    found = [measure(*clouds(dim, shift, seed), seed) for seed in range(repeats)]
    value, stderr = (np.array([getattr(one, part) for one in found]) for part in ("value", "stderr"))
    null = np.array([np.nan if one.null is None else one.null for one in found])
    spread = value.std(ddof=1)
    ratio = np.sqrt(np.mean(stderr**2)) / spread
    low, high = LOOSE.get(name, AT_NULL if shift == 0 else RATIO)
    missed = [] if low <= ratio <= high else [f"{name}, d = {dim}, shift {shift:g}: stderr over deviation {ratio:.2f}"]
    if shift == 0 and np.isfinite(null).all():
        noise = np.hypot(spread, null.std(ddof=1)) / np.sqrt(repeats)
        if abs(value.mean() - null.mean()) > 5 * noise + 0.03 * null.mean():
            missed.append(f"{name}, d = {dim}: mean {value.mean():.4g} at the null level, reported {null.mean():.4g}")
    row = f"| {name} | {dim} | {shift:g} | {value.mean():.4g} | {null.mean():.4g} | {spread:.3g} | {ratio:.2f} |"
    return row, missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40 repeats in place of 100, in d = 2")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    repeats = 40 if chosen.quick else 100
    lines = ["| metric | d | shift | mean | null level | deviation | stderr over it |", "|---|---|---|---|---|---|---|"]
    missed = []
    for dim in DIMENSIONS[:1] if chosen.quick else DIMENSIONS:
        for shift in SHIFTS:
            for name, (measure, count) in estimates(repeats).items():
                row, misses = judged(name, dim, shift, measure, count)
                print(row, flush=True)
                lines.append(row)
                missed += misses
    print("\n".join(missed) or "All bars are met.")
    if chosen.out:
        head = [
            "# Standard errors of the metrics between samples",
            "",
            f"`python validation/batteries/{Path(__file__).name}`: {repeats} repeats (half as many of the last three "
            f"metrics, of 100 points where they are not {POINTS}); bars {RATIO} and {AT_NULL} at the null level.",
            "",
        ]
        chosen.out.write_text("\n".join([*head, *lines, "", *(missed or ["All bars are met."]), ""]), encoding="utf-8")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
