"""The porous medium equation from the two mixtures of jin2025, Figures 6 and 7.

Figure 6: 0.2 N(0, 0.1 I) + 0.8 N((2, ..., 2), 0.2 I) in d = 10; Figure 7: 0.2 N((2, ..., 2), 0.1 I) + 0.8 of the
uniform law on [-1, 1]^5; both with m = 3, to t = 0.5. The source does not say whether 0.1 and 0.2 are variances:
diag(0.1, ...) is read as a covariance. It shows pictures and holds that no exact solution is known.

But the parts do not meet (half way between the Gaussians of Figure 6 the larger density is exp(-25) times its peak), so
each solves the equation alone, and the Gaussians stay invariant under rotations: `radial_flow` integrates their
densities along the radius. Of the uniform part a bound is known: dM2/dt = 2d(m - 1)F of its own [docs/math.md 1], and F
falls.

`python validation/reproductions/jin2025.py porous_mixtures` writes reports/pwgf_porous/mixtures.md and mixtures.png.
"""

import time

import numpy as np
from _report import REPORTS, command, markdown_table
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp
from scipy.special import gammaln
from scipy.stats import chi2

import pdeflow as pf
from pdeflow.report.plot.style import COLOURS

M, HORIZON, TIMES = 3.0, 0.5, (0.1, 0.5)
DIM, SMALL, LARGE = 10, (0.2, 0.1), (0.8, 0.2)  # Figure 6: weight and variance of the parts at 0 and at (2, ..., 2)
MAPS = {
    "splines in each coordinate": (pf.neural.Coordinatewise(), 4000),
    "planar, 20 layers": (pf.neural.Planar(layers=20), 2000),
    "residual, 1 x 40": (pf.neural.Residual(layers=1, width=40), 1000),
}


def radial_flow(density, edges, dim, m, times, rtol=1e-7):
    """The densities in shells of ∂tu = Δu^m at the times, (k, n), from those at 0, without flux at the last edge.

    Finite volumes of second order between the radii `edges`, (n + 1,), and LSODA in time.
    """
    volume, centers = np.diff(edges**dim) / dim, (edges[1:] + edges[:-1]) / 2
    factor = edges[1:-1] ** (dim - 1) / np.diff(centers)

    def rate(_, u):
        flux, out = factor * np.diff(np.maximum(u, 0.0) ** m), np.zeros_like(u)
        out[:-1] += flux
        out[1:] -= flux
        return out / volume

    small = 1e-6 * rtol * density.max()
    flow = solve_ivp(rate, (0, times[-1]), density, "LSODA", times, rtol=rtol, atol=small, lband=1, uband=1)
    if not flow.success:
        raise SystemExit(flow.message)
    return flow.y.T


