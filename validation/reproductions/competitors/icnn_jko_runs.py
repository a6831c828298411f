"""ICNN-JKO: the runs that validation/reports/icnn_ou and icnn_mixture hold, in the rows of the figures.

They are not run again: `mokrov2022.py ornstein_uhlenbeck` and `mixtures` make them. Both estimators are that of
independent draws, as in the published code.
"""

import json

from _report import REPORTS
from competitors.rows import Measured

import pdeflow as pf

LABEL = "ICNN-JKO"
SIZES = (0,)
PUBLISHED = {0: "ICNN_jko"}
FILES = {
    "ornstein_uhlenbeck": (REPORTS / "icnn_ou" / "paper.json", REPORTS / "icnn_ou" / "other_dims.json"),
    "mixtures": (REPORTS / "icnn_mixture" / "mixtures.json",),
}


def measure(experiment, problem, truths, times, size, seed) -> list[Measured]:
    """One `Measured` for each time."""
    rows = [row for file in FILES[experiment] if file.exists() for row in json.loads(file.read_text(encoding="utf-8"))]
    found = []
    for when in times:
        mine = [
            row
            for row in rows
            if (row["dim"], row["seed"]) == (problem.dim, seed) and abs(row.get("time", when) - when) < 1e-9
        ]
        if not mine:
            raise pf.NotAvailable(
                f"No run of ICNN-JKO in dim {problem.dim}, draw {seed}, t = {when:g} is kept. Kept are those in "
                f"{', '.join(file.name for file in FILES[experiment])}. Make it by mokrov2022.py {experiment}."
            )
        sym_kl = mine[0]["there"] + mine[0]["back"]
        found.append(Measured(sym_kl, sym_kl, mine[0].get("cpu", mine[0]["seconds"] * when / times[-1])))
    return found
