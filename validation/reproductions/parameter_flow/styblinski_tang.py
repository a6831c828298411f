"""PWGF on the Styblinski-Tang potential.

Order in the step on the line, and the flow in d = 2 and 30 against its exact KL(t), with δ0 beside it.

The potential separates, so the exact law is a product of laws on the line, by Chang-Cooper of second order (4000 cells,
dt = 0.0025: KL to 1e-5); the maps do not know that, but for the coordinatewise ones. `python
validation/reproductions/jin2025.py styblinski_tang --dim 30 --map coordinatewise` adds its rows to
reports/pwgf_styblinski/flow.md: KL(t) to the stationary law, mean and variance of a coordinate, the mass of its right
well, δ0 relative to the dissipation. jin2025 prints the scale 3/50, its slides 1/50: both are here. A KL below the
exact one by more than three standard errors would be false, and is marked.
"""

import json
import time

import numpy as np
from _report import REPORTS, command

import pdeflow as pf

REPORT = REPORTS / "pwgf_styblinski"
TIMES = [0.3, 0.6, 0.9, 1.2, 1.5, 1.8]
TOP = 0.15673125678034  # the maximum between the wells


def truth(scale):
    """(problem on the line, its trajectory, the stationary law) of one coordinate."""
    line = pf.problems.styblinski_tang(1, scale)
    flow = pf.solve(line, pf.grid.ChangCooper(cells=4000, lower=-8, upper=8, time_order=2), dt=0.0025, times=TIMES)
    weight = np.exp(-line.energy.potential.value(flow.final.centers[0][:, None]))
    return line, flow, pf.laws.GridLaw(flow.final.axes, weight / weight.sum())


def rows(dim, scale, method, dt, n):
    """One row a time."""
    problem = pf.problems.styblinski_tang(dim, scale)
    _, exact, rest = truth(scale)
    # E log ρ + E V + log Z with log Z from the same grid as the truth
    centers = rest.centers[0]
    log_z = np.log(
        np.sum(
            np.exp(-pf.problems.styblinski_tang(1, scale).energy.potential.value(centers[:, None]))
            * np.diff(rest.axes[0])
        )
    )
    begin, out = time.perf_counter(), []
    flow = pf.solve(problem, method, dt=dt, times=TIMES)
    seconds = time.perf_counter() - begin
    energies = [step["energy"] for step in flow.history]
    for t in TIMES:
        law, one = flow.at(t), exact.at(t)
        x, log_density = law.sample_with_log_density(n, np.random.default_rng(1))
        values = log_density + problem.energy.potential.value(x) + dim * log_z
        step = min(flow.history, key=lambda step: abs(step["time"] - t))
        out.append(
            {
                "dim": dim,
                "scale": scale,
                "method": repr(method),
                "map": method.map,
                "affine": method.shape.affine,
                "dt": dt,
                "time": t,
                "seconds": seconds,
                "kl": float(values.mean()),
                "stderr": float(values.std(ddof=1) / np.sqrt(n)),
                "exact": dim * pf.metrics.kl(one, rest).value,
                "mean": float(x.mean()),
                "variance": float(x.var(axis=0).mean()),
                "right": float((x > TOP).mean()),
                "mean_exact": float(one.mean()[0]),
                "variance_exact": float(one.cov()[0, 0]),
                "right_exact": float(1 - one.cdf(TOP)),
                "delta0": step["delta0"],
                "dissipation": step["dissipation"],
                "parameters": len(law.maps[-1].theta),
                "falls": bool(np.all(np.diff(energies) < 0)),
            }
        )
    return out


