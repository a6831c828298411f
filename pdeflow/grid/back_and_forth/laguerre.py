"""Laguerre cells of the points of a grid, and the mass of a law in each: the transport of a step, to round-off.

The Laguerre cell of the grid point y_j for the heights φ is the set of x with φ_j + |x - y_j|²/(2 dt) <= φ_k +
|x - y_k|²/(2 dt) for all k. Between neighbours of an axis it ends at the line x = (middle) + dt (φ_k - φ_j)/h. Where
I + dt ∇²φ is positive definite and its condition number below 5.8, no neighbours but the eight around a point matter.
Then the cell is the rectangle between the four lines, less a triangle at a corner where the mixed difference of φ over
the four points around it is negative: there the diagonal neighbour takes over.

Lengths are in cells: the cell (i, j) of the grid is [i, i + 1] x [j, j + 1], its point the centre. Points that are not
open (obstacles, V = inf) have no cell, and the lines towards them are the edges of the grid's own cells; on the line
(one cell along the second axis) the next open point behind an obstacle is the neighbour, and nothing is left out. At a
corner where one of the four points is closed, what its two neighbours both or neither claim is divided as the three
costs say.

The law is linear in each cell of the grid: `density` in mass per cell, and slopes per cell.
"""

import numpy as np

from ..._core.compiled import FMA, compiled

_OPTIONS = {"cache": True, "nogil": True, "fastmath": FMA}


@compiled(**_OPTIONS)
def _rectangle(density, slope_x, slope_y, x0, x1, y0, y1, px, py, hx2, hy2):
    """(mass, Σ of mass times hx2 (x - px)² + hy2 (y - py)²) of the rectangle [x0, x1] x [y0, y1].

    Both change their signs where the ends of a side do.
    """
    sign = 1.0
    if x1 < x0:
        x0, x1, sign = x1, x0, -sign
    if y1 < y0:
        y0, y1, sign = y1, y0, -sign
    mass, cost = 0.0, 0.0
    for a in range(int(x0), min(int(np.ceil(x1)), density.shape[0])):
        u0, u1 = max(x0, a), min(x1, a + 1.0)
        wide, middle = u1 - u0, 0.5 * (u0 + u1)
        off, far = middle - a - 0.5, middle - px
        square = far * far + wide * wide / 12
        for b in range(int(y0), min(int(np.ceil(y1)), density.shape[1])):
            if density[a, b] == 0.0:
                continue
            v0, v1 = max(y0, b), min(y1, b + 1.0)
            high, centre = v1 - v0, 0.5 * (v0 + v1)
            away = centre - py
            sx, sy = slope_x[a, b], slope_y[a, b]
            mean = density[a, b] + sx * off + sy * (centre - b - 0.5)
            area = wide * high
            mass += area * mean
            cost += area * hx2 * (square * mean + sx * far * wide * wide / 6)
            cost += area * hy2 * ((away * away + high * high / 12) * mean + sy * away * high * high / 6)
    return sign * mass, sign * cost


@compiled(**_OPTIONS)
def _lower_values(value, phi, x0, x1, y0, y1, px, py, hx2, hy2, dt):
    """value(x) = min(value(x), φ + |x - p|²/(2 dt)) at the centres x of the grid in a rectangle."""
    for a in range(max(int(np.ceil(x0 - 0.5)), 0), min(int(np.floor(x1 - 0.5)) + 1, value.shape[0])):
        for b in range(max(int(np.ceil(y0 - 0.5)), 0), min(int(np.floor(y1 - 0.5)) + 1, value.shape[1])):
            far, away = a + 0.5 - px, b + 0.5 - py
            value[a, b] = min(value[a, b], phi + (hx2 * far * far + hy2 * away * away) / (2 * dt))


@compiled(**_OPTIONS)
def _inside(x, n):
    return min(max(x, 0.0), float(n))


