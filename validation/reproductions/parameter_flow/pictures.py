"""Pictures of the examples of jin2025 and its slides, from short runs, each with the exact law and a number beside it.

`python validation/reproductions/jin2025.py pictures` writes reports/pwgf_pictures/report.md and one PNG for each:
Figures 3 to 5 (porous medium, d = 2, 5 and 15), Figure 8 (the ring, from the density of the slides, N(c, 0.18 I)),
Figures 1 and 2 (Styblinski-Tang in d = 30: points of two coordinates, and KL against t), and Example 2 of the slides
(the ten-dimensional quadratic at t = 2 on the planes 0-1, 4-5 and 8-9). The settings of each run are in the report.
"""

import json
import time

import numpy as np
from _report import REPORTS, command, markdown_table
from claims.pwgf_quadratic import problem as quadratic_problem
from matplotlib.figure import Figure
from parameter_flow.styblinski_tang import TIMES as KL_TIMES
from parameter_flow.styblinski_tang import truth

import pdeflow as pf
from pdeflow.problems.aggregation import quartic_second_moment, ring_radius
from pdeflow.report.plot.style import COLOURS

FOLDER = REPORTS / "pwgf_pictures"
ADAPTIVE = pf.neural.Adaptive(tolerance=1e-3)
CENTER = np.array([1.25, 1.25])
CIRCLE = np.exp(1j * np.linspace(0, 2 * np.pi, 200))


def clouds(count, width=2.6):
    """A figure with panels of equal scales side by side."""
    figure = Figure(figsize=(width * count, width), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, count))
    for each in axes:
        each.set_aspect("equal")
    return figure, axes


def points(axes, x, title):
    """The points of a plane."""
    axes.plot(*x.T, ".", markersize=1.2, alpha=0.4, color=COLOURS[0])
    axes.set_title(title, fontsize=9)


def curve(axes, z, center=(0.0, 0.0)):
    """A closed curve of the exact law."""
    axes.plot(center[0] + z.real, center[1] + z.imag, color="#222222", lw=0.9)


def solved(problem, kind, samples, dt, times):
    """The flow of PWGF and its CPU seconds."""
    begin = time.process_time()
    method = pf.neural.PWGF(map=kind, samples=samples, integrator=ADAPTIVE)
    return pf.solve(problem, method, dt=dt, times=times), time.process_time() - begin


def porous(dim, m, start, shown, samples, limit, picture):
    """Panels and rows of a Barenblatt flow: the points at the start and at the times `shown` after it."""
    problem = pf.problems.porous_medium(dim, m, start, shown[-1])
    kind = pf.neural.Residual(layers=2, width=20, affine=False)
    flow, seconds = solved(problem, kind, samples, start / 2, shown)
    z = problem.initial.sample(100_000, np.random.default_rng(7))
    share = np.mean(np.sum(z**2, axis=1)) / problem.initial.second_moment  # the same excess of these draws at all times
    figure, axes = clouds(1 + len(shown))
    rows = []
    for place, t in zip(axes, [0.0, *shown], strict=True):
        x, exact = (z, problem.initial) if t == 0 else (flow.at(t).push(z), problem.exact(t))
        points(place, x[:2500, :2], f"d = {dim}, t = {start + t:.1f}")
        for height in (0.0, 0.5, 0.8) if dim == 2 else (0.0,):  # of the peak
            curve(place, exact.radius * np.sqrt(1 - height ** (m - 1)) * CIRCLE)
        root = np.sqrt(np.mean(np.sum(x**2, axis=1)) / share / exact.second_moment) - 1
        farthest = np.linalg.norm(x, axis=1).max() / exact.radius
        rows.append([f"{start + t:.1f}", f"{root:+.2%}", f"{farthest:.4f}"])
        place.set(xlim=(-limit, limit), ylim=(-limit, limit))
    figure.savefig(FOLDER / picture, dpi=80)
    return [
        f"Two residual blocks of 20, {samples:,} samples, adaptive steps, {seconds:.0f} CPU seconds (source: one",
        "network of three layers of 100, 30,000 samples, 5,000 steps).",
        "",
        *markdown_table(["t", "√M2 against the exact law", "farthest of 100,000 draws over the exact radius"], rows),
        "",
        f"![Points]({picture})",
        "",
    ]


