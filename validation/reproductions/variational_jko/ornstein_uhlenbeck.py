"""VariationalJKO on Ornstein-Uhlenbeck draws in d = 2 to 32, beside the exact law and the exact JKO sequence of each
draw.

The claim: SymKL to the exact law falls as dt², as that of the JKO sequence itself (a W2 error of order one).
`python validation/reproductions/fan2022.py ornstein_uhlenbeck --scale paper` writes reports/variational_ou/paper.md:
SymKL at t = 0.5 and 0.9 for dt = 0.05 by dimension, the floor (SymKL of the exact JKO iterate of the same A), and
seconds an outer iteration beside an iteration of ICNNJKO.

How SymKL is computed. A linear map keeps a Gaussian law Gaussian, so its moments, and SymKL with them, are closed
forms. The law of a residual map has no
density: the Gaussian of its moments stands for it, from `--samples` draws whose affine base error is removed (see
`moments`), and the column `beyond Gaussian` shows what that leaves out. fan2022iclr fitted Gaussians to 512,000
particles, whose own SymKL is d(d+3)/(2N): 1.1e-3 in d = 32 (docs/math.md 4.4).
"""

import json
from pathlib import Path

import joblib
import numpy as np
from _report import REPORTS, command
from claims.variational_ou import MAPS, moments, variational

import pdeflow as pf

STEP, TIMES = 0.05, (0.5, 0.9)


def one(dim, seed, kind, samples):
    """All figures of one draw, as a list of rows."""
    problem = pf.problems.ou(dim=dim, seed=seed)
    flow = pf.solve(problem, variational(kind), dt=STEP, times=TIMES, seed=seed)
    exact, iterates = pf.exact(problem, TIMES), pf.exact_jko(problem, dt=STEP, times=TIMES)
    rows = []
    for t in TIMES:
        law, shape = moments(flow.at(t), samples, seed)
        rows.append(
            {
                "dim": dim,
                "seed": seed,
                "map": kind,
                "time": t,
                "sym_kl": pf.metrics.sym_kl(law, exact.at(t)).value,
                "floor": pf.metrics.sym_kl(iterates.at(t), exact.at(t)).value,
                "optimisation": pf.metrics.sym_kl(law, iterates.at(t)).value,
                "shape": shape,
                "seconds": flow.stats["seconds"],
            }
        )
    return rows


def iteration(dim, kind, count=100):
    """Milliseconds of a whole later step over its iterations, by the difference of two steps and one.

    (VariationalJKO, ICNNJKO).
    """
    problem, out = pf.problems.ou(dim=dim, seed=0), []
    for method in (
        pf.neural.VariationalJKO(
            map=MAPS[kind], outer=count, inner=3, batch=1000, training=pf.neural.Training(pool=65_536)
        ),
        pf.neural.ICNNJKO(width=64, iterations=count, training=pf.neural.Training(pool=65_536, tolerance=0)),
    ):
        taken = [pf.solve(problem, method, dt=STEP, times=[STEP * k]).stats["seconds"] for k in (1, 2, 1, 2, 1, 2)]
        out.append(1e3 * float(np.median(np.array(taken[1::2]) - np.array(taken[::2]))) / count)
    return out


def table(rows):
    """Markdown: one line a dimension, map and time."""
    lines = [
        "| d | map | t | draws | SymKL to the exact law, mean | largest | floor: exact JKO, mean | largest "
        "of SymKL / floor | bar | optimisation: SymKL to the JKO iterate "
        "| beyond Gaussian | floor of 512,000 particles | seconds to t = 0.9 |",
        "|" + " --- |" * 13,
    ]
    for dim, kind, t in sorted({(row["dim"], row["map"], row["time"]) for row in rows}):
        group = [row for row in rows if (row["dim"], row["map"], row["time"]) == (dim, kind, t)]
        value, floor = np.array([row["sym_kl"] for row in group]), np.array([row["floor"] for row in group])
        ratio = (value / floor).max()
        lines.append(
            f"| {dim} | {kind} | {t:g} | {len(group)} | {value.mean():.3g} | {value.max():.3g} | "
            f"{floor.mean():.3g} | {ratio:.3f} | {'met' if ratio <= 2 else 'MISSED'} "
            f"| {np.mean([row['optimisation'] for row in group]):.2g} | "
            f"{max(row['shape'] for row in group):.2g} | {dim * (dim + 3) / (2 * 512_000):.1g} "
            f"| {np.median([row['seconds'] for row in group]):.0f} |"
        )
    return lines


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--dims", type=int, nargs="*", default=None)
    parser.add_argument("--seeds", type=int, nargs="*", default=None)
    parser.add_argument(
        "--add", action="store_true", help="keep the rows of other draws that the report has from earlier calls"
    )
    parser.add_argument("--maps", nargs="*", default=["linear", "residual"])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--timings", action="store_true", help="also time an iteration against d (on a quiet machine)")
    parser.add_argument("--out", type=Path, default=None)


def run(options):
    """Compute the figure and write its report."""
    quick = options.scale == "quick"
    dims = options.dims or ([2, 6] if quick else [2, 6, 12, 16, 32])
    seeds = options.seeds or range(2 if quick else 5)
    out = options.out or REPORTS / "variational_ou" / f"{options.scale}.md"
    runs = joblib.Parallel(options.jobs)(
        joblib.delayed(one)(dim, seed, kind, options.samples) for dim in dims for seed in seeds for kind in options.maps
    )
    rows = [row for run in runs for row in run]
    if options.add and out.with_suffix(".json").exists():
        done = {(row["dim"], row["seed"], row["map"]) for row in rows}
        earlier = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
        rows += [row for row in earlier if (row["dim"], row["seed"], row["map"]) not in done]
    lines = [
        "# VariationalJKO on Ornstein-Uhlenbeck draws",
        "",
        f"Made by `{command()}`{' after calls for the other draws' if options.add else ''}: dt = {STEP}, "
        "`problems.ou(dim, seed=...)` (spectrum uniform in [0.2, 3], from N(0, I)), "
        "`pf.neural.VariationalJKO(map=...)` with a pool of 65,536 (residual maps with learning_rate=0.025). "
        "The bar is SymKL at most twice the floor of the same draw, every draw. "
        "SymKL in nats: closed form for the linear map, Gaussian of the moments for the residual one "
        "(`beyond Gaussian` is the largest skewness or excess kurtosis "
        f"of a coordinate, whose sampling noise is about {3 * np.sqrt(24 / options.samples):.1g}).",
        "",
        *table(rows),
    ]
    if options.timings:
        lines += [
            "",
            "| d | VariationalJKO, residual: ms of a step over its 100 outer iterations (3 inner, batch "
            "1000) | ICNNJKO, width 64: ms of a step over its 100 iterations (batch 1024) |",
            "| --- | --- | --- |",
        ]
        for dim in dims:
            ours, icnn = iteration(dim, "residual")
            lines.append(f"| {dim} | {ours:.1f} | {icnn:.1f} |")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")
    print("\n".join(lines))