@compiled(**_OPTIONS)
def next_open(open_points, i, j, move):
    """The next open point from (i, j) along the first axis, -1 where there is none: on the line behind an obstacle too.

    In the plane the cells of points on two sides of an obstacle are not told by their row alone; there only the
    neighbour counts.
    """
    n = open_points.shape[0]
    k = i + move
    while 0 <= k < n and not open_points[k, j] and open_points.shape[1] == 1:
        k += move
    return k if 0 <= k < n and open_points[k, j] else -1


@compiled(**_OPTIONS)
def _lines(phi, open_points, kx, ky, i, j):
    """(left, right, below, above): the lines between the cell of the point (i, j) and those of its four neighbours."""
    nx, ny = phi.shape
    f = phi[i, j]
    left, right, below, above = float(i), i + 1.0, float(j), j + 1.0
    before, after = next_open(open_points, i, j, -1), next_open(open_points, i, j, 1)
    if before >= 0:
        gap = i - before
        left = _inside(i - 0.5 * (gap - 1) + kx / gap * (f - phi[before, j]), nx)
    if after >= 0:
        gap = after - i
        right = _inside(i + 1 + 0.5 * (gap - 1) + kx / gap * (phi[after, j] - f), nx)
    if j > 0 and open_points[i, j - 1]:
        below = _inside(j + ky * (f - phi[i, j - 1]), ny)
    if j < ny - 1 and open_points[i, j + 1]:
        above = _inside(j + 1 + ky * (phi[i, j + 1] - f), ny)
    return left, right, below, above


