"""Colours, markers and axes that all figures share."""

from matplotlib.axes import Axes

# Okabe-Ito, told apart by readers with any colour vision and in print by the markers
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TRUTH = "#222222"


def clean(axes: Axes) -> None:
    """Axes without a frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
