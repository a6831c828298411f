"""Compiled kernels for the one-dimensional Markov generator of a finite-volume scheme.

The generator L acts on cell masses m (n,): (L m)_j = f_j - f_{j-1}, f_j = down_j m_{j+1} - up_j m_j the flux through
edge j+½ (towards smaller x), f_{-1} = f_{n-1} = 0; up, down >= 0 of shape (n-1,) are rates in 1/time.

M = I - dt L is an M-matrix with column sums one. It is eliminated from both ends towards the middle cell (two
independent recurrences, which a processor runs side by side) with pivots q_j = p_j + up_j dt, where p_j - 1 is the
share of a cell that earlier cells give back. In this form no two numbers are ever subtracted, so every cell of the
solution has a small relative error and is non-negative whatever dt, L and the (non-negative) data [the idea of
grassmann1985].

The sum of the solution, though, is one only to round-off times √(dt·rate), in the same direction at every step. The
step is therefore taken in flux form, m_j + dt (f_j - f_{j-1}) with the fluxes of the solved state, which telescope.
Fluxes come out of the elimination as a_j m_{j+1} - b_j r_j with a ~ √(dt·rate) instead of dt·rate: less cancellation.
Where a cell is so much emptier than its neighbours that the rounding of their fluxes would drown it (a relative
difference above `DROWNED_DIFFERENCE` from the solution), the solution stands. That keeps its sign, at the price of
the round-off of one neighbour's flux in the total (tests/grid: below 1e-13 after 10,000 steps with dt·rate up to 1e12
and Peclet numbers up to 1e4).
"""

import numpy as np

from ..._core.compiled import FMA, compiled

DROWNED_DIFFERENCE = 1e-12
DAMPED = 4  # implicit Euler steps of a quarter of dt that stand for the first step of time_order=2
STAGE_SHARE = 1 - 1 / np.sqrt(2)  # γ of the L-stable function of second order
KAPPA = 1.0 + np.sqrt(2.0)
OPTIONS = {"cache": True, "nogil": True, "fastmath": FMA}


@compiled(cache=True, nogil=True)
def factor(up, down, dt):
    """Coefficients (4, 2h+2) of the elimination of I - dt L, h = n // 2, in the folded order of `_fold`.

    Rows: share passed on inwards b, inverse pivot g, backward factor e, share a handed back. Column 2h holds g of the
    middle cell.
    """
    n = len(up) + 1
    h = n // 2
    coefficients = np.zeros((4, 2 * h + 2))
    b, g, e, a = coefficients
    back = 0.0
    for side in range(2):
        empty = side * (
            2 * h + 1 - n
        )  # an even n lacks one cell on the right: a cell without mass or links stands for it
        g[1] = 1.0
        p = 1.0
        for i in range(empty, h):
            j = i if side == 0 else n - 2 - (i - empty)  # the edge inwards of the cell
            inwards, outwards = (dt * up[j], dt * down[j]) if side == 0 else (dt * down[j], dt * up[j])
            k = 2 * i + side
            q = p + inwards
            b[k], g[k], e[k], a[k] = inwards / q, 1.0 / q, outwards / q, outwards * (p / q)
            p = 1.0 + a[k]
        back += p - 1.0 if h > empty else 0.0
    g[2 * h] = 1.0 / (1.0 + back)
    return coefficients


@compiled(cache=True, nogil=True)
def _fold(mass):
    """Cells from both ends inwards, interleaved: left end, right end, second, last but one, ..., middle, one unused."""
    n = len(mass)
    h = n // 2
    folded = np.zeros(2 * h + 2)
    empty = 2 * h + 1 - n
    for i in range(h):
        folded[2 * i] = mass[i]
    for i in range(empty, h):
        folded[2 * i + 1] = mass[n - 1 - (i - empty)]
    folded[2 * h] = mass[h]
    return folded


@compiled(cache=True, nogil=True)
def _unfold(folded, n):
    mass = np.empty(n)
    h = n // 2
    empty = 2 * h + 1 - n
    for i in range(h):
        mass[i] = folded[2 * i]
    for i in range(empty, h):
        mass[n - 1 - (i - empty)] = folded[2 * i + 1]
    mass[h] = folded[2 * h]
    return mass


@compiled(**OPTIONS)
def _solve(m, coefficients, r, x, flow):
    """Solve (I - dt L) x = m, all folded, and dt times the inward flow out of cell k into flow[k + 2]; flow[:2] = 0."""
    b, g, e, a = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    last = len(m) - 2
    left, right = m[0], m[1]
    r[0], r[1] = left, right
    for k in range(2, last, 2):
        left = b[k - 2] * left + m[k]
        right = b[k - 1] * right + m[k + 1]
        r[k], r[k + 1] = left, right
    center = g[last] * (m[last] + b[last - 2] * left + b[last - 1] * right)
    x[last] = x[last + 1] = left = right = center
    k = last - 2
    while k >= 0:
        left = e[k] * left + g[k] * r[k]
        right = e[k + 1] * right + g[k + 1] * r[k + 1]
        x[k], x[k + 1] = left, right
        k -= 2
    for k in range(last):
        flow[k + 2] = b[k] * r[k] - a[k] * x[k + 2]


