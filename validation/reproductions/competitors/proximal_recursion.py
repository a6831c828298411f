"""The published rows of the proximal recursion, redone: what its density values are worth, and what makes them.

ε = 0.05 and dt = 0.001, as published: with the temperature 1 the effective temperature is 26, see
`pf.particle.ProximalRecursion`. Values are known up to a constant. The authors take it by importance sampling against
a kernel density estimate of the same points (`law.normalised`), then KL(model, truth) as the mean of log(value/truth)
over the points and KL(truth, model) as the mean of r log r, r = truth/value, all densities floored at 1e-15.

- *Floor* is what their estimator says where the values are the truth itself: the estimate is too large at its own
  points, and in twelve dimensions that alone makes a SymKL of about 3.
- *Honest* is the variance over the points of log(value/truth). No constant changes it, and it is SymKL up to terms of
  third order. It compares the values with the truth where the points are, and needs the points, which are those of
  Euler-Maruyama, to be distributed by it.
- *sd to K1* is the standard deviation over the points of log(value/K1), with K1 the sum of the recursion's own kernels
  exp(-|x - x_i|²/(2 ε)). Where it is small, the values are no solution of the equation but this estimate of the cloud.

`python validation/reproductions/mokrov2022.py proximal_recursion --dims 1 2 --particles 400` computes the runs that the
store lacks, puts all that it holds into the rows of the figures (see rows.py) and writes proximal_recursion.md.
"""

import json
import time
from pathlib import Path

import numpy as np
from _report import markdown_table
from competitors.rows import EXPERIMENTS, OUT, Measured, keep, read, summarised, the_problem, the_truths

import pdeflow as pf

LABEL = "EM + proximal recursion"
SIZES = (400, 1_000, 10_000)
PUBLISHED = {size: f"EM_ProxRec_{size}" for size in SIZES}
STEP, REGULARISATION, TOLERANCE, FLOOR = 1e-3, 0.05, 1e-5, 1e-15
SHOWN = {"ornstein_uhlenbeck": (0.1, 0.5, 0.9), "mixtures": (4.0,)}
TITLES = {
    "ornstein_uhlenbeck": "Ornstein-Uhlenbeck draws against the exact law",
    "mixtures": "Mixtures against the stationary law",
}


def authors_halves(x, log_values, log_truth):
    """KL(model, truth) and KL(truth, model) of density values at the points x by the authors' estimator."""
    estimate = np.maximum(np.exp(pf.laws.KernelDensity(x).log_density(x)), FLOOR)
    values = np.exp(log_values)
    values = np.maximum(values / np.mean(values / estimate), FLOOR)
    ratio = np.exp(log_truth) / values
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.log(values) - log_truth)), float(np.nanmean(ratio * np.log(ratio)))


def read_out(law, truth):
    """All that the report says of one law, by name."""
    x, log_truth = law.cloud.x, truth.log_density(law.cloud.x)
    kernels = pf.laws.KernelDensity.of_kernel(x, law.cloud.weights, np.sqrt(REGULARISATION) * np.eye(law.dim))
    there, back = authors_halves(x, law.log_values, log_truth)
    return {
        "there": there,
        "back": back,
        "floor": sum(authors_halves(x, log_truth, log_truth)),
        "honest": float(np.var(law.log_values - log_truth)),
        "from_kernels": float(np.std(law.log_values - kernels.log_density(x))),
    }


def one_run(problem, truths, times, particles, seed):
    """`read_out` at each time, with the CPU seconds up to it."""
    method = pf.particle.ProximalRecursion(particles, REGULARISATION, tolerance=TOLERANCE)
    begin = time.process_time()
    laws = pf.solve(problem, method, dt=STEP, times=list(times), seed=seed).laws
    seconds = time.process_time() - begin
    return [
        {"time": when, "seconds": seconds * when / times[-1], **read_out(law, truth)}
        for law, truth, when in zip(laws, truths, times, strict=True)
    ]


def measured(run):
    """A run in the words of the frame."""
    return [Measured(row["there"] + row["back"], row["honest"], row["seconds"]) for row in run]


