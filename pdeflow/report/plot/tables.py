"""Figures of the table of a study: convergence, work and precision, the parts of the error."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator
from scipy.special import stdtrit

from ..._core.errors import BadInput, NotAvailable
from ..._core.short_text import shown
from ..._core.validate import known_arguments
from ...study import Order, Table
from ...study.rows import Row, Rows
from .style import COLOURS, MARKERS, TRUTH, clean, panel, panels


@overload
def convergence(
    table: Table, metric: str, time: float | None = ..., problem: str | None = ..., *, ax: None = ...
) -> Figure: ...
@overload
def convergence(
    table: Table, metric: str, time: float | None = ..., problem: str | None = ..., *, ax: Axes
) -> Axes: ...
@known_arguments
def convergence(
    table: Table,
    metric: str,
    time: float | None = None,
    problem: str | None = None,
    *,
    ax: Axes | None = None,
) -> Figure | Axes:
    """Error against step size, log-log: fitted lines with 95 % bands, a slope triangle, floors.

    Parameters
    ----------
    table : Table
        What a study returned.
    metric : str
        Key of the metric.
    time, problem : float and str, optional
        Which to draw, if the table has several; the default is the last time and the first problem.
    ax : matplotlib.axes.Axes, optional
        Where to draw, e.g. axes of plt.subplots(); the default is a new figure.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.axes.Axes
        A new figure, which a notebook shows as the last line of a cell; or `ax`, whose figure is yours to show.

    Raises
    ------
    NotAvailable
        Where no error is finite and above zero.

    Notes
    -----
    Hollow points are set aside in the fit. A fit whose interval is wider than ± 1/2 says nothing: its points are only
    joined. The triangle has the rounded median slope.
    """
    require_table(table)
    orders = _pick(table.orders(metric, time), time, problem)
    drawn, axes = panel(ax, (6.4, 4.6))
    levels: dict[tuple[Any, ...], list[Row]] = {}
    key = ("problem", "method", "time", *table.others)
    for row, part in zip(table.work_precision(metric, time), table.parts(metric, time)):
        levels.setdefault(tuple(row[name] for name in key), []).append({**row, "floor": part["floor"]})
    lowest, slopes, steps = np.inf, [], set()
    for i, row in enumerate(orders):
        points = levels[tuple(row[name] for name in key)]
        h = np.array([table.step_size(point[table.swept]) for point in points])
        style = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "ls": ""}
        seen, low = _draw_errors(axes, h, points, {**row, "method": _line(row, table.others)}, style)
        steps |= seen
        lowest = min(lowest, low)
        if seen and row["order"].upper - row["order"].lower <= 1:
            slopes.append(row["order"].slope)
    _needs_positive(lowest, metric)
    axes.set(xscale="log", yscale="log", xlabel=_axis(table), ylabel=f"{metric} error")
    axes.set_ylim(bottom=max(lowest / 5, 1e-17))
    axes.set_xticks(sorted(steps), [f"{step:.3g}" for step in sorted(steps)], minor=False)
    axes.xaxis.set_minor_locator(NullLocator())
    if slopes and round(float(np.median(slopes))) > 0:
        _triangle(axes, sorted(steps), lowest, round(float(np.median(slopes))))
    axes.set_title(
        f"{orders[0]['problem']}, t = {orders[0]['time']:g} (dotted: measured floor; hollow: not in the fit)",
        fontsize=9,
    )
    axes.legend(frameon=False, fontsize=8)
    clean(axes)
    return drawn


def _draw_errors(
    axes: Axes, h: np.ndarray, points: Sequence[Row], row: Row, style: dict[str, Any]
) -> tuple[set[float], float]:
    """Draw one method's errors, fit and floors; the steps at which there is an error, and the lowest number drawn."""
    colour, order = style["color"], row["order"]
    error = np.array([point["error"] for point in points], dtype=float)
    good = np.isfinite(error) & (error > 0)
    if not good.any():
        axes.plot([], [], mfc="none", label=_label(row), **style)
        return set(), np.inf
    used = order.mask & good
    lowest = error[good].min()
    stderr = np.array([point["stderr"] for point in points], dtype=float)
    bars = np.where(np.isfinite(stderr[good]), stderr[good], 0)
    axes.errorbar(h[good], error[good], yerr=bars, fmt="none", ecolor=colour, lw=1)
    axes.plot(h[good & ~used], error[good & ~used], mfc="none", **style)
    axes.plot(h[used], error[used], label=_label(row), **style)
    if order.upper - order.lower <= 1:
        _fit_line(axes, h, error, used, order, colour)
    else:
        axes.plot(h[good], error[good], color=colour, lw=0.8, ls="--")
    floors = np.array([point["floor"] for point in points], dtype=float)
    if np.nanmax(floors, initial=0.0) > 0:
        axes.plot(h, floors, color=colour, lw=0.9, ls=":")
        lowest = min(lowest, np.nanmin(floors[floors > 0]))
    return set(h[good]), lowest


