"""Figure 3 of fan2022iclr: VariationalJKO and ICNNJKO on the same Ornstein-Uhlenbeck draws, with seconds of two steps.

Draws are those of `problems.ou(dim, seed=...)`; the published ones are not known. VariationalJKO has the linear map of
the published runs, whose law is Gaussian with closed SymKL; that of ICNNJKO is by `--samples` draws of each of the two
laws. Beside both stands the exact JKO sequence, which no method with this step can be expected to pass. Seconds are CPU
seconds of a whole run to t = 0.9, shared out to its eighteen steps, times two.

`python validation/reproductions/fan2022.py figure3` writes reports/variational_ou/figure3.md and figure3.png; rows that
figure3.json has are not run again.
"""

import json
import time

import numpy as np
from _report import REPORTS, command, markdown_table
from claims.variational_ou import gaussian_sym_kl, variational
from matplotlib.figure import Figure

import pdeflow as pf
from pdeflow.report.plot.style import COLOURS

STEP, TIMES = 0.05, (0.5, 0.9)
METHODS = {"VariationalJKO, linear map": variational("linear"), "ICNNJKO": pf.neural.ICNNJKO()}
PUBLISHED = {"VariationalJKO, linear map": "20 ± 2", "ICNNJKO": {2: "20", 32: "100"}}


def one(name, dim, seed, samples):
    """The row of one run."""
    problem = pf.problems.ou(dim=dim, seed=seed)
    begin = time.process_time()
    flow = pf.solve(problem, METHODS[name], dt=STEP, times=TIMES, seed=seed)
    seconds = 2 * (time.process_time() - begin) * STEP / TIMES[-1]
    exact, iterates = pf.exact(problem, TIMES), pf.exact_jko(problem, dt=STEP, times=TIMES)
    row = {"method": name, "dim": dim, "seed": seed, "seconds": seconds, "sym_kl": [], "stderr": [], "floor": []}
    for i, t in enumerate(TIMES):
        if name == "ICNNJKO":
            rng, parts = np.random.default_rng([seed, i]), (flow.at(t), exact.at(t))
            halves = [pf.metrics.kl(*pair, rng=rng, n=samples) for pair in (parts, parts[::-1])]
            value, stderr = sum(half.value for half in halves), float(np.hypot(*(half.stderr for half in halves)))
        else:
            value, stderr = gaussian_sym_kl(flow.at(t), exact.at(t)).value, 0.0
        row["sym_kl"].append(float(value))
        row["stderr"].append(stderr)
        row["floor"].append(pf.metrics.sym_kl(iterates.at(t), exact.at(t)).value)
    return row


def table(rows):
    """The lines of the table by dimension and method."""
    cells = []
    for dim in sorted({row["dim"] for row in rows}):
        for name in METHODS:
            group = [row for row in rows if (row["dim"], row["method"]) == (dim, name)]
            if not group:
                continue
            line = [dim, name, len(group)]
            for i in range(len(TIMES)):
                value, floor = (np.array([row[key][i] for row in group]) for key in ("sym_kl", "floor"))
                error = np.sqrt(sum(row["stderr"][i] ** 2 for row in group)) / len(group)
                line += [
                    f"{value.mean():.3g}" + (f" ± {error:.1g}" if error else ""),
                    f"{value.mean() / floor.mean():.3f}",
                ]
            told = PUBLISHED[name]
            seconds = f"{np.mean([row['seconds'] for row in group]):.2f}"
            cells.append([*line, seconds, told if isinstance(told, str) else told.get(dim, "")])
    columns = ["d", "method", "draws"]
    for t in TIMES:
        columns += [f"SymKL at t = {t}", "over exact JKO"]
    return markdown_table([*columns, "CPU seconds of two steps", "published seconds (RTX 3090)"], cells)


def picture(rows, path):
    """Mean SymKL against d at both times."""
    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    dims = sorted({row["dim"] for row in rows})
    for i, (axes, t) in enumerate(zip(figure.subplots(1, 2, sharey=True), TIMES, strict=True)):
        for colour, name in zip(COLOURS, METHODS, strict=False):
            groups = [[row["sym_kl"][i] for row in rows if (row["dim"], row["method"]) == (d, name)] for d in dims]
            axes.plot(dims, [np.mean(group) for group in groups], color=colour, marker="o", ms=4, label=name)
            for d, group in zip(dims, groups, strict=True):
                axes.plot([d] * len(group), group, ".", color=colour, ms=3, alpha=0.5)
        floors = [np.mean([row["floor"][i] for row in rows if row["dim"] == d]) for d in dims]
        axes.plot(dims, floors, color="#222222", lw=0.9, ls=":", label="exact JKO steps")
        axes.set(title=f"t = {t}", xlabel="d", yscale="log")
    figure.axes[0].set_ylabel("SymKL to the exact law")
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=100)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--dims", type=int, nargs="*", default=[2, 6, 12, 16, 32])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--samples", type=int, default=2048)


def run(options):
    """Compute the figure and write its report."""
    folder = REPORTS / "variational_ou"
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "figure3.json"
    rows = json.loads(store.read_text(encoding="utf-8")) if store.exists() else []
    done = {(row["method"], row["dim"], row["seed"]) for row in rows}
    for seed in options.seeds:
        for dim in options.dims:
            for name in METHODS:
                if (name, dim, seed) not in done:
                    rows.append(one(name, dim, seed, options.samples))
                    store.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")
                    print(rows[-1], flush=True)
    rows = [row for row in rows if row["dim"] in options.dims and row["seed"] in options.seeds]
    lines = [
        "# Figure 3: two methods on the same Ornstein-Uhlenbeck draws",
        "",
        f"Made by `{command()}` (rows that figure3.json has are not run again): dt = {STEP}, draws of",
        "`problems.ou(dim, seed=...)`, spectrum uniform in [0.2, 3], from N(0, I). SymKL in nats, means over the",
        "draws; that of ICNNJKO is by draws, with its standard error. The source shows curves over 15 draws and prints",
        "no number of them; its seconds are of two steps of 500 iterations, for its own method and for that of",
        "mokrov2021.",
        "",
        *table(rows),
        "",
        "![SymKL against the dimension](figure3.png)",
        "",
    ]
    (folder / "figure3.md").write_text("\n".join(lines), encoding="utf-8")
    picture(rows, folder / "figure3.png")
    print("\n".join(lines))
