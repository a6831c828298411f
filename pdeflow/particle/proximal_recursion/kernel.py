"""Products with the Gaussian kernel exp(-|x - y|²/(2 ε)) between two clouds, truncated where that provably changes
nothing.

Points are ordered into tiles of neighbours. Pairs of tiles that lie farther apart than the radius are passed over.
Where few pairs are left, these are kept as sparse rows. Else a small kernel is kept whole, and a large one is computed
anew in every product, tile by tile, so that no large array of n x n numbers is ever made.
"""

import numpy as np
from scipy.spatial.distance import cdist

from ..._core.compiled import FMA, Run, bits_of, compiled, float_of
from ..._core.shapes import Points, Values

TILE = 64  # points of a tile: one word of 64 bits tells which of them are near
STORED = 8_000_000  # pairs that are kept as sparse rows, 24 bytes each with those of the transpose
WHOLE = 4_000_000  # entries of a kernel that is kept as it is, where an eighth of the pairs or more are near: 32 MB
MARKED = 4_000_000  # words of marks at once, 32 MB
FAR = 1e150  # where points that fill a tile up lie: beyond any radius, with a square that floats hold
SAFE = 1e-250  # a sum of scaled numbers above it has lost nothing to underflow
DEEP = 700.0  # exp(-DEEP) is a number still
INV_LOG_2 = 1.4426950408889634
LOG_2_HIGH, LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # the first has 20 zero bits at its end
SHIFTER = 6755399441055744.0  # 1.5 · 2⁵²: adding it leaves the nearest integer in the last bits
EXPONENT_OF_ONE, MANTISSA_BITS = np.uint64(0x3FF0000000000000), np.uint64(52)
_OPTIONS = {"nogil": True, "fastmath": FMA, "error_model": "numpy"}


@compiled(inline="always", fastmath=FMA, error_model="numpy")
def exp_negative(t):
    """exp(t) for -700 <= t <= 0 by its Taylor series after log 2 was taken out, to 2e-16 relative; it vectorises."""
    shifted = t * INV_LOG_2 + SHIFTER
    k = shifted - SHIFTER
    r = (t - k * LOG_2_HIGH) - k * LOG_2_LOW
    series = 1 / 39916800 + r * (1 / 479001600 + r * (1 / 6227020800))
    series = 1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * series))
    series = 1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * series))
    series = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * series))))
    return series * float_of((bits_of(shifted) << MANTISSA_BITS) + EXPONENT_OF_ONE)


@compiled(inline="always", **_OPTIONS)
def _gap(low, high, others_low, others_high, i, j):
    """The squared distance of two boxes."""
    total = 0.0
    for k in range(low.shape[1]):
        apart = max(low[i, k] - others_high[j, k], others_low[j, k] - high[i, k], 0.0)
        total += apart * apart
    return total


@compiled(inline="always", **_OPTIONS)
def _squares(x, i, y, start, first, last, out):
    """out[j] = |x_i - y_(start + j)|² for the points of a tile; x and y are (d, n), four coordinates at a time.

    Coordinates `first`, a multiple of four, to `last` - 1 are counted; out is added to unless `first` is 0.
    """
    whole = last - last % 4
    if first == 0:
        for j in range(TILE):
            out[j] = 0.0
    for k in range(first, whole, 4):
        p, q, r, s = x[k, i], x[k + 1, i], x[k + 2, i], x[k + 3, i]
        for j in range(TILE):
            a, b = y[k, start + j] - p, y[k + 1, start + j] - q
            c, d = y[k + 2, start + j] - r, y[k + 3, start + j] - s
            out[j] += (a * a + b * b) + (c * c + d * d)
    for k in range(whole, last):
        p = x[k, i]
        for j in range(TILE):
            a = y[k, start + j] - p
            out[j] += a * a


@compiled(inline="always", **_OPTIONS)
def _near(squares, square):
    """How many of a tile's squares are at most `square`."""
    near = 0
    for j in range(TILE):
        near += 1 if squares[j] <= square else 0
    return near


