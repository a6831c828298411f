"""PWGF on the porous medium equation.

Orders on the line, and (d, m) = (2, 2.4), (5, 3), (15, 2) from Barenblatt laws and from mixtures.

From a Barenblatt law the velocity βx/t is linear, so affine maps are exact, and others must find that. `python
validation/reproductions/jin2025.py porous_medium` writes reports/pwgf_porous/table_d2_d5_d15.md (with --dims 2,
table_d2.md) at the papers' time ratio 1.5, which the identity map nearly passes (its row stands there), and at 10:
relative errors of √M2, of the radius (the mean of |T(z)| over the edge of the support), of the energy, W2 to the exact
law (bounded by the exact optimal map: (E|T(z) - μz|²)^½, the true W2 is no larger), and the share of draws beyond the
exact support by more than 1 %. From a mixture of two Gaussians no law is known: the energy must fall, and M2 obeys
dM2/dt = 2d(m - 1)F [docs/math.md 1]. This mixture is ours; those of jin2025, equations (5.8) to (5.11), are in
porous_mixtures.py.
"""

import time

import numpy as np
from _report import REPORTS, command

import pdeflow as pf

CASES = {(2, 2.4): 0.1, (5, 3.0): 1.0, (15, 2.0): 1.0}  # dimension, m: time of the start


MAPS = {
    "affine": pf.neural.Affine(),
    "planar, 20 layers, without affine": pf.neural.Planar(layers=20, affine=False),
    "residual, 2 x 10, without affine": pf.neural.Residual(layers=2, width=10, affine=False),
}


def barenblatt(dim, m, samples, draws):
    start = CASES[dim, m]
    problem = pf.problems.porous_medium(dim, m, start, 9 * start)
    times = [0.5 * start, 9 * start]
    rng = np.random.default_rng(7)
    z, edge = problem.initial.sample(draws, rng), rng.standard_normal((2000, dim))
    edge *= problem.initial.radius / np.linalg.norm(edge, axis=1, keepdims=True)
    # what M2 of these draws is too large or too small by, the same at all times
    share = np.mean(np.sum(z**2, axis=1)) / problem.initial.second_moment
    lines = [
        judge("identity", "", lambda x: x, problem, t, z, edge, share, problem.initial.energy(), "", "") for t in times
    ]
    for name, kind in MAPS.items():
        method = pf.neural.PWGF(map=kind, samples=samples, integrator=pf.neural.Adaptive(tolerance=1e-3))
        begin = time.perf_counter()
        try:
            flow = pf.solve(problem, method, dt=start / 2, times=times)
        except pf.PdeflowError as error:
            lines.append(f"| {dim} | {m:g} | {name} | | {type(error).__name__}: {str(error)[:90]} | | | | | | |")
            print(lines[-1], flush=True)
            continue
        seconds = time.perf_counter() - begin
        for t in times:
            law, step = flow.at(t), min(flow.history, key=lambda step: abs(step["time"] - t))
            energy = problem.energy.evaluate(law, rng=np.random.default_rng(8), n=draws).value
            told = f"{step['delta0'] / step['dissipation']:.1e}"
            lines.append(
                judge(
                    name,
                    f"{len(law.maps[-1].theta)}",
                    law.push,
                    problem,
                    t,
                    z,
                    edge,
                    share,
                    energy,
                    told,
                    f"{seconds:.0f}",
                )
            )
    return lines


def judge(name, parameters, push, problem, t, z, edge, share, energy, told, seconds):
    exact = problem.exact(t)
    x = push(z)
    center = x.mean(axis=0) - z.mean(axis=0)
    m2 = np.mean(np.sum((x - center) ** 2, axis=1)) / share
    radius = np.linalg.norm(push(edge), axis=1).mean()
    w2 = np.sqrt(np.mean(np.sum((x - exact.scale / problem.initial.scale * z) ** 2, axis=1)))
    beyond = np.mean(np.linalg.norm(x, axis=1) > 1.01 * exact.radius)
    ratio = 1 + t / problem.initial.time
    line = (
        f"| {problem.dim} | {problem.initial.m:g} | {name} | {parameters} | {ratio:g} | "
        f"{np.sqrt(m2 / exact.second_moment) - 1:+.2%} | {radius / exact.radius - 1:+.2%} "
        f"| {energy / exact.energy() - 1:+.2%} | {w2:.2e} "
        f"({np.sqrt(exact.second_moment) * (1 - problem.initial.scale / exact.scale):.2e}) | {beyond:.1e} | "
        f"{told} | {seconds} |"
    )
    print(line, flush=True)
    return line


