"""Figures 2, 4 and 6 and their table, from the rows that were kept: ours, the published ones, and the floors."""

from collections.abc import Iterable, Sequence

import numpy as np
from _report import markdown_table
from competitors.rows import METHODS, module_of
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Row = dict[str, str]
MISSING = (
    "Fewer draws than published, and why: EM with 50,000 points takes 2 to 3 CPU seconds a draw and time, most of it",
    "in the density, an hour and a half for the 1,800 of Figures 4 and 6. The proximal recursion with 10,000 points",
    "takes about 190, 1,230 and 630 CPU seconds a run in d = 12, 6 and 2 (`python benchmarks/proximal_recursion.py",
    "--dims 12 6 2`), more than a day for its 180 runs; where it has no row, this is the reason.",
)
COLOURS = ("#4477aa", "#228833", "#cc6677", "#aa3377", "#ccbb44", "#66ccee", "#555555", "#dd8800", "#7755cc", "#99bb66")


def series(rows: Iterable[Row], experiment: str, method: str, size: int | None, time: float, kind: str = ""):
    """(dimensions, mean of log10 SymKL, half widths of the intervals) of one line of a figure, by dimension."""
    prefix = f"{kind}_" if kind else ""
    mine = [
        (int(row["dim"]), float(row[f"{prefix}log10"]), float(row[f"{prefix}log10_ci"] or 0))
        for row in rows
        if row["experiment"] == experiment
        and row["method"] == method
        and (size is None or int(row["size"]) == size)
        and abs(float(row["time"]) - time) < 1e-9
        and row[f"{prefix}log10"]
    ]
    return tuple(np.array(column) for column in zip(*sorted(mine), strict=True)) if mine else None


def lines_of(rows: Sequence[Row], published: Sequence[Row]) -> list[tuple[str, int, str, str, str]]:
    """(method, size, label, colour, published name) of every line, floors left out.

    Lines that nobody has redone here have no method and a published name alone.
    """
    found, claimed = [], set()
    for name in METHODS:
        module = module_of(name)
        claimed |= set(module.PUBLISHED.values())
        measured = {int(row["size"]) for row in rows if row["method"] == name}
        redone = {module.PUBLISHED.get(size) for size in measured}
        sizes = measured | {size for size, told in module.PUBLISHED.items() if told not in redone}
        for size in sorted(sizes) if name != "exact_draws" else ():
            label = f"{module.LABEL}{f', {size:,}' if size else ''}"
            found.append((name, size, label, module.PUBLISHED.get(size, "")))
    rest = dict.fromkeys(row["method"] for row in published if row["method"] not in claimed)
    found += [("", 0, f"{told.replace('_', ' ')}, published alone", told) for told in rest]
    return [(*line[:3], COLOURS[i % len(COLOURS)], line[3]) for i, line in enumerate(found)]


def panel(axes: Axes, rows, published, experiment: str, time: float, kind: str) -> None:
    """One panel: `kind` "authors" with the published lines, or "honest" with the floors."""
    for name, size, label, colour, told in lines_of(rows, published):
        ours = series(rows, experiment, name, size, time, kind)
        if ours is not None:
            axes.errorbar(*ours[:2], yerr=ours[2], color=colour, marker="o", markersize=3, linewidth=1)
        line = series(published, experiment, told, None, time) if told and kind == "authors" else None
        if line is not None:
            axes.plot(*line[:2], color=colour, linestyle="--", marker="x", markersize=4, linewidth=1)
        if ours is not None or line is not None:
            axes.plot([], [], color=colour, label=label)
    if kind == "honest":
        for size in sorted({int(row["size"]) for row in rows if row["method"] == "exact_draws"}):
            floor = series(rows, experiment, "exact_draws", size, time, kind)
            if floor is not None:
                axes.plot(*floor[:2], color="black", linestyle=":", linewidth=1.2)
    axes.grid(alpha=0.3, linewidth=0.5)


def _pair(rows, published, experiment, times, path):
    figure = Figure(figsize=(9.5, 3.4 * len(times) + 0.4), layout="constrained")
    grid = np.atleast_2d(figure.subplots(len(times), 2, sharex=True, sharey="row"))
    words = {
        "authors": "the authors' estimator: ours (solid), published (dashed)",
        "honest": "independent draws, with the floors of the KDE (dotted)",
    }
    for line, time in zip(grid, times, strict=True):
        for axes, kind in zip(line, words, strict=True):
            panel(axes, rows, published, experiment, time, kind)
            axes.set_title(f"t = {time:g}, {words[kind]}", fontsize=8)
        line[0].set_ylabel("log10 SymKL")
    for axes in grid[-1]:
        axes.set_xlabel("dimension")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
    figure.savefig(path, dpi=78)


def draw(rows: Sequence[Row], published: Sequence[Row], out) -> None:
    """figure2.png, figure4.png and figure6.png from the rows that there are."""
    _pair(rows, published, "mixtures", (4.0,), out / "figure2.png")
    _pair(rows, published, "ornstein_uhlenbeck", (0.5, 0.9), out / "figure4.png")
    figure = Figure(figsize=(12, 5.2), layout="constrained")
    grid = figure.subplots(2, 5, sharex=True, sharey=True)
    for axes, k in zip(grid.ravel(), range(1, 11), strict=True):
        panel(axes, rows, published, "ornstein_uhlenbeck", k / 10, "authors")
        axes.set_title(f"t = {k / 10:g}", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("dimension", fontsize=8)
    figure.suptitle("ours solid, published dashed", fontsize=9)
    figure.supylabel("log10 SymKL, the authors' estimator", fontsize=9)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=7)
    figure.savefig(out / "figure6.png", dpi=72)


