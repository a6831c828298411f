"""ICNN-JKO on flows with several modes.

Order one in dt on `mixture_ou`, and convergence to the published Gaussian mixtures.

`python validation/reproductions/mokrov2022.py mixtures --dims 2 8 12 --seeds 0 1 2 3 4` writes
reports/icnn_mixture/mixtures.md: SymKL of the last law to the mixture with its halves, component means and weights
recovered, beside the published runs. A flow stopped at t = 4 is not at rest: mass does not cross between far modes. The
weights with which the exact flow arrives there (by Euler-Maruyama, 100,000 particles) bound from below the SymKL of any
method that computes it, and stand in the table.
"""

import json
import time
from pathlib import Path

import numpy as np
from _report import REPORTS

import pdeflow as pf

PUBLISHED = json.loads((REPORTS.parent / "reproductions" / "published_mokrov2021.json").read_text(encoding="utf-8"))
SECONDS = {
    2: 973,
    4: 1670,
    6: 2130,
    8: 3370,
    10: 4030,
    12: 7180,
}  # recorded training time of the published runs, on their hardware
STEP = 0.1
SIZES = {  # dimension: components, half width of the cube of means, steps [mokrov2021, code]
    2: (5, 5.0, 40),
    4: (6, 5.0, 40),
    6: (7, 5.0, 40),
    8: (8, 5.0, 40),
    10: (9, 5.0, 40),
    12: (10, 5.0, 40),
    13: (10, 5.0, 50),
    32: (10, 3.0, 70),
}


def method_for(dim):
    """Sixteen neurons that are smooth maxima of affine functions, more than the target has modes.

    In the plane, where modes overlap and the error is what has crossed between them: neurons of both signs, and batches
    large enough to see the few particles between modes.
    """
    if dim == 2:
        network = pf.neural.Network(sharpness=10.0, signed=True)
        return pf.neural.ICNNJKO(width=64, iterations=300, batch=2048, learning_rate=0.03, network=network)
    return pf.neural.ICNNJKO(width=16, batch=512, network=pf.neural.Network(pieces=16))


def shares(x, mixture):
    """E of the responsibility of each component, (k,): under the mixture itself the weights exactly."""
    logs = np.stack([pf.laws.Gaussian(m, c).log_density(x) for m, c in zip(mixture.means, mixture.covs)], axis=1)
    logs -= logs.max(axis=1, keepdims=True)
    shares = np.exp(logs)
    return shares / shares.sum(axis=1, keepdims=True)


def sym_of_weights(weights):
    """SymKL of `weights` to equal ones: by the data-processing inequality at most that of the laws they come from."""
    k = len(weights)
    return float(np.sum((weights - 1 / k) * np.log(k * weights)))


def one(dim, seed, samples, particles):
    """The figures of one published target."""
    components, half_width, steps = SIZES[dim]
    problem = pf.problems.mixture_target(dim, components, half_width, seed, ensemble="mokrov")
    mixture = problem.energy.potential.mixture
    begin, cpu = time.perf_counter(), time.process_time()
    law = pf.solve(problem, method_for(dim), dt=STEP, times=[steps * STEP], seed=seed).final
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    rng = np.random.default_rng(seed)
    there, back = pf.metrics.kl(law, mixture, rng=rng, n=samples), pf.metrics.kl(mixture, law, rng=rng, n=samples)
    x = law.sample(20_000, rng)
    share = shares(x, mixture)
    nearest = share.argmax(axis=1)
    gaps = [
        np.linalg.norm(x[nearest == j].mean(axis=0) - mixture.means[j]) if np.any(nearest == j) else np.inf
        for j in range(components)
    ]
    euler = pf.solve(problem, pf.particle.EulerMaruyama(particles), dt=STEP / 10, times=[steps * STEP], seed=seed).final
    center = mixture.means.mean(axis=0)
    plane = np.linalg.svd(mixture.means - center)[2][:2].T
    return {
        "dim": dim,
        "seed": seed,
        "method": repr(method_for(dim)),
        "samples": samples,
        "there": there.value,
        "back": back.value,
        "stderr": float(np.hypot(there.stderr, back.stderr)),
        "weights": sym_of_weights(share.mean(axis=0)),
        "bound": sym_of_weights(shares(euler.x, mixture).mean(axis=0)),
        "mean_gap": float(max(gaps)),
        "seconds": seconds,
        "cpu": cpu,
        "x": ((x[:400] - center) @ plane).round(2).tolist(),
        "means": ((mixture.means - center) @ plane).round(2).tolist(),
    }


