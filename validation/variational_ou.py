"""VariationalJKO on Ornstein-Uhlenbeck draws in d = 2 to 32, beside the exact law and the exact JKO sequence of each draw.

The claim: SymKL to the exact law falls as dt², as that of the JKO sequence itself (a W2 error of order one).
`python validation/variational_ou.py --scale paper` writes reports/variational_ou/paper.md: SymKL at t = 0.5 and 0.9 for dt = 0.05 by dimension, the
floor (SymKL of the exact JKO iterate of the same A), and seconds an outer iteration beside an iteration of ICNNJKO.

How SymKL is computed. A linear map keeps a Gaussian law Gaussian, so its moments, and SymKL with them, are closed forms. The law of a residual map has no
density: the Gaussian of its moments stands for it, from `--samples` draws whose affine base error is removed (see `moments`), and the column `beyond
Gaussian` shows what that leaves out. fan2022iclr fitted Gaussians to 512,000 particles, whose own SymKL is d(d+3)/(2N): 1.1e-3 in d = 32 (docs/math.md 4.4).
"""

import argparse
import json
import sys
from pathlib import Path

import joblib
import numpy as np

import pdeflow as pf

HERE = Path(__file__).resolve().parent
STEP, TIMES = 0.05, (0.5, 0.9)
CLAIMS = [
    pf.Claim(
        "variational-jko",
        "gaussian_sym_kl",
        2.0,
        0.3,
        "docs/math.md 4.2: the time error of JKO is of order one in W2, SymKL is its square",
    )
]


def study(scale="quick"):
    """Three step sizes on a draw in two dimensions; the paper scale takes four and the draws of three seeds."""
    seeds, steps = ([0], [0.2, 0.1, 0.05]) if scale == "quick" else ([0, 1, 2], [0.2, 0.1, 0.05, 0.025])
    problems = [pf.problems.ou(dim=2, seed=seed) for seed in seeds]
    return pf.Study(
        problems, {"variational-jko": variational("linear")}, {"dt": steps}, {"gaussian_sym_kl": gaussian_sym_kl}
    )


def variational(kind):
    rate = 0.025 if kind == "residual" else 0.05
    return pf.neural.VariationalJKO(map=kind, learning_rate=rate, training=pf.neural.Training(pool=65_536))


def moments(law, samples=1_000_000, seed=0):
    """The Gaussian of the moments of `law`, and how far it is from Gaussian.

    A push-forward of N(m, S) by affine maps is a Gaussian, found exactly by pushing 2d + 1 points. Else `samples` base draws, moved affinely in
    blocks so that their mean and covariance are those of the base law: then an affine part of the map has no sampling error.
    Second value: the largest of |skewness| and |excess kurtosis| over the coordinates of the whitened sample, less nothing; 0 for affine maps.
    """
    if not isinstance(law, pf.laws.PushForward):
        return pf.laws.Gaussian(law.mean(), law.cov()), 0.0
    base, d = law.base, law.dim
    root = np.linalg.cholesky(base.cov())
    probes = base.mean() + np.concatenate([np.zeros((1, d)), root.T, -root.T, 2 * root.T])
    there = law.push(probes)
    columns = there[1 : d + 1] - there[0]
    if np.allclose(there[d + 1 : 2 * d + 1], there[0] - columns, atol=1e-9) and np.allclose(
        there[2 * d + 1 :], there[0] + 2 * columns, atol=1e-9
    ):
        cov = columns.T @ columns
        return pf.laws.Gaussian(there[0], (cov + cov.T) / 2), 0.0
    rng, block, parts = np.random.default_rng(seed), 50_000, []
    for _ in range(max(1, samples // block)):
        z = rng.standard_normal((block, d))
        z -= z.mean(axis=0)
        z = np.linalg.solve(np.linalg.cholesky(z.T @ z / block), z.T).T
        parts.append(law.push(base.mean() + z @ root.T))
    x = np.concatenate(parts)
    mean = x.mean(axis=0)
    cov = np.cov(x.T, bias=True).reshape(d, d)
    white = np.linalg.solve(np.linalg.cholesky(cov), (x - mean).T)
    shape = np.concatenate([(white**3).mean(axis=1), (white**4).mean(axis=1) - 3])
    return pf.laws.Gaussian(mean, cov), float(np.abs(shape).max())


def gaussian_sym_kl(approximation, truth, *, rng=None):
    """SymKL of the Gaussian of the moments of `approximation` to the Gaussian `truth`, in closed form from the moments on."""
    return pf.metrics.sym_kl(moments(approximation)[0], truth)


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
                "dim": dim, "seed": seed, "map": kind, "time": t, "sym_kl": pf.metrics.sym_kl(law, exact.at(t)).value,
                "floor": pf.metrics.sym_kl(iterates.at(t), exact.at(t)).value, "optimisation": pf.metrics.sym_kl(law, iterates.at(t)).value,
                "shape": shape, "seconds": flow.stats["seconds"],
            }
        )  # fmt: skip
    return rows


