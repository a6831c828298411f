"""ICNN-JKO on the published Ornstein-Uhlenbeck draws, beside the exact JKO sequence of the same draws and the published
figures.

The claim: SymKL to the exact solution is that of the JKO sequence itself, so it falls as dt² (a W2 error of order one).
`python validation/reproductions/mokrov2022.py ornstein_uhlenbeck --scale paper` writes reports/icnn_ou/paper.md: SymKL
by dimension and time, its two halves, the floor (the SymKL of the exact JKO iterate), the optimisation part (SymKL of
the model to that iterate) and the published runs.
"""

import json
import time
from pathlib import Path

import joblib
import numpy as np
from _report import REPORTS, command

import pdeflow as pf

PUBLISHED = json.loads((REPORTS.parent / "reproductions" / "published_mokrov2021.json").read_text(encoding="utf-8"))
STEP = 0.05


def one(dim, seed, times, n):
    """All figures of one draw, as a list of rows."""
    problem = pf.problems.ou(dim=dim, seed=seed, ensemble="mokrov")
    begin = time.perf_counter()
    flow = pf.solve(problem, pf.neural.ICNNJKO(), dt=STEP, times=times, seed=seed)
    seconds = time.perf_counter() - begin
    exact, iterates = pf.exact(problem, times), pf.exact_jko(problem, dt=STEP, times=times)
    rows = []
    for i, t in enumerate(times):
        rng = np.random.default_rng([seed, i])
        there = pf.metrics.kl(flow.at(t), exact.at(t), rng=rng, n=n)
        back = pf.metrics.kl(exact.at(t), flow.at(t), rng=rng, n=n)
        optimisation = pf.metrics.kl(flow.at(t), iterates.at(t), rng=rng, n=n)
        rows.append(
            {
                "dim": dim,
                "seed": seed,
                "time": t,
                "there": there.value,
                "back": back.value,
                "stderr": float(np.hypot(there.stderr, back.stderr)),
                "floor": pf.metrics.sym_kl(iterates.at(t), exact.at(t)).value,
                "optimisation": 2 * optimisation.value,
                "seconds": seconds,
            }
        )
    return rows


def table(rows):
    """Markdown: one line a dimension and time."""
    lines = [
        "| d | t | draws | SymKL mean | sd over draws | KL(model, exact) | KL(exact, model) | Monte Carlo se "
        "| floor: exact JKO | mean / floor "
        "| optimisation: 2 KL(model, JKO) | published mean | published sd | seconds to t = 1 |",
        "|" + " --- |" * 14,
    ]
    for dim, t in sorted({(row["dim"], row["time"]) for row in rows}):
        group = [row for row in rows if (row["dim"], row["time"]) == (dim, t)]
        both = np.array([row["there"] + row["back"] for row in group])
        mean = {name: np.mean([row[name] for row in group]) for name in ("there", "back", "floor", "optimisation")}
        stderr = np.sqrt(np.sum([row["stderr"] ** 2 for row in group])) / len(group)
        told = PUBLISHED["ou"].get(str(dim), {}).get(f"{t:.1f}")
        published = f"{told[0]:.3g} | {told[1]:.2g}" if told else "none | none"
        spread = f"{both.std(ddof=1):.2g}" if len(both) > 1 else "one draw"
        lines.append(
            f"| {dim} | {t:g} | {len(group)} | {both.mean():.3g} | {spread} | {mean['there']:.3g} | "
            f"{mean['back']:.3g} | {stderr:.1g} "
            f"| {mean['floor']:.3g} | {both.mean() / mean['floor']:.3f} | {mean['optimisation']:.2g} | {published} "
            f"| {np.median([row['seconds'] for row in group]):.0f} |"
        )
    return "\n".join(lines)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--dims", type=int, nargs="*", default=None)
    parser.add_argument("--seeds", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--out", type=Path, default=REPORTS / "icnn_ou" / "paper.md")


def run(options):
    """Compute the figure and write its report."""
    quick = options.scale == "quick"
    dims = options.dims or ([2] if quick else [1, 2, 4, 6, 8, 10, 12, 32])
    seeds = options.seeds or (2 if quick else 15)
    times = [0.5, 0.9, 1.0] if quick else [round(0.1 * k, 1) for k in range(1, 11)]
    rows, kept = [], options.out.with_suffix(".json")
    kept.parent.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        rows = json.loads(kept.read_text(encoding="utf-8"))
    done = {(row["dim"], row["seed"]) for row in rows if row["time"] == times[-1]}
    missing = [(dim, seed) for dim in dims for seed in range(seeds) if (dim, seed) not in done]
    runs = joblib.Parallel(options.jobs, return_as="generator")(
        joblib.delayed(one)(dim, seed, times, options.samples) for dim, seed in missing
    )
    for (dim, seed), run in zip(missing, runs, strict=True):
        rows += run
        kept.write_text(json.dumps(rows), encoding="utf-8")
        print(f"d = {dim}, draw {seed}: {run[0]['seconds']:.0f} s", flush=True)
    rows = [row for row in rows if row["dim"] in dims and row["seed"] < seeds]
    about = (
        "# ICNN-JKO on the published Ornstein-Uhlenbeck draws\n\n"
        f"Made by `{command()}`: dt = {STEP}, `pf.neural.ICNNJKO()` as it stands, SymKL in nats by "
        f"{options.samples} samples a half (the estimator of docs/math.md 4.4). The draws are those of "
        "`problems.ou(seed=..., ensemble='mokrov')`; the published runs drew "
        "from the same law, not the same matrices. Seconds are of one process with the other core at work.\n\n"
    )
    options.out.write_text(about + table(rows) + "\n", encoding="utf-8")
    print(about + table(rows))
