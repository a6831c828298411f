"""Aggregation without diffusion by VariationalJKO.

To the ring under |x|⁴/4 - |x|²/2 in the plane, and to the semicircle on the line.

`python validation/reproductions/fan2022.py ring --scale paper` writes reports/variational_ring/paper.md and ring.png.
From N(0, I/4), forward-backward (here: explicit Euler on particles, the energy being interaction only) and backward
steps of dt = 0.2 side by side, to t = 20. `--dt 0.05 --times 1.15 2 4 10` has the steps of Figure 7. The ring has
radius 1/√3 and energy -1/12; fan2022iclr (appendix B.2) and jin2025 state 0.5, the value on the line (docs/math.md
2.1). The law at a finite time is not on the ring yet, for mass near the centre leaves it at rate 1/3 only: `exact` is
a radial integration of the equation. E|x|² at t = 0.5 and 2 is known to 1e-11.
Scheme against scheme: fan2022iclr omits the ½ of the interaction energy in its backward scheme, not in the forward one
(docs/math.md 3); here both have it.
"""

from pathlib import Path

import numpy as np
from _report import REPORTS, command
from claims.variational_ou import MAPS

import pdeflow as pf
from pdeflow.energies.mean_field import mean_energy
from pdeflow.problems.aggregation import quartic_radii, ring_radius

TIMES = (0.5, 2.0, 5.0, 10.0, 15.0, 20.0)
RADIUS = ring_radius(4, 2, 2)


def figures(x):
    """Mean radius, spread (sd over mean), E|x - mean|², energy, largest entry of |S - tr(S)/2 I| over tr(S)/2, length
    of the mean.
    """
    center = x.mean(axis=0)
    r = np.linalg.norm(x - center, axis=1)
    cov = np.cov(x.T, bias=True)
    half = np.trace(cov) / 2
    energy = mean_energy(pf.interactions.PowerLaw(4.0, 2.0), x)
    return (
        r.mean(),
        r.std() / r.mean(),
        np.mean(r**2),
        energy,
        np.abs(cov / half - np.eye(2)).max(),
        np.linalg.norm(center),
    )


def ring(schemes, outer, samples, seed, dt, times):
    times = [round(t / dt) * dt for t in times]
    problem = pf.problems.ring_aggregation(horizon=times[-1])
    weight, radii = quartic_radii(2, 0.25, times)
    lines = [
        "| scheme | t | steps | mean radius | off 1/√3 | spread | E abs(x)² | energy | off -1/12 | "
        "anisotropy | centre | seconds |",
        "|" + " --- |" * 12,
    ]
    clouds = {}
    for t, r in zip(times, radii):
        mean, m2 = weight @ r, weight @ r**2
        spread = np.sqrt(m2 - mean**2) / mean
        fourth = weight @ r**4
        energy = (2 * fourth + 2 * m2**2 + 2 * m2**2) / 8 - m2 / 2
        lines.append(
            f"| exact | {t:g} | | {mean:.5f} | {100 * (mean / RADIUS - 1):+.2f} % | {100 * spread:.2f} % | "
            f"{m2:.6f} | {energy:.6f} | {100 * (-12 * energy - 1):+.2f} % | 0 | 0 | |"
        )
    for name, method in schemes(outer).items():
        flow = pf.solve(problem, method, dt=dt, times=times, seed=seed)
        path = flow.final.path(problem.initial.sample(samples, np.random.default_rng(seed + 1)))  # one map a step
        for t in times:
            x = path[round(t / dt)]
            mean, spread, m2, energy, skew, center = figures(x)
            clouds[name, t] = x
            lines.append(
                f"| {name} | {t:g} | {round(t / dt)} | {mean:.5f} | {100 * (mean / RADIUS - 1):+.2f} % | "
                f"{100 * spread:.2f} % | {m2:.6f} | {energy:.6f} "
                f"| {100 * (-12 * energy - 1):+.2f} % | {skew:.3f} | {center:.4f} | {flow.stats['seconds']:.0f} |"
            )
            print(lines[-1], flush=True)
    return lines, clouds, times


