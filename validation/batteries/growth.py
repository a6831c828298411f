"""Growth along a dimension: how often the interval holds the exponent, and how often a wrong law is named.

    python validation/batteries/growth.py [--quick] [--out FILE]

Series a x^p and a exp(k x) with log-normal scatter, x = 1, 2, 4, ..., and costs that are a constant and a power. Bars:
the interval holds the exponent in 93 % or more of the repeats (88 % for single runs whose scatter changes along x: one
run a level does not show that it does); a wrong law (exponential for a power, with a constant or without; a constant
where there is none; a power for an exponential) is named in 5 % or less, as evidence of 20 to 1 promises. Beside a
constant that is seen in less than half of the repeats there is no bar: those are the ones where scatter enlarged it.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _report import command, markdown_table

from pdeflow.study import fit_growth

SCATTERS = {"equal": 0.0, "falls with the root of x": -0.5, "grows with the root of x": 0.5}


def series(rng, levels, repeats, size, trend, truth):
    """x and y: `truth` at 2^0, 2^1, ... with log-normal scatter of `size` at the middle level."""
    x = 2.0 ** np.arange(levels)
    scatter = size * (x / np.median(x)) ** trend
    y = np.exp(np.log(truth(x))[:, None] + scatter[:, None] * rng.standard_normal((levels, repeats)))
    return np.repeat(x, repeats), y.ravel()


def beside_constants(count, rng):
    """Rows of the table of intervals beside a constant, over the repeats in which one is named."""
    for levels in (5, 7):
        for size in (0.002, 0.02, 0.1):
            for constant in (10, 100):
                true = rng.uniform(1.5, 2.5, count)  # no exponent is easier to find than another
                found = [fit_growth(*series(rng, levels, 1, size, 0.0, Beside(constant, p))) for p in true]
                named = [(one, p) for one, p in zip(found, true, strict=True) if one.law == "power + constant"]
                if len(named) < count / 10:
                    continue
                held = np.mean([one.lower <= p <= one.upper for one, p in named])
                width = np.median([one.upper - one.lower for one, _ in named]) / 2
                met = "-" if len(named) < count / 2 else "yes" if held >= 0.9 else "NO"
                yield (
                    levels,
                    size,
                    f"{constant} + x^p, p in 1.5 to 2.5",
                    f"{len(named) / count:.3f}",
                    f"{held:.3f}",
                    f"{width:.3f}",
                    met,
                )


class Beside:
    """A power of x beside a constant."""

    def __init__(self, constant, exponent=2.0):
        self.constant, self.exponent = constant, exponent

    def __call__(self, x):
        return self.constant + x**self.exponent


def intervals(count, rng):
    """Rows of the table of intervals: how often the exponent 3/2 is in the interval, and half its mean width."""
    for levels in (3, 4, 5, 7):
        for repeats in (1, 5):
            for name, trend in SCATTERS.items():
                found = [fit_growth(*series(rng, levels, repeats, 0.1, trend, lambda x: x**1.5)) for _ in range(count)]
                held = np.mean([one.lower <= 1.5 <= one.upper for one in found])
                width = np.mean([one.upper - one.lower for one in found]) / 2
                bar = 0.93 if repeats > 1 or trend == 0 else 0.88
                yield levels, repeats, name, f"{held:.3f}", f"{width:.3f}", "yes" if held >= bar else "NO"


KINDS = ("power", "power + constant", "exponential", "undecided")
TRUTHS = {
    "x": ("power", lambda x: x),
    "x²": ("power", lambda x: x**2),
    "constant": ("power", lambda x: 2.0 + 0 * x),
    "exp(x/20)": ("exponential", lambda x: np.exp(x / 20)),
    "exp(x/3)": ("exponential", lambda x: np.exp(x / 3)),
    "1 + x": ("power + constant", lambda x: 1 + x),
    "10 + x²": ("power + constant", Beside(10)),
    "100 + x²": ("power + constant", Beside(100)),
}


def laws(count, rng):
    """Rows of the table of laws: how often each is named, by the truth."""
    for levels in (4, 5, 7):
        for size in (0.02, 0.1, 0.3):
            for name, (law, truth) in TRUTHS.items():
                found = [fit_growth(*series(rng, levels, 1, size, 0.0, truth)).law for _ in range(count)]
                shares = {kind: found.count(kind) / count for kind in KINDS}
                # a constant hides behind few levels, and one that is no power of x is all laws at once
                wrong = shares["power"] + shares["power + constant"] if law == "exponential" else shares["exponential"]
                wrong += shares["power + constant"] if law == "power" else 0.0
                numbers = [f"{share:.3f}" for share in shares.values()]
                yield levels, size, name, *numbers, "yes" if wrong <= 0.05 else "NO"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    count, rng = (200 if options.quick else 2000), np.random.default_rng(0)
    first, third, second = list(intervals(count, rng)), list(beside_constants(count // 4, rng)), list(laws(count, rng))
    lines = ["# Growth: intervals and laws", "", f"Made by `{command()}`: {count} repeats a line.", ""]
    columns = ("levels", "repeats", "scatter (0.1 in the middle)", "holds 3/2", "half width", "bar met")
    lines += markdown_table(columns, first)
    columns = ("levels", "scatter", "truth", "constant named", "holds p", "half width (median)", "bar met")
    lines += ["", *markdown_table(columns, third)]
    columns = ("levels", "scatter", "truth", "power", "power + constant", "exponential", "undecided", "bar met")
    lines += ["", *markdown_table(columns, second)]
    text = "\n".join(lines) + "\n"
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text)
    return int(any(row[-1] == "NO" for row in first + second + third))


if __name__ == "__main__":
    sys.exit(main())
