"""ICNN-JKO on flows with several modes: order one in dt on `mixture_ou`, and convergence to the published Gaussian mixtures.

`python validation/icnn_mixture.py --dims 2 8 12` writes reports/icnn_mixture/mixtures.md: SymKL of the last law to the mixture with its halves, component means and
weights recovered, beside the published runs. A flow stopped at t = 4 is not at rest: mass does not cross between far modes. The weights with which the exact flow
arrives there (by Euler-Maruyama, 100,000 particles) bound from below the SymKL of any method that computes it, and stand in the table.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import joblib
import numpy as np

import pdeflow as pf

HERE = Path(__file__).resolve().parent
PUBLISHED = json.loads((HERE / "published_mokrov2021.json").read_text())["mixture"]
CLAIMS = [pf.Claim("icnn-jko", "w2", 1.0, 0.25, "jko1998; mokrov2021")]
STEP = 0.1
# dimension: components, half width of the cube of means, steps, width, iterations of one step
CASES = {
    2: (5, 5.0, 40, 64, 200), 4: (6, 5.0, 40, 96, 200), 6: (7, 5.0, 40, 128, 200), 8: (8, 5.0, 40, 128, 250), 10: (9, 5.0, 40, 128, 250),
    12: (10, 5.0, 40, 128, 250), 13: (10, 5.0, 50, 128, 250), 32: (10, 3.0, 70, 128, 250),
}  # fmt: skip


def study(scale="quick"):
    """The bimodal Ornstein-Uhlenbeck flow on the line at t = 1."""
    steps = [1 / 2, 1 / 4, 1 / 8] if scale == "quick" else [1 / 2, 1 / 4, 1 / 8, 1 / 16]
    method = pf.neural.ICNNJKO(width=32, iterations=400, network=pf.neural.Network(depth=2))
    return pf.Study([pf.problems.mixture_ou()], {"icnn-jko": method}, {"dt": steps}, {"w2": pf.metrics.w2})


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
    """The figures of one target."""
    components, half_width, steps, width, iterations = CASES[dim]
    problem = pf.problems.mixture_target(dim, components, half_width, seed)
    mixture = problem.energy.potential.mixture
    # twenty thousand parameters fit the accidents of a small pool (see Training), so this one is large
    method = pf.neural.ICNNJKO(
        width=width,
        iterations=iterations,
        batch=512,
        network=pf.neural.Network(depth=2, rank=1),
        training=pf.neural.Training(pool=2**20),
    )
    begin = time.perf_counter()
    law = pf.solve(problem, method, dt=STEP, times=[steps * STEP], seed=seed).final
    seconds = time.perf_counter() - begin
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
    return {
        "dim": dim, "seed": seed, "there": there.value, "back": back.value, "stderr": float(np.hypot(there.stderr, back.stderr)), "how": back.how,
        "weights": sym_of_weights(share.mean(axis=0)), "bound": sym_of_weights(shares(euler.x, mixture).mean(axis=0)), "mean_gap": float(max(gaps)),
        "seconds": seconds, "x": x[:2000].tolist(),
    }  # fmt: skip


def projections(rows, path):
    """The samples of every run and the means of its target on the two principal components of the target."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(rows), 3.4), layout="constrained")
    for axes, row in zip(np.atleast_1d(figure.subplots(1, len(rows))), rows):
        components, half_width, *_ = CASES[row["dim"]]
        means = pf.problems.mixture_target(
            row["dim"], components, half_width, row["seed"]
        ).energy.potential.mixture.means
        center = means.mean(axis=0)
        plane = np.linalg.svd(means - center)[2][:2].T
        axes.plot(*((np.array(row["x"]) - center) @ plane).T, ".", markersize=2, alpha=0.4)
        axes.plot(*((means - center) @ plane).T, "k+", markersize=9)
        axes.set_title(f"d = {row['dim']}, target {row['seed']}")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="*", default=[2])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--particles", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=HERE / "reports" / "icnn_mixture" / "mixtures.md")
    options = parser.parse_args()
    rows = joblib.Parallel(options.jobs)(
        joblib.delayed(one)(dim, seed, options.samples, options.particles)
        for dim in options.dims
        for seed in range(options.seeds)
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    projections(rows, options.out.with_suffix(".png"))
    lines = [
        "# Convergence to Gaussian mixtures", "",
        f"Made by `python validation/icnn_mixture.py {' '.join(sys.argv[1:])}`: dt = {STEP}, {options.samples} samples a half of SymKL.", "",
        "| d | target | SymKL | se | KL(model, mixture) | KL(mixture, model) | SymKL of the weights | the same of the exact flow: a lower bound | largest error of a component mean | "
        "published mean | published sd | seconds |", "|" + " --- |" * 12,
    ]  # fmt: skip
    for row in rows:
        told = PUBLISHED.get(str(row["dim"]))
        lines.append(
            f"| {row['dim']} | {row['seed']} | {row['there'] + row['back']:.3f} | {row['stderr']:.2g} | {row['there']:.3f} | {row['back']:.3f} | {row['weights']:.3f} "
            f"| {row['bound']:.3f} | {row['mean_gap']:.2f} | {told[0] if told else 'none':.3} | {told[1] if told else 'none':.3} | {row['seconds']:.0f} |"
        )
    lines += ["", f"![projections on two principal components]({options.out.with_suffix('.png').name})", ""]
    options.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
