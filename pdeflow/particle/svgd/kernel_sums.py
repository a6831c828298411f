"""Sums of a Gaussian kernel over all pairs of a cloud by matrix products of tiles, and the median of its distances.

A tile is one block of rows against all points, so that memory is O(n): no array of n x n entries is made. Blocks are
worked on by threads, each sum by one of them in one order: the same bits for every number of threads.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from ..._core.errors import BadInput
from ..._core.shapes import Points

ROWS = 256  # of a tile: 10 MB for 5,000 points, which stays in the cache of a processor's last level
SAMPLE = 512  # points whose distances say about where the median of all lies
MARGIN = 0.02  # ranks on each side of it, as a share of all: some ten standard errors of the sample's median


def gaussian_direction(x: Points, pull: Points, temperature: float, bandwidth: float, dtype: str) -> Points:
    """(1/n) Σ_j [k(x_j, x_i) pull_j + T ∇_{x_j} k(x_j, x_i)], k(x, y) = exp(-|x - y|²/ℓ), for every i.

    Parameters
    ----------
    x, pull : (n, d)
        Points, and -∇V at each of them.
    temperature, bandwidth : float
        T and ℓ, ℓ in units of x².
    dtype : {"float64", "float32"}
        Of the tiles. Coordinates are centred before they are rounded to it.

    Returns
    -------
    (n, d) float64
    """
    n, dim = x.shape
    y = np.ascontiguousarray(x - x.mean(axis=0), dtype=dtype)
    right = np.concatenate([pull - (2 * temperature / bandwidth) * y, np.ones((n, 1))], axis=1).astype(dtype)
    scale = np.asarray(-1 / bandwidth, dtype)
    half = scale * np.sum(y * y, axis=1)
    out = np.empty((n, dim))

    def rows(begin: int) -> None:
        end = min(n, begin + ROWS)
        tile = y[begin:end] @ (y.T * (-2 * scale))
        tile += half[begin:end, None]
        tile += half[None, :]
        np.minimum(tile, 0, out=tile)  # -|x - y|²/ℓ is never positive but for round-off
        np.exp(tile, out=tile)
        sums = tile @ right
        out[begin:end] = sums[:, :dim] + (2 * temperature / bandwidth) * y[begin:end] * sums[:, dim:]

    _each(rows, n)
    return out / n


def linear_direction(x: Points, pull: Points, temperature: float) -> Points:
    """(1/n) Σ_j [(x_j·x_i + 1) pull_j + T x_i], (n, d): the kernel xᵀy + 1, in O(n d²)."""
    return x @ (x.T @ pull / len(x)) + pull.mean(axis=0) + temperature * x


def median_squared_distance(x: Points, dtype: str) -> float:
    """The median of |x_i - x_j|² over all pairs i < j: the lower of the two in the middle of an even number.

    All distances are counted, in tiles; only those near the median are kept. Where that lies is guessed from a few
    points and checked by the count.

    Raises
    ------
    BadInput
        For one point, or where half of the pairs or more coincide.
    """
    n = len(x)
    pairs = n * (n - 1) // 2
    if pairs == 0:
        raise BadInput("One particle has no distances, and so no median. Take more particles, or give bandwidth=.")
    y = np.ascontiguousarray(x - x.mean(axis=0), dtype=dtype)
    size = np.sum(y * y, axis=1)
    rank = (pairs - 1) // 2
    sample = np.linspace(0, n - 1, min(n, SAMPLE)).astype(int)
    near = np.sort(np.concatenate(list(_upper(y[sample], size[sample]))))
    margin = MARGIN
    while True:
        low = near[int(max(0.0, 0.5 - margin) * (len(near) - 1))] if margin < 0.5 else -np.inf
        high = near[int(np.ceil(min(1.0, 0.5 + margin) * (len(near) - 1)))] if margin < 0.5 else np.inf
        below, kept = _counted(y, size, low, high)
        if below <= rank < below + len(kept):
            median = float(np.partition(kept, rank - below)[rank - below])
            break
        margin *= 4
    if not median > 0:
        raise BadInput(
            f"The median distance of the {n} particles is {median:g}: half of the pairs coincide. A kernel needs a "
            "width > 0. Give bandwidth=, or start from particles that differ."
        )
    return median


def _upper(y: Points, size: np.ndarray) -> Iterator[np.ndarray]:
    """Squared distances of the pairs i < j, block of rows by block of rows."""
    for begin in range(0, len(y), ROWS):
        yield _tile(y, size, begin)


def _tile(y: Points, size: np.ndarray, begin: int) -> np.ndarray:
    end = min(len(y), begin + ROWS)
    tile = y[begin:end] @ (-2 * y[begin:].T)
    tile += size[begin:end, None]
    tile += size[None, begin:]
    np.maximum(tile, 0, out=tile)  # round-off of pairs that coincide
    width = end - begin
    inner = tile[:, :width][np.triu_indices(width, 1)]
    return np.concatenate([inner, tile[:, width:].ravel()])


def _counted(y: Points, size: np.ndarray, low: float, high: float) -> tuple[int, np.ndarray]:
    """(number of squared distances below `low`, those from `low` to `high`)."""
    found: dict[int, tuple[int, np.ndarray]] = {}

    def rows(begin: int) -> None:
        tile = _tile(y, size, begin)
        found[begin] = int(np.count_nonzero(tile < low)), tile[(tile >= low) & (tile <= high)]

    _each(rows, len(y))
    return sum(count for count, _ in found.values()), np.concatenate([found[begin][1] for begin in sorted(found)])


def _each(rows, n: int) -> None:
    """rows(begin) for the first row of every block, on as many threads as numba has."""
    begins = range(0, n, ROWS)
    threads = numba.get_num_threads()
    if threads == 1 or len(begins) == 1:
        for begin in begins:
            rows(begin)
        return
    with ThreadPoolExecutor(threads) as pool:
        for task in [pool.submit(rows, begin) for begin in begins]:
            task.result()