@compiled(**_OPTIONS)
def _corner(phi, open_points, kx, ky, i, j, di, dj, x, y):
    """(x, y of the opposite corner, share) of the rectangle at the corner (x, y) of a cell that is not all its own.

    The share is what the rectangle's mass counts for the cell besides: -1/2 where it is divided with the diagonal
    neighbour, or with the one beside a closed point, 1 where nobody else claims it, 0 where there is nothing to do.
    """
    a, b = i + di, j + dj
    if a < 0 or a >= phi.shape[0] or b < 0 or b >= phi.shape[1] or not open_points[a, b]:
        return x, y, 0.0
    beside, over, f, g = open_points[a, j], open_points[i, b], phi[i, j], phi[a, b]
    if beside and over:
        if g - phi[a, j] - phi[i, b] + f >= 0:
            return x, y, 0.0
        x_other = max(i, a) + di * kx * (g - phi[i, b])
        y_other = max(j, b) + dj * ky * (g - phi[a, j])
        return x_other, y_other, -0.5
    x_other, y_other = float(i + (di + 1) // 2), float(j + (dj + 1) // 2)
    if over:  # the point beside is closed: this one and the diagonal one are its neighbours
        x_other += di * kx * (g - phi[i, b])
        rise, reach = dj * (y - y_other), di * (x - x_other)
    elif beside:  # the point over this one is closed
        y_other += dj * ky * (g - phi[a, j])
        rise, reach = di * (x - x_other), dj * (y - y_other)
    else:
        return x, y, 0.0
    if rise <= 0:
        return x, y, 0.0
    return x_other, y_other, -0.5 if reach > 0 else 1.0


@compiled(**_OPTIONS)
def _links(density, phi, open_points, kx, ky, i, j, ends):
    """Density times length of the edges towards the next point of each axis, over h and times dt: -∂m_j/∂φ_k."""
    nx, ny = phi.shape
    left, right, below, above = ends
    first, second = 0.0, 0.0
    after = next_open(open_points, i, j, 1)
    if after >= 0:
        low, high, g = below, above, phi[after, j]
        if j > 0 and open_points[i + 1, j - 1]:
            low = max(low, j + ky * (g - phi[i + 1, j - 1]))
        if j < ny - 1 and open_points[i + 1, j + 1]:
            high = min(high, j + 1 + ky * (phi[i + 1, j + 1] - g))
        a, b = min(int(right), nx - 1), min(max(int(0.5 * (low + high)), 0), ny - 1)
        first = kx / (after - i) * max(high - low, 0.0) * density[a, b]
    if j < ny - 1 and open_points[i, j + 1]:
        low, high, g = left, right, phi[i, j + 1]
        if i > 0 and open_points[i - 1, j + 1]:
            low = max(low, i + kx * (g - phi[i - 1, j + 1]))
        if i < nx - 1 and open_points[i + 1, j + 1]:
            high = min(high, i + 1 + kx * (phi[i + 1, j + 1] - g))
        a, b = min(max(int(0.5 * (low + high)), 0), nx - 1), min(int(above), ny - 1)
        second = ky * max(high - low, 0.0) * density[a, b]
    return first, second


@compiled(**_OPTIONS)
def laguerre_masses(
    first, end, density, slope_x, slope_y, phi, open_points, kx, ky, hx2, hy2, dt, mass, cost, links_x, links_y, value
):
    """Masses in the Laguerre cells of the rows from `first` to `end`, what their transport costs, and their links.

    Parameters
    ----------
    density, slope_x, slope_y, phi : (n_1, n_2)
        The law, and the heights of all points.
    open_points : (n_1, n_2) bool
        False for obstacles.
    kx, ky, hx2, hy2, dt : float
        dt/h_i², h_i² (0 for an axis of one cell), and the step.
    mass, cost : (n_1, n_2)
        Filled: mass of each Laguerre cell, and Σ mass |x - y_j|².
    links_x, links_y : (n_1, n_2)
        Filled: how fast mass passes to the next point of an axis per difference of φ, -∂m_j/∂φ_k >= 0.
    value : (n_1, n_2) or (0, 0)
        Lowered at the centres of the grid's cells to φ_j + |x - y_j|²/(2 dt) of the cells that hold them; of size 0 it
        is left alone. Rows write to places of other rows, so that this takes one thread.
    """
    nx, ny = density.shape
    for i in range(first, end):
        for j in range(ny):
            mass[i, j] = cost[i, j] = links_x[i, j] = links_y[i, j] = 0.0
            if not open_points[i, j]:
                continue
            f, px, py = phi[i, j], i + 0.5, j + 0.5
            ends = _lines(phi, open_points, kx, ky, i, j)
            left, right, below, above = ends
            m, c = _rectangle(density, slope_x, slope_y, left, right, below, above, px, py, hx2, hy2)
            if value.size > 0:
                _lower_values(value, f, left, right, below, above, px, py, hx2, hy2, dt)
            for corner in range(4):
                di, dj = 1 if corner % 2 else -1, 1 if corner // 2 else -1
                x, y = right if di > 0 else left, above if dj > 0 else below
                x_other, y_other, share = _corner(phi, open_points, kx, ky, i, j, di, dj, x, y)
                if share == 0.0:
                    continue
                x0, x1 = _inside(min(x, x_other), nx), _inside(max(x, x_other), nx)
                y0, y1 = _inside(min(y, y_other), ny), _inside(max(y, y_other), ny)
                whole, its_cost = _rectangle(density, slope_x, slope_y, x0, x1, y0, y1, px, py, hx2, hy2)
                m += share * whole
                if share > 0:
                    c += its_cost
                    if value.size > 0:
                        _lower_values(value, f, x0, x1, y0, y1, px, py, hx2, hy2, dt)
                    continue
                # the triangle that is cut off: its centroid lies a third of the way from the corner (x, y)
                far, away = x + (x_other - x) / 3 - px, y + (y_other - y) / 3 - py
                spread = hx2 * (far * far + (x1 - x0) ** 2 / 18) + hy2 * (away * away + (y1 - y0) ** 2 / 18)
                c += share * whole * spread
            mass[i, j], cost[i, j] = m, c
            links_x[i, j], links_y[i, j] = _links(density, phi, open_points, kx, ky, i, j, ends)
