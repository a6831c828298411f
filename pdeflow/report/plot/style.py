"""Colours, markers, axes, and the figure that all pictures share."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..._core.errors import BadInput
from ..._core.short_text import shown

# Okabe-Ito, told apart by readers with any colour vision and in print by the markers
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TRUTH = "#222222"


class NotebookFigure(Figure):
    """A figure that a notebook shows when it is the last line of a cell.

    It is not known to pyplot, which would keep it alive and show it once more.
    """

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=self.dpi)
        return picture.getvalue()


def panel(ax: Axes | None, size: tuple[float, float]) -> tuple[Any, Axes]:
    """What a plot returns and the axes that it draws on: a new figure with its axes, or twice the axes given."""
    if ax is None:
        figure = NotebookFigure(figsize=size, layout="constrained")
        return figure, figure.add_subplot()
    if not isinstance(ax, Axes):
        raise BadInput(f"ax is {shown(ax, 200)}. It must be axes of matplotlib. Pass ax of plt.subplots(), or None.")
    return ax, ax


def panels(
    ax: Axes | Sequence[Axes] | None, count: int, size: tuple[float, float], *, sharey: bool = True
) -> tuple[Any, list[Axes]]:
    """What a plot of `count` panels side by side returns, and their axes: new ones, or those given."""
    if ax is None:
        figure = NotebookFigure(figsize=size, layout="constrained")
        return figure, list(figure.subplots(1, count, sharey=sharey, squeeze=False)[0])
    given: list[Any] = list(ax) if isinstance(ax, Iterable) else [ax]
    if len(given) != count or not all(isinstance(each, Axes) for each in given):
        raise BadInput(
            f"ax is {shown(ax, 200)}. This figure has {count} panels: it takes as many axes. Pass those "
            f"of plt.subplots(1, {count}), or None."
        )
    return ax, given


def clean(axes: Axes) -> None:
    """Axes without a frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
