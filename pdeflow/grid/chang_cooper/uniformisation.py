"""exp(tL) of a grid in two or three dimensions without time error, by uniformisation."""

import numpy as np

from ..._core.compiled import compiled, crew
from ..._core.errors import NotConverged
from ..._core.shapes import Numbers, Values
from . import lines
from .box import BoxGrid
from .elimination import OPTIONS

TAIL = 1e-14  # Poisson weights left out on each side
MOST_UPDATES = 2e12  # of cells: about an hour on two cores
ALONE = 1 << 16  # cells below which threads cost more than they save
_ROWS = 16  # rows of cells that a thread takes at a time, at least
_ROUND_OFF = 4e-16  # of the masses in one power of P, summed over the cells: two roundings a term


def exponential_of_box(grid: BoxGrid, time: float, mass: Numbers) -> tuple[Numbers, float]:
    """exp(time L) mass, and a bound of its error summed over the cells.

    With Λ the largest rate out of a cell, P = I + L/Λ has no negative entry and columns of sum one, and

        exp(time L) m = Σ_k e^{-Λ time} (Λ time)^k/k! P^k m,

    a mean of probability vectors with the weights of a Poisson law [jensen1953]: no term is subtracted, so cells are
    never negative. What is left out is known beforehand, 1e-14 of the weights on each side; round-off is bounded by
    4e-16 for each power.
    """
    shape = (1,) * (3 - mass.ndim) + mass.shape
    stay, rates, largest = _probabilities(grid, shape)
    first, weights = _poisson(largest * time)
    powers = first + len(weights) - 1
    if not powers * mass.size <= MOST_UPDATES:
        raise NotConverged(
            f"exp(tL) at t = {time:g} takes {powers:.3g} powers of a matrix of {mass.size} cells, because the largest "
            f"rate out of a cell is {largest:.3g}; {MOST_UPDATES:g} updates of cells are the limit. Take fewer "
            "cells, a smaller box by lower= and upper=, or step with ChangCooper(time_order=2).",
            residual=float(powers) * mass.size,
        )
    now, after = (np.zeros(tuple(n + 2 for n in shape)) for _ in range(2))
    inner = (slice(1, -1),) * 3
    now[inner] = mass.reshape(shape)
    total = weights[0] * now[inner] if first == 0 else np.zeros(shape)
    rows = shape[0] * shape[1]
    shares = np.concatenate([np.zeros(first), weights])[1:]
    if mass.size < ALONE:
        _powers(rows, stay, *rates, now, after, total, shares)
    else:
        with crew(_ROWS) as run:
            for share in shares:
                run(rows, _power, stay, *rates, now, after, total, share)
                now, after = after, now
    return np.ascontiguousarray(total.reshape(mass.shape)), 2 * TAIL + _ROUND_OFF * powers


def _probabilities(grid: BoxGrid, shape: tuple[int, ...]) -> tuple[Numbers, list[Numbers], float]:
    """The diagonal of P (of the given shape), its rates up and down each of three axes, with an empty rim, and Λ."""
    ups, downs = [], []
    for k in range(3):
        up, down = (np.zeros(tuple(n + 2 for n in shape)) for _ in range(2))
        axis = k - (3 - grid.values.ndim)
        if axis >= 0:
            values = grid.along(grid.values, axis)
            width = (grid.axes[axis][-1] - grid.axes[axis][0]) / values.shape[1]
            there = np.zeros((2, *values.shape))
            _rates(values, grid.temperature, grid.temperature / width**2, there[0], there[1])
            up[1:-1, 1:-1, 1:-1], down[1:-1, 1:-1, 1:-1] = there.reshape(2, *shape)
        ups.append(up)
        downs.append(down)
    leaving = np.zeros(tuple(n + 2 for n in shape))
    for k, (up, down) in enumerate(zip(ups, downs)):
        leaving += up + np.roll(down, 1, axis=k)  # down[j] leads from j + 1 to j; the rims are empty
    largest = max(float(leaving.max()), np.finfo(float).tiny)
    rates = [rate / largest for pair in zip(ups, downs) for rate in pair]
    return 1 - leaving[1:-1, 1:-1, 1:-1] / largest, rates, largest


@compiled(cache=True, nogil=True)
def _rates(values, temperature, rate, up, down):
    """The jump rates from j to j + 1 and back along the middle axis, in 1/time."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1] - 1):
            for m in range(values.shape[2]):
                forth, back = lines.rate_factors(values[i, j, m], values[i, j + 1, m], temperature)
                up[i, j, m], down[i, j, m] = rate * forth, rate * back


def _poisson(mean: float) -> tuple[int, Values]:
    """The first number and the weights of a Poisson law, but for `TAIL` on each side, of sum one.

    The weights are found from the largest one outwards, each from its neighbour, so that nothing under- or overflows.
    """
    middle = int(mean)
    above, weight = [], 1.0
    k = middle
    while weight > TAIL / (mean + 10) or k <= mean:
        k += 1
        weight *= mean / k
        above.append(weight)
    below, weight = [], 1.0
    for k in range(middle, 0, -1):
        weight *= k / mean
        if weight <= TAIL / (mean + 10):
            break
        below.append(weight)
    weights = np.array([*below[::-1], 1.0, *above])
    return middle - len(below), weights / weights.sum()


@compiled(**OPTIONS)
def _power(begin, end, stay, up0, down0, up1, down1, up2, down2, now, after, total, weight):
    """after = P now on the rows of the blocks, and weight times it added to the total."""
    n1, n2 = stay.shape[1], stay.shape[2]
    for row in range(begin * _ROWS, min(end * _ROWS, stay.shape[0] * n1)):
        i, j = row // n1, row % n1
        a, b = i + 1, j + 1
        for c in range(1, n2 + 1):
            value = stay[i, j, c - 1] * now[a, b, c]
            value += up1[a, b - 1, c] * now[a, b - 1, c] + down1[a, b, c] * now[a, b + 1, c]
            value += up2[a, b, c - 1] * now[a, b, c - 1] + down2[a, b, c] * now[a, b, c + 1]
            if stay.shape[0] > 1:
                value += up0[a - 1, b, c] * now[a - 1, b, c] + down0[a, b, c] * now[a + 1, b, c]
            after[a, b, c] = value
            total[i, j, c - 1] += weight * value


@compiled(cache=True, nogil=True)
def _powers(rows, stay, up0, down0, up1, down1, up2, down2, now, after, total, weights):
    """As many powers as there are weights, on the calling thread."""
    for k in range(len(weights)):
        _power(0, -(-rows // _ROWS), stay, up0, down0, up1, down1, up2, down2, now, after, total, weights[k])
        now, after = after, now
