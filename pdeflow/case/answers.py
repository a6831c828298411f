"""What a program answers: samples, grid masses, quantiles or moments; how each becomes a law, or why it is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .._core.arrays import underflow_is_zero
from .._core.errors import BadInput, Diverged, NotAvailable
from .._core.shapes import Matrix, Numbers, Row, Values, Vector
from .._core.validate import readonly
from ..laws import GridLaw, Law, Particles, Quantiles
from ..laws.cell_integrals import cell_masses

ANSWERS = ("samples", "masses", "quantiles", "moments")
LEAST_SAMPLES = 2
LARGEST = 1e100  # beyond it a run has blown up, though overflow has not met it yet
SUM_TOLERANCE = 1e-8  # as in GridLaw

At = Callable[[str, tuple[int, ...]], str]  # (name of an array, index) -> "results.csv, line 17"
Arrays = Mapping[str, np.ndarray]


class Moments(Law):
    """A law of which the mean and the covariance are known, and nothing else: every other question is refused.

    Parameters
    ----------
    mean : (d,)
        The mean.
    cov : (d, d)
        The covariance, symmetric and not negative.
    """

    def __init__(self, mean: Vector, cov: Matrix):
        self._mean, self._cov = readonly(mean), readonly(cov)
        self.dim = len(self._mean)

    def mean(self) -> Vector:
        return self._mean

    def cov(self) -> Matrix:
        return self._cov

    def described(self) -> dict[str, np.ndarray]:
        """What `==` compares."""
        return {"mean": self._mean, "cov": self._cov}


def columns_of(answer: str, dim: int) -> tuple[str, ...]:
    """The names of the columns of an answer in CSV, in order.

    Parameters
    ----------
    answer : {"samples", "masses", "quantiles", "moments"}
        The kind.
    dim : int
        Dimension of the space.
    """
    if answer == "samples":
        return tuple(f"x{i}" for i in range(1, dim + 1))
    if answer == "quantiles":
        return "level", "quantile"
    if answer == "moments":
        return ("mean", *(f"cov{i}" for i in range(1, dim + 1)))
    if dim == 1:
        return "left", "right", "mass"
    return (*(f"{end}{i}" for i in range(1, dim + 1) for end in ("left", "right")), "mass")


def arrays_of(answer: str, dim: int) -> tuple[str, ...]:
    """The names of the arrays of an answer in NPZ and HDF5."""
    edges = ("edges",) if dim == 1 else tuple(f"edges{i}" for i in range(1, dim + 1))
    return {
        "samples": ("samples",),
        "masses": (*edges, "mass"),
        "quantiles": ("level", "quantile"),
        "moments": ("mean", "cov"),
    }[answer]


def require_answer(answer: str, dim: int, where: str) -> None:
    """`BadInput` for a word that is no kind of answer, and for a kind that does not exist in this dimension."""
    if answer not in ANSWERS:
        raise BadInput(f"{where} says answer={answer!r}. It must be one of {', '.join(ANSWERS)}. Choose one.")
    if answer == "quantiles" and dim != 1:
        raise BadInput(f"{where} says quantiles in dimension {dim}. They exist on the line only. Answer samples.")
    if answer == "masses" and dim > 3:
        raise BadInput(f"{where} says masses in dimension {dim}. Grids have at most 3. Answer samples.")


@underflow_is_zero
def law_of(answer: str, arrays: Arrays, dim: int, where: str, at: At) -> Law:
    """The law that an answer is.

    Parameters
    ----------
    answer : {"samples", "masses", "quantiles", "moments"}
        The kind.
    arrays : mapping
        The arrays that `arrays_of` names.
    dim : int
        Dimension of the space.
    where, at
        The file, and the place in it of an entry, for messages.

    Raises
    ------
    Diverged
        For an entry that is not finite, or beyond 1e100.
    BadInput
        For arrays that are no such answer.
    """
    for name, array in arrays.items():
        bad = ~(np.abs(array) <= LARGEST)
        if bad.any():
            index = tuple(int(i) for i in np.argwhere(bad)[0])
            raise Diverged(
                f"{at(name, index)}: {name} is {array[index]}. All numbers of an answer must be finite and none beyond "
                f"{LARGEST:g}. Take a smaller step, or correct the program."
            )
    build = {"samples": _samples, "masses": _masses, "quantiles": _quantiles, "moments": _moments}[answer]
    return build(arrays, dim, where, at)


def _samples(arrays: Arrays, dim: int, where: str, at: At) -> Law:
    x = arrays["samples"]
    x = x[:, None] if x.ndim == 1 else x
    _require_shape(x.ndim == 2 and x.shape[1] == dim, "samples", x, f"(n, {dim})", where)
    if len(x) < LEAST_SAMPLES:
        raise BadInput(f"{where} has {len(x)} sample(s). There must be at least {LEAST_SAMPLES}. Write more.")
    return Particles(x)


def _masses(arrays: Arrays, dim: int, where: str, at: At) -> Law:
    names = arrays_of("masses", dim)
    edges, mass = [arrays[name] for name in names[:-1]], arrays["mass"]
    for name, axis in zip(names, edges, strict=False):
        _require_shape(axis.ndim == 1 and len(axis) >= 2, name, axis, "(n + 1,) with n >= 1", where)
        _require_increasing(axis, name, at)
    cells = tuple(len(axis) - 1 for axis in edges)
    _require_shape(mass.shape == cells, "mass", mass, f"{cells}, one for each cell between the edges", where)
    if mass.min() < -1e-12:
        index = tuple(int(i) for i in np.unravel_index(np.argmin(mass), mass.shape))
        raise BadInput(
            f"{at('mass', index)}: the mass is {mass[index]:.6g}. Masses must be >= 0 (to 1e-12). Use a positive "
            "scheme or a smaller step, and write masses and not densities."
        )
    if abs(mass.sum() - 1) > SUM_TOLERANCE:
        raise BadInput(
            f"{where}: the masses sum to {mass.sum():.12g}. They must sum to one to {SUM_TOLERANCE:g}, and nothing is "
            "renormalised here. Write masses and not densities, with 17 digits, on a grid that loses none."
        )
    return GridLaw(edges, mass)


def _quantiles(arrays: Arrays, dim: int, where: str, at: At) -> Law:
    level, quantile = arrays["level"], arrays["quantile"]
    _require_shape(level.ndim == 1 and len(level) >= 2, "level", level, "(n,) with n >= 2", where)
    _require_shape(quantile.shape == level.shape, "quantile", quantile, f"{level.shape}, one for each level", where)
    _require_increasing(level, "level", at)
    if level[0] != 0 or level[-1] != 1:
        raise BadInput(
            f"{where}: the levels run from {level[0]:.12g} to {level[-1]:.12g}. They must run from 0 to 1. Give the "
            "ends of the law the levels 0 and 1, or answer samples."
        )
    if np.any(np.diff(quantile) < 0):
        i = int(np.argmin(np.diff(quantile))) + 1
        raise BadInput(
            f"{at('quantile', (i,))}: the quantile is {quantile[i]:.12g}, after {quantile[i - 1]:.12g}. Quantiles must "
            "not decrease. Sort them, or use a smaller step."
        )
    return Quantiles(quantile, level)


def _moments(arrays: Arrays, dim: int, where: str, at: At) -> Law:
    mean, cov = np.atleast_1d(arrays["mean"]), np.atleast_2d(arrays["cov"])
    _require_shape(mean.shape == (dim,), "mean", mean, f"({dim},)", where)
    _require_shape(cov.shape == (dim, dim), "cov", cov, f"({dim}, {dim})", where)
    size, skew = np.max(np.abs(cov)), np.abs(cov - cov.T)
    if skew.max() > 1e-10 * size:
        i, j = (int(k) for k in np.unravel_index(np.argmax(skew), cov.shape))
        raise BadInput(
            f"{at('cov', (i, j))}: cov[{i}, {j}] is {cov[i, j]:.12g} and cov[{j}, {i}] is {cov[j, i]:.12g}. A "
            "covariance is symmetric. Correct the program."
        )
    smallest = float(np.linalg.eigvalsh((cov + cov.T) / 2)[0])
    if smallest < -1e-12 * size:
        raise BadInput(
            f"{where}: the covariance has the eigenvalue {smallest:.6g}. A covariance has none below 0. Use a smaller "
            "step, or correct the program."
        )
    return Moments(mean, cov)


def _require_shape(fits: bool, name: str, array: np.ndarray, wanted: str, where: str) -> None:
    if not fits:
        raise BadInput(f"{where}: {name} has shape {array.shape}. It must be {wanted}. Correct what is written.")


def _require_increasing(axis: Row, name: str, at: At) -> None:
    if np.any(np.diff(axis) <= 0):
        i = int(np.argmin(np.diff(axis))) + 1
        raise BadInput(
            f"{at(name, (i,))}: {name} is {axis[i]:.12g}, after {axis[i - 1]:.12g}. {name.capitalize()} must increase "
            "strictly. Sort, and drop what is double."
        )


def represented(answer: str, law: Law, like: Law, rng: np.random.Generator) -> Law:
    """`law` in the representation of another answer: as many samples, the same cells, the same levels.

    Parameters
    ----------
    answer : {"samples", "masses", "quantiles", "moments"}
        The kind.
    law : Law
        What is to be represented.
    like : Law
        An answer of that kind.
    rng : numpy.random.Generator
        For the samples.

    Raises
    ------
    NotAvailable
        Where the law does not answer what is needed, and where the grid leaves out more than 1e-8 of its mass.

    Notes
    -----
    The two ends of quantiles are put at a quarter of the first and the last step of the levels.
    """
    if answer == "samples":
        points, _ = _present(like.atoms())
        return Particles(law.sample(len(points), rng))
    if answer == "moments":
        return Moments(law.mean(), law.cov())
    if answer == "quantiles":
        level = _present(like.linear_pieces())[0]
        return Quantiles(_quantiles_at(law, level), level)
    axes = _present(like.grid_axes())
    return GridLaw(axes, _all_mass(cell_masses(law, axes).mass))


def _quantiles_at(law: Law, level: Values) -> Values:
    """The quantiles at levels from 0 to 1; the two ends, infinite for laws without bounds, at a quarter of a step."""
    return law.quantile(np.concatenate([[level[1] / 4], level[1:-1], [1 - (1 - level[-2]) / 4]]))


def _all_mass(mass: Numbers) -> Numbers:
    """The masses, or `NotAvailable` where the grid leaves some out, of which no answer on it can know."""
    if abs(mass.sum() - 1) > SUM_TOLERANCE:
        raise NotAvailable(
            f"The grid of the answer holds {mass.sum():.10g} of the truth's mass. It must hold all but "
            f"{SUM_TOLERANCE:g}, or the floor of this grid is not known. Take a wider grid."
        )
    return mass


def _present(parts: tuple | None) -> tuple:
    assert parts is not None  # an answer of that kind has them
    return parts


def written(answer: str, law: Law, rng: np.random.Generator, count: int, axes: Sequence[Row]) -> dict[str, np.ndarray]:
    """A law as the arrays of an answer: `count` samples, its masses in the cells of `axes`, `count` + 1 quantiles.

    Raises
    ------
    NotAvailable
        Where the law does not answer what is needed.
    """
    if answer == "samples":
        return {"samples": law.sample(count, rng)}
    if answer == "moments":
        return {"mean": law.mean(), "cov": law.cov()}
    if answer == "quantiles":
        level: Values = np.linspace(0.0, 1.0, count + 1)
        return {"level": level, "quantile": np.asarray(_quantiles_at(law, level))}
    mass = _all_mass(cell_masses(law, axes).mass)
    return {**dict(zip(arrays_of("masses", law.dim), axes, strict=False)), "mass": mass}


def table_of(answer: str, arrays: Arrays, dim: int) -> Numbers:
    """The arrays of an answer as the table of numbers that stands in CSV."""
    if answer == "samples":
        return np.reshape(arrays["samples"], (-1, dim))
    if answer == "moments":
        return np.column_stack([arrays["mean"], arrays["cov"]])
    if answer == "quantiles":
        return np.column_stack([arrays["level"], arrays["quantile"]])
    edges = [arrays[name] for name in arrays_of("masses", dim)[:-1]]
    places = np.meshgrid(*[np.arange(len(axis) - 1) for axis in edges], indexing="ij")
    ends = [part for axis, i in zip(edges, places, strict=True) for part in (axis[i.ravel()], axis[i.ravel() + 1])]
    return np.column_stack([*ends, arrays["mass"].ravel()])


def from_table(answer: str, table: Numbers, dim: int, where: str, lines: Sequence[int]) -> tuple[Arrays, At]:
    """The arrays of an answer and their places, from the table of numbers that stands in CSV.

    Parameters
    ----------
    table : (rows, columns)
        The numbers.
    lines : sequence of int
        The line of the file of each row.
    """

    def line(row: int) -> str:
        return f"{where}, line {lines[row]}"

    if answer == "samples":
        return {"samples": table}, lambda name, index: line(index[0])
    if answer == "moments":
        return {"mean": table[:, 0], "cov": table[:, 1:]}, lambda name, index: line(index[0])
    if answer == "quantiles":
        return {"level": table[:, 0], "quantile": table[:, 1]}, lambda name, index: line(index[0])
    return _cells_from_table(table, dim, line)


def _cells_from_table(table: Numbers, dim: int, line: Callable[[int], str]) -> tuple[Arrays, At]:
    """Edges and masses from rows (left, right, ..., mass) in any order; every cell of the grid once."""
    bad = ~np.isfinite(table)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise Diverged(
            f"{line(row)}: a number is {table[row, column]}. All numbers of an answer must be finite. Take a smaller "
            "step, or correct the program."
        )
    edges, places = [], []
    for i in range(dim):
        left, right = table[:, 2 * i], table[:, 2 * i + 1]
        starts, place = np.unique(left, return_inverse=True)
        axis = np.append(starts, right[np.argmax(left)])
        off = np.flatnonzero(right != axis[place + 1])
        if len(off):
            row = int(off[0])
            raise BadInput(
                f"{line(row)}: the cell from {left[row]:.12g} ends at {right[row]:.12g}, and the next one begins at "
                f"{axis[place[row] + 1]:.12g}. Cells must follow each other without a gap. Write the same number for "
                "the end of a cell and the begin of the next one."
            )
        edges.append(axis)
        places.append(place)
    shape = tuple(len(axis) - 1 for axis in edges)
    row_of = np.full(shape, -1)
    for row, index in enumerate(zip(*places, strict=True)):
        if row_of[index] >= 0:
            raise BadInput(f"{line(row)}: this cell stands in {line(int(row_of[index]))} too. Write every cell once.")
        row_of[index] = row
    if row_of.min() < 0:
        index = tuple(int(i) for i in np.argwhere(row_of < 0)[0])
        where = [f"[{axis[i]:.6g}, {axis[i + 1]:.6g}]" for axis, i in zip(edges, index, strict=True)]
        raise BadInput(
            f"{line(len(table) - 1)} is the last cell, and the cell {' x '.join(where)} is missing. Every cell of the "
            "grid must be there. Write empty cells with the mass 0."
        )
    names = arrays_of("masses", dim)
    arrays = {**dict(zip(names, edges, strict=False)), "mass": table[:, -1][row_of]}

    def at(name: str, index: tuple[int, ...]) -> str:
        if name == "mass":
            return line(int(row_of[index]))
        return line(int(np.flatnonzero(places[names.index(name)] == min(index[0], shape[names.index(name)] - 1))[0]))

    return arrays, at