def picture(clouds, times, path):
    from matplotlib.figure import Figure

    names = sorted({name for name, _ in clouds})
    figure = Figure(figsize=(2.1 * len(times), 2.2 * len(names)), layout="constrained")
    panels = np.atleast_2d(figure.subplots(len(names), len(times), sharex=True, sharey=True))
    angle = np.linspace(0, 2 * np.pi, 200)
    for i, name in enumerate(names):
        for axes, t in zip(panels[i], times):
            axes.plot(*clouds[name, t][:1500].T, ".", markersize=1, alpha=0.4)
            axes.plot(RADIUS * np.cos(angle), RADIUS * np.sin(angle), "k-", lw=0.6)
            axes.set_title(f"{name}, t = {t:g}", fontsize=7)
            axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    figure.savefig(path, dpi=65)


def semicircle(schemes, outer, seed):
    """W2 to the equilibrium of radius √2 and to the exact JKO iterate, on the line."""
    problem, dt, times = pf.problems.log_repulsion(horizon=5.0), 0.1, [1.0, 3.0, 5.0]
    iterates, equilibrium = pf.exact_jko(problem, dt=dt, times=times), pf.laws.Semicircle(np.sqrt(2.0))
    lines = [
        "| scheme | t | W2 to the equilibrium | of the exact law | W2 to the exact JKO iterate | radius of "
        "the exact law | sd | seconds |",
        "|" + " --- |" * 8,
    ]
    for name, method in schemes(outer).items():
        flow = pf.solve(problem, method, dt=dt, times=times, seed=seed)
        for t in times:
            even = (np.arange(100_000) + 0.5) / 100_000
            law = pf.laws.Particles(flow.at(t).push(problem.initial.quantile(even)[:, None]))
            gap, near = pf.metrics.w2(law, equilibrium).value, pf.metrics.w2(law, iterates.at(t)).value
            own = pf.metrics.w2(problem.exact(t), equilibrium).value
            lines.append(
                f"| {name} | {t:g} | {gap:.4f} | {own:.4f} | {near:.4f} | {problem.exact(t).radius:.4f} | "
                f"{np.sqrt(law.cov()[0, 0]):.5f} | {flow.stats['seconds']:.0f} |"
            )
            print(lines[-1], flush=True)
    return lines


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--outer", type=int, default=None)
    parser.add_argument("--dt", type=float, default=0.2)
    parser.add_argument(
        "--times", type=float, nargs="*", default=TIMES, help="others than these leave the semicircle out"
    )
    parser.add_argument("--map", default="residual")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--out", type=Path, default=None)


def run(options):
    """Compute the figure and write its report."""
    outer = options.outer or (60 if options.scale == "quick" else 300)
    out = options.out or REPORTS / "variational_ring" / f"{options.scale}.md"
    out.parent.mkdir(parents=True, exist_ok=True)

    def both(outer):
        return {
            name: pf.neural.VariationalJKO(
                map=MAPS[options.map],
                scheme=name,
                outer=outer,
                learning_rate=0.025,
                training=pf.neural.Training(pool=65_536),
            )
            for name in ("forward-backward", "backward")
        }

    lines, clouds, times = ring(both, outer, options.samples, options.seed, options.dt, options.times)
    drawn = out.with_name("ring.png") if options.times == TIMES else out.with_suffix(".png")
    picture(clouds, times, drawn)
    text = [
        "# Aggregation to the ring and to the semicircle",
        "",
        f"Made by `{command()}`: {outer} outer iterations a step, {options.map} map, {options.samples} draws a law.",
        "",
        f"## The ring: W = |x|⁴/4 - |x|²/2 from N(0, I/4), dt = {options.dt}",
        "",
        *lines,
        "",
        f"![clouds]({drawn.name})",
        "",
    ]
    out.write_text("\n".join(text), encoding="utf-8")
    if options.times != TIMES:
        return
    text += ["## The semicircle: W = x²/2 - log|x| from the semicircle of radius 3.4, dt = 0.1", ""]
    text += semicircle(lambda outer: {"backward": both(outer)["backward"]}, outer, options.seed)
    out.write_text("\n".join([*text, ""]), encoding="utf-8")
