"""The figure of laws in the plane: densities as colours, point masses as dots, the truth as contours."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..._core.errors import NotAvailable
from ..._core.quadrature import cell_nodes
from ..._core.shapes import Numbers, Row
from ..._core.short_text import shown
from ...laws import Law
from ...laws.cells import cell_volumes
from .style import COLOURS, TRUTH, clean, panels

CELLS = 200  # an axis, for a density that is no grid
SHARES = (0.5, 0.9, 0.99)  # of its mass, which the contours of the truth enclose
FAINT = 1e-3  # share of the mass that the picture may leave out on each side of each axis


def planes(
    laws: Sequence[Law], truths: Sequence[Law] | None, titles: Sequence[str], ax: Axes | Sequence[Axes] | None
) -> Figure | Axes | Sequence[Axes]:
    """A panel a law, all with one scale of colours and one box; what `panels` returns."""
    box = np.stack([_box(law) for law in laws])
    low, high = box[:, 0].min(axis=0), box[:, 1].max(axis=0)
    drawn, axes = panels(ax, len(laws), (3.4 * len(laws) + 0.8, 3.4))
    pictures = [_cells(law, low, high) for law in laws]
    brightest = max((density.max() for _, _, density in filter(None, pictures)), default=1.0)
    mesh = None
    for panel, law, picture, title in zip(axes, laws, pictures, titles, strict=True):
        if picture is None:
            points = law.atoms()[0]  # type: ignore[index]  # a law without cells is one of point masses
            panel.plot(points[:, 0], points[:, 1], ".", ms=2, alpha=0.4, color=COLOURS[0])
        else:
            x, y, density = picture
            mesh = panel.pcolormesh(x, y, density.T, cmap="Blues", vmin=0, vmax=brightest, rasterized=True)
        panel.set(xlabel="x_1", xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        panel.set_title(title, fontsize=9)
        clean(panel)
    axes[0].set_ylabel("x_2")
    for panel, truth in zip(axes, truths or (), strict=False):
        picture = _cells(truth, low, high)
        if picture is not None:
            _contours(panel, *picture)
    if mesh is not None and ax is None:
        drawn.colorbar(mesh, ax=axes, label="density", shrink=0.85)
    if truths is not None:
        axes[-1].plot([], [], color=TRUTH, lw=0.9, label="truth: 50, 90, 99 % of its mass")
        axes[-1].legend(frameon=False, fontsize=7, loc="upper right")
    return drawn


def _box(law: Law) -> np.ndarray:
    """(2, 2): low and high ends between which all but `FAINT` of each marginal lies, and a little margin."""
    axes = law.grid_axes()
    atoms = law.atoms()
    if axes is not None:
        mass = law.cell_masses(axes).mass  # type: ignore[union-attr]  # a grid knows its own cells
        sides = [_inner(edges, mass.sum(axis=1 - i)) for i, edges in enumerate(axes)]
        low, high = np.array(sides).T
    elif atoms is not None:
        low, high = np.quantile(atoms[0], [FAINT, 1 - FAINT], axis=0)
    else:
        support, spread = law.support(), 4 * np.sqrt(np.diag(law.cov()))  # of a Gaussian, 6e-5 lies beyond
        low, high = law.mean() - spread, law.mean() + spread
        if support is not None:
            low, high = np.maximum(low, support[0]), np.minimum(high, support[1])
    margin = 0.05 * (high - low)
    return np.stack([low - margin, high + margin])


def _inner(edges: Row, mass: Row) -> tuple[float, float]:
    total = np.cumsum(mass)
    first, last = np.searchsorted(total, [FAINT, total[-1] - FAINT])
    return float(edges[first]), float(edges[last + 1])


def _cells(law: Law, low: Row, high: Row) -> tuple[Row, Row, Numbers] | None:
    """Edges and densities of cells: the law's own, or those of a fine grid on the box; None for point masses."""
    axes = law.grid_axes()
    if axes is not None:
        return axes[0], axes[1], law.cell_masses(axes).mass / cell_volumes(axes)  # type: ignore[union-attr]
    if law.atoms() is not None:
        return None
    if "log_density" not in law.answers():
        raise NotAvailable(
            f"The law is {shown(law)}, without a density. Laws in the plane are drawn by their density, their cells or "
            "their points. Draw samples: pf.plot.projections(law, rng=...)."
        )
    x, y = (np.linspace(a, b, CELLS + 1) for a, b in zip(low, high, strict=True))
    middle, _ = cell_nodes([x, y], 1)
    return x, y, np.exp(law.log_density(middle)).reshape(CELLS, CELLS)


def _contours(panel: Axes, x: Row, y: Row, density: Numbers) -> None:
    """Lines of equal density that enclose `SHARES` of the mass, the densest parts first."""
    mass = density * cell_volumes([x, y])
    order = np.argsort(density, axis=None)[::-1]
    total = np.cumsum(mass.ravel()[order])
    heights = density.ravel()[order][np.searchsorted(total, np.array(SHARES) * total[-1])]
    levels = np.unique(heights[heights > 0])
    panel.contour((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, density.T, levels=levels, colors=TRUTH, linewidths=0.9)
