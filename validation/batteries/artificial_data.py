"""Breiman's generators against the published files of their data, class by class.

    python validation/batteries/artificial_data.py --data data

For twonorm and ringnorm, of which `make data` fetches files of 7,400 points: the number of points of each class in
standard deviations of a fair coin, and the energy distance of its points to as many of the generator over the null
level. A generator that draws the law of the file exceeds the null level by at most four standard errors. The file of
ringnorm has lost the trailing zeros of its values, which are whole thousandths (0.840 stands there as 84); the same is
done to the draws, and what the file is without that is shown beside.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import pdeflow as pf
from pdeflow.applications import logistic

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where _report is

from _report import markdown_table

ERRORS = 4.0  # standard errors above the null level that pass
COLUMNS = ("set", "class", "points", "deviations from one half", "energy distance", "null", "excess / error", "")


def without_trailing_zeros(features: np.ndarray) -> np.ndarray:
    """Whole thousandths as the file of ringnorm has them: 840 becomes 84, 1200 becomes 12."""
    counts = np.round(1000 * features).astype(int)
    for _ in range(6):
        ends = (counts % 10 == 0) & (counts != 0)
        counts[ends] //= 10
    return counts / 1000


def rows(folder: Path, most: int) -> list[tuple]:
    """The rows of the table, the last entry of each "" or "missed" (of the file as it is, "shown")."""
    out = []
    for name, classes, generator, unit, change in (
        ("twonorm", ("0",), logistic.twonorm, 1.0, None),
        ("ring", ("0",), logistic.ringnorm, 1000.0, without_trailing_zeros),
        ("ring, as if no zero was lost", ("0",), logistic.ringnorm, 1000.0, None),
    ):
        file = logistic.read_table(folder / f"{name.split(',')[0]}.dat", classes)
        drawn = generator(4 * len(file), np.random.default_rng(11))
        for label in (1.0, -1.0):
            mine = file.features[file.labels == label] / unit
            theirs = drawn.features[drawn.labels == label][: len(mine)]
            theirs = theirs if change is None else change(theirs)
            off = (len(mine) - len(file) / 2) / np.sqrt(len(file) / 4)
            found = pf.metrics.energy_distance(pf.laws.Particles(mine[:most]), pf.laws.Particles(theirs[:most]))
            above = (found.value - found.null) / found.stderr
            verdict = "shown" if "," in name else "" if above < ERRORS and abs(off) < ERRORS else "missed"
            numbers = (f"{off:+.2f}", f"{found.value:.4f}", f"{found.null:.4f}", f"{above:+.2f}")
            out.append((name, f"{label:+.0f}", len(mine), *numbers, verdict))
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--quick", action="store_true", help="the first 800 points of each class")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    options = parser.parse_args(arguments)
    if not (options.data / "ring.dat").exists():
        print(f"Nothing is checked: {options.data} has no files. `make data` fetches them.")
        return 0
    found = rows(options.data, 800 if options.quick else 10_000)
    lines = ["# Breiman's generators against the published files", "", *markdown_table(COLUMNS, found), ""]
    if options.out:
        lines.insert(2, "Made by `python validation/batteries/artificial_data.py --out validation/batteries/results/"
                     "artificial_data.md` after `make data`.\n")  # fmt: skip
        options.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    return int(any(row[-1] == "missed" for row in found))


if __name__ == "__main__":
    sys.exit(main())
