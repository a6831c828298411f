"""Products with the Gaussian kernel exp(-|x - y|²/(2 ε)) on a grid, axis by axis and in logarithms."""

from collections.abc import Sequence

import numpy as np

from ..._core.compiled import BLOCK, FMA, Run, compiled
from ..._core.shapes import Numbers

SAFE = 1e-250  # a product of scaled numbers above it has lost nothing to underflow
DEEP = 40.0  # exp(-40) = 4e-18: terms that much smaller than the largest do not change a sum
GROUP = 16  # terms that are passed over together
_OPTIONS = {"cache": True, "nogil": True, "fastmath": FMA}


@compiled(**_OPTIONS)
def _log_sums(first, end, logs, weight, out):
    """out[i] = log Σ_j exp(logs[j] - weight (i - j)²) of the rows from `first` to `end`; -inf where all terms are.

    Terms are looked at in groups, which are passed over where the largest of them could not count.
    """
    n = logs.shape[1]
    groups = (n + GROUP - 1) // GROUP
    highest = np.empty(groups)
    for row in range(first, end):
        line = logs[row]
        for k in range(groups):
            highest[k] = line[k * GROUP : (k + 1) * GROUP].max()
        best = 0  # where the largest term of the output before was: that of the next one is not far
        for i in range(n):
            top = line[best] - weight * (i - best) * (i - best)
            for k in range(groups):
                gap = max(k * GROUP - i, i - (k + 1) * GROUP + 1, 0)
                if highest[k] - weight * gap * gap > top:
                    for j in range(k * GROUP, min((k + 1) * GROUP, n)):
                        term = line[j] - weight * (i - j) * (i - j)
                        if term > top:
                            top, best = term, j
            if top == -np.inf:
                out[row, i] = top
                continue
            total = 0.0
            for k in range(groups):
                gap = max(k * GROUP - i, i - (k + 1) * GROUP + 1, 0)
                if highest[k] - weight * gap * gap > top - DEEP:
                    for j in range(k * GROUP, min((k + 1) * GROUP, n)):
                        total += np.exp(line[j] - weight * (i - j) * (i - j) - top)
            out[row, i] = top + np.log(total)


class LogKernel:
    """log(K exp(f)) for K_xy = Π_i exp(-(x_i - y_i)²/(2 ε)) between the centres of the cells of a grid.

    Parameters
    ----------
    shape : (d,)
        Cells of each axis.
    weights : (d,)
        h_i²/(2 ε).
    run : callable
        Threads, see `pdeflow._core.compiled.crew`.

    Notes
    -----
    Along each axis exp(f - max f) is multiplied with a matrix: sums of numbers >= 0, exact to round-off as long as none
    of them underflows. Where one might have, the axis is summed again in logarithms, term by term: slower, and good for
    any ε.
    """

    def __init__(self, shape: Sequence[int], weights: Sequence[float], run: Run):
        self.weights, self.run, self.matrices = weights, run, []
        for n, weight in zip(shape, weights):
            place = np.arange(n)
            with np.errstate(under="ignore"):
                self.matrices.append(np.exp(-weight * (place[:, None] - place) ** 2))

    def __call__(self, logs: Numbers) -> Numbers:
        """log(K exp(logs)), of the shape of `logs`; -inf stands for 0."""
        for axis, (matrix, weight) in enumerate(zip(self.matrices, self.weights)):
            top = logs.max()
            if top == -np.inf:
                return logs
            with np.errstate(under="ignore"):
                product = np.tensordot(matrix, np.exp(logs - top), axes=(1, axis))
            if product.min() > SAFE:
                logs = np.moveaxis(np.log(product), 0, axis) + top
                continue
            lines = np.ascontiguousarray(np.moveaxis(logs, axis, -1))
            flat, out = lines.reshape(-1, lines.shape[-1]), np.empty(lines.shape)
            self.run(len(flat) * BLOCK, _log_sums, flat, weight, out.reshape(flat.shape))
            logs = np.moveaxis(out, -1, axis)
        return np.ascontiguousarray(logs)
