"""The convolution of cell masses with an interaction kernel: averages of the kernel over cells, and their transform."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numba
import numpy as np
from scipy import fft as scipy_fft
from scipy.linalg import eigvalsh_tridiagonal

from .._core.errors import BadInput
from .._core.quadrature import gauss_legendre
from .._core.shapes import Numbers, Points, Row, Values

fft: Any = scipy_fft  # whose annotations name no arrays

FAR_NODES, NEAR_NODES = 3, 8  # Gauss points an axis: in a cell of offsets, and in one that touches the cell of zero
POINTS_AT_ONCE = 1 << 18
LANCZOS_STEPS = 40
MOST_SHELLS = 1000  # each half as wide as the one before
SLOWEST_DECAY = 0.98  # of the shells' shares: |z|^p with p below about 0.03 - d has no finite average


class Convolution:
    """W*ρ at the centres of equal cells, for the masses m (n_1, ..., n_d) of a density that is constant in each.

    (W*ρ)_i = Σ_j W̄_{i-j} m_j with W̄_k the mean of W over the cell of offsets around k h, so that a kernel with a kink
    or an integrable singularity at zero is treated to second order. W is even, so W̄ is: the energy ½ m·(W̄*m) has the
    gradient W̄*m.

    Parameters
    ----------
    kernel : Interaction
        W, with `value`.
    shape : tuple of int
        Numbers of cells.
    widths : (d,)
        Widths of a cell.
    """

    def __init__(self, kernel: Any, shape: Sequence[int], widths: Row):
        self.shape = tuple(shape)
        self._padded = tuple(fft.next_fast_len(2 * n - 1, real=True) for n in self.shape)
        table = np.zeros(self._padded)
        offsets = [np.arange(1 - n, n) for n in self.shape]
        table[np.ix_(*offsets)] = cell_averages(kernel, offsets, widths)
        self._spectrum = fft.rfftn(table).real  # W̄ is even

    def __call__(self, mass: Numbers) -> Numbers:
        """W*ρ at the centres, in units of W."""
        workers = numba.get_num_threads()
        transform = fft.rfftn(mass, s=self._padded, workers=workers)
        transform *= self._spectrum
        whole = fft.irfftn(transform, s=self._padded, workers=workers)
        return whole[tuple(slice(n) for n in self.shape)]


def stiffness(convolution: Convolution, widths: Row) -> float:
    """The fastest rate (1/time) at which a unit density decays by repulsion, to some percent, >= 0.

    It is the largest eigenvalue of DᵀD W̄ with D the discrete gradient between no-flux walls, hence of the symmetric
    (DᵀD)^½ W̄ (DᵀD)^½, by Lanczos' method; cosine transforms diagonalise DᵀD.
    """
    shape = convolution.shape
    root = np.zeros(())
    for n, width in zip(shape, widths):
        root = np.add.outer(root, (2 * np.sin(np.pi * np.arange(n) / (2 * n)) / width) ** 2)
    root = np.sqrt(root * np.prod(widths))

    def applied(v: Numbers) -> Numbers:
        inner = convolution(fft.idctn(root * fft.dctn(v, norm="ortho"), norm="ortho"))
        return fft.idctn(root * fft.dctn(inner, norm="ortho"), norm="ortho")

    v, before, off = np.random.default_rng(0).standard_normal(shape), np.zeros(shape), 0.0
    v /= np.linalg.norm(v)
    diagonal, beside = [], []
    for _ in range(min(LANCZOS_STEPS, v.size)):
        w = applied(v) - off * before
        diagonal.append(float(np.vdot(v, w)))
        w -= diagonal[-1] * v
        off, before = float(np.linalg.norm(w)), v
        beside.append(off)
        if off <= 1e-12 * (abs(diagonal[-1]) + off):
            break
        v = w / off
    return max(float(eigvalsh_tridiagonal(np.array(diagonal), np.array(beside[:-1]))[-1]), 0.0)


def cell_averages(kernel: Any, offsets: Sequence[np.ndarray], widths: Row) -> Numbers:
    """The mean of W over the cells around the offsets (k_1 h_1, ..., k_d h_d), one whole number k_i per offset."""
    dim = len(offsets)
    steps = np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1).reshape(-1, dim)
    centers = steps * widths
    means = _box_means(kernel, centers, widths, FAR_NODES)
    reach = np.abs(steps).max(axis=1)
    near = (reach > 0) & (reach <= 2)
    means[near] = _box_means(kernel, centers[near], widths, NEAR_NODES)
    means[reach == 0] = _mean_around_zero(kernel, widths)
    if not np.isfinite(means).all():
        worst = np.argmin(np.isfinite(means))
        raise BadInput(
            f"The interaction {kernel!r} has the mean {means[worst]} over the cell of offsets around "
            f"{centers[worst].tolist()}. It must be finite over every cell but at zero itself. Correct its value there."
        )
    return means.reshape([len(offset) for offset in offsets])


def _box_means(kernel: Any, centers: Points, widths: Row, nodes: int) -> Values:
    """The mean of W over boxes of the given widths around the centres, by a Gauss rule."""
    z, w = gauss_legendre(nodes)
    dim = centers.shape[1]
    node = np.array(list(product(z, repeat=dim))) * (np.asarray(widths) / 2)
    weight = np.prod(np.array(list(product(w / 2, repeat=dim))), axis=1)
    rows, means = max(1, POINTS_AT_ONCE // len(node)), np.empty(len(centers))
    for start in range(0, len(centers), rows):
        x = centers[start : start + rows, None] + node
        with np.errstate(all="ignore"):  # a kernel that is not finite is named by `cell_averages`
            values = np.asarray(kernel.value(x.reshape(-1, dim)), dtype=float)
        means[start : start + rows] = values.reshape(x.shape[:2]) @ weight
    return means


def _mean_around_zero(kernel: Any, widths: Row) -> float:
    """The mean of W over the cell around zero: the cell is cut into shells, each half as wide as the one around it.

    A shell is 4^d - 2^d boxes, on which W is smooth whatever it does at zero.
    """
    dim = len(widths)
    corner = np.array(list(product((-3, -1, 1, 3), repeat=dim))) / 8
    corner = corner[np.abs(corner).max(axis=1) > 0.25]
    total, last, ratio = 0.0, 0.0, 0.0
    for level in range(MOST_SHELLS):
        scale = np.asarray(widths) / 2.0**level
        share = float(_box_means(kernel, corner * scale, scale / 4, NEAR_NODES).sum()) / (
            4.0**dim * 2.0 ** (dim * level)
        )
        ratio, last, total = (abs(share / last) if last else 0.0), share, total + share
        if abs(share) <= 1e-17 * abs(total):
            return total
        if level > 60 and abs(ratio) > SLOWEST_DECAY:
            break
    raise BadInput(
        f"The interaction {kernel!r} has no finite mean over the cell around zero: shells half as wide hold "
        f"{ratio:.3g} of the ones before. A singularity must be integrable, like |z|^p with p > -{dim}, or log|z|. "
        "Take a weaker one."
    )