def mixture(dim, m, samples, draws):
    """Energy and M2 along the flow from a mixture of two Gaussians, for planar and residual maps."""
    first = np.zeros(dim)
    first[0] = 1.0
    start = pf.laws.GaussianMixture([0.5, 0.5], [first, -first], [0.25, 0.25])
    horizon = 1.0
    problem = pf.Problem(pf.Energy(internal=pf.Power(m)), start, horizon, name="porous_mixture")
    times = np.linspace(0, horizon, 11)
    lines = []
    for name, kind in (
        ("planar, 20 layers", pf.neural.Planar(layers=20)),
        ("residual, 2 x 16", pf.neural.Residual(layers=2, width=16)),
    ):
        method = pf.neural.PWGF(map=kind, samples=samples, integrator=pf.neural.Adaptive(tolerance=1e-3))
        begin = time.perf_counter()
        flow = pf.solve(problem, method, dt=horizon / 20, times=times)
        seconds = time.perf_counter() - begin
        second, energy = [], []
        for law in flow.laws:
            x = law.sample(draws, np.random.default_rng(9))
            second.append(np.mean(np.sum(x**2, axis=1)))
            energy.append(problem.energy.evaluate(law, rng=np.random.default_rng(9), n=draws).value)
        # trapezoidal rule with its end correction by differences is not needed: ten intervals of a smooth F
        gain = np.trapezoid(2 * dim * (m - 1) * np.array(energy), times)
        falls = bool(np.all(np.diff([step["energy"] for step in flow.history]) < 0))
        step = flow.history[-1]
        lines.append(
            f"| {dim} | {m:g} | {name} | {second[0]:.4f} | {second[-1]:.4f} | {second[-1] - second[0]:.4f} | "
            f"{gain:.4f} | {(second[-1] - second[0]) / gain - 1:+.2%} "
            f"| {energy[0]:.5f} | {energy[-1]:.5f} | {'yes' if falls else 'NO'} | "
            f"{step['delta0'] / step['dissipation']:.1e} | {seconds:.0f} |"
        )
        print(lines[-1], flush=True)
    return lines


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=100_000)
    parser.add_argument("--dims", type=int, nargs="*", default=[2, 5, 15])


def run(options):
    """Compute the figure and write its report."""
    cases = [case for case in CASES if case[0] in options.dims]
    lines = [line for case in cases for line in barenblatt(*case, options.samples, options.draws)]
    mixed = [line for case in cases if case[0] <= 5 for line in mixture(*case, options.samples, options.draws)]
    head = f"# The porous medium equation\n\nMade by `{command()}`"
    text = (
        f"{head} ({options.samples} samples a run, judged by {options.draws:,} draws). The bar is √M2 within "
        "1 % at ten times the start. Beside W2: that of the identity.\n\n"
        "| d | m | map | parameters | time ratio | √M2 | radius | energy | W2, at most (identity) | draws "
        "beyond the support | δ0 / dissipation | seconds |\n"
        + "|"
        + " --- |" * 12
        + "\n"
        + "\n".join(lines)
        + "\n\n## From the mixture ½N(e₁, I/4) + ½N(-e₁, I/4), to t = 1\n\n| d | m | map | M2 at 0 | M2 at 1 | "
        "gain | ∫2d(m-1)F dt | relative | F at 0 | F at 1 | falls | δ0 / dissipation | seconds |\n"
        + "|"
        + " --- |" * 13
        + "\n"
        + "\n".join(mixed)
        + "\n"
    )
    out = REPORTS / "pwgf_porous" / f"table_{'_'.join(f'd{dim}' for dim, _ in cases)}.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
