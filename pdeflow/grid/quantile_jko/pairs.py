"""½∬ k_p(x - y) dρ dρ on the line for a density constant on cells, k_p(z) = |z|^p / p (log|z| for p = 0), -1 < p < 2.

With G'' = k_p the mean of k_p over a cell of width h with itself is 2G(h)/h², and over neighbouring cells of widths h
and k it is (G(h+k) - G(h) - G(k))/(hk). Both are exact. Other pairs of cells take 2 x 2 Gauss points.
"""

import numpy as np

from ..._core.compiled import compiled

LOW, HIGH = 0.5 - np.sqrt(1 / 12), 0.5 + np.sqrt(1 / 12)


@compiled(cache=True)
def _kernel(z, p):
    return np.log(z) if p == 0 else z**p / p


@compiled(cache=True)
def _first(z, p):
    """Antiderivative of the kernel that vanishes at 0."""
    return z * np.log(z) - z if p == 0 else z ** (p + 1) / (p * (p + 1))


@compiled(cache=True)
def _second(z, p):
    """Second antiderivative, with value and slope 0 at 0."""
    return 0.5 * z * z * np.log(z) - 0.75 * z * z if p == 0 else z ** (p + 2) / (p * (p + 1) * (p + 2))


@compiled(cache=True)
def _neighbours(h, k, p):
    """Mean over two neighbouring cells and its derivatives (E, E_h, E_k, E_hh, E_hk, E_kk)."""
    s = h + k
    n = _second(s, p) - _second(h, p) - _second(k, p)
    nh, nk = _first(s, p) - _first(h, p), _first(s, p) - _first(k, p)
    nhh, nkk, nhk = _kernel(s, p) - _kernel(h, p), _kernel(s, p) - _kernel(k, p), _kernel(s, p)
    e = n / (h * k)
    eh, ek = nh / (h * k) - e / h, nk / (h * k) - e / k
    ehh = nhh / (h * k) - 2 * eh / h
    ekk = nkk / (h * k) - 2 * ek / k
    ehk = nhk / (h * k) - nh / (h * k * k) - ek / h
    return e, eh, ek, ehh, ehk, ekk


@compiled(cache=True)
def pair_value(x, w, p):
    """The energy ½∬k_p for nodes x (n+1,) and cell masses w (n,)."""
    n = len(w)
    total = 0.0
    for i in range(n):
        h = x[i + 1] - x[i]
        total += w[i] * w[i] * _second(h, p) / (h * h)
        if i + 1 < n:
            total += w[i] * w[i + 1] * _neighbours(h, x[i + 2] - x[i + 1], p)[0]
        for j in range(i + 2, n):
            k = x[j + 1] - x[j]
            part = 0.0
            for t in (LOW, HIGH):
                for r in (LOW, HIGH):
                    part += _kernel(x[j] + r * k - x[i] - t * h, p)
            total += w[i] * w[j] * part / 4
    return total


@compiled(cache=True)
def pair_derivatives(x, w, p):
    """Gradient (n+1,) and dense Hessian (n+1, n+1) of `pair_value`."""
    n = len(w)
    gradient, hessian = np.zeros(n + 1), np.zeros((n + 1, n + 1))
    scale = 2 / ((p + 1) * (p + 2))
    for i in range(n):
        h = x[i + 1] - x[i]
        weight = w[i] * w[i] / 2
        slope, bend = weight * scale * h ** (p - 1), weight * scale * (p - 1) * h ** (p - 2)
        gradient[i] -= slope
        gradient[i + 1] += slope
        hessian[i, i] += bend
        hessian[i + 1, i + 1] += bend
        hessian[i, i + 1] -= bend
        hessian[i + 1, i] -= bend
        if i + 1 < n:
            weight = w[i] * w[i + 1]
            _, eh, ek, ehh, ehk, ekk = _neighbours(h, x[i + 2] - x[i + 1], p)
            gradient[i] -= weight * eh
            gradient[i + 1] += weight * (eh - ek)
            gradient[i + 2] += weight * ek
            hessian[i, i] += weight * ehh
            hessian[i + 1, i + 1] += weight * (ehh - 2 * ehk + ekk)
            hessian[i + 2, i + 2] += weight * ekk
            a, b, c = weight * (ehk - ehh), -weight * ehk, weight * (ehk - ekk)
            hessian[i, i + 1] += a
            hessian[i + 1, i] += a
            hessian[i, i + 2] += b
            hessian[i + 2, i] += b
            hessian[i + 1, i + 2] += c
            hessian[i + 2, i + 1] += c
        for j in range(i + 2, n):
            k = x[j + 1] - x[j]
            weight = w[i] * w[j] / 4
            for t in (LOW, HIGH):
                for r in (LOW, HIGH):
                    z = x[j] + r * k - x[i] - t * h
                    slope = weight / z if p == 0 else weight * z ** (p - 1)
                    bend = (p - 1) * slope / z
                    gradient[i] -= (1 - t) * slope
                    gradient[i + 1] -= t * slope
                    gradient[j] += (1 - r) * slope
                    gradient[j + 1] += r * slope
                    hessian[i, i] += (1 - t) * (1 - t) * bend
                    hessian[i, i + 1] += t * (1 - t) * bend
                    hessian[i + 1, i + 1] += t * t * bend
                    hessian[j, j] += (1 - r) * (1 - r) * bend
                    hessian[j, j + 1] += r * (1 - r) * bend
                    hessian[j + 1, j + 1] += r * r * bend
                    hessian[i, j] -= (1 - t) * (1 - r) * bend
                    hessian[i, j + 1] -= (1 - t) * r * bend
                    hessian[i + 1, j] -= t * (1 - r) * bend
                    hessian[i + 1, j + 1] -= t * r * bend
    for i in range(n + 1):  # far pairs were added to the upper triangle only, near ones to both
        for j in range(i):
            hessian[i, j] = hessian[j, i]
    return gradient, hessian
