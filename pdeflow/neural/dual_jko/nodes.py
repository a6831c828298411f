"""Where the integrals of the dual are taken: panels and Gauss-Hermite nodes on the line, weighted draws elsewhere."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from ..._core.errors import BadInput, Unsupported
from ..._core.quadrature import gauss_legendre
from ..._core.shapes import Numbers, Points, Row, Values
from ...laws import Law
from .basis import Basis

PANEL = 8  # Gauss-Legendre nodes of a panel
HERMITE = 16  # Gauss-Hermite nodes of a target on the line
EMPTY = 1e-17  # weights of nodes that are left out
CURVED = 1e-7  # least curvature of |x - y|² - h in y, over that of |x - y|², to which targets are fitted
SETTLING = 8  # iterations that find the middle of the targets


def panel_nodes(edges: Row) -> tuple[Points, Values]:
    """Gauss-Legendre nodes (n, 1) of all panels and their weights (n,)."""
    z, w = gauss_legendre(PANEL)
    half = np.diff(edges)[:, None] / 2
    x = (edges[1:] + edges[:-1])[:, None] / 2 + half * z
    return x.reshape(-1, 1), (half * w).ravel()


def panel_edges(low: float, high: float, width: float) -> Row:
    """Ends of equal panels of about this width."""
    return np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)


def finer_edges(edges: Row, parts: int) -> Row:
    """The ends of panels that are each cut into so many parts."""
    return np.linspace(edges[0], edges[-1], parts * (len(edges) - 1) + 1)


def initial_nodes(law: Law, samples: int, rng: np.random.Generator) -> tuple[Points, Values]:
    """Points (n, d) and weights (n,) with the sum one that stand for a law.

    These are the atoms of a cloud, the panels of a density on the line, and weighted draws elsewhere.
    """
    atoms = law.atoms()
    if atoms is not None:
        x, weights = atoms
    elif law.dim > 1:
        x, weights = law.weighted_sample(samples, rng)
    else:
        edges = law.density_edges() if law.has_density() is not False else None
        if edges is None or "log_density" not in law.answers():
            raise Unsupported(
                f"{law!r} has no log_density on the line, or does not say where it lives. DualJKO integrates over the "
                "density of a law, or sums over particles. Give the law log_density and density_edges, or Particles."
            )
        x, width = panel_nodes(np.asarray(edges, dtype=float))
        with np.errstate(under="ignore"):
            weights = width * np.exp(law.log_density(x))
    if abs(weights.sum() - 1) > 1e-6:
        raise BadInput(
            f"{law!r} has the mass {weights.sum():.9g} on its nodes. It must be one to 1e-6. Give the law "
            "density_edges that show where its density is narrow.",
            mass=float(weights.sum()),
        )
    full = weights > EMPTY
    return x[full], weights[full] / weights[full].sum()


@lru_cache(maxsize=4)
def _hermite(count: int) -> tuple[Values, Values]:
    """Gauss-Hermite places z (j,) and logarithms of weights for ∫f(z) dz of an f near exp(-z²/2)."""
    z, w = hermegauss(count)
    return z, np.log(w) + 0.5 * z**2


def near_targets(
    x: Points, basis: Basis, c: Row, scale: float, gamma: float, nodes: int = HERMITE
) -> tuple[Numbers, Numbers]:
    """Gauss-Hermite nodes y (n, j, 1) around the maximum of h(y) - |x - y|² for each x (n, 1), and their l (n, j).

    Sums of exp(l + h/γ), h = scale f, are ∫exp((h(y) - |x - y|²)/γ) dy/√(πγ), to round-off where h is quadratic on the
    width of the kernel.
    """
    middle = _middles(x, basis, c, scale)
    curved = np.maximum(1 - 0.5 * scale * basis.curvature(middle, c), CURVED)
    deviation = np.sqrt(gamma / 2 / curved)
    z, log_weight = _hermite(nodes)
    y = middle + deviation[:, None] * z
    logs = log_weight + np.log(deviation)[:, None] - (x - y) ** 2 / gamma - 0.5 * np.log(np.pi * gamma)
    return y[:, :, None], logs


def common_targets(x: Points, y: Numbers, width: Row, gamma: float) -> tuple[Numbers, Numbers]:
    """Nodes y (j, 1) of panels that all x (n, 1) share, and their l (n, j): for a kernel wider than the panels."""
    return y, np.log(width) - (x - y[:, 0]) ** 2 / gamma - 0.5 * np.log(np.pi * gamma)


def sampled_targets(
    x: Points, basis: Basis, c: Row, scale: float, gamma: float, normal: Numbers
) -> tuple[Numbers, Numbers]:
    """Draws y (n, j, d) near exp((h(y) - |x - y|²)/γ) for each x, made of normal ones, and their l (n, j)."""
    dim = x.shape[1]
    _, hessian = basis.quadratic_part(c)
    values, axes = np.linalg.eigh(np.eye(dim) - 0.5 * scale * hessian)
    deviations = np.sqrt(gamma / 2 / np.maximum(values, CURVED))
    y = _middles(x, basis, c, scale)[:, None, :] + (normal * deviations) @ axes.T
    log_volume = np.log(deviations).sum() + 0.5 * dim * np.log(2 * np.pi)
    logs = 0.5 * (normal**2).sum(axis=-1) + log_volume - np.log(normal.shape[-2])
    return y, logs - ((x[:, None, :] - y) ** 2).sum(axis=-1) / gamma - 0.5 * dim * np.log(np.pi * gamma)


def _middles(x, basis, c, scale):
    """y with y = x + ½∇h(y), up to some iterations: the quadratic part of h is solved for, the bumps are iterated."""
    slope, hessian = basis.quadratic_part(c)
    values, axes = np.linalg.eigh(np.eye(x.shape[1]) - 0.5 * scale * hessian)
    inverse = (axes / np.maximum(values, CURVED)) @ axes.T
    y = (x + 0.5 * scale * slope) @ inverse
    if len(basis.bumps):
        for _ in range(SETTLING):
            y = (x + 0.5 * scale * (slope + basis.bump_gradient(y, c))) @ inverse
    return y