def figure_3():
    """Figure 3."""
    return [
        "## Figure 3: the porous medium equation, d = 2, m = 2.4, from t = 0.1 to 0.6",
        "",
        "Curves are the edge of the exact law and half and 0.8 of its peak. The source finds that its points run a bit",
        "ahead of the exact law; it prints no number.",
        *porous(2, 2.4, 0.1, [0.1, 0.3, 0.5], 4000, 1.5, "porous.png"),
    ]


def figures_4_and_5():
    """Figures 4 and 5."""
    lines = []
    for figure, dim, m, samples, limit in ((4, 5, 3.0, 3000, 1.3), (5, 15, 2.0, 1500, 1.7)):
        lines += [
            f"## Figure {figure}: the porous medium equation, d = {dim}, m = {m:g}, from t = 1 to 1.5",
            "",
            "The first two coordinates, and the edge of the exact law. The source prints no number.",
            *porous(dim, m, 1.0, [0.5], samples, limit, f"porous_d{dim}.png"),
        ]
    return lines


def ring():
    """Figure 8, and Example 1 of the slides."""
    times, variance = [0.5, 1.0, 2.0, 4.0, 8.0], 0.18
    problem = pf.problems.ring_aggregation(initial=pf.laws.Gaussian(CENTER, variance), horizon=times[-1])
    flow, seconds = solved(problem, pf.neural.Planar(layers=20), 6000, 0.25, times)
    exact = quartic_second_moment(2, variance, times)
    z = np.random.default_rng(5).standard_normal((20_000, 2))
    z = CENTER + np.sqrt(variance) * (z - z.mean(axis=0)) / z.std(axis=0)
    figure, axes = clouds(6, 2.0)
    points(axes[0], z[:2500], "t = 0")
    rows = []
    for place, t, second in zip(axes[1:], times, exact, strict=True):
        x = flow.at(t).push(z)
        radius = np.linalg.norm(x - x.mean(axis=0), axis=1)
        points(place, x[:2500], f"t = {t:g}")
        away = radius.mean() / ring_radius(4, 2, 2) - 1
        rows.append([f"{t:g}", f"{np.mean(radius**2):.5f}", f"{second:.5f}", f"{radius.mean():.5f}", f"{away:+.2%}"])
    for place in axes:
        curve(place, ring_radius(4, 2, 2) * CIRCLE, CENTER)
        place.set(xlim=(0, 2.5), ylim=(0, 2.5))
    figure.savefig(FOLDER / "ring.png", dpi=90)
    return [
        "## Figure 8: the ring, from N((1.25, 1.25), 0.18 I)",
        "",
        "This is the density that the slides print, exp(-|x - c|²/b²) with b = 3/5. Twenty planar layers, 6,000",
        f"samples, adaptive steps, {seconds:.0f} CPU seconds. The circle has the exact radius 1/√3 = 0.57735; the",
        "source and its slides print 0.5.",
        "",
        *markdown_table(["t", "E\\|x - c\\|²", "exact", "mean radius", "against 1/√3"], rows),
        "",
        "![Points](ring.png)",
        "",
    ]


