"""The published rows of the proximal recursion (figures 2, 4 and 6 of the thesis), redone by the authors' estimator.

ε = 0.05, dt = 0.001: with the temperature 1 the effective temperature is 26, see `pf.particle.ProximalRecursion`. The
authors read the values so: their constant by importance sampling against a kernel density estimate of the same points
(`law.normalised`), then KL(model, truth) as the mean of log(value/truth) over the points, and KL(truth, model) as the
mean of r log r with r = truth/value over the same points, all densities floored at 1e-15. Neither is a relative entropy
where the values are not the density of the points: the first comes out negative, the second in thousands. Beside their
sum stands what no constant changes: the standard deviation of log(value/truth) over the points.

`python validation/reproductions/mokrov2022.py proximal_recursion --dims 1 2 --particles 400` computes what the store
lacks and writes reports/competitors/proximal_recursion.md from all that it holds.
"""

import json
import time
from pathlib import Path

import numpy as np
from _report import REPORTS, command, markdown_table

import pdeflow as pf

STEP, REGULARISATION, FLOOR = 1e-3, 0.05, 1e-15
TIMES = [round(0.1 * k, 1) for k in range(1, 11)]
COMPONENTS = {2: 5, 4: 6, 6: 7, 8: 8, 10: 9, 12: 10}
MIXTURE_TIME = 4.0
PUBLISHED = json.loads(
    (REPORTS.parent / "reproductions" / "competitors" / "published_proximal_recursion.json").read_text("utf-8")
)


def read_out(law, truth):
    """The two halves of the published SymKL, and the spread of log(value/truth) over the points."""
    x = law.cloud.x
    log_truth = truth.log_density(x)
    estimate = np.maximum(np.exp(pf.laws.KernelDensity(x).log_density(x)), FLOOR)
    values = np.exp(law.log_values)
    values = np.maximum(values / np.mean(values / estimate), FLOOR)
    ratio = np.exp(log_truth) / values
    with np.errstate(divide="ignore", invalid="ignore"):
        back = float(np.nanmean(ratio * np.log(ratio)))
    return {
        "there": float(np.mean(np.log(values) - log_truth)),
        "back": back,
        "spread": float(np.std(law.log_values - log_truth)),
    }


def ornstein_uhlenbeck(dim, seed, particles, tolerance):
    """Rows of one draw at all times."""
    problem = pf.problems.ou(dim=dim, seed=seed, ensemble="mokrov")
    return rows(problem, particles, tolerance, seed, TIMES, lambda t: problem.exact(t))


def mixture(dim, seed, particles, tolerance):
    """The row of one target, against the stationary law, as published."""
    problem = pf.problems.mixture_target(dim, COMPONENTS[dim], 5.0, seed, ensemble="mokrov")
    return rows(problem, particles, tolerance, seed, [MIXTURE_TIME], lambda t: problem.energy.potential.mixture)


def rows(problem, particles, tolerance, seed, times, truth):
    """What `read_out` says of one run at each time."""
    method = pf.particle.ProximalRecursion(particles, REGULARISATION, tolerance=tolerance)
    begin = time.process_time()
    flow = pf.solve(problem, method, dt=STEP, times=times, seed=seed)
    seconds = time.process_time() - begin
    return [{"time": t, "seconds": seconds, **read_out(flow.at(t), truth(t))} for t in times]


KINDS = {"ou": ornstein_uhlenbeck, "mixture": mixture}


def collect(store, kind, dims, particles, seeds, tolerance):
    """Compute the runs that the store lacks, one file each."""
    for n in particles:
        for dim in dims:
            for seed in seeds:
                file = store / f"{kind}-{dim}-{n}-{seed}.json"
                if not file.exists():
                    found = KINDS[kind](dim, seed, n, tolerance)
                    file.write_text(json.dumps(found), encoding="utf-8")
                    print(f"{file.stem}: {found[-1]['seconds']:.1f} CPU seconds", flush=True)


def told(kind, dim, n, t):
    """Mean and standard deviation of the published runs."""
    found = PUBLISHED[kind].get(str(n), {}).get(str(dim), {}).get(f"{t:.1f}")
    return f"{found[0]:.3g} ± {found[1]:.2g}" if found else "none"


def table(store, kind, times):
    """One line a dimension, number of particles and time."""
    columns = ["d", "particles", "t", "draws", "SymKL mean ± sd", "median", "published mean ± sd"]
    columns += ["KL(model, truth)", "KL(truth, model)", "sd of log(value/truth)", "CPU seconds"]
    runs = {}
    for file in store.glob(f"{kind}-*.json"):
        _, dim, n, _ = file.stem.split("-")
        runs.setdefault((int(dim), int(n)), []).append(json.loads(file.read_text(encoding="utf-8")))
    lines = []
    for (dim, n), group in sorted(runs.items()):
        for t in times:
            at = [row for run in group for row in run if row["time"] == t]
            both = np.array([row["there"] + row["back"] for row in at])
            mean = {key: np.mean([row[key] for row in at]) for key in ("there", "back", "spread", "seconds")}
            spread = f" ± {both.std(ddof=1):.2g}" if len(both) > 1 else ""
            lines.append(
                [dim, n, t, len(at), f"{both.mean():.3g}{spread}", f"{np.median(both):.3g}", told(kind, dim, n, t)]
                + [f"{mean[key]:.3g}" for key in ("there", "back", "spread")]
                + [f"{mean['seconds']:.0f}"]
            )
    return markdown_table(columns, lines)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--kind", choices=list(KINDS), nargs="*", default=list(KINDS))
    parser.add_argument("--dims", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--particles", type=int, nargs="*", default=[400])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--store", type=Path, default=Path("proximal_rows"), help="folder, one small file a run")
    parser.add_argument("--out", type=Path, default=REPORTS / "competitors" / "proximal_recursion.md")


def run(options):
    """Compute the rows and write the report."""
    options.store.mkdir(parents=True, exist_ok=True)
    for kind in options.kind:
        dims = [dim for dim in options.dims if kind == "ou" or dim in COMPONENTS]
        collect(options.store, kind, dims, options.particles, options.seeds, options.tolerance)
    text = [
        "# Proximal recursion: the published rows redone",
        "",
        f"Made by `{command()}` from a store of runs; dt = {STEP}, ε = {REGULARISATION}, one CPU core shared.",
        *(__doc__ or "").splitlines()[1:-3],
        "## Ornstein-Uhlenbeck draws against the exact law",
        "",
        *table(options.store, "ou", [0.1, 0.5, 0.9]),
        "",
        "## Mixtures against the stationary law, t = 4",
        "",
        *table(options.store, "mixture", [MIXTURE_TIME]),
    ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
