"""Neural methods in d = 30 and d = 10 on laws that are not Gaussian, with their errors split.

Rotated double wells x Styblinski-Tang coordinates in d = 30, ten rotated double wells and the mexican hat in d = 10,
from Gaussians to t = 1/2. The truth is that of the parts on the line by ChangCooper, the exact JKO sequence that of
the parts by QuantileJKO; no method is told the rotation or the radius. KL(model, truth) is what a method ends with,
KL(JKO, truth) what the step dt costs, and KL(JKO, model) what training adds to it (the other way round it is infinite
where a sequence has bounded support). Of KL(model, truth) on a rotated product, the part that is in the laws of single
coordinates is given by kind of coordinate; what is left is dependence between coordinates. The excess of the first
step is what the JKO functional, ½W2²/dt + F, of the trained step is above that of the exact one, in units of the
temperature.

Run: python validation/batteries/lifted_neural.py [--quick] [--problem NAME] [--rows FOLDER] [--out FILE]; exit code 1
where a bar of ICNNJKO is missed. Rows that lie in the folder are not made again, so that parts can be run apart.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np

import pdeflow as pf
from pdeflow.laws import Chi

DT, HORIZON = 1 / 32, 1 / 2
TIMES = [DT, 1 / 8, 1 / 4, HORIZON]
DRAWS, INVERTED, STEPPED, SINGLE = (
    20_000,
    1_000,
    4_000,
    200_000,
)  # for KL of a model, KL to one, whose maps are inverted, functionals, and laws of single coordinates
CELLS = 150  # of equal truth, for KL of a single coordinate
BARS = {"wells": 0.05, "ten wells": 0.03, "hat": 0.02}
FIXED = pf.neural.Network(directions="curvature", signed=True, neurons="fixed")
TRAINED = {
    "wells": pf.neural.ICNNJKO(width=240, iterations=32, batch=4096, network=FIXED),
    "ten wells": pf.neural.ICNNJKO(
        width=80, iterations=20, batch=2048, network=FIXED, training=pf.neural.Training(pool=65_536)
    ),
    "hat": pf.neural.ICNNJKO(
        width=320, iterations=150, learning_rate=0.1, network=pf.neural.Network(directions="curvature")
    ),
}
OTHERS = {
    "VariationalJKO": pf.neural.VariationalJKO(map=pf.neural.Convex(width=64, depth=1, rank=0), outer=150),
    "PWGF": pf.neural.PWGF(map=pf.neural.Coordinatewise(pieces=12), samples=2000),
}
COLUMNS = [
    "problem",
    "method",
    "seed",
    "t",
    "CPU s",
    "KL(model, truth)",
    "of it in single coordinates",
    "KL(truth, model)",
    "KL(JKO, truth)",
    "KL(JKO, model)",
    "excess of the first step, or bar",
]


def problem_named(name):
    """The wells in d = 30, ten of them in d = 10, or the hat in d = 10."""
    if name == "wells":
        return pf.problems.rotated_wells(30, horizon=HORIZON)
    if name == "hat":
        return pf.problems.mexican_hat(10, horizon=HORIZON)
    well = pf.Problem(pf.Energy(pf.potentials.DoubleWell(), pf.Entropy(0.5)), pf.laws.Gaussian(0.0, 1.0), HORIZON)
    return pf.problems.rotated(pf.problems.separable([well] * 10), 0)


def entropy_gap(first, second, draws):
    """(KL(first, second), it and its standard error as text); a dash where one of them has no density."""
    try:
        found = pf.metrics.kl(first, second, rng=np.random.default_rng(1), n=draws)
    except pf.NotAvailable:
        return float("nan"), "-"
    except pf.NotConverged:
        return float("nan"), "inverse not certified"
    return found.value, f"{found.value:.4f}" + (f" ± {found.stderr:.4f}" if found.stderr else "")


def single_coordinates(problem, law, truth):
    """KL of the laws of single coordinates of a product: how many, and the mean, by kind; cells of equal truth."""
    columns = (law.sample(SINGLE, np.random.default_rng(3)) @ problem.structure.rotation).T
    parts = {}
    for x, factor, energy in zip(columns, truth.pushed_from()[0].factors(), problem_parts(problem)):
        edges = factor.quantile(np.arange(1, CELLS) / CELLS)
        share = np.bincount(np.searchsorted(edges, x), minlength=CELLS) / len(x)
        seen = share[share > 0]
        value = (seen * np.log(CELLS * seen)).sum() - (CELLS - 1) / (2 * len(x))  # less its bias by finite draws
        parts.setdefault(energy, []).append(value)
    return ", ".join(f"{kind} {len(each)} x {np.mean(each):.5f}" for kind, each in parts.items())


def problem_parts(problem):
    """The kind of each coordinate of a product, "well" or "Styblinski-Tang"."""
    wells = problem.dim if problem.dim == 10 else problem.dim // 2
    return ["well"] * wells + ["Styblinski-Tang"] * (problem.dim - wells)


def exact_first_step(problem, law, x):
    """The points to which the exact JKO step from the first law to `law` moves the points x (n, d)."""
    radius = law.radial_part()
    if radius is not None:  # along the radius, to the same level
        r = np.linalg.norm(x, axis=1)
        return x * (radius.quantile(Chi(problem.dim, np.sqrt(problem.initial.cov()[0, 0])).cdf(r)) / r)[:, None]
    turn, start, y = np.array(problem.structure.rotation), pf.laws.Gaussian(0.0, 1.0), x @ problem.structure.rotation
    factors = law.pushed_from()[0].factors()
    return np.stack([factor.quantile(start.cdf(column)) for factor, column in zip(factors, y.T)], axis=1) @ turn.T


def first_excess(problem, law, move):
    """(Excess of the functional of the first step, its standard error), in nats, for the trained map `move`."""
    x = problem.initial.sample(STEPPED, np.random.default_rng(2))
    energy = problem.energy
    temperature = sum(c for c, _ in energy.internal.terms())
    moved = exact_first_step(problem, law, x)
    values = []
    for y, log_det in ((moved, problem.initial.log_density(x) - law.log_density(moved)), move.with_log_det(x)):
        values.append(((x - y) ** 2).sum(axis=1) / (2 * DT) + energy.potential.value(y) - temperature * log_det)
    excess = (values[1] - values[0]) / temperature
    return float(excess.mean()), float(excess.std() / np.sqrt(len(excess)))


def solved(problem, method, seed):
    """(Trajectory, or the message of a typed error, processor seconds)."""
    began = time.process_time()
    try:
        run = pf.solve(problem, method, dt=DT, times=TIMES, seed=seed)
    except pf.PdeflowError as error:
        run = str(error)
    return run, time.process_time() - began


def judged(name, label, method, seed, truth, exact):
    """The rows of one run: a dict by `COLUMNS` for each time that is shown, with "values" for the picture."""
    problem, rows = problem_named(name), []
    plain = pf.Problem(problem.energy, problem.initial, problem.horizon)
    run, seconds = solved(plain, method, seed)
    head = {"problem": name, "method": label, "seed": seed, "CPU s": f"{seconds:.0f}"}
    if isinstance(run, str):
        return [{**head, "t": "-", "KL(model, truth)": run[:200]}]
    for i, t in enumerate(TIMES):
        if t < HORIZON and (label, seed) != ("ICNNJKO", 0):
            continue
        value, text = entropy_gap(run.laws[i], truth.laws[i], DRAWS)
        (_, back), (step, step_text), (added, added_text) = (
            entropy_gap(first, second, INVERTED)
            for first, second in (
                (truth.laws[i], run.laws[i]),
                (exact.laws[i], truth.laws[i]),
                (exact.laws[i], run.laws[i]),
            )
        )
        row = {**head, "t": f"{t:.4g}", "KL(model, truth)": text, "KL(truth, model)": back}
        row |= {"KL(JKO, truth)": step_text, "KL(JKO, model)": added_text, "values": [value, step, added]}
        if i == 0:
            row[COLUMNS[-1]] = "{:.4f} ± {:.4f}".format(*first_excess(problem, exact.laws[0], run.laws[0].maps[0]))
        if t == HORIZON and name != "hat":
            row["of it in single coordinates"] = single_coordinates(problem, run.laws[i], truth.laws[i])
        if t == HORIZON and label == "ICNNJKO":
            row["met"] = bool(value <= BARS[name])
            row[COLUMNS[-1]] = f"bar {BARS[name]}" + ("" if row["met"] else " (missed)")
        rows.append(row)
    return rows


def all_rows(names, quick, folder):
    """The rows of all runs, from the folder where they lie there."""
    for name in names:
        runs = [("ICNNJKO", TRAINED[name], seed) for seed in ([0] if quick else [0, 1, 2])]
        runs += [] if quick or name == "ten wells" else [(label, method, 0) for label, method in OTHERS.items()]
        truth = exact = None
        for label, method, seed in runs:
            kept = folder / f"{name}-{label}-{seed}.json".replace(" ", "-") if folder else None
            if kept is not None and kept.exists():
                yield from json.loads(kept.read_text(encoding="utf-8"))
                continue
            if truth is None:
                problem = problem_named(name)
                scheme = pf.grid.ChangCooper(cells=2000, time_order=2)
                truth = pf.solve(problem, scheme, dt=1 / 1024, times=TIMES)
                exact = pf.jko_sequence(problem, dt=DT, times=TIMES)
            rows = judged(name, label, method, seed, truth, exact)
            if kept is not None:
                folder.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            yield from rows


def picture(rows, path):
    """KL against t of the first run of each problem: model to truth, and its two parts."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in BARS if any(row["problem"] == name for row in rows)]
    figure, axes = plt.subplots(1, len(names), figsize=(3.4 * len(names), 3.0), squeeze=False, sharey=True)
    for axis, name in zip(axes[0], names):
        shown = [r for r in rows if (r["problem"], r["method"], r["seed"]) == (name, "ICNNJKO", 0) and "values" in r]
        times, values = np.array([float(r["t"]) for r in shown]), np.array([r["values"] for r in shown])
        labels = ("KL(model, truth)", "KL(JKO, truth): the step", "KL(JKO, model): training")
        for column, label, mark in zip(values.T, labels, ("o-", "s--", "^:")):
            kept = np.isfinite(column) & (column > 0)
            axis.semilogy(times[kept], column[kept], mark, label=label, markersize=4)
        axis.axhline(BARS[name], color="0.6", linewidth=0.8)
        axis.set(title=f"{name}: ICNNJKO, dt = 1/32", xlabel="t")
    axes[0][0].set_ylabel("nats")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def line(row):
    """A row of the table."""
    return "| " + " | ".join(str(row.get(column, "")) for column in COLUMNS) + " |"