def table(runs):
    lines = []
    for dim, scale in sorted({(row["dim"], row["scale"]) for row in runs}):
        group = [row for row in runs if (row["dim"], row["scale"]) == (dim, scale)]
        lines += [f"\n## d = {dim}, scale {'3/50' if abs(scale - 0.06) < 1e-9 else '1/50'}\n"]
        lines += [
            "| map | t | KL | se | exact KL | relative | mean (exact) | variance (exact) | right well "
            "(exact) | δ0 / dissipation | falls | seconds |"
        ]
        lines += ["|" + " --- |" * 12]
        for row in group:
            below = " BELOW" if row["kl"] < row["exact"] - 3 * row["stderr"] else ""
            lines.append(
                "| "
                f"{row['map']}{'' if row['affine'] or row['map'] == 'coordinatewise' else ' without affine'} "
                f"| {row['time']:g} | {row['kl']:.3f} | {row['stderr']:.3f} | {row['exact']:.4f} "
                f"| {row['kl'] / row['exact'] - 1:+.2%}{below} | {row['mean']:.4f} ({row['mean_exact']:.4f}) "
                f"| {row['variance']:.3f} ({row['variance_exact']:.3f}) "
                f"| {row['right']:.4f} ({row['right_exact']:.4f}) | {row['delta0'] / row['dissipation']:.4f} "
                f"| {'yes' if row['falls'] else 'NO'} | {row['seconds']:.0f} |"
            )
        for method in dict.fromkeys((row["method"], row["dt"]) for row in group):
            sizes = [row["parameters"] for row in group if (row["method"], row["dt"]) == method]
            lines.append(f"\n`{method[0]}`, dt = {method[1]}, {sizes[-1]} parameters at the end")
    return "\n".join(lines)


# the kinds of maps by the words of the command line, and what each calls the options --layers, --width and --no-affine
KINDS = {
    "affine": (pf.neural.Affine, {}),
    "planar": (pf.neural.Planar, {"layers": "layers", "affine": "affine"}),
    "residual": (pf.neural.Residual, {"layers": "layers", "width": "width", "affine": "affine"}),
    "ode": (pf.neural.NeuralODE, {"layers": "steps", "width": "width", "affine": "affine"}),
    "coordinatewise": (pf.neural.Coordinatewise, {"width": "pieces"}),
}
INTEGRATORS = {"euler": pf.neural.Euler, "heun": pf.neural.Heun, "rk4": pf.neural.RK4}


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--dim", type=int, default=2)
    parser.add_argument("--scale", type=float, default=0.06)
    parser.add_argument("--map", default="planar", choices=KINDS)
    parser.add_argument("--layers", type=int, default=None)
    parser.add_argument("--width", type=int, default=None)
    parser.add_argument("--no-affine", action="store_true")
    parser.add_argument("--samples", type=int, default=12_000)
    parser.add_argument("--dt", type=float, default=0.05)
    parser.add_argument("--integrator", default="adaptive", choices=[*INTEGRATORS, "adaptive"])
    parser.add_argument("--tolerance", type=float, default=None, help="of adaptive steps; 1e-3 where it is not given")
    parser.add_argument("--damping", type=float, default=1e-4)
    parser.add_argument("--draws", type=int, default=100_000)


def kind_of_map(options):
    """The kind of map that the options name. An option that this kind has no use for is an error."""
    kind, names = KINDS[options.map]
    given = {"layers": options.layers, "width": options.width, "affine": False if options.no_affine else None}
    given = {name: value for name, value in given.items() if value is not None}
    if not set(given) <= set(names):
        raise SystemExit(f"--map {options.map} takes {', '.join(names) or 'no settings'}, not {', '.join(given)}.")
    return kind(**{names[name]: value for name, value in given.items()})


def integrator(options):
    """The integrator that the options name."""
    if options.integrator == "adaptive":
        return pf.neural.Adaptive(1e-3 if options.tolerance is None else options.tolerance)
    if options.tolerance is not None:
        raise SystemExit(f"--tolerance is of adaptive steps, not of {options.integrator}.")
    return INTEGRATORS[options.integrator]()


def run(options):
    """Compute the figure and write its report."""
    method = pf.neural.PWGF(
        map=kind_of_map(options), samples=options.samples, integrator=integrator(options), damping=options.damping
    )
    new = rows(options.dim, options.scale, method, options.dt, options.draws)
    REPORT.mkdir(parents=True, exist_ok=True)
    file = REPORT / "flow.json"
    runs = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    made_by = command()
    runs = [row for row in runs if row["command"] != made_by] + [{**row, "command": made_by} for row in new]
    file.write_text(json.dumps(runs, indent=0), encoding="utf-8")
    commands = "\n".join(f"    {line}" for line in dict.fromkeys(row["command"] for row in runs))
    head = (
        f"# The Styblinski-Tang flow by PWGF\n\nMade by\n\n{commands}\n\nSeconds are of one thread beside "
        "other work. δ0 is the squared distance of the velocity from the tangent space, "
        "the dissipation the square of the whole velocity.\n"
    )
    (REPORT / "flow.md").write_text(head + table(runs) + "\n", encoding="utf-8")
    print(table(new))