def _line(row: Row, others: Sequence[str]) -> str:
    """The name of a line: its method and its levels of the other axes."""
    return ", ".join([row["method"], *(f"{name} = {row[name]}" for name in others)])


def _label(row: Row) -> str:
    if np.isnan(row["slope"]) or np.isnan(row["lower"]):
        return f"{row['method']}: {row['verdict']}"
    return f"{row['method']}: {row['slope']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"


def _fit_line(axes: Axes, h: np.ndarray, error: np.ndarray, used: np.ndarray, order: Order, colour: str) -> None:
    """The fitted a h^p + floor over the points used, with the pointwise 95 % band of the line."""
    x, excess = np.log(h[used]), np.maximum(error[used] - order.floor, 1e-300)
    y = np.log(excess)
    middle, at = x.mean(), np.linspace(x.min(), x.max(), 60)
    line = y.mean() + order.slope * (at - middle)
    scatter = np.sqrt(np.sum((y - y.mean() - order.slope * (x - middle)) ** 2) / (len(x) - 2))
    spread = stdtrit(len(x) - 2, 0.975) * scatter
    width = spread * np.sqrt(1 / len(x) + (at - middle) ** 2 / np.sum((x - middle) ** 2))
    axes.plot(np.exp(at), np.exp(line) + order.floor, color=colour, lw=1.2)
    low, high = np.exp(line - width) + order.floor, np.exp(line + width) + order.floor
    axes.fill_between(np.exp(at), low, high, color=colour, alpha=0.15, lw=0)


def _triangle(axes: Axes, steps: Sequence[float], lowest: float, slope: int) -> None:
    """A triangle of the given whole slope in the lower right corner."""
    right, left = steps[-1], steps[-2] if len(steps) > 1 else steps[-1] / 2
    low = lowest / 2
    high = low * (right / left) ** slope
    axes.plot([left, right, right, left], [low, low, high, low], color=TRUTH, lw=0.8)
    middle = (right, np.sqrt(low * high))
    axes.annotate(f"{slope}", middle, textcoords="offset points", xytext=(4, -3), fontsize=8, color=TRUTH)


