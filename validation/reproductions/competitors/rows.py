"""The rows of Figures 2, 4 and 6: log10 SymKL against the dimension, every method of the papers beside its floor.

    python validation/reproductions/mokrov2022.py competitors --method euler_maruyama --experiment ornstein_uhlenbeck
    python validation/reproductions/mokrov2022.py competitors --draw

The first command measures rows and keeps them in validation/reports/competitors/rows, a CSV file for each method and in
it a line for each experiment, size, dimension and time; `--dims`, `--sizes`, `--draws` and `--times` choose among them,
and lines that are there are replaced. The second draws figure2.png (mixtures), figure4.png and figure6.png
(Ornstein-Uhlenbeck) and writes report.md from whatever files lie there; it exits with 1 where a bar is missed.

A method is a module of this folder, named in `METHODS`, with

    LABEL      what the legend says
    SIZES      the numbers of particles (or what else is a size), one line each; (0,) where there is none
    PUBLISHED  {size: name in published.csv} where the authors ran it
    KERNEL_DENSITY = True, where the law that is judged is a kernel density of `size` points, so that it has that floor
    measure(experiment, problem, truths, times, size, seed) -> one `Measured` for each time

To add one: write the module, add its name to `METHODS`, run the two commands. Problems and times come from here: the
draws of `problems.ou(seed=draw, ensemble="mokrov")`, from the law of the published ones but not the same matrices; the
targets of `problems.mixture_target(..., draw, ensemble="mokrov")`, which are the published ones, against their
stationary law at t = 4.
"""

import csv
import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from _report import REPORTS, command

import pdeflow as pf

METHODS = ("euler_maruyama", "exact_draws", "icnn_jko_runs", "proximal_recursion", "dual_jko")
EXPERIMENTS = {
    "ornstein_uhlenbeck": (tuple(range(1, 13)), 15, tuple(round(0.1 * k, 1) for k in range(1, 11))),
    "mixtures": (tuple(range(2, 13, 2)), 5, (4.0,)),
}
OUT = REPORTS / "competitors"
COLUMNS = (
    *("experiment", "method", "size", "dim", "time", "draws"),
    *(f"{kind}_{name}" for kind in ("authors", "honest") for name in ("mean", "sd", "median", "log10", "log10_ci")),
    "seconds",
)


@dataclass(frozen=True)
class Measured:
    """SymKL of one run at one time, in nats, NaN where an estimator is not defined.

    authors : by the estimator of the published code. honest : by independent draws of both laws. seconds : CPU seconds
    of the run up to this time, without the evaluation.
    """

    authors: float
    honest: float
    seconds: float


def the_problem(experiment: str, dim: int, draw: int) -> pf.Problem:
    """The problem of one draw."""
    if experiment == "ornstein_uhlenbeck":
        return pf.problems.ou(dim=dim, seed=draw, ensemble="mokrov")
    return pf.problems.mixture_target(dim, dim // 2 + 4, 5.0, draw, ensemble="mokrov")


def the_truths(experiment: str, problem: pf.Problem, times) -> list[pf.laws.Law]:
    """What each time is compared with."""
    if experiment == "ornstein_uhlenbeck":
        return list(pf.exact(problem, times).laws)
    return [problem.energy.potential.mixture for _ in times]


def independent_sym_kl(law: pf.laws.Law, truth: pf.laws.Law, draws: int, rng: np.random.Generator) -> float:
    """SymKL by `draws` fresh points of each law: `metrics.sym_kl`, on the line E[r - 1 - log r] of both ratios r.

    On the line laws are so close that no term of that is noisy, and `sym_kl` would integrate over quantiles, which take
    minutes for a kernel density of 50,000 points.
    """
    if law.dim > 1:
        return pf.metrics.sym_kl(law, truth, rng=rng, n=draws).value
    total = 0.0
    for first, second in ((law, truth), (truth, law)):
        x = first.sample(draws, rng)
        gap = second.log_density(x) - first.log_density(x)
        total += float(np.mean(np.expm1(gap) - gap))
    return total


def summary(values) -> dict[str, str]:
    """Mean, deviation and median over draws, the mean of log10 and the half width of its 95 % interval, as published.

    Values that are not positive have no logarithm and are left out of it, as in the published figures.
    """
    values = np.array([value for value in values if np.isfinite(value)])
    if not len(values):
        return dict.fromkeys(("mean", "sd", "median", "log10", "log10_ci"), "")
    logs = np.log10(values[values > 0])
    found = {"mean": values.mean(), "median": np.median(values), "log10": logs.mean() if len(logs) else np.nan}
    found["sd"] = values.std(ddof=1) if len(values) > 1 else np.nan
    found["log10_ci"] = 1.96 * logs.std(ddof=1) / np.sqrt(len(logs)) if len(logs) > 1 else np.nan
    return {name: f"{value:.4g}" if np.isfinite(value) else "" for name, value in found.items()}


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a file of rows, none where there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _key(row):
    return row["experiment"], int(row["size"]), int(row["dim"]), float(row["time"])


def keep(name: str, rows: list[dict[str, str]], out: Path = OUT) -> None:
    """Put rows into the file of a method; those of the same experiment, size, dimension and time are replaced."""
    path = out / "rows" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = {_key(row): row for row in [*read(path), *rows]}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines[key] for key in sorted(lines))


