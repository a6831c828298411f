"""The pictures of the filters: errors by method, the posterior, work and precision, and the density in time."""

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation, PillowWriter


def errors_and_posterior(file, names, rows, published, x, truth, logs):
    """SymKL of all runs beside the published ones; the law at t = 5 of experiment 0, by its log densities `logs`."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.4), width_ratios=[1.5, 1])
    for i, name in enumerate(names):
        mine = [one["sym_kl"] for one in rows if one["method"] == name]
        theirs = published[name]["sym_kl"] if name in published else []
        for values, shift, mark, label in ((mine, -0.12, "oC0", "here"), (theirs, 0.12, "sC1", "published")):
            left.plot(np.full(len(values), i + shift), values, mark, ms=4, alpha=0.7, label="" if i else label)
    left.set_yscale("log")
    words = [name.replace(", ", ",\n").replace("bootstrap ", "bootstrap\n") for name in names]
    left.set_xticks(range(len(names)), words, fontsize=6.5)
    left.tick_params(axis="x", labelrotation=45)
    left.set_ylabel("SymKL to Chang-Cooper at t = 5")
    left.legend(loc="lower left")
    right.plot(x, truth, "k", lw=2, label="truth")
    for name, log in logs.items():
        right.plot(x, np.exp(log), lw=1, label=name)
    right.set_xlabel("x")
    right.set_title("law at t = 5 given nine observations, experiment 0", fontsize=9)
    right.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    plt.close(figure)


def work_and_precision(file, names, rows, published, grids, median_interval):
    """Median SymKL against median seconds, with the interval of the median; published ones hollow."""
    figure, axes = plt.subplots(figsize=(8, 4.8))
    axes.plot([row[-1] for row in grids], [row[2] for row in grids], "k.-", lw=1, label="Chang-Cooper")
    for i, name in enumerate(names):
        mine = [one for one in rows if one["method"] == name]
        work = float(np.median([one["cpu"] for one in mine]))
        point(axes, work, median_interval([one["sym_kl"] for one in mine]), f"C{i}", "o", name)
        if name in published:
            theirs = published[name]
            point(axes, theirs["seconds"], median_interval(theirs["sym_kl"]), f"C{i}", "s", "")
    axes.plot([], [], "s", color="gray", mfc="none", label="squares: published")
    axes.set(xscale="log", yscale="log", xlabel="CPU seconds an experiment", ylabel="SymKL to Chang-Cooper at t = 5")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    plt.close(figure)


def point(axes, work, interval, color, mark, label):
    """One method: its median with the interval."""
    middle, low, high = interval
    fill = color if mark == "o" else "none"
    bars = [[middle - low], [high - middle]]
    axes.errorbar([work], [middle], yerr=bars, fmt=mark, color=color, mfc=fill, ms=5, capsize=2, label=label)


def animation(file, seen, flow):
    """The density of a grid in time as a GIF; it jumps at each observation, which a line marks."""
    figure, axes = plt.subplots(figsize=(6, 3.5))
    x = flow.laws[0].centers[0]
    (line,) = axes.plot(x, x * 0)
    mark = axes.axvline(0.0, color="C1", lw=1, visible=False)
    axes.set_ylim(0, 1.2 * max(law.density.max() for law in flow.laws))
    axes.set_xlabel("x")

    def draw(k):
        now = flow.times[k]
        line.set_data(x, flow.laws[k].density)
        last = np.flatnonzero(seen.times <= now + 1e-9)
        mark.set_visible(len(last) > 0)
        if len(last):
            mark.set_xdata([seen.values[last[-1], 0]] * 2)
        axes.set_title(f"t = {now:.2f}, observations so far: {len(last)}", fontsize=9)
        return (line, mark)

    FuncAnimation(figure, draw, frames=len(flow.laws)).save(file, writer=PillowWriter(fps=10))
    plt.close(figure)
