"""A diffusion in the plane of which only the direction is seen: the bootstrap filter against Chang-Cooper.

V = (|x|² - 1)²/4 + x_1/4, T = 1/4: a ring, deeper on one side. X starts from N((1, 0), I/4). At 0.5, 1, 1.5 and 2 its
angle from the origin is observed with von Mises noise of concentration 4. The truth is `ChangCooper` in the plane,
whose own error is told by a run on half as many cells with twice the step.

`python validation/reproductions/mokrov2022.py bearings` writes reports/filtering/bearings.md and its picture.
"""

import time

import numpy as np
from _report import REPORTS, command, markdown_table

import pdeflow as pf
from pdeflow.applications import Filter

CONCENTRATION = 4.0
CONSTANT = np.log(2 * np.pi * np.i0(CONCENTRATION))
TIMES = np.array([0.5, 1.0, 1.5, 2.0])
FOLDER = REPORTS / "filtering"


def value(x):
    r2 = (x * x).sum(-1)
    return (r2 - 1) ** 2 / 4 + x[:, 0] / 4


def slope(x):
    out = ((x * x).sum(-1) - 1)[:, None] * x
    out[:, 0] += 0.25
    return out


def bearing(x, angle):
    """The log density of the observed angle where X is x: von Mises about the angle of x."""
    return CONCENTRATION * np.cos(np.arctan2(x[:, 1], x[:, 0]) - angle) - CONSTANT


def problem():
    """The diffusion."""
    energy = pf.Energy(pf.potentials.FromFunction(value, grad=slope, dim=2), pf.Entropy(0.25))
    return pf.Problem(energy, pf.laws.Gaussian([1.0, 0.0], 0.25), 2.0, name="bearings")


def drawn(seed):
    """The filter of one path, with angles drawn about its own."""
    diffusion = problem()
    path = pf.solve(diffusion, pf.particle.EulerMaruyama(particles=1), dt=1e-3, times=TIMES, seed=seed)
    rng = np.random.default_rng(seed)
    places = [law.sample(1, rng)[0] for law in path.laws]
    angles = np.array([rng.vonmises(np.arctan2(x[1], x[0]), CONCENTRATION) for x in places])
    return Filter(diffusion, TIMES, angles, log_likelihood=bearing)


def on_grid(seen, cells, dt):
    """The posteriors on cells of [-3, 3]²."""
    return seen.run(pf.grid.ChangCooper(cells, -3.0, 3.0, time_order=2), dt=dt)


def arguments(parser):
    """The options of this example on the command line."""
    parser.add_argument("--seeds", type=int, default=8, help="how many runs of each bootstrap filter")
    parser.add_argument("--cells", type=int, default=192, help="cells of the truth an axis")


def run(options):
    """Compute the example and write its report."""
    seen = drawn(0)
    begin = time.process_time()
    truth = on_grid(seen, options.cells, 0.01)
    work = time.process_time() - begin
    coarse = on_grid(seen, options.cells // 2, 0.02)
    scale = np.sqrt(np.trace(truth.final.cov()))

    def gap(flow):
        mean = np.linalg.norm(flow.final.mean() - truth.final.mean()) / scale
        cov = np.linalg.norm(flow.final.cov() - truth.final.cov()) / scale**2
        return mean, cov, abs(flow.stats["log_evidence"] - truth.stats["log_evidence"])

    lines = [["Chang-Cooper, half the cells, twice the step", 1, *(f"{g:.2g}" for g in gap(coarse)), "", ""]]
    for particles in (1_000, 10_000, 100_000):
        gaps, sizes, seconds = [], [], []
        for seed in range(options.seeds):
            begin = time.process_time()
            flow = seen.run(pf.particle.EulerMaruyama(particles=particles), dt=2e-3, seed=seed)
            seconds.append(time.process_time() - begin)
            gaps.append(gap(flow))
            sizes.append(min(note["effective_size"] for note in flow.stats["observations"]))
        root = np.sqrt(np.mean(np.square(gaps), axis=0))
        lines.append([
            f"bootstrap {particles:,}", options.seeds, *(f"{g:.2g}" for g in root), f"{np.mean(sizes):,.0f}",
            f"{np.median(seconds):.2g}",
        ])  # fmt: skip
        print(lines[-1], flush=True)
    rows = markdown_table(
        ["method", "runs", "mean", "covariance", "log-evidence", "least effective particles", "CPU seconds"], lines
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = [
        "# A diffusion of which only the direction is seen", "", f"`{command()}`", "",
        *(line for line in (__doc__ or "").splitlines()[2:5]), "",
        f"Truth: {options.cells}² cells, dt = 0.01, second order, {work:.2g} CPU seconds, log-evidence "
        f"{truth.stats['log_evidence']:.5f}. Errors at t = 2 are root mean squares over runs, of the mean in standard "
        "deviations of the truth and of the covariance in its trace.", "", *rows, "",
        "![The posterior](bearings.png)", "",
    ]  # fmt: skip
    (FOLDER / "bearings.md").write_text("\n".join(text), "utf-8")
    picture(seen, truth)
    print("\n".join(rows))
    return 0


def picture(seen, truth):
    """The posterior after each observation, with the ray of the angle."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(TIMES), figsize=(11, 3), sharey=True)
    for panel, now, angle in zip(panels, TIMES, seen.values):
        law = truth.at(now)
        panel.pcolormesh(law.axes[0], law.axes[1], law.density.T, cmap="Blues", rasterized=True)
        panel.plot([0, 3 * np.cos(angle)], [0, 3 * np.sin(angle)], color="C1", lw=1)
        panel.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
        panel.set_title(f"after the observation at t = {now:g}", fontsize=8)
    figure.tight_layout()
    figure.savefig(FOLDER / "bearings.png", dpi=80)