@overload
def work_precision(
    table: Table, metric: str, time: float | None = ..., problem: str | None = ..., *, ax: None = ...
) -> Figure: ...
@overload
def work_precision(
    table: Table, metric: str, time: float | None = ..., problem: str | None = ..., *, ax: Axes
) -> Axes: ...
@known_arguments
def work_precision(
    table: Table,
    metric: str,
    time: float | None = None,
    problem: str | None = None,
    *,
    ax: Axes | None = None,
) -> Figure | Axes:
    """Error against the seconds of a run without its first call, log-log; down and left is better.

    Parameters
    ----------
    table : Table
        What a study returned.
    metric : str
        Key of the metric.
    time, problem : float and str, optional
        Which to draw, if the table has several; the default is the last time and the first problem.
    ax : matplotlib.axes.Axes, optional
        Where to draw, e.g. axes of plt.subplots(); the default is a new figure.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.axes.Axes
        A new figure, which a notebook shows as the last line of a cell; or `ax`, whose figure is yours to show.

    Raises
    ------
    NotAvailable
        Where no error is finite and above zero.

    Notes
    -----
    The first call compiles and factorises. Seconds are medians over seeds. A run that consists of its first call alone
    is drawn with that.
    """
    require_table(table)
    rows = _pick(table.work_precision(metric, time), time, problem)
    drawn, axes = panel(ax, (6.4, 4.2))
    for i, method in enumerate(dict.fromkeys(_line(row, table.others) for row in rows)):
        mine = [row for row in rows if _line(row, table.others) == method]
        points = [row for row in mine if np.isfinite(row["error"]) and row["error"] > 0]
        seconds, error = [_warm(row) for row in points], [row["error"] for row in points]
        axes.plot(seconds, error, color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], lw=1, label=method)
    _needs_positive(min((row["error"] for row in rows if row["error"] > 0), default=np.inf), metric)
    axes.set(xscale="log", yscale="log", xlabel="seconds per run, without its first call", ylabel=f"{metric} error")
    axes.set_title(f"{rows[0]['problem']}, t = {rows[0]['time']:g}", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    clean(axes)
    return drawn


def _warm(row: Row) -> float:
    rest = row["seconds"] - row["first_call_seconds"]
    return rest if rest > 0 else row["seconds"]


@overload
def error_parts(
    table: Table, metric: str, time: float | None = ..., problem: str | None = ..., *, ax: None = ...
) -> Figure: ...
@overload
def error_parts(
    table: Table, metric: str, time: float | None = ..., problem: str | None = ..., *, ax: Axes | Sequence[Axes]
) -> Axes | Sequence[Axes]: ...
@known_arguments
def error_parts(
    table: Table,
    metric: str,
    time: float | None = None,
    problem: str | None = None,
    *,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure | Axes | Sequence[Axes]:
    """What the error of every level is made of, as a stacked bar in per cent of it.

    Parameters
    ----------
    table : Table
        What a study returned.
    metric : str
        Key of the metric.
    time, problem : float and str, optional
        Which to draw, if the table has several; the default is the last time and the first problem.
    ax : matplotlib.axes.Axes or sequence of them, optional
        Where to draw, one axes a method; the default is a new figure.

    Returns
    -------
    matplotlib.figure.Figure, matplotlib.axes.Axes, or a sequence of them
        A new figure, which a notebook shows as the last line of a cell; or `ax`, whose figure is yours to show.

    Raises
    ------
    NotAvailable
        Where no error is finite and above zero.

    Notes
    -----
    The parts are the floor, the time discretisation, and the rest. Where the exact discrete sequence is not known, time
    and rest are one part. The measured error stands above each bar. In metrics whose floors add as squares (see
    `pdeflow.metrics.metric`) the parts are those of the squared error. Distances do not add exactly: where parts
    cancel, the bar is higher than the 100 % line, and the rest is drawn as nothing.
    """
    require_table(table)
    rows = [
        row for row in _pick(table.parts(metric, time), time, problem) if np.isfinite(row["error"]) and row["error"] > 0
    ]
    methods = list(dict.fromkeys(_line(row, table.others) for row in rows))
    if not methods:
        raise NotAvailable(
            f"No run of metric {metric!r} has a finite error above zero. There is nothing to draw. See the column "
            "`why` of the table."
        )
    drawn, side_by_side = panels(ax, len(methods), (2.2 * len(methods) + 1.6, 4.2))
    power = 2 if table.floor_adds.get(metric) == "squares" else 1
    colours: dict[str, str] = dict(zip(_PARTS, ("#999999", COLOURS[0], COLOURS[1], COLOURS[4])))
    for axes, method in zip(side_by_side, methods):
        mine = [row for row in rows if _line(row, table.others) == method]
        _stack(axes, mine, power, colours)
        axes.set_xticks(range(len(mine)), [f"{row[table.swept]:.3g}" for row in mine], rotation=60, fontsize=7)
        axes.set_title(method, fontsize=9, pad=12)  # above the numbers on the bars
        axes.set_xlabel(table.swept)
        clean(axes)
    side_by_side[0].set_ylabel(f"per cent of the {'squared ' if power == 2 else ''}{metric} error")
    keys = [Patch(color=colours[name], label=name) for name in _PARTS]
    if ax is None:
        drawn.legend(handles=keys, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    else:
        side_by_side[-1].legend(handles=keys, frameon=False, fontsize=6)
    return drawn


def _stack(panel: Axes, rows: Sequence[Row], power: int, colours: Mapping[str, str]) -> None:
    """The parts of every level on top of each other, with the measured error above them."""
    at, base = np.arange(len(rows)), np.zeros(len(rows))
    shares = 100 * np.array([_shares(row, power) for row in rows])
    for name, height in zip(_PARTS, shares.T):
        panel.bar(at, height, bottom=base, color=colours[name], width=0.7)
        base = base + height
    panel.axhline(100, color="black", lw=0.8)
    for x, top, row in zip(at, base, rows):
        panel.annotate(f"{row['error']:.1e}", (x, max(top, 100)), ha="center", va="bottom", fontsize=6)


_PARTS = (
    "floor (representation)",
    "time discretisation",
    "the rest: space, optimisation, sampling",
    "time and the rest, not told apart",
)


def _shares(row: Row, power: int) -> tuple[float, float, float, float]:
    """The four parts of one level as shares of error^power."""
    known = np.isfinite(row["time_error"])
    floor = (np.nan_to_num(row["floor"]) / row["error"]) ** power
    time = (row["time_error"] / row["error"]) ** power if known else 0.0
    rest = max(1 - floor - time, 0.0)
    return (floor, time, rest, 0.0) if known else (floor, 0.0, 0.0, rest)


def require_table(table: object) -> None:
    """`BadInput` for what is no table of a study."""
    if not isinstance(table, Table):
        raise BadInput(f"table is a {type(table).__name__}. It must be the Table of a study. Pass study.run().")


def _needs_positive(smallest: float, metric: str) -> None:
    if not np.isfinite(smallest):
        raise NotAvailable(
            f"No run has a {metric} error that is finite and above zero. There is nothing to draw on logarithmic axes. "
            "See the table."
        )


def _pick(rows: Rows, time: float | None, problem: str | None) -> list[Row]:
    """Rows of one problem at one time: the one asked for, else the first problem and the last time."""
    problems = list(dict.fromkeys(row["problem"] for row in rows))
    if problem is not None and problem not in problems:
        raise BadInput(f"problem is {shown(problem, 200)}. The table has {shown(problems)}. Pass one of these.")
    chosen = [row for row in rows if row["problem"] == (problems[0] if problem is None else problem)]
    last = max(row["time"] for row in chosen)
    return [row for row in chosen if time is not None or row["time"] == last]


def _axis(table: Table) -> str:
    return {"dt": "step size dt"}.get(table.swept, f"1 / {table.swept}" if table.counts else table.swept)