@compiled(cache=True, **_OPTIONS)
def _mark(begin, end, first, x, y, boxes, others, square, marks, counts):
    """Bit j of marks[i, t]: whether x_i and point j of tile t of y lie within the radius. counts[i]: how many do."""
    low, high = boxes
    others_low, others_high = others
    squares, dim = np.empty(TILE), len(x)
    head = 4 * ((dim + 7) // 8)  # coordinates that are looked at first: about half of them, those of largest spread
    for tile in range(begin, end):
        own = first + tile
        for t in range(len(others_low)):
            if _gap(low, high, others_low, others_high, own, t) > square:
                for i in range(tile * TILE, (tile + 1) * TILE):
                    marks[i, t] = 0
                continue
            for i in range(tile * TILE, (tile + 1) * TILE):
                row, near, word = first * TILE + i, 0, np.uint64(0)
                _squares(x, row, y, t * TILE, 0, min(head, dim), squares)
                if _near(squares, square) > 0:
                    if head < dim:
                        _squares(x, row, y, t * TILE, head, dim, squares)
                    near = _near(squares, square)
                    if near > 0:
                        for j in range(TILE):
                            if squares[j] <= square:
                                word |= np.uint64(1) << np.uint64(j)
                marks[i, t] = word
                counts[row] += near


@compiled(cache=True, **_OPTIONS)
def _fill(begin, end, first, x, y, scale, marks, starts, columns, weights):
    """The sparse rows of the marked pairs, of which row i of the marks begins at starts[i]: columns, and the kernel."""
    dim = len(x)
    for tile in range(begin, end):
        for i in range(tile * TILE, (tile + 1) * TILE):
            row = first * TILE + i
            at = starts[i]
            for t in range(marks.shape[1]):
                word, j = marks[i, t], t * TILE
                while word != 0:
                    if word & np.uint64(1):
                        total = 0.0
                        for k in range(dim):
                            total += (x[k, row] - y[k, j]) ** 2
                        columns[at], weights[at] = j, np.exp(-scale * total)
                        at += 1
                    word >>= np.uint64(1)
                    j += 1


@compiled(cache=True, **_OPTIONS)
def _transpose(starts, columns, weights, new_starts, new_columns, new_weights):
    """The sparse columns of sparse rows; new_starts holds where each begins, and is left holding where each ends."""
    for row in range(len(starts) - 1):
        for at in range(starts[row], starts[row + 1]):
            column = columns[at]
            there = new_starts[column]
            new_columns[there], new_weights[there] = row, weights[at]
            new_starts[column] = there + 1


@compiled(cache=True, **_OPTIONS)
def _sparse_product(begin, end, starts, columns, weights, factors, out):
    """out[i] = Σ_j weights[i, j] factors[j] over sparse rows."""
    for tile in range(begin, end):
        for i in range(tile * TILE, min((tile + 1) * TILE, len(starts) - 1)):
            total = 0.0
            for at in range(starts[i], starts[i + 1]):
                total += weights[at] * factors[columns[at]]
            out[i] = total


@compiled(cache=True, **_OPTIONS)
def _tile_product(begin, end, x, y, boxes, others, square, scale, factors, out):
    """out[i] = Σ_j exp(-scale |x_i - y_j|²) factors[j] over pairs of tiles that the radius does not part."""
    low, high = boxes
    others_low, others_high = others
    squares, sums = np.empty(TILE), np.empty(TILE)
    for tile in range(begin, end):
        for i in range(tile * TILE, (tile + 1) * TILE):
            out[i] = 0.0
        for t in range(len(others_low)):
            if _gap(low, high, others_low, others_high, tile, t) > square:
                continue
            for i in range(tile * TILE, (tile + 1) * TILE):
                _squares(x, i, y, t * TILE, 0, len(x), squares)
                for j in range(TILE):
                    sums[j] = exp_negative(max(-scale * squares[j], -DEEP)) * factors[t * TILE + j]
                total = 0.0
                for j in range(TILE):
                    total += sums[j]
                out[i] += total


@compiled(cache=True, **_OPTIONS)
def _log_sums(rows, x, y, boxes, others, square, scale, logs, out):
    """out[i] = log Σ_j exp(logs[j] - scale |x_i - y_j|²) of some rows, over the pairs of tiles of `_tile_product`.

    Term by term, the largest taken out: for rows whose products have underflown. -inf where all terms are.
    """
    low, high = boxes
    others_low, others_high = others
    squares = np.empty(TILE)
    for i in rows:
        top, total = -np.inf, 0.0
        for t in range(len(others_low)):
            if _gap(low, high, others_low, others_high, i // TILE, t) > square:
                continue
            _squares(x, i, y, t * TILE, 0, len(x), squares)
            for j in range(TILE):
                term = logs[t * TILE + j] - scale * squares[j]
                if term > top:
                    total = total * np.exp(top - term) + 1.0
                    top = term
                elif term > -np.inf:
                    total += np.exp(term - top)
        out[i] = top + np.log(total) if total > 0 else -np.inf


def tiles_of_neighbours(x: Points) -> np.ndarray:
    """An order of the points (n,), in which each run of TILE points fills a small box: halves along the widest axis."""
    order = np.arange(len(x))
    runs = [(0, len(x))]
    while runs:
        begin, end = runs.pop()
        if end - begin <= TILE:
            continue
        part = x[order[begin:end]]
        axis = int(np.argmax(part.max(axis=0) - part.min(axis=0)))
        half = TILE * ((-(-(end - begin) // TILE) + 1) // 2)
        order[begin:end] = order[begin:end][np.argpartition(part[:, axis], half - 1)]
        runs += [(begin, begin + half), (begin + half, end)]
    return order


class PairKernel:
    """log(K b) and log(Kᵀa) for K_ij = exp(-|x_i - y_j|²/(2 ε)) between two clouds of n points.

    Parameters
    ----------
    x, y : (n, d)
        The old points and the new ones.
    regularisation : float
        ε > 0, in units of x².
    depth : float
        Pairs with |x_i - y_j|² > 2 ε depth may be left out; each entry left out is below exp(-depth).
    run : callable
        Threads, see `pdeflow._core.compiled.crew` with blocks of TILE.

    Attributes
    ----------
    depth : float
        As given.
    pairs : int
        Entries of K that are not left out: the pairs within the radius, all pairs of a kernel that is kept whole, and
        the pairs of all tiles within the radius where none are kept.
    complete : bool
        Whether no pair was left out.

    Notes
    -----
    Sums of numbers >= 0, exact to round-off. A row whose product underflows is summed again in logarithms, over the
    pairs of all tiles within the radius.
    """

    def __init__(self, x: Points, y: Points, regularisation: float, depth: float, run: Run):
        self.scale, self.depth, self.run = 0.5 / regularisation, depth, run
        self._square = 2 * regularisation * depth
        middle = x.mean(axis=0)
        _, axes = np.linalg.eigh((x - middle).T @ (x - middle))
        x, y = (x - middle) @ axes[:, ::-1], (y - middle) @ axes[:, ::-1]  # widest axis first: distances are the same
        self._order = tiles_of_neighbours(x)
        self._x, self._boxes = _tiled(x[self._order], FAR)
        self._y, self._others = _tiled(y[self._order], -FAR)
        n = len(x)
        counts = np.zeros(self._x.shape[1], dtype=np.int64)
        small = n * n <= WHOLE
        found = self._near_pairs(counts, n * n // 8 if small else STORED)
        self._rows = self._columns = self._matrix = None
        if found is None and small:
            self.pairs, self._square = n * n, np.inf
            with np.errstate(under="ignore"):
                self._matrix = np.exp(-self.scale * cdist(x[self._order], y[self._order], "sqeuclidean"))
        elif found is None:
            self.pairs = self._tile_pairs(n)
        else:
            self.pairs = int(counts.sum())
            self._rows, self._columns = _sparse_and_transposed(counts, *found)
        self.complete = self.pairs == n * n

    def __call__(self, logs: Values) -> Values:
        """log(K exp(logs)), (n,) -> (n,); -inf stands for 0."""
        return self._product(logs, self._matrix, self._rows, (self._x, self._y, self._boxes, self._others))

    def transposed(self, logs: Values) -> Values:
        """log(Kᵀ exp(logs)), (n,) -> (n,)."""
        matrix = None if self._matrix is None else self._matrix.T
        return self._product(logs, matrix, self._columns, (self._y, self._x, self._others, self._boxes))

    def _product(self, logs, matrix, sparse, clouds):
        n = len(logs)
        top = logs.max()
        if top == -np.inf:
            return logs.copy()
        padded = np.full(clouds[0].shape[1], -np.inf)
        padded[:n] = logs[self._order]
        with np.errstate(under="ignore", divide="ignore"):
            factors, out = np.exp(padded - top), np.zeros(len(padded))
            if matrix is not None:
                out[:n] = matrix @ factors[:n]
            elif sparse is not None:
                self.run(len(padded), _sparse_product, *sparse, factors, out)
            else:
                self.run(len(padded), _tile_product, *clouds, self._square, self.scale, factors, out)
            sums = np.log(out) + top
        lost = np.flatnonzero(out[:n] < SAFE)
        if len(lost):
            _log_sums(lost, *clouds, self._square, self.scale, padded, sums)
        answer = np.empty(n)
        answer[self._order] = sums[:n]
        return answer

    def _near_pairs(self, counts: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Columns and weights of the pairs within the radius, row by row, or None where there are more than `most`.

        `counts` (rows) is filled in. Rows are worked on in blocks, so that the marks of one block are held at a time.
        """
        tiles = len(self._others[0])
        step = max(1, MARKED // (tiles * TILE))
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for first in range(0, tiles, step):
            size = min(step, tiles - first) * TILE
            marks = np.empty((size, tiles), dtype=np.uint64)
            clouds = (self._x, self._y, self._boxes, self._others)
            self.run(size, _mark, first, *clouds, self._square, marks, counts)
            if counts.sum() > most:
                return None
            starts = np.concatenate([[0], np.cumsum(counts[first * TILE : first * TILE + size])])
            columns, weights = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1])
            self.run(size, _fill, first, self._x, self._y, self.scale, marks, starts, columns, weights)
            parts.append((columns, weights))
        return np.concatenate([columns for columns, _ in parts]), np.concatenate([weights for _, weights in parts])

    def _tile_pairs(self, n: int) -> int:
        """Pairs of points in the pairs of tiles that the radius does not part."""
        (low, high), (others_low, others_high) = self._boxes, self._others
        sizes = np.minimum(TILE, n - TILE * np.arange(len(low)))
        total = 0
        for tile in range(len(low)):
            apart = np.maximum(np.maximum(low[tile] - others_high, others_low - high[tile]), 0.0)
            total += int(sizes[tile] * sizes[np.sum(apart * apart, axis=1) <= self._square].sum())
        return total


def _sparse_and_transposed(counts, columns, weights):
    """Sparse rows and sparse columns, each (starts, indices, weights)."""
    size = len(counts)
    begins = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=size))])
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows, turned = np.empty(len(columns), dtype=np.int32), np.empty(len(columns))
    _transpose(starts, columns, weights, begins[:-1].copy(), rows, turned)
    return (starts, columns, weights), (begins, rows, turned)


def _tiled(x: Points, far: float) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Points as (d, whole tiles), filled up with far ones, and the two corners of the box of each tile."""
    tiles = -(-len(x) // TILE)
    full = np.full((x.shape[1], tiles * TILE), far)
    full[:, : len(x)] = x.T
    begins = np.arange(tiles) * TILE
    return full, (np.minimum.reduceat(x, begins, axis=0), np.maximum.reduceat(x, begins, axis=0))
