"""Sampling Gaussian mixtures by VariationalJKO: two moons of 16 Gaussians, and nine components in d = 8 and 13.

`python validation/reproductions/fan2022.py mixtures --scale paper` writes reports/variational_mixture/paper.md and
paper.png. A residual map gives samples, no density; judged are the share of every component, the mean log density
against that of the target, MMD² (Gaussian kernel) and KSD² (inverse multiquadric), U-statistics with standard errors.
The same statistics stand for exact draws of the target, and for Euler-Maruyama particles at the same time: a flow
stopped at a finite time is not at rest, so its own weights need not be equal, and no method that computes it can have
equal ones. The targets of small half width mix within the horizon, the wide ones do not.
"""

import time
from pathlib import Path

import joblib
import numpy as np
from _report import REPORTS, command

import pdeflow as pf

# name: dim, half width of the cube of means (None: two moons), dt, steps
CASES = {
    "two moons": (2, None, 0.3, 30),
    "d = 8": (8, 2.0, 0.3, 30),
    "d = 13": (13, 1.5, 0.3, 20),
    "d = 8, wide": (8, 5.0, 0.3, 20),
    "d = 13, wide": (13, 3.0, 0.3, 20),
}


MAPS = {"residual": pf.neural.DeepResidual(), "convex": pf.neural.Convex()}


