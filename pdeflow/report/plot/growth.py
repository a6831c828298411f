"""Figures of growth: error and cost against a parameter of the problem, such as the dimension."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ..._core.errors import NotAvailable
from ..._core.validate import known_arguments, one_of
from ...study import Growth, Table, fit_growth
from ...study.growth import OF, Level, levels_of
from .style import COLOURS, MARKERS, clean, panels
from .tables import require_table


@overload
def growth(
    table: Table,
    along: str | None = ...,
    *,
    metric: str | None = ...,
    time: float | None = ...,
    cost: str = ...,
    ax: None = ...,
) -> Figure: ...
@overload
def growth(
    table: Table,
    along: str | None = ...,
    *,
    metric: str | None = ...,
    time: float | None = ...,
    cost: str = ...,
    ax: Sequence[Axes],
) -> Sequence[Axes]: ...
@known_arguments
def growth(
    table: Table,
    along: str | None = None,
    *,
    metric: str | None = None,
    time: float | None = None,
    cost: str = "cpu_seconds",
    ax: Sequence[Axes] | None = None,
) -> Figure | Sequence[Axes]:
    """Error and cost against a parameter of the problem, log-log, one line a method.

    Parameters
    ----------
    table : Table
        What a study returned.
    along : str, optional
        The axis; the default is the only parameter of the problem that is swept, beside its seed.
    metric : str, optional
        Key of the metric, where the table has several.
    time : float, optional
        The time at which the errors are taken; the default is the last.
    cost : {"seconds", "cpu_seconds", "step_seconds", "memory"}
        What is drawn on the right.
    ax : sequence of two matplotlib.axes.Axes, optional
        Where to draw, e.g. those of plt.subplots(1, 2); the default is a new figure.

    Returns
    -------
    matplotlib.figure.Figure or a sequence of matplotlib.axes.Axes
        A new figure, which a notebook shows as the last line of a cell; or `ax`, whose figure is yours to show.

    Raises
    ------
    NotAvailable
        Where no error is finite and above zero.
    UnknownField, BadInput
        For an axis, a metric, a time or a cost that the table does not have.

    Notes
    -----
    Points are means over draws of the problem and seeds of the runs, with their standard error. The dashed line is the
    error of the exact discrete sequence of the method, where that is known: for JKO schemes, that of the exact JKO
    sequence, which no training can pass. The legend has the exponents of `Table.growth` with their 95 % intervals, or
    the rate of an exponential law.
    """
    require_table(table)
    one_of(cost, "cost", OF[1:])
    lines = levels_of(table, along, metric, time, cost)
    if not any(level.error > 0 for levels in lines.values() for level in levels):
        raise NotAvailable(
            "No run has an error that is finite and above zero. There is nothing to draw. See its `why`."
        )
    drawn, (left, right) = panels(ax, 2, (8.6, 4.2), sharey=False)
    for i, (name, levels) in enumerate(lines.items()):
        style = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "lw": 1.0, "ms": 5}
        x = [level.level for level in levels]
        bars = np.nan_to_num([level.stderr for level in levels])
        left.errorbar(x, [level.error for level in levels], yerr=bars, label=_named(name, levels, "errors"), **style)
        right.plot(x, [level.cost for level in levels], label=_named(name, levels, "costs"), **style)
        sequence = [level.sequence for level in levels]
        if np.isfinite(sequence).any():
            left.plot(x, sequence, color=style["color"], ls="--", lw=1.0, label="its exact discrete sequence")
    swept = next(iter(lines.values()))[0]
    ticks = sorted({level.level for levels in lines.values() for level in levels})
    _finish(left, swept.axis, f"{swept.metric} error, t = {swept.time:g}", ticks)
    _finish(right, swept.axis, _UNITS[cost], ticks)
    return drawn


def _finish(axes: Axes, x: str, y: str, ticks: Sequence[float]) -> None:
    """Scales, labels and ticks of one side."""
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.legend(frameon=False, fontsize=7)
    clean(axes)


_UNITS = {
    "seconds": "seconds a run",
    "cpu_seconds": "CPU seconds a run",
    "step_seconds": "seconds a step after the first",
    "memory": "peak memory of the process, MB",
}


def _named(name: str, levels: Sequence[Level], what: str) -> str:
    """The label of a line: its method and how it grows."""
    pairs = [(level.level, y) for level in levels for y in getattr(level, what)]
    found: Growth = fit_growth([x for x, _ in pairs], [y for _, y in pairs])
    letter = levels[0].axis[0]
    if found.law == "exponential":
        return f"{name}: exp({found.rate:.3g} {letter})"
    if np.isnan(found.lower):
        return name
    return f"{name}: {letter}^{found.exponent:.2f} [{found.lower:.2f}, {found.upper:.2f}]"