def module_of(name: str) -> ModuleType:
    """The module of a method."""
    return importlib.import_module(f"competitors.{name}")


def block(name: str, experiment: str, size: int, dim: int, draws: int, times) -> list[dict[str, str]]:
    """The lines of one size and dimension, over all draws; runs that a method refuses are counted out and named."""
    found: list[list[Measured]] = [[] for _ in times]
    for draw in range(draws):
        problem = the_problem(experiment, dim, draw)
        try:
            run = module_of(name).measure(
                experiment, problem, the_truths(experiment, problem, times), times, size, draw
            )
        except pf.PdeflowError as error:
            print(f"{name}, {experiment}, size {size}, d = {dim}, draw {draw}: {type(error).__name__}: {error}")
            continue
        for kept, one in zip(found, run, strict=True):
            kept.append(one)
    return summarised(name, experiment, size, dim, times, found)


def summarised(name: str, experiment: str, size: int, dim: int, times, found: list[list[Measured]]):
    """The lines of one size and dimension; found : the runs that there are, for each time."""
    lines = []
    for when, group in zip(times, found, strict=True):
        if not group:
            continue
        line = {"experiment": experiment, "method": name, "size": size, "dim": dim, "time": when, "draws": len(group)}
        for kind in ("authors", "honest"):
            values = summary([getattr(one, kind) for one in group])
            line |= {f"{kind}_{key}": value for key, value in values.items()}
        lines.append({key: str(value) for key, value in line.items()} | {"seconds": f"{_mean_seconds(group):.3g}"})
    return lines


def _mean_seconds(group):
    return float(np.mean([one.seconds for one in group]))


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--method", choices=METHODS, help="measure its rows")
    parser.add_argument("--experiment", choices=list(EXPERIMENTS), default="ornstein_uhlenbeck")
    parser.add_argument("--dims", type=int, nargs="*")
    parser.add_argument("--sizes", type=int, nargs="*")
    parser.add_argument("--times", type=float, nargs="*")
    parser.add_argument("--draws", type=int)
    parser.add_argument("--draw", action="store_true", help="draw the figures and write the report")
    parser.add_argument("--out", type=Path, default=OUT)


def run(options):
    """Measure rows, or draw the figures from all that were kept."""
    dims, draws, times = EXPERIMENTS[options.experiment]
    if options.method:
        for size in options.sizes or module_of(options.method).SIZES:
            for dim in options.dims or dims:
                begin = time.process_time()
                lines = block(
                    options.method, options.experiment, size, dim, options.draws or draws, options.times or times
                )
                keep(options.method, lines, options.out)
                last = lines[-1] if lines else {}
                print(
                    f"{options.method} {size} d = {dim}: authors {last.get('authors_mean')}, honest "
                    f"{last.get('honest_mean')}, {time.process_time() - begin:.0f} CPU s",
                    flush=True,
                )
    if options.draw:
        from competitors import figures

        rows = [row for path in sorted((options.out / "rows").glob("*.csv")) for row in read(path)]
        published = read(Path(__file__).with_name("published.csv"))
        figures.draw(rows, published, options.out)
        found = figures.bars(rows, published)
        text = ["# The rows of Figures 2, 4 and 6", "", f"Made by `{command()}`.", ""]
        text += figures.report(rows, published, found)
        (options.out / "report.md").write_text("\n".join(text) + "\n", encoding="utf-8")
        return 0 if all(met for *_, met in found) else 1
    return 0
