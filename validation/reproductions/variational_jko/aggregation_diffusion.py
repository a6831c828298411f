"""Aggregation-diffusion in the plane by VariationalJKO.

W = -exp(-|x|²)/π with 0.1 Δρ³, from the uniform law on [-3, 3]².

`python validation/reproductions/fan2022.py aggregation_diffusion --scale paper` writes
reports/variational_aggregation_diffusion/paper.md and paper.png: second moment, energy and histograms of both schemes
(explicit aggregation and backward diffusion; all backward) beside a finite-volume solution of the same problem, made
here.

Time scales. fan2022iclr (section 4.4, B.3) finds its two schemes 1.5 and 3 times slower than other papers. Two things
that it does not account for: its backward scheme leaves out the ½ of the interaction energy, which is aggregation at
twice the speed, in the backward scheme only (docs/math.md 3); and the original problem has ρ_0 = ¼ on the square, mass
9, where fan2022iclr has a probability density, mass 1. The probability p = ρ/M obeys ∂tp = M ∇·(p∇W*p) + M² 0.1 Δp³,
another equation, of which the table has the finite-volume solution (docs/math.md 2.3).
"""

import time
from pathlib import Path

import numpy as np
from _report import REPORTS, command

import pdeflow as pf

STEADY = {"peak": 0.8070, "second": 0.2435, "energy": -0.086764, "radius": 1.000}  # mass 1
TIMES = [20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0]  # saved, at mass 1
FASTER = {
    1.0: 1.0,
    9.0: 10.0,
}  # by mass: about how much faster it runs, so that steps and saved times are that much shorter
SCHEMES = ("backward", "forward-backward")
BLOCK = 0.3  # width of the squares on which densities are compared: 24 a side


def finite_volumes(problem, times, cells):
    """The trajectory by implicit finite volumes of second order in space and time, on [-3.6, 3.6]²."""
    method = pf.grid.FiniteVolume(cells, -3.6, 3.6, "implicit", tolerance=1e-3)
    return pf.solve(problem, method, dt=times[0] / max(1, round(40 * times[0] / times[-1])), times=times)


def second_moment(law):
    """E|x|²."""
    return float(np.trace(law.cov()) + law.mean() @ law.mean())


def time_scales(cells=48):
    """Markdown: the time at which E|x|² has fallen to 4 and to 2, by finite volumes, for the problems that are taken
    for one another.
    """
    from dataclasses import replace

    plain, heavy = pf.problems.aggregation_diffusion(), pf.problems.aggregation_diffusion(mass=9.0)
    energy = replace(plain.energy, interaction=pf.interactions.GaussianAttraction(2 / np.pi))
    cases = {
        "mass 1": (plain, 160.0),
        "mass 1, interaction energy without its ½ (W doubled)": (replace(plain, energy=energy), 80.0),
        "mass 9": (heavy, 16.0),
    }
    lines = [
        "| problem | t at E abs(x)² = 4 | ratio to mass 1 | t at E abs(x)² = 2 | ratio to mass 1 |",
        "|" + " --- |" * 5,
    ]
    first = None
    for name, (problem, last) in cases.items():
        times = np.linspace(last / 64, last, 64)
        second = np.array([second_moment(law) for law in finite_volumes(problem, times, cells).laws])
        found = [float(np.interp(-level, -second, times)) for level in (4.0, 2.0)]
        first = first or found
        lines.append(
            f"| {name} | {found[0]:.2f} | {first[0] / found[0]:.2f} | {found[1]:.2f} | {first[1] / found[1]:.2f} |"
        )
    return lines


def blocks(mass):
    """Cell masses (n, n), n a multiple of 24, summed over squares of width BLOCK."""
    by = len(mass) // 24
    return mass.reshape(24, by, 24, by).sum(axis=(1, 3))


def method_for(scheme, outer):
    """Many iterations of T, each with one of h.

    T must undo what the explicit step contracts, and with 60 in place of 600 iterations the forward-backward scheme
    lets the pulses narrow until h no longer sees them. Three hidden layers of h and a faster rate, as h must follow
    pulses that narrow: with two and the default rate 100 ascent steps on the law of t = 80 reach a fifth of its
    internal energy, with three and twice the rate 0.86.
    """
    dual = pf.neural.DualNetwork(depth=3, rate=1e-2)
    training = pf.neural.Training(pool=32_768)
    return pf.neural.VariationalJKO(pf.neural.DeepResidual(), scheme, outer, inner=1, dual=dual, training=training)


def cloud_rows(problem, scheme, outer, step, times, samples, seed):
    """[(t, E|x|², energy, seconds, block masses)] of one scheme, up to where it fails, and the failure or None."""
    method, history, fault, begin = method_for(scheme, outer), {}, None, time.perf_counter()

    def watch(k, t, law):
        if k % 5 == 0:
            print(f"{scheme}, t = {t:g}: {time.perf_counter() - begin:.0f} s", flush=True)

    try:
        flow = pf.solve(problem, method, dt=step, times=times, seed=seed, on_step=watch)
        law, history = flow.final, {row["step"]: row["bound"] for row in flow.history}
    except (pf.Diverged, pf.NotConverged) as error:
        law, fault = error.law, str(error)
    start = problem.initial.sample(samples, np.random.default_rng(seed + 1))
    path = law.path(start)  # all places of the particles, in one pass through the maps
    a_step = 2 if scheme == "forward-backward" else 1
    seconds, rows = time.perf_counter() - begin, []
    for t in times:
        k = round(t / step)
        if k * a_step < len(path):
            cloud = path[k * a_step]
            square = np.histogram2d(*cloud.T, bins=[np.linspace(-3.6, 3.6, 25)] * 2)[0] / len(cloud)
            rows.append((t, float((cloud**2).sum(axis=1).mean()), history.get(k, np.nan), seconds, square))
    return rows, fault