def styblinski():
    """Figures 1 and 2."""
    dim, scale, draws = 30, 0.06, 20_000
    problem = pf.problems.styblinski_tang(dim, scale)
    flow, seconds = solved(problem, pf.neural.Coordinatewise(), 1500, 0.1, KL_TIMES)
    line, exact, rest = truth(scale)
    at = rest.centers[0]
    log_z = np.log(np.sum(np.exp(-line.energy.potential.value(at[:, None])) * np.diff(rest.axes[0])))
    known = [dim * pf.metrics.kl(law, rest).value for law in (line.initial, *(exact.at(t) for t in KL_TIMES))]
    rows, values = [], [known[0]]
    figure, axes = clouds(4)
    for t, true in zip(KL_TIMES, known[1:], strict=True):
        x, log_density = flow.at(t).sample_with_log_density(draws, np.random.default_rng(1))
        excess = log_density + problem.energy.potential.value(x) + dim * log_z
        values.append(excess.mean())
        rows.append([t, f"{values[-1]:.3f}", f"{excess.std() / np.sqrt(draws):.3f}", f"{true:.4f}"])
        if t in (0.3, 0.9, 1.8):
            place = axes[(0.3, 0.9, 1.8).index(t)]
            points(place, x[:2000, :2], f"t = {t}, first two of 30 coordinates")
            place.set(xlim=(-4.2, 4.2), ylim=(-4.2, 4.2))
    axes[3].set_aspect("auto")
    at = [0.0, *KL_TIMES]
    axes[3].plot(at, known, color="#222222", lw=0.9, label="exact")
    axes[3].plot(at, values, "o", ms=4, color=COLOURS[0], label="splines in each coordinate")
    kept = json.loads((REPORTS / "pwgf_styblinski" / "flow.json").read_text(encoding="utf-8"))
    few = [(row["time"], row["kl"]) for row in kept if (row["dim"], row["scale"], row["map"]) == (dim, scale, "planar")]
    axes[3].plot(*zip(*few, strict=True), "s", ms=3, color=COLOURS[1], label="8 planar layers")
    axes[3].set_title("KL to the stationary law", fontsize=9)
    axes[3].set(xlabel="t", ylim=(0, None))
    axes[3].legend(frameon=False, fontsize=7)
    figure.savefig(FOLDER / "styblinski_tang.png", dpi=90)
    return [
        "## Figures 1 and 2: the Styblinski-Tang flow in d = 30, c = 3/50",
        "",
        f"Splines in each coordinate, 1,500 samples, adaptive steps, {seconds:.0f} CPU seconds. They know that V is a",
        "sum over coordinates; the eight planar layers of pwgf_styblinski/flow.md, which the picture shows too, do",
        "not. The source has 40 planar layers and shows a falling curve without numbers.",
        "",
        *markdown_table(["t", "KL", "standard error", "exact KL"], rows),
        "",
        "![Points and KL](styblinski_tang.png)",
        "",
    ]


def quadratic():
    """Example 2 of the slides."""
    problem = quadratic_problem()
    begin = time.process_time()
    method = pf.neural.PWGF(map=pf.neural.Affine(), samples=200, integrator=pf.neural.Heun())
    law = pf.solve(problem, method, dt=0.02, times=[2.0]).final
    seconds, exact = time.process_time() - begin, problem.exact(2.0)
    x = law.sample(2500, np.random.default_rng(2))
    figure, axes = clouds(3)
    for place, (i, j) in zip(axes, ((0, 1), (4, 5), (8, 9)), strict=True):
        points(place, x[:, [i, j]], f"coordinates {i} and {j}")
        root = np.linalg.cholesky(exact.cov()[np.ix_([i, j], [i, j])])
        for far in (1, 2):
            ellipse = far * root @ np.stack([CIRCLE.real, CIRCLE.imag])
            curve(place, ellipse[0] + 1j * ellipse[1], exact.mean()[[i, j]])
    figure.savefig(FOLDER / "quadratic.png", dpi=90)
    return [
        "## Example 2 of the slides: the ten-dimensional quadratic at t = 2",
        "",
        f"An affine map, Heun's steps of 0.02, {seconds:.0f} CPU seconds; W2 to the exact law is",
        f"{pf.metrics.w2(law, exact).value:.1e}. Curves are at one and two standard deviations of the exact law. Other",
        "maps and steps are in pwgf_quadratic/table.md. The slides show points without numbers.",
        "",
        "![Points](quadratic.png)",
        "",
    ]


def arguments(parser):
    """This figure has no options."""


def run(options):
    """Compute the pictures and write their report."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = ["# The examples of jin2025 and its slides, drawn", "", f"Made by `{command()}`.", ""]
    for part in (figure_3, figures_4_and_5, ring, styblinski, quadratic):
        lines += part()
        (FOLDER / "report.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