def alone(weight, variance, dim, shells=800):
    """A Gaussian part alone: radii of the shells, densities, gains of E|x - c|² and energies at 0 and TIMES."""
    edges = np.linspace(0, np.sqrt(variance) * (np.sqrt(dim) + 5), shells + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    start = weight * (2 * np.pi * variance) ** (-dim / 2) * np.exp(-(centers**2) / (2 * variance))
    u = radial_flow(start, edges, dim, M, (0.0, *TIMES))
    volume = 2 * np.pi ** (dim / 2) / np.exp(gammaln(dim / 2)) * np.diff(edges**dim) / dim
    square = dim / (dim + 2) * np.diff(edges ** (dim + 2)) / np.diff(edges**dim)  # mean of r² in a shell
    return edges, u, (u - u[0]) * volume @ square / weight, u**M @ volume / (M - 1)


def porous(start):
    """The problem from a law."""
    return pf.Problem(pf.Energy(internal=pf.Power(M)), start, HORIZON, name="porous_mixture")


def gains(law, z, part, center):
    """How much E|x - c|² of the points z of one part has grown under the maps of a law."""
    return np.mean(np.sum((law.push(z)[part] - center) ** 2, axis=1) - np.sum((z[part] - center) ** 2, axis=1))


def gaussians(draws):
    """The rows of Figure 6, and the clouds of its picture."""
    problem = porous(pf.laws.GaussianMixture([0.2, 0.8], [np.zeros(DIM), np.full(DIM, 2.0)], [SMALL[1], LARGE[1]]))
    exact = [alone(*part, DIM) for part in (SMALL, LARGE)]
    energies = exact[0][3] + exact[1][3]
    z = problem.initial.sample(draws, np.random.default_rng(3))
    small, clouds = z.sum(axis=1) < DIM, {"start": z}
    rows = [["start", "", 0, "", "", "", "", "", f"{energies[0]:.3e}", "", ""]]
    for name, (kind, samples) in MAPS.items():
        begin = time.process_time()
        method = pf.neural.PWGF(map=kind, samples=samples, integrator=pf.neural.Adaptive(tolerance=1e-3))
        flow = pf.solve(problem, method, dt=0.1, times=TIMES)
        seconds = time.process_time() - begin
        clouds[name] = flow.final.push(z)
        for i, t in enumerate(TIMES, 1):
            law, step = flow.at(t), min(flow.history, key=lambda step: abs(step["time"] - t))
            energy = problem.energy.evaluate(law, rng=np.random.default_rng(8), n=draws)
            cells = [name, len(law.maps[-1].theta), t]
            for part, center, truth in ((small, 0.0, exact[0]), (~small, 2.0, exact[1])):
                cells += [f"{gains(law, z, part, center):.4f}", f"{truth[2][i]:.4f}"]
            cells += [f"{energy.value:.2e} ± {energy.stderr:.0e}", f"{energies[i]:.3e}"]
            rows.append([*cells, f"{step['delta0'] / step['dissipation']:.1f}", f"{seconds:.0f}"])
            print(rows[-1], flush=True)
    return rows, clouds, small, exact[0]


def with_uniform(draws):
    """What the methods say to Figure 7: the refusal of PWGF, and the rows of VariationalJKO."""
    dim, center = 5, np.full(5, 2.0)
    parts = [pf.laws.Gaussian(center, 0.1 * np.eye(dim)), pf.laws.Uniform(-np.ones(dim), np.ones(dim))]
    problem = porous(pf.laws.Mixture([0.2, 0.8], parts))
    try:
        pf.solve(problem, pf.neural.PWGF(map=pf.neural.Planar(layers=20), samples=2000), dt=0.1, times=TIMES)
    except pf.Unsupported as error:
        refusal = str(error).split("]) ")[-1]  # without the repr of the law
    else:
        raise SystemExit("PWGF takes a start with a jump: this report is out of date.")
    z = problem.initial.sample(draws, np.random.default_rng(3))
    blob, truth, rows = z.sum(axis=1) > 5.5, alone(0.2, 0.1, dim)[2], []
    uniform = 0.8**3 / 32**2 / 2  # its energy at 0
    for name, kind in (("residual", pf.neural.DeepResidual()), ("convex", pf.neural.Convex())):
        begin = time.process_time()
        method = pf.neural.VariationalJKO(map=kind, outer=60, training=pf.neural.Training(pool=65_536))
        flow = pf.solve(problem, method, dt=0.1, times=TIMES)
        seconds = time.process_time() - begin
        for i, t in enumerate(TIMES, 1):
            law = flow.at(t)
            cells = [f"VariationalJKO, {name} map", t, f"{gains(law, z, blob, 2.0):+.4f}", f"{truth[i]:.4f}"]
            most = 4 * dim * uniform * t / 0.8
            rows.append([*cells, f"{gains(law, z, ~blob, 0.0):+.4f}", f"0 to {most:.4f}", f"{seconds:.0f}"])
            print(rows[-1], flush=True)
    return refusal, rows


def picture(clouds, small, exact, path):
    """Points in the plane of the first two coordinates, and the density of the small part along the radius."""
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    axes = figure.subplots(1, 3)
    last = next(name for name in clouds if name != "start")
    for place, name, title in ((axes[0], "start", "start"), (axes[1], last, f"t = {HORIZON}: {last}")):
        place.plot(*clouds[name][:2500, :2].T, ".", markersize=1.5, alpha=0.4, color=COLOURS[0])
        place.set(title=title, xlabel="first coordinate", ylabel="second", xlim=(-2, 4.5), ylim=(-2, 4.5))
    edges, u, *_ = exact
    shell = 2 * np.pi ** (DIM / 2) / np.exp(gammaln(DIM / 2)) * np.diff(edges**DIM) / DIM
    for row, words, style in ((u[0], "start", ":"), (u[-1], f"exact, t = {HORIZON}", "-")):
        axes[2].plot(
            (edges[1:] + edges[:-1]) / 2, row * shell / np.diff(edges) / SMALL[0], style, color="#222222", label=words
        )
    for colour, (name, x) in zip(COLOURS, [(name, x) for name, x in clouds.items() if name != "start"], strict=False):
        radius = np.linalg.norm(x[small], axis=1)
        density, bins = np.histogram(radius, bins=60, density=True)
        axes[2].plot((bins[1:] + bins[:-1]) / 2, density, color=colour, lw=1, label=name)
    axes[2].set(title="small part", xlabel="distance to its centre", ylabel="density")
    axes[2].legend(frameon=False, fontsize=7)
    figure.savefig(path, dpi=100)


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--draws", type=int, default=100_000)


def run(options):
    """Compute the figures and write their report."""
    rows, clouds, small, exact = gaussians(options.draws)
    refusal, others = with_uniform(options.draws)
    coarse = alone(*SMALL, DIM, shells=400)
    folder = REPORTS / "pwgf_porous"
    folder.mkdir(parents=True, exist_ok=True)
    picture(clouds, small, exact, folder / "mixtures.png")
    half = chi2.cdf(chi2.ppf(0.5, DIM + 2) / 5, DIM)  # the dissipation's own law of |x|²: variance/5, weighted by |x|²
    lines = [
        "# The porous medium equation from the mixtures of jin2025",
        "",
        f"Made by `{command()}`: m = 3, judged by {options.draws:,} draws. The source prints pictures without numbers.",
        "",
        "The parts of a mixture do not meet until t = 0.5, so each solves the equation alone. Gaussian parts are",
        "integrated along the radius on 800 shells; 400 shells change the gain of E|x - c|² of the small part by",
        f"{abs(coarse[2][-1] - exact[2][-1]):.0e}. Gains are to the start, on the same draws.",
        "",
        "## Figure 6: 0.2 N(0, 0.1 I) + 0.8 N((2, ..., 2), 0.2 I) in d = 10, by PWGF",
        "",
        *markdown_table(
            [
                "map",
                "parameters",
                "t",
                "gain of E\\|x - c\\|², small part",
                "exact",
                "large part",
                "exact",
                "energy",
                "exact",
                "δ0 / dissipation",
                "CPU seconds",
            ],
            rows,
        ),
        "",
        "The law hardly moves: E|x - c|² of the small part is 1 at the start, of the large one 2. What moves is the",
        f"core of the small part. At the start half of its dissipation is made by {half:.1%} of its mass, where few of",
        "a run's points are: maps of some hundred parameters, fitted to all points, follow it late and carry the rest",
        "along. δ0 tells: it is many times the dissipation of the maps, so no bound from it vouches for these laws.",
        "",
        "![Points and radii](mixtures.png)",
        "",
        "## Figure 7: 0.2 N((2, ..., 2), 0.1 I) + 0.8 U([-1, 1]^5)",
        "",
        f"PWGF refuses this start: *{refusal}* Its ∇F is an average over draws of the force ∇(3ρ²/2), which is zero",
        "inside the cube and a measure on its faces: draws would see the Gaussian part alone, and δ0 is infinite. (F",
        "itself has a derivative in the parameters, by its density; PWGF does not use that.) JKO steps from samples",
        "take the start. The energy of the uniform part alone bounds the gain of its E|x|², which is 5/3 at the start.",
        "",
        *markdown_table(
            ["method", "t", "gain of E\\|x - c\\|², Gaussian part", "exact", "uniform part", "possible", "CPU seconds"],
            others,
        ),
        "",
        "Five JKO steps of 0.1 with 60 outer iterations each. More iterations and larger networks were not tried.",
        "",
    ]
    (folder / "mixtures.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