@compiled(**OPTIONS)
def implicit_euler(mass, coefficients, steps):
    """`steps` implicit Euler steps of the length of `coefficients`; non-negative stays non-negative."""
    m = _fold(mass)
    r, x, flow = np.zeros(len(m)), np.zeros(len(m)), np.zeros(len(m) + 2)
    last = len(m) - 2
    for _ in range(steps):
        _solve(m, coefficients, r, x, flow)
        for k in range(last):  # a choice, not a branch, so that it is vectorised
            moved = m[k] + (flow[k] - flow[k + 2])
            m[k] = moved if abs(moved - x[k]) <= DROWNED_DIFFERENCE * abs(x[k]) else x[k]
        moved = m[last] + (flow[last] + flow[last + 1])
        m[last] = moved if abs(moved - x[last]) <= DROWNED_DIFFERENCE * abs(x[last]) else x[last]
    mass = _unfold(m, len(mass))
    return mass, mass.min()


@compiled(**OPTIONS)
def second_order(mass, coefficients, steps):
    """`steps` steps of (1+√2) S² - √2 S with S = (I - γ dt L)⁻¹, γ = 1 - 1/√2, in flux form.

    `coefficients` are those of γ dt. Returns the masses and the smallest cell met after any step, or of the last step
    where none was negative.
    """
    m = _fold(mass)
    r, x, flow = np.zeros(len(m)), np.zeros(len(m)), np.zeros(len(m) + 2)
    last = len(m) - 2
    least = 0.0
    for _ in range(steps):
        _solve(m, coefficients, r, x, flow)
        for k in range(last):
            m[k] += flow[k] - flow[k + 2]
        m[last] += flow[last] + flow[last + 1]
        _solve(m, coefficients, r, x, flow)
        below = 0
        for k in range(last):
            m[k] += KAPPA * (flow[k] - flow[k + 2])
            below += m[k] < least
        m[last] += KAPPA * (flow[last] + flow[last + 1])
        if below > 0 or m[last] < least:
            least = m.min()
    mass = _unfold(m, len(mass))
    return mass, min(least, mass.min()) if least < 0 else mass.min()


@compiled(cache=True, nogil=True)
def resolvent_sum(up, down, time, nodes, weights, mass):
    """Re Σ_k weights_k (nodes_k - time L)⁻¹ mass by Thomas elimination without pivoting, (n,).

    L is similar to a symmetric matrix with spectrum in (-∞, 0]; nodes off that half-line keep the pivots away from
    zero.
    """
    n = len(mass)
    total = np.zeros(n)
    pivot = np.empty(n, dtype=np.complex128)
    right = np.empty(n, dtype=np.complex128)
    for k in range(len(nodes)):
        rest = (
            nodes[k] + 0.0j
        )  # the pivot less the outflow to the right: the part that must not be found by subtraction
        right[0] = mass[0] + 0.0j
        for j in range(n - 1):
            out, back = time * up[j], time * down[j]
            pivot[j] = rest + out
            right[j + 1] = mass[j + 1] + out / pivot[j] * right[j]
            rest = nodes[k] + back * (rest / pivot[j])
        value = right[n - 1] / rest
        total[n - 1] += (weights[k] * value).real
        for j in range(n - 2, -1, -1):
            value = (right[j] + time * down[j] * value) / pivot[j]
            total[j] += (weights[k] * value).real
    return total


@compiled(cache=True, nogil=True)
def uniformised(stay, rise, fall, weights, mass):
    """Σ_k weights_k Pᵏ mass, (n,), with P the chain that stays with `stay` (n,) and jumps with `rise`, `fall` (n - 1,).

    Nothing is subtracted, so that every cell has a small relative error.
    """
    n = len(mass)
    m, after, total = mass.copy(), np.empty(n), weights[0] * mass
    for k in range(1, len(weights)):
        after[0] = stay[0] * m[0] + fall[0] * m[1]
        for j in range(1, n - 1):
            after[j] = stay[j] * m[j] + rise[j - 1] * m[j - 1] + fall[j] * m[j + 1]
        after[n - 1] = stay[n - 1] * m[n - 1] + rise[n - 2] * m[n - 2]
        m, after = after, m
        weight = weights[k]
        for j in range(n):
            total[j] += weight * m[j]
    return total