def two_moons(components=16, radius=3.0, variance=0.5, horizon=9.0):
    """V = -log q with q of equal weights along two half circles that reach into each other, from N(0, 4 I)."""
    angle = np.linspace(0, np.pi, components // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    means = radius * (np.concatenate([upper, [1.0, 0.5] - upper]) - [0.5, 0.25])
    mixture = pf.laws.GaussianMixture(np.full(components, 1 / components), means, variance)
    energy = pf.Energy(pf.potentials.MixturePotential(mixture), pf.Entropy())
    return pf.Problem(energy, pf.laws.Gaussian([0.0, 0.0], 4.0), horizon, name="two_moons")


def problem_of(name, seed):
    dim, half_width, dt, steps = CASES[name]
    if half_width is None:
        return two_moons(horizon=dt * steps)
    return pf.problems.mixture_target(dim, 9, half_width, seed, horizon=dt * steps)


def shares(x, mixture):
    """E of the responsibility of each component, (k,): under the mixture itself the weights exactly."""
    parts = [pf.laws.Gaussian(m, c).log_density(x) for m, c in zip(mixture.means, mixture.covs)]
    logs = np.log(mixture.weights) + np.stack(parts, axis=1)
    share = np.exp(logs - logs.max(axis=1, keepdims=True))
    return (share / share.sum(axis=1, keepdims=True)).mean(axis=0)


def _rows(kernel, x, y, block=500):
    """(1/m) Σ_j kernel(x_i, y_j) for every i, (n,), in blocks."""
    return np.concatenate(
        [kernel(slice(s, s + block), x[s : s + block], y).mean(axis=1) for s in range(0, len(x), block)]
    )


def squares(x, y):
    return np.maximum((x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T, 0.0)


def mmd2(x, y):
    """MMD² = E k(X,X') - 2 E k(X,Y) + E k(Y,Y'), k = exp(-|x-y|²/(2 d)).

    Unbiased U-statistic of two samples (n, d), and its standard error.
    """
    n, d = x.shape

    def kernel(_, a, b):
        return np.exp(-squares(a, b) / (2 * d))

    own = [(n * _rows(kernel, z, z) - 1) / (n - 1) for z in (x, y)]  # the pair i = i has k = 1
    across = [_rows(kernel, x, y), _rows(kernel, y, x)]
    value = own[0].mean() - 2 * across[0].mean() + own[1].mean()
    spread = [np.var(own[i] - across[i], ddof=1) for i in (0, 1)]
    return value, float(np.sqrt(4 * (spread[0] + spread[1]) / n))


def ksd2(x, score):
    """KSD² of a sample (n, d) to the target with score ∇log q, kernel (1 + |x-y|²/d)^(-1/2) [gorham2017].

    U-statistic and its standard error.
    """
    n, d = x.shape
    s = score(x)

    def stein(rows, a, b):
        base = 1 + squares(a, b) / d
        k, first, second = (
            base**-0.5,
            -(base**-1.5) / d,
            3 * base**-2.5 / d**2,
        )  # k, and with u = |x-y|²/2 its derivatives k', k''
        sa = s[rows]
        pull = ((sa * a).sum(1)[:, None] - sa @ b.T) - (a @ s.T - (b * s).sum(1))  # (s(x) - s(y))·(x - y)
        out = (sa @ s.T) * k - pull * first - first * d - second * squares(a, b)
        out[np.arange(len(a)), np.arange(rows.start, rows.start + len(a))] = 0.0
        return out

    rows = _rows(stein, x, x) * n / (n - 1)
    return rows.mean(), float(2 * rows.std(ddof=1) / np.sqrt(n))


def judged(x, mixture, exact):
    """The figures of a sample."""
    share = shares(x, mixture) / mixture.weights
    potential = pf.potentials.MixturePotential(mixture)
    inside, outside = mixture.log_density(x), mixture.log_density(exact)
    few = min(5000, len(x))
    return {
        "share": share,
        "gap": inside.mean() - outside.mean(),
        "gap_error": float(np.hypot(inside.std(), outside.std()) / np.sqrt(len(x))),
        "mmd": mmd2(x[:few], exact[:few]),
        "ksd": ksd2(x[:few], lambda z: -potential.grad(z)),
    }


def one(name, seed, outer, samples, kind="residual"):
    """The rows of one target: model with that kind of maps, Euler-Maruyama, exact draws."""
    dt = CASES[name][2]
    problem = problem_of(name, seed)
    mixture, rng = problem.energy.potential.mixture, np.random.default_rng(seed)
    exact = mixture.sample(samples, rng)
    begin = time.perf_counter()
    law = pf.solve(
        problem,
        pf.neural.VariationalJKO(
            map=MAPS[kind], outer=outer, learning_rate=0.025, training=pf.neural.Training(pool=131_072)
        ),
        dt=dt,
        seed=seed,
    ).final
    seconds = time.perf_counter() - begin
    euler = pf.solve(problem, pf.particle.EulerMaruyama(samples), dt=dt / 30, seed=seed).final
    clouds = {
        "VariationalJKO": law.sample(samples, rng),
        "Euler-Maruyama": euler.x,
        "exact draws": mixture.sample(samples, rng),
    }
    rows = {kind: judged(x, mixture, exact) for kind, x in clouds.items()}
    flow = rows["Euler-Maruyama"]["share"]
    for row in rows.values():
        row["against_flow"] = row["share"] / flow
    return name, seed, rows, seconds, {kind: x[:2500] for kind, x in clouds.items()}


def lines_of(results):
    lines = [
        "| target | seed | sample | components found | share over equal, least | most | share over the exact "
        "flow's, least | most | E log q gap | se | MMD² | se | KSD² | se | seconds |",
        "|" + " --- |" * 15,
    ]
    for name, seed, rows, seconds, _ in results:
        for kind, row in rows.items():
            share, flow = row["share"], row["against_flow"]
            lines.append(
                f"| {name} | {seed} | {kind} | {np.sum(share > 0.2)} of {len(share)} | {share.min():.2f} | "
                f"{share.max():.2f} | {flow.min():.2f} | {flow.max():.2f} "
                f"| {row['gap']:+.3f} | {row['gap_error']:.1g} | {row['mmd'][0]:.2e} | {row['mmd'][1]:.0e} | "
                f"{row['ksd'][0]:.2e} | {row['ksd'][1]:.0e} "
                f"| {seconds if kind == 'VariationalJKO' else 0:.0f} |"
            )
    return lines


def picture(results, path):
    """Samples on the two principal components of the means of the target."""
    from matplotlib.figure import Figure

    kinds = ("VariationalJKO", "exact draws")
    figure = Figure(figsize=(2.8 * len(results), 5.6), layout="constrained")
    panels = figure.subplots(2, len(results), squeeze=False)
    for column, (name, seed, _, _, clouds) in zip(panels.T, results):
        means = problem_of(name, seed).energy.potential.mixture.means
        center = means.mean(axis=0)
        plane = np.linalg.svd(means - center)[2][:2].T
        for axes, kind in zip(column, kinds):
            axes.plot(*((clouds[kind] - center) @ plane).T, ".", markersize=1.5, alpha=0.4)
            axes.plot(*((means - center) @ plane).T, "k+", markersize=7)
            axes.set_title(f"{name}, seed {seed}: {kind}", fontsize=7)
        column[1].set(xlim=column[0].get_xlim(), ylim=column[0].get_ylim())
    figure.savefig(path, dpi=90)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--cases", nargs="*", default=None, help=", ".join(CASES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--outer", type=int, default=None)
    parser.add_argument("--map", choices=list(MAPS), default="residual")
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)


def run(options):
    """Compute the figure and write its report."""
    outer = options.outer or (100 if options.scale == "quick" else 500)
    cases = options.cases or (["two moons"] if options.scale == "quick" else list(CASES))
    out = options.out or REPORTS / "variational_mixture" / f"{options.scale}.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    results = joblib.Parallel(options.jobs)(
        joblib.delayed(one)(name, seed, outer, options.samples, options.map)
        for name in cases
        for seed in range(options.seeds)
    )
    picture(results, out.with_suffix(".png"))
    text = [
        "# Sampling Gaussian mixtures",
        "",
        f"Made by `{command()}`: {options.map} map, backward scheme, dt = 0.3, {outer} outer iterations a step, "
        f"{options.samples} draws (5000 for MMD² and KSD²). A component is found if its share is above a "
        "fifth of its weight.",
        "",
        *lines_of(results),
        "",
        f"![principal components]({out.with_suffix('.png').name})",
        "",
    ]
    out.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))
