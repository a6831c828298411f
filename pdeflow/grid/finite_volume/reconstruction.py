"""Densities at the faces of cells, reconstructed from both sides, and the fluxes that they make."""

from ..._core.compiled import FMA, compiled


@compiled(nogil=True, fastmath=FMA)
def _half_rise(here, ahead, behind, inner):
    """Half the slope times the width in a cell with density `here`, from its differences to the cells on both sides.

    Central, so one-sided at a wall where both are the same; where that makes a face negative, of the minmod limiter
    with θ = 2, and none at a wall (not `inner`).
    """
    half = 0.25 * (ahead + behind)
    if abs(half) > here:
        half = 0.0
        if ahead * behind > 0 and inner:
            least = min(abs(ahead), abs(behind), 0.25 * abs(ahead + behind))
            half = least if ahead > 0 else -least
    return half


@compiled(cache=True, nogil=True, fastmath=FMA)
def axis_rates(begin, end, density, field, slope, pressure, capped, width, rate, speed):
    """Add the inflow along the middle axis of arrays (a, n, b) to `rate`, for the lines `begin` to `end`.

    Lines are counted along the first axis, or along the last where the first has length one. speed : (lines,), the
    largest velocity met on each.
    """
    a, n, b = density.shape
    first, last, left, right = (begin, end, 0, b) if a > 1 else (0, a, begin, end)
    for j in range(first, last):
        for i in range(n - 1):
            for k in range(left, right):
                rest = (field[j, i, k] - field[j, i + 1, k]) / width
                inner = (slope[j, i, k] - slope[j, i + 1, k]) / width
                velocity = rest + inner
                if capped:  # U' is infinite in an empty cell, and the flux of diffusion into it is not
                    fuller = max(density[j, i, k], density[j, i + 1, k])
                    most = abs(rest)
                    if fuller > 0:
                        jump = abs(pressure[j, i, k] - pressure[j, i + 1, k])
                        most += 2.0 * (jump / fuller) / width  # width times a faint density may be 0
                    velocity = min(max(velocity, -most), most)
                up = i if velocity > 0 else i + 1
                here = density[j, up, k]
                ahead = density[j, up + 1, k] - here if up + 1 < n else here - density[j, up - 1, k]
                behind = here - density[j, up - 1, k] if up > 0 else ahead
                half = _half_rise(here, ahead, behind, 0 < up < n - 1)
                face = here + half if velocity > 0 else here - half
                flux = velocity * face
                rate[j, i, k] -= flux / width
                rate[j, i + 1, k] += flux / width
                line = j if a > 1 else k
                if abs(velocity) > speed[line]:
                    speed[line] = abs(velocity)


@compiled(cache=True, nogil=True, fastmath=FMA)
def upper_shares(begin, end, density, shares):
    """The reconstruction at the upper face of each cell over the density of the cell, for lines (m, n); at the lower
    face it is two less that.
    """
    n = density.shape[1]
    for line in range(begin, end):
        for i in range(n):
            here = density[line, i]
            ahead = density[line, i + 1] - here if i + 1 < n else here - density[line, i - 1]
            behind = here - density[line, i - 1] if i > 0 else ahead
            half = _half_rise(here, ahead, behind, 0 < i < n - 1)
            shares[line, i] = 1.0 + half / here if here > 0 else 1.0
