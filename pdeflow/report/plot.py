"""Figures of trajectories and tables: the only module that imports matplotlib.

Every function returns a `matplotlib.figure.Figure` and touches no global state: save it by `.savefig(path)`.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator
from scipy.special import stdtrit

from .._core.errors import BadInput, NotAvailable
from .._core.validate import count
from ..study import Table

# Okabe-Ito, told apart by readers with any colour vision and in print by the markers
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TRUTH = "#222222"


def density(trajectory, truth=None, times=None, *, points=400) -> Figure:
    """Densities of a 1-D trajectory at `times` (default: all stored), each over the truth's.

    trajectory, truth : Trajectory, or Problem for its exact laws as truth. Particles are drawn as histograms of
    equal-count bins (nothing is smoothed), grid and quantile laws as their piecewise constant densities.
    """
    if trajectory.dim != 1:
        raise NotAvailable(
            f"The trajectory has dim {trajectory.dim}. density draws dim 1. Draw a projection, or the errors."
        )
    times = trajectory.times if times is None else np.atleast_1d(times)
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for i, t in enumerate(times):
        colour = COLOURS[i % len(COLOURS)]
        law = trajectory.at(t)
        if truth is not None:
            exact = truth.exact(t) if hasattr(truth, "exact") else truth.at(t)
            axes.plot(*_curve(exact, points), color=TRUTH, lw=2.4, alpha=0.35, label="truth" if i == 0 else None)
        axes.plot(*_curve(law, points), color=colour, lw=1.2, label=f"t = {t:g}")
    axes.set(xlabel="x", ylabel="density")
    axes.legend(frameon=False)
    _clean(axes)
    return figure


def _curve(law, points):
    """x and density for drawing one 1-D law."""
    steps = law.density_steps()
    if steps is not None:
        return _stairs(*steps)
    if law.atoms() is not None:
        bins = int(np.clip(len(law.atoms()[0]) ** (1 / 3), 5, 80))
        edges = np.unique(law.quantile(np.linspace(0, 1, bins + 1)))
        edges[-1] = np.nextafter(edges[-1], np.inf)
        return _stairs(
            edges, np.diff(np.concatenate([[0.0], law.cdf(np.nextafter(edges[1:], -np.inf))])) / np.diff(edges)
        )
    levels = np.concatenate([[1e-6], np.linspace(1e-3, 1 - 1e-3, points), [1 - 1e-6]])
    ends = law.quantile(np.array([1e-6, 1 - 1e-6]))
    x = np.union1d(law.quantile(levels), np.linspace(*ends, points))
    return x, np.exp(law.log_density(x[:, None]))


def _stairs(edges, heights):
    return np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])


def convergence(table, metric, time=None, problem=None) -> Figure:
    """Error against step size, log-log: fitted lines with 95 % bands, a slope triangle, floors; hollow points are set aside.

    A fit whose interval is wider than ± 1/2 says nothing: its points are only joined. The triangle has the rounded median slope.

    table : Table. metric : its key. time, problem : which, if the table has several (default: the last time, the first problem).
    """
    _is_table(table)
    orders = _pick(table.orders(metric, time), time, problem)
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    levels = {}
    for row, part in zip(table.work_precision(metric, time), table.parts(metric, time)):
        levels.setdefault((row["problem"], row["method"], row["time"]), []).append({**row, "floor": part["floor"]})
    lowest, slopes, steps = np.inf, [], set()
    for i, row in enumerate(orders):
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
        points = levels[row["problem"], row["method"], row["time"]]
        h = np.array([table.step_size(point[table.swept]) for point in points])
        error = np.array([point["error"] for point in points], dtype=float)
        order, label = row["order"], _label(row)
        good = np.isfinite(error) & (error > 0)
        if not good.any():
            axes.plot([], [], color=colour, marker=marker, mfc="none", ls="", label=label)
            continue
        used = order.mask & good
        steps |= set(h[good])
        lowest = min(lowest, error[good].min())
        stderr = np.array([point["stderr"] for point in points], dtype=float)
        axes.errorbar(
            h[good],
            error[good],
            yerr=np.where(np.isfinite(stderr[good]), stderr[good], 0),
            fmt="none",
            ecolor=colour,
            lw=1,
        )
        axes.plot(h[good & ~used], error[good & ~used], color=colour, marker=marker, mfc="none", ls="")
        axes.plot(h[used], error[used], color=colour, marker=marker, ls="", label=label)
        if order.upper - order.lower <= 1:
            _fit_line(axes, h, error, used, order, colour)
            slopes.append(order.slope)
        else:
            axes.plot(h[good], error[good], color=colour, lw=0.8, ls="--")
        floors = np.array([point["floor"] for point in points], dtype=float)
        if np.nanmax(floors, initial=0.0) > 0:
            axes.plot(h, floors, color=colour, lw=0.9, ls=":")
            lowest = min(lowest, np.nanmin(floors[floors > 0]))
    _needs_positive(lowest, metric)
    axes.set(xscale="log", yscale="log", xlabel=_axis(table), ylabel=f"{metric} error")
    if np.isfinite(lowest):
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
    _clean(axes)
    return figure


def _label(row):
    if np.isnan(row["slope"]) or np.isnan(row["lower"]):
        return f"{row['method']}: {row['verdict']}"
    return f"{row['method']}: {row['slope']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"


def _fit_line(axes, h, error, used, order, colour):
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


def _triangle(axes, steps, lowest, slope):
    """A triangle of the given whole slope in the lower right corner."""
    right, left = steps[-1], steps[-2] if len(steps) > 1 else steps[-1] / 2
    low = lowest / 2
    high = low * (right / left) ** slope
    axes.plot([left, right, right, left], [low, low, high, low], color=TRUTH, lw=0.8)
    middle = (right, np.sqrt(low * high))
    axes.annotate(f"{slope}", middle, textcoords="offset points", xytext=(4, -3), fontsize=8, color=TRUTH)


def work_precision(table, metric, time=None, problem=None) -> Figure:
    """Error against the seconds of a run without its first call (compilation, factorisation), log-log; down and left is better.

    Seconds are medians over seeds. A run that consists of its first call alone is drawn with that.
    """
    _is_table(table)
    rows = _pick(table.work_precision(metric, time), time, problem)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for i, method in enumerate(dict.fromkeys(row["method"] for row in rows)):
        points = [row for row in rows if row["method"] == method and np.isfinite(row["error"]) and row["error"] > 0]
        seconds, error = [_warm(row) for row in points], [row["error"] for row in points]
        axes.plot(seconds, error, color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], lw=1, label=method)
    _needs_positive(min((row["error"] for row in rows if row["error"] > 0), default=np.inf), metric)
    axes.set(xscale="log", yscale="log", xlabel="seconds a run, first call apart", ylabel=f"{metric} error")
    axes.set_title(f"{rows[0]['problem']}, t = {rows[0]['time']:g}", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    _clean(axes)
    return figure


def _warm(row):
    rest = row["seconds"] - row["first_call_seconds"]
    return rest if rest > 0 else row["seconds"]


def error_parts(table, metric, time=None, problem=None) -> Figure:
    """What the error of every level is made of, as a stacked bar in per cent of it: floor, time discretisation, and the rest.

    Where the exact discrete sequence is not known, time and rest are one part. The measured error stands above each bar.
    In L2 distances (`floor_adds` of the metric is "squares") the parts are those of the squared error. Distances do not add exactly:
    where parts cancel, the bar is higher than the 100 % line, and the rest is drawn as nothing.
    """
    _is_table(table)
    rows = [
        row for row in _pick(table.parts(metric, time), time, problem) if np.isfinite(row["error"]) and row["error"] > 0
    ]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    if not methods:
        raise NotAvailable(
            f"No run of metric {metric!r} has a finite error above zero. There is nothing to draw. See the column `why` of the table."
        )
    figure = Figure(figsize=(2.2 * len(methods) + 1.6, 4.2), layout="constrained")
    panels = figure.subplots(1, len(methods), sharey=True, squeeze=False)[0]
    power = 2 if table.floor_adds.get(metric) == "squares" else 1
    colours = dict(zip(_PARTS, ("#999999", COLOURS[0], COLOURS[1], COLOURS[4])))
    for panel, method in zip(panels, methods):
        mine = [row for row in rows if row["method"] == method]
        at, base = np.arange(len(mine)), np.zeros(len(mine))
        shares = 100 * np.array([_shares(row, power) for row in mine])
        for name, height in zip(_PARTS, shares.T):
            panel.bar(at, height, bottom=base, color=colours[name], width=0.7)
            base = base + height
        panel.axhline(100, color="black", lw=0.8)
        for x, top, row in zip(at, base, mine):
            panel.annotate(f"{row['error']:.1e}", (x, max(top, 100)), ha="center", va="bottom", fontsize=6)
        panel.set_xticks(at, [f"{row[table.swept]:.3g}" for row in mine], rotation=60, fontsize=7)
        panel.set_title(method, fontsize=9)
        panel.set_xlabel(table.swept)
        _clean(panel)
    panels[0].set_ylabel(f"per cent of the {'squared ' if power == 2 else ''}{metric} error")
    keys = [Patch(color=colours[name], label=name) for name in _PARTS]
    figure.legend(handles=keys, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


_PARTS = (
    "floor (representation)",
    "time discretisation",
    "the rest: space, optimisation, sampling",
    "time and the rest, not told apart",
)


def _shares(row, power):
    """The four parts of one level as shares of error^power."""
    known = np.isfinite(row["time_error"])
    floor = (np.nan_to_num(row["floor"]) / row["error"]) ** power
    time = (row["time_error"] / row["error"]) ** power if known else 0.0
    rest = max(1 - floor - time, 0.0)
    return (floor, time, rest, 0.0) if known else (floor, 0.0, 0.0, rest)


def _is_table(table):
    if not isinstance(table, Table):
        raise BadInput(f"table is a {type(table).__name__}. It must be the Table of a study. Pass study.run().")


def _needs_positive(smallest, metric):
    if not np.isfinite(smallest):
        raise NotAvailable(
            f"No run has a {metric} error that is finite and above zero. There is nothing to draw on logarithmic axes. See the table."
        )


def _pick(rows, time, problem):
    """Rows of one problem at one time: the one asked for, else the first problem and the last time."""
    problems = list(dict.fromkeys(row["problem"] for row in rows))
    if problem is not None and problem not in problems:
        raise BadInput(f"problem is {problem!r}. The table has {problems}. Choose one.")
    rows = [row for row in rows if row["problem"] == (problems[0] if problem is None else problem)]
    last = max(row["time"] for row in rows)
    return [row for row in rows if time is not None or row["time"] == last]


def _axis(table):
    return {"dt": "step size dt"}.get(table.swept, f"1 / {table.swept}" if table.counts else table.swept)


def _clean(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def projections(law, n=2000, *, rng, axes=(0, 1)) -> Figure:
    """n draws of a law in d >= 2 on two coordinate axes."""
    if law.dim < 2 or not all(0 <= axis < law.dim for axis in axes):
        raise BadInput(
            f"axes = {axes}, and the law has dim {law.dim}. Two axes below the dimension are needed. In dim 1 use plot.density."
        )
    figure = Figure(figsize=(4.4, 4.2), layout="constrained")
    panel = figure.add_subplot()
    x = law.sample(count(n, "n"), rng)
    panel.plot(x[:, axes[0]], x[:, axes[1]], ".", ms=2, alpha=0.4, color=COLOURS[0])
    panel.set(xlabel=f"x_{axes[0] + 1}", ylabel=f"x_{axes[1] + 1}", aspect="equal")
    _clean(panel)
    return figure