def run_of_mass(mass, schemes, outer, dt, cells, samples, seed):
    """(rows of the table, {name: [block masses at the saved times]}, failures) at one total mass."""
    times = [t / FASTER[mass] for t in TIMES]
    problem = pf.problems.aggregation_diffusion(mass=mass, horizon=times[-1])
    found, faults = {}, []
    for n in (cells // 2, cells):
        flow = finite_volumes(problem, times, n)
        energies = {row["step"]: row["energy"] for row in flow.history}
        name, step = f"finite volumes, {n}² cells", flow.history[0]["time"]
        found[name] = [
            (t, second_moment(law), energies[round(t / step)], flow.stats["seconds"], blocks(law.mass))
            for t, law in zip(times, flow.laws)
        ]
    exact = {t: square for t, *_, square in found[name]}
    for scheme in schemes:
        found[scheme], fault = cloud_rows(problem, scheme, outer, dt / FASTER[mass], times, samples, seed)
        faults += [f"mass {mass:g}, {scheme}: {fault}"] if fault else []
    rows = [
        (t, name, second, energy, square.max() / BLOCK**2, np.abs(square - exact[t]).sum(), seconds)
        for name, parts in found.items()
        for t, second, energy, seconds, square in parts
    ]
    return rows, {name: [part[-1] for part in parts] for name, parts in found.items()}, faults


def picture(runs, path):
    from matplotlib.figure import Figure

    lines = [(mass, name, cells) for mass, (_, pictures, _) in runs.items() for name, cells in pictures.items()]
    figure = Figure(figsize=(1.6 * 8, 1.7 * len(lines)), layout="constrained")
    panels = figure.subplots(len(lines), 8, squeeze=False)
    for row, (mass, name, squares) in zip(panels, lines):
        for axes, t, square in zip(row, TIMES, squares):
            axes.imshow(square.T, origin="lower", extent=(-3.6, 3.6, -3.6, 3.6), cmap="viridis")
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"mass {mass:g}, t = {t / FASTER[mass]:g}\n{name}", fontsize=6)
    figure.savefig(path, dpi=80)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--masses", type=float, nargs="*", choices=list(FASTER), default=None)
    parser.add_argument("--schemes", nargs="*", default=list(SCHEMES), choices=SCHEMES)
    parser.add_argument("--outer", type=int, default=None)
    parser.add_argument("--dt", type=float, default=2.0, help="at mass 1; a tenth of it at mass 9")
    parser.add_argument("--cells", type=int, default=None, help="a side, of the finite volumes; a multiple of 48")
    parser.add_argument("--samples", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)


def run(options):
    """Compute the figure and write its report."""
    quick = options.scale == "quick"
    outer, cells = options.outer or (100 if quick else 600), options.cells or (96 if quick else 144)
    masses = options.masses or ([9.0] if quick else [1.0, 9.0])
    out = options.out or REPORTS / "variational_aggregation_diffusion" / f"{options.scale}.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    runs = {
        mass: run_of_mass(mass, options.schemes, outer, options.dt, cells, options.samples, options.seed)
        for mass in masses
    }
    picture(runs, out.with_suffix(".png"))
    lines = [
        "# Aggregation-diffusion in the plane",
        "",
        f"Made by `{command()}`: residual maps, {outer} outer iterations a step of {options.dt:g} (mass 1) "
        f"or {options.dt / 10:g} (mass 9), "
        "finite volumes (pf.grid.FiniteVolume) on [-3.6, 3.6]². The energy of VariationalJKO is its lower "
        "bound from held-out particles. Densities and L1 are over squares of "
        f"width {BLOCK}; the L1 of {options.samples} exact draws would be about "
        f"{np.sqrt(2 / np.pi * 24**2 / options.samples):.2f} while the law fills the square.",
        "",
        "Steady state of mass 1: E abs(x)² about {second}, energy {energy}, peak {peak}, support radius "
        "{radius:.3f} (radial fixed point, docs/math.md 2.3).".format(**STEADY),
        "",
        "| mass | t | method | E abs(x)² | energy | largest density | L1 to finite volumes | seconds |",
        "|" + " --- |" * 8,
    ]
    for mass, (rows, _, _) in runs.items():
        for t, name, second, energy, peak, gap, seconds in sorted(rows, key=lambda row: row[0]):
            lines.append(
                f"| {mass:g} | {t:g} | {name} | {second:.4f} | {energy:.5f} | {peak:.3f} | {gap:.3f} | {seconds:.0f} |"
            )
    lines += ["", *(f"Failed: {fault}" for _, _, faults in runs.values() for fault in faults)]
    lines += [
        "",
        "How much faster each problem runs than that of mass 1 (finite volumes, 48² cells):",
        "",
        *time_scales(),
    ]
    lines += ["", f"![histograms]({out.with_suffix('.png').name})", ""]
    out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