def _cell(row: Row | None, kind: str) -> str:
    if row is None or not row[f"{kind}_mean"]:
        return ""
    spread = row[f"{kind}_sd"]
    return f"{float(row[f'{kind}_mean']):.3g}" + (f" ± {float(spread):.2g}" if spread else "")


def _redone(rows: Sequence[Row], published: Sequence[Row]) -> list[tuple[str, str, int, int]]:
    """(published name, experiment, published rows, those of them that are redone)."""
    ours = set()
    for row in rows:
        told = module_of(row["method"]).PUBLISHED.get(int(row["size"]))
        ours.add((told, row["experiment"], row["dim"], float(row["time"])))
    counted: dict[tuple[str, str], list[int]] = {}
    for row in published:
        both = counted.setdefault((row["method"], row["experiment"]), [0, 0])
        both[0] += 1
        both[1] += (row["method"], row["experiment"], row["dim"], float(row["time"])) in ours
    return [(*key, *both) for key, both in counted.items()]


def bars(rows: Sequence[Row], published: Sequence[Row]) -> list[tuple[str, str, bool]]:
    """(bar, what was found, whether it is met): kernel densities within the published spread, DualJKO below its row."""
    told = {(row["experiment"], row["method"], row["dim"], float(row["time"])): row for row in published}
    outside: dict[str, list[str]] = {}
    dual = []
    for row in rows:
        name = module_of(row["method"]).PUBLISHED.get(int(row["size"]), "")
        theirs = told.get((row["experiment"], name, row["dim"], float(row["time"])))
        if theirs is None:
            continue
        ours, mean = float(row["authors_mean"]), float(theirs["mean"])
        where = f"{row['experiment']}, d = {row['dim']}, t = {row['time']}"
        if name.startswith("EM_sim"):
            apart = abs(ours - mean) / float(theirs["sd"])
            outside.setdefault(name, []).extend([f"{where} ({apart:.1f})"] if apart > 2 else [])
        if name == "dual_jko" and (row["dim"], float(row["time"])) == ("1", 0.5):
            dual.append((f"DualJKO, {where}: at most {mean:.3g}", f"{ours:.3g}", ours <= mean))
    bar = "mean within two published deviations of the published mean, by the authors' estimator"
    kernel = [
        (f"{name}: {bar}", f"outside: {'; '.join(names) or 'none'}", not names)
        for name, names in sorted(outside.items())
    ]
    return kernel + dual


def report(rows: Sequence[Row], published: Sequence[Row], found: Sequence[tuple[str, str, bool]]) -> list[str]:
    """Lines of Markdown: a table at the times of Figures 2 and 4, what is redone, `found` of `bars`, the figures."""
    text = [
        "SymKL in nats, mean ± sample deviation over the draws. *Authors*: the estimator of the published code;",
        "*honest*: independent draws of both laws; *floor*: the same two for the kernel density of exact draws of the",
        "truth. For a method that makes a kernel density, what lies above its floor is its own error.",
        "",
    ]
    floors = {
        (row["experiment"], row["size"], row["dim"], float(row["time"])): row
        for row in rows
        if row["method"] == "exact_draws"
    }
    told = {(row["experiment"], row["method"], row["dim"], float(row["time"])): row for row in published}
    for figure, experiment, time in (
        ("Figure 2", "mixtures", 4.0), ("Figure 4", "ornstein_uhlenbeck", 0.5), ("Figure 4", "ornstein_uhlenbeck", 0.9),
    ):  # fmt: skip
        lines = []
        for row in rows:
            if row["method"] == "exact_draws" or row["experiment"] != experiment or float(row["time"]) != time:
                continue
            module = module_of(row["method"])
            theirs = told.get((experiment, module.PUBLISHED.get(int(row["size"]), ""), row["dim"], time))
            kernel = getattr(module, "KERNEL_DENSITY", False)
            floor = floors.get((experiment, row["size"], row["dim"], time)) if kernel else None
            spread = f"{float(theirs['mean']):.3g} ± {float(theirs['sd']):.2g}" if theirs else ""
            size = row["size"] if row["size"] != "0" else ""
            lines.append(
                (module.LABEL, size, row["dim"], row["draws"], _cell(row, "authors"), spread, _cell(floor, "authors"),
                 _cell(row, "honest"), _cell(floor, "honest"), row["seconds"])
            )  # fmt: skip
        columns = (
            *("method", "size", "d", "draws", "authors", "published", "floor, authors", "honest", "floor, honest"),
            "CPU seconds",
        )
        text += [f"## {figure}, t = {time:g}", "", *markdown_table(columns, lines), ""]
    text += ["## How many published rows are redone", ""]
    text += ["A row is a dimension and a time. Fewer draws than published are in the column *draws* above.", ""]
    text += markdown_table(("published as", "experiment", "published rows", "redone"), _redone(rows, published))
    text += ["", "## Bars", ""]
    lines = [(bar, measured, "met" if met else "missed") for bar, measured, met in found]
    text += markdown_table(("bar", "measured", ""), lines)
    text += ["", *MISSING, "", *(f"![Figure {k}](figure{k}.png)" for k in (2, 4, 6))]
    return text