def write(rows, out, made):
    """The report: what it is, the table, the picture beside it, and the command."""
    table = [line(dict(zip(COLUMNS, COLUMNS))), "| --- " * len(COLUMNS) + "|", *map(line, rows)]
    shown = out.with_suffix(".png")
    picture(rows, shown)
    title, says = "# " + __doc__.split("\n", 1)[0], __doc__.split("\n\n")[1]
    seen = f"![KL against t, with its two parts; grey: the bar]({shown.name})"
    out.write_text("\n\n".join([title, says, "\n".join(table), seen, made]) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed of ICNNJKO, no other method")
    parser.add_argument("--problem", choices=list(BARS), help="only this problem")
    parser.add_argument("--rows", type=pathlib.Path, help="keep rows in this folder, and take those that are there")
    parser.add_argument("--out", type=pathlib.Path, help="write the table here as Markdown, and a picture beside it")
    options = parser.parse_args()
    rows, missed = [], 0
    for row in all_rows([options.problem] if options.problem else list(BARS), options.quick, options.rows):
        rows.append(row)
        missed += row.get("met") is False
        print(line(row), flush=True)
    if options.out is not None:
        flags = (" --quick" if options.quick else "") + (f" --problem {options.problem}" if options.problem else "")
        write(rows, options.out, f"Made by `python validation/batteries/lifted_neural.py{flags}`.")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