def iteration(dim, kind, count=100):
    """Milliseconds of a whole later step over its iterations, by the difference of two steps and one: (VariationalJKO, ICNNJKO)."""
    problem, out = pf.problems.ou(dim=dim, seed=0), []
    training = pf.neural.Training(pool=65_536, tolerance=0)
    for method in (
        pf.neural.VariationalJKO(map=kind, outer=count, inner=3, batch=1000, training=training),
        pf.neural.ICNNJKO(width=64, iterations=count, training=training),
    ):
        taken = [pf.solve(problem, method, dt=STEP, times=[STEP * k]).stats["seconds"] for k in (1, 2, 1, 2, 1, 2)]
        out.append(1e3 * float(np.median(np.array(taken[1::2]) - np.array(taken[::2]))) / count)
    return out


def table(rows):
    """Markdown: one line a dimension, map and time."""
    lines = [
        "| d | map | t | draws | SymKL to the exact law, mean | largest | floor: exact JKO, mean | largest of SymKL / floor | bar | optimisation: SymKL to the JKO iterate "
        "| beyond Gaussian | floor of 512,000 particles | seconds to t = 0.9 |",
        "|" + " --- |" * 13,
    ]
    for dim, kind, t in sorted({(row["dim"], row["map"], row["time"]) for row in rows}):
        group = [row for row in rows if (row["dim"], row["map"], row["time"]) == (dim, kind, t)]
        value, floor = np.array([row["sym_kl"] for row in group]), np.array([row["floor"] for row in group])
        ratio = (value / floor).max()
        lines.append(
            f"| {dim} | {kind} | {t:g} | {len(group)} | {value.mean():.3g} | {value.max():.3g} | {floor.mean():.3g} | {ratio:.3f} | {'met' if ratio <= 2 else 'MISSED'} "
            f"| {np.mean([row['optimisation'] for row in group]):.2g} | {max(row['shape'] for row in group):.2g} | {dim * (dim + 3) / (2 * 512_000):.1g} "
            f"| {np.median([row['seconds'] for row in group]):.0f} |"
        )
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
    options = parser.parse_args()
    quick = options.scale == "quick"
    dims = options.dims or ([2, 6] if quick else [2, 6, 12, 16, 32])
    seeds = options.seeds or range(2 if quick else 5)
    out = options.out or HERE / "reports" / "variational_ou" / f"{options.scale}.md"
    runs = joblib.Parallel(options.jobs)(
        joblib.delayed(one)(dim, seed, kind, options.samples) for dim in dims for seed in seeds for kind in options.maps
    )
    rows = [row for run in runs for row in run]
    if options.add and out.with_suffix(".json").exists():
        done = {(row["dim"], row["seed"], row["map"]) for row in rows}
        earlier = json.loads(out.with_suffix(".json").read_text())
        rows += [row for row in earlier if (row["dim"], row["seed"], row["map"]) not in done]
    lines = [
        "# VariationalJKO on Ornstein-Uhlenbeck draws", "",
        f"Made by `python validation/variational_ou.py {' '.join(sys.argv[1:])}`{' after calls for the other draws' if options.add else ''}: dt = {STEP}, `problems.ou(dim, seed=...)` (spectrum uniform in [0.2, 3], from N(0, I)), "
        "`pf.neural.VariationalJKO(map=...)` with a pool of 65,536 (residual maps with learning_rate=0.025). The bar is SymKL at most twice the floor of the same draw, every draw. "
        "SymKL in nats: closed form for the linear map, Gaussian of the moments for the residual one (`beyond Gaussian` is the largest skewness or excess kurtosis "
        f"of a coordinate, whose sampling noise is about {3 * np.sqrt(24 / options.samples):.1g}).", "", *table(rows),
    ]  # fmt: skip
    if options.timings:
        lines += [
            "",
            "| d | VariationalJKO, residual: ms of a step over its 100 outer iterations (3 inner, batch 1000) | ICNNJKO, width 64: ms of a step over its 100 iterations (batch 1024) |",
            "| --- | --- | --- |",
        ]
        for dim in dims:
            ours, icnn = iteration(dim, "residual")
            lines.append(f"| {dim} | {ours:.1f} | {icnn:.1f} |")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