def projections(rows, path):
    """The samples of the first run of each dimension and the means of its target on the two principal components of the
    target.
    """
    from matplotlib.figure import Figure

    rows = [row for row in rows if row["seed"] == 0]
    figure = Figure(figsize=(3.4 * len(rows), 3.4), layout="constrained")
    for axes, row in zip(np.atleast_1d(figure.subplots(1, len(rows))), rows):
        axes.plot(*np.array(row["x"]).T, ".", markersize=2, alpha=0.6)
        axes.plot(*np.array(row["means"]).T, "k+", markersize=9)
        axes.set_title(f"d = {row['dim']}, target {row['seed']}")
    figure.savefig(path, dpi=110)


def table(rows):
    """Lines of Markdown: a summary by dimension, then every target."""
    lines = [
        "| d | targets | mean SymKL (sd) | published mean (sd) | mean bound of the exact flow's weights | "
        "targets below the published run | mean CPU seconds | published |",
        "|" + " --- |" * 8,
    ]
    for dim in sorted({row["dim"] for row in rows}):
        mine = [row for row in rows if row["dim"] == dim]
        values = [row["there"] + row["back"] for row in mine]
        told, each = PUBLISHED["mixture"].get(str(dim)), PUBLISHED["mixture_targets"].get(str(dim))
        wins = f"{sum(v < each[row['seed']] for v, row in zip(values, mine))} of {len(mine)}" if each else "none"
        spread = f" ({np.std(values, ddof=1):.3f})" if len(values) > 1 else ""
        lines.append(
            f"| {dim} | {len(mine)} | {np.mean(values):.4f}{spread} | "
            f"{f'{told[0]:.4f} ({told[1]:.3f})' if told else 'none'} | "
            f"{np.mean([row['bound'] for row in mine]):.4f} "
            f"| {wins} | {np.mean([row['cpu'] for row in mine]):.0f} | {SECONDS.get(dim, 'none')} |"
        )
    lines += [
        "",
        "| d | target | SymKL | se | KL(model, mixture) | KL(mixture, model) | published SymKL of this "
        "target | SymKL of the weights | the same of the exact flow: a lower bound | "
        "largest error of a component mean | CPU seconds | wall |",
        "|" + " --- |" * 12,
    ]
    for row in rows:
        each = PUBLISHED["mixture_targets"].get(str(row["dim"]))
        lines.append(
            f"| {row['dim']} | {row['seed']} | {row['there'] + row['back']:.4f} | {row['stderr']:.2g} | "
            f"{row['there']:.4f} | {row['back']:.4f} | {each[row['seed']] if each else 'none'} "
            f"| {row['weights']:.4f} | {row['bound']:.4f} | {row['mean_gap']:.2f} | {row['cpu']:.0f} | "
            f"{row['seconds']:.0f} |"
        )
    return lines


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--dims", type=int, nargs="*", default=[2])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--particles", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=REPORTS / "icnn_mixture" / "mixtures.md")


def run(options):
    """Compute the figure and write its report."""
    store = options.out.with_suffix(".json")
    store.parent.mkdir(parents=True, exist_ok=True)
    rows = json.loads(store.read_text(encoding="utf-8")) if store.exists() else []
    for dim in options.dims:
        for seed in options.seeds:
            if not any((row["dim"], row["seed"], row["method"]) == (dim, seed, repr(method_for(dim))) for row in rows):
                rows = [row for row in rows if (row["dim"], row["seed"]) != (dim, seed)]
                rows.append(one(dim, seed, options.samples, options.particles))
                rows.sort(key=lambda row: (row["dim"], row["seed"]))
                store.write_text(json.dumps(rows), encoding="utf-8")
    projections(rows, options.out.with_suffix(".png"))
    lines = [
        "# Convergence to the published Gaussian mixtures",
        "",
        "Made by `python validation/reproductions/mokrov2022.py mixtures --dims ... --seeds 0 1 2 3 4` (rows "
        "that are in mixtures.json are not run again), dt = 0.1, one thread, on targets that are those",
        f'of the published runs (`ensemble="mokrov"`), {options.samples} samples a half of SymKL as there. '
        "Other processes ran on the two cores: CPU seconds tell more than wall seconds.",
        *sorted({f"d = {row['dim']}: `{row['method']}`." for row in rows}),
        "",
        *table(rows),
        "",
        f"![projections on two principal components]({options.out.with_suffix('.png').name})",
        "",
    ]
    options.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