def measure(experiment, problem, truths, times, size, seed) -> list[Measured]:
    """One `Measured` for each time."""
    return measured(one_run(problem, truths, times, size, seed))


def collect(store, experiment, dims, particles, seeds):
    """Compute the runs that the store lacks, one file each."""
    times = EXPERIMENTS[experiment][2]
    for n in particles:
        for dim in dims:
            for seed in seeds:
                file = store / f"{experiment}-{dim}-{n}-{seed}.json"
                if not file.exists():
                    problem = the_problem(experiment, dim, seed)
                    run = one_run(problem, the_truths(experiment, problem, times), times, n, seed)
                    file.write_text(json.dumps(run), encoding="utf-8")
                    print(f"{file.stem}: {run[-1]['seconds']:.1f} CPU seconds", flush=True)


def groups(store, experiment):
    """{(dimension, particles): runs} of the store."""
    found = {}
    for file in sorted(store.glob(f"{experiment}-*.json")):
        _, dim, n, _ = file.stem.split("-")
        found.setdefault((int(dim), int(n)), []).append(json.loads(file.read_text(encoding="utf-8")))
    return dict(sorted(found.items()))


def table(store, experiment, published):
    """One line a dimension, number of particles and time."""
    columns = ["d", "particles", "t", "draws", "authors' SymKL", "published", "KL(model, truth)", "KL(truth, model)"]
    columns += ["floor", "honest, median", "sd to K1", "CPU seconds"]
    told = {(row["experiment"], row["method"], int(row["dim"]), float(row["time"])): row for row in published}
    lines = []
    for (dim, n), runs in groups(store, experiment).items():
        for t in SHOWN[experiment]:
            at = [row for run in runs for row in run if row["time"] == t]
            both = np.array([row["there"] + row["back"] for row in at])
            theirs = told.get((experiment, PUBLISHED[n], dim, t))
            spread = f" ± {both.std(ddof=1):.2g}" if len(both) > 1 else ""
            lines.append(
                [dim, f"{n:,}", t, len(at), f"{both.mean():.3g}{spread}"]
                + [f"{float(theirs['mean']):.3g} ± {float(theirs['sd']):.2g}" if theirs else "none"]
                + [f"{np.mean([row[key] for row in at]):.3g}" for key in ("there", "back", "floor")]
                + [f"{np.median([row['honest'] for row in at]):.3g}"]
                + [f"{np.mean([row[key] for row in at]):.2g}" for key in ("from_kernels", "seconds")]
            )
    return markdown_table(columns, lines)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--experiments", choices=list(EXPERIMENTS), nargs="*", default=list(EXPERIMENTS))
    parser.add_argument("--dims", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--particles", type=int, nargs="*", default=[400])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--store", type=Path, default=Path("proximal_rows"), help="folder, one small file a run")
    parser.add_argument("--out", type=Path, default=OUT)


def run(options):
    """Compute runs, and write what the store holds."""
    options.store.mkdir(parents=True, exist_ok=True)
    for experiment in options.experiments:
        dims = [dim for dim in options.dims if dim in EXPERIMENTS[experiment][0]]
        collect(options.store, experiment, dims, options.particles, options.seeds)
    for experiment, (_, _, times) in EXPERIMENTS.items():
        for (dim, n), runs in groups(options.store, experiment).items():
            found = [list(group) for group in zip(*map(measured, runs), strict=True)]
            keep("proximal_recursion", summarised("proximal_recursion", experiment, n, dim, times, found), options.out)
    published = read(Path(__file__).with_name("published.csv"))
    text = [
        "# The rows of the proximal recursion",
        "",
        "Made by `python validation/reproductions/mokrov2022.py proximal_recursion --dims ... --particles ... --seeds "
        "...` from a store of runs; draws that were not run are missing, see the column.",
        "",
        *(__doc__ or "").splitlines()[2:-3],
        "",
    ]
    for experiment in EXPERIMENTS:
        text += [
            f"## {TITLES[experiment]}",
            "",
            *table(options.store, experiment, published),
            "",
        ]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "proximal_recursion.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))
