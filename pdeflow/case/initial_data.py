"""The initial law of a case as data: samples, grid masses, quantiles and moments."""

import numpy as np

from .._core.errors import NotAvailable, NotConverged
from ..laws import Law
from .answers import ANSWERS, written
from .case import Case

SAMPLES = 10_000  # draws of the initial law that are written
LEVELS = 1_000  # steps of its quantiles
CELLS = {1: 1_000, 2: 128, 3: 32}  # along each axis
OUTSIDE = 1e-13  # of the mass, on each side of the grid, at time 0 and at every time that is asked

WHAT = {
    "samples": f"{SAMPLES} independent draws",
    "masses": "probabilities of equal cells, on a grid that holds the law at all times",
    "quantiles": f"{LEVELS + 1} levels from 0 to 1; the two ends are put at a quarter of a step",
    "moments": "mean and covariance",
}


def initial_data(case: Case) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, str]]:
    """The initial law as data of every kind, and why it is not there in the other kinds."""
    problem, data, lacking = case.problem, {}, {}
    for answer in ANSWERS:
        try:
            axes = _grid(case) if answer == "masses" else ()
            number = SAMPLES if answer == "samples" else LEVELS
            data[answer] = written(answer, problem.initial, np.random.default_rng(0), number, axes)
        except (NotAvailable, NotConverged) as error:
            lacking[answer] = str(error).split(". ")[0]
    return data, lacking


def _grid(case: Case) -> list[np.ndarray]:
    """Edges of equal cells that hold the law at time 0 and at every time that is asked."""
    dim = case.problem.dim
    if dim not in CELLS:
        raise NotAvailable(
            f"A grid in dimension {dim} has too many cells. Up to 3 dimensions are possible. Use samples."
        )
    laws = [case.problem.initial, *case.against()(case.problem, case.times).laws]
    boxes = [_box(law) for law in laws]
    low, high = np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)
    return [np.linspace(a, b, CELLS[dim] + 1) for a, b in zip(low, high, strict=True)]


def _box(law: Law) -> tuple[np.ndarray, np.ndarray]:
    """A box that holds all but 1e-13 of the mass on each side of each axis."""
    ends = law.support()
    if ends is not None and np.isfinite(ends).all():
        return ends
    sides = [law.projected(axis) if law.dim > 1 else law for axis in np.eye(law.dim)]
    if any(side is None or "quantile" not in side.answers() for side in sides):
        raise law.not_available("quantile", "its extent is not known")
    low = [float(side.quantile(OUTSIDE)) for side in sides if side is not None]
    high = [float(side.upper_quantile(OUTSIDE)) for side in sides if side is not None]
    return np.array(low), np.array(high)
