"""Figure 5 of the thesis: nonlinear filtering, SymKL at t = 5 to the truth, by method and experiment.

Fifteen paths are drawn by seed, with nine noisy observations each. The truth is `ChangCooper` on the published grid
(2,000 cells of [-5, 5]), of second order with dt = 0.01, which is nearer to the limit than the published dt = 1e-3 of
first order. SymKL is summed over the cells at their centres, with densities normalised there, as published. Kernel
densities have Scott's rule, as published.

`python validation/reproductions/mokrov2022.py figure5` computes what out/filtering/rows lacks and writes
reports/filtering/figure5.md and its pictures; `--animate` also writes out/filtering/posterior.gif.
"""

import json
import re
import time
from pathlib import Path

import numpy as np
from _report import REPORTS, command, markdown_table
from filtering import pictures
from scipy.stats import binom

import pdeflow as pf
from pdeflow.applications import Filter, ripples

TIMES = 0.5 * np.arange(1, 10)
END = 5.0
EDGES = np.linspace(-5.0, 5.0, 2001)
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
WIDTH = 10.0 / 2000
STORE = REPORTS.parents[1] / "out" / "filtering"
FOLDER = REPORTS / "filtering"
PUBLISHED = json.loads((Path(__file__).parent / "published_filtering.json").read_text("utf-8"))


def truth(seen):
    """The posterior at 5 on the published grid."""
    return seen.run(pf.grid.ChangCooper(2000, -5.0, 5.0, time_order=2), dt=0.01, until=END)


def bootstrap(particles):
    """The bootstrap filter with a kernel density at the end, as published: however few particles count at a time."""

    def run(seen, seed):
        method = pf.particle.EulerMaruyama(particles=particles)
        flow = seen.run(method, dt=1e-3, until=END, seed=seed, least_effective=1)
        return flow, pf.laws.KernelDensity(flow.final.x)

    return run


def convex_maps(sampler, iterations=60):
    """ICNN-JKO with dt = 0.1 as published, and a network of 64 neurons (256 in the thesis)."""

    def run(seen, seed):
        network = pf.neural.Network(sharpness=20, signed=True)
        training = pf.neural.Training(pool=32_768)
        method = pf.neural.ICNNJKO(width=64, iterations=iterations, batch=512, network=network, training=training)
        flow = seen.run(method, dt=0.1, until=END, seed=seed, sampler=sampler)
        return flow, flow.final

    return run


def saddles(seen, seed):
    """VariationalJKO with dt = 0.1, and gradients of convex networks as maps."""
    training = pf.neural.Training(pool=32_768)
    method = pf.neural.VariationalJKO(map=pf.neural.Convex(width=64, depth=1), outer=100, batch=512, training=training)
    flow = seen.run(method, dt=0.1, until=END, seed=seed)
    return flow, flow.final


def exact_jko(seen, seed):
    """JKO steps with dt = 0.1 and no other error to speak of."""
    flow = seen.run(pf.grid.QuantileJKO(points=1000), dt=0.1, until=END)
    return flow, flow.final


def dual_jko(seen, seed):
    """DualJKO with dt = 0.1: the density in closed form is multiplied by the likelihoods."""
    flow = seen.run(pf.neural.DualJKO(), dt=0.1, until=END, seed=seed)
    return flow, flow.final


DRAWN = ("bootstrap 1,000", "ICNN-JKO, stratified draws", "DualJKO")  # run again for the picture, about 50 CPU seconds
CHAINS = dict(chains=2048, warm_up=40, every=3)
METHODS = {
    "bootstrap 100": bootstrap(100),
    "bootstrap 1,000": bootstrap(1_000),
    "bootstrap 10,000": bootstrap(10_000),
    "bootstrap 50,000": bootstrap(50_000),
    "ICNN-JKO": convex_maps(None),
    "ICNN-JKO, stratified draws": convex_maps(pf.laws.Stratified(), 100),
    "ICNN-JKO, Crank-Nicolson chains": convex_maps(
        pf.laws.MetropolisHastings(pf.laws.CrankNicolson(acceptance=0.4), **CHAINS)
    ),
    "ICNN-JKO, independent chains": convex_maps(pf.laws.MetropolisHastings(pf.laws.Independence(), **CHAINS)),
    "VariationalJKO": saddles,
    "DualJKO": dual_jko,
    "JKO in quantiles": exact_jko,
}
COLUMNS = {
    "bootstrap 100": "bbf_100",
    "bootstrap 1,000": "bbf_1000",
    "bootstrap 10,000": "bbf_10000",
    "bootstrap 50,000": "bbf_50000",
    "ICNN-JKO": "ICNN_jko",
    "ICNN-JKO, stratified draws": "ICNN_jko",
    "ICNN-JKO, Crank-Nicolson chains": "ICNN_jko",
    "ICNN-JKO, independent chains": "ICNN_jko",
    "DualJKO": "dual_jko",
}


def sym_kl(law, exact):
    """SymKL and the L1 distance of two densities on the cells, and the share of the truth where the law has none."""
    log = law.log_density(CENTRES[:, None])
    q = np.exp(log - log.max())
    q, p = q / (q.sum() * WIDTH), exact.mass / (exact.mass.sum() * WIDTH)
    both = (q > 0) & (p > 0)
    value = WIDTH * np.sum((p - q)[both] * np.log(p[both] / q[both]))
    return float(value), float(WIDTH * np.abs(p - q).sum()), float(WIDTH * p[~both].sum())


def experiment(number):
    """The filter of one path, and the truth at 5."""
    seen = Filter.simulated(ripples(END), TIMES, seed=number)
    return seen, truth(seen)


def row(name, number):
    """One method on one path."""
    seen, exact = experiment(number)
    begin, work = time.perf_counter(), time.process_time()
    flow, law = METHODS[name](seen, number)
    seconds, work = time.perf_counter() - begin, time.process_time() - work
    value, gap, outside = sym_kl(law, exact.final)
    notes = flow.stats["observations"]
    return {
        "method": name,
        "experiment": number,
        "sym_kl": value,
        "l1": gap,
        "outside": outside,
        "evidence": flow.stats["log_evidence"] - exact.stats["log_evidence"],
        "evidences": [
            one["log_evidence"] - other["log_evidence"] for one, other in zip(notes, exact.stats["observations"])
        ],
        "seconds": seconds,
        "cpu": work,
        "acceptance": [note["acceptance"] for note in notes if "acceptance" in note],
        "effective": [note["effective_size"] for note in notes if "effective_size" in note],
    }


def kept():
    """The rows in the store, one file each, so that several commands may fill it at once."""
    return [json.loads(file.read_text("utf-8")) for file in sorted((STORE / "rows").glob("*.json"))]


def keep(new):
    """Add a row to the store, in place of an older one."""
    (STORE / "rows").mkdir(parents=True, exist_ok=True)
    name = re.sub("[^a-z0-9]+", "-", f"{new['method']} {new['experiment']:02}".lower())
    (STORE / "rows" / f"{name}.json").write_text(json.dumps(new, indent=1), "utf-8")


def median_interval(values):
    """The median and the order statistics that hold it with 95 % confidence, whatever the law."""
    values = np.sort(values)
    n = len(values)
    below = int(binom.ppf(0.025, n, 0.5))
    return float(np.median(values)), float(values[max(below - 1, 0)]), float(values[min(n - below, n - 1)])


def table(rows):
    """Lines of the table of SymKL by method beside the published one."""
    lines = []
    for name in METHODS:
        mine = [one for one in rows if one["method"] == name]
        if not mine:
            continue
        middle, low, high = median_interval([one["sym_kl"] for one in mine])
        theirs = PUBLISHED.get(COLUMNS.get(name, ""))
        old = ["", "", ""]
        if theirs is not None:
            centre, least, most = median_interval(theirs["sym_kl"])
            span = f"{min(theirs['sym_kl']):.4f} to {max(theirs['sym_kl']):.4f}"
            old = [f"{centre:.4f} [{least:.4f}, {most:.4f}]", span, f"{theirs['seconds']:,.3g}"]
        lines.append([
            name, len(mine), f"{middle:.4f} [{low:.4f}, {high:.4f}]",
            f"{min(one['sym_kl'] for one in mine):.4f} to {max(one['sym_kl'] for one in mine):.4f}",
            f"{np.median([one['l1'] for one in mine]):.3f}",
            f"{np.sqrt(np.mean([one['evidence'] ** 2 for one in mine])):.3f}",
            f"{np.median([one['cpu'] for one in mine]):.3g}", *old,
        ])  # fmt: skip
    return markdown_table(
        ["method", "runs", "SymKL: median [95 %]", "range", "L1 median", "log-evidence, root mean square error",
         "CPU seconds", "published SymKL: median [95 %]", "published range", "published seconds"], lines,
    )  # fmt: skip


def grids():
    """Work and precision of grids on experiments 0 to 2, against the truth: (cells, dt, SymKL, log-evidence, work)."""
    found = []
    for cells, dt in [(100, 0.1), (200, 0.05), (500, 0.02), (1000, 0.01)]:
        errors, evidence, work = [], [], []
        for number in range(3):
            seen, exact = experiment(number)
            begin = time.process_time()
            flow = seen.run(pf.grid.ChangCooper(cells, -5.0, 5.0, time_order=2), dt=dt, until=END)
            work.append(time.process_time() - begin)
            errors.append(sym_kl(flow.final, exact.final)[0])
            evidence.append(abs(flow.stats["log_evidence"] - exact.stats["log_evidence"]))
        found.append((cells, dt, float(np.median(errors)), max(evidence), float(np.median(work))))
    return found


def grid_table(found):
    """Lines of the table of grids."""
    lines = [[cells, dt, *(f"{value:.2g}" for value in values)] for cells, dt, *values in found]
    return markdown_table(["cells", "dt", "SymKL", "log-evidence", "CPU seconds"], lines)


def few_particles(rows):
    """A sentence on the runs in which fewer particles carried a posterior than `Filter.run` accepts by itself."""
    counted = [
        (name, [min(one["effective"]) for one in rows if one["method"] == name and one["effective"]])
        for name in METHODS
    ]
    found = [f"{sum(least < 10 for least in sizes)} of {len(sizes)} of `{name}`" for name, sizes in counted if sizes]
    if not found:
        return []
    return [
        "In the following runs an observation left fewer than ten particles that count (1/Σw²), which `Filter.run` "
        f"refuses unless `least_effective=1` is passed, as here: {', '.join(found)}.",
        "",
    ]


def chains_table(rows):
    """The acceptance of the chains by observation."""
    lines = []
    for name in METHODS:
        shares = [one["acceptance"] for one in rows if one["method"] == name and one["acceptance"]]
        if shares:
            lines.append([name, *(f"{share:.2f}" for share in np.mean(shares, axis=0))])
    if not lines:
        return []
    title = ["acceptance after observation", *map(str, range(1, len(TIMES) + 1))]
    return [
        "## Metropolis-Hastings",
        "",
        "Independent proposals are taken less and less often, for the posterior of the start narrows and they do not: "
        f"{CHAINS['warm_up']} steps of warm-up then leave most chains where they were. Crank-Nicolson steps tune their "
        "length.",
        "",
        *markdown_table(title, lines),
        "",
    ]


def arguments(parser):
    """The options of this figure on the command line."""
    parser.add_argument("--experiments", type=int, nargs="*", default=list(range(15)), help="which paths, by seed")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS), help="which methods")
    parser.add_argument("--quick", action="store_true", help="two paths, the bootstrap filter up to 1,000, no report")
    parser.add_argument("--rows-only", action="store_true", help="fill the store, and write no report")
    parser.add_argument("--kept", action="store_true", help="report what the store holds, and compute no more rows")
    parser.add_argument("--animate", action="store_true", help="write the density in time as a GIF")


def run(options):
    """Compute what is missing, print each row, and write the report."""
    if options.quick:
        options.experiments, options.methods = [0, 1], ["bootstrap 100", "bootstrap 1,000", "JKO in quantiles"]
    for number in options.experiments:
        for name in options.methods:
            if not options.kept and not any((old["method"], old["experiment"]) == (name, number) for old in kept()):
                new = row(name, number)
                keep(new)
                print(f"{name:34} {number:2} SymKL {new['sym_kl']:.4f}  {new['cpu']:.1f} CPU s", flush=True)
    if options.animate:
        seen = Filter.simulated(ripples(END), TIMES, seed=0)
        flow = seen.run(pf.grid.ChangCooper(500, -5.0, 5.0), dt=0.01, times=np.arange(1, 101) * 0.05)
        STORE.mkdir(parents=True, exist_ok=True)
        pictures.animation(STORE / "posterior.gif", seen, flow)
        print(STORE / "posterior.gif")
    rows = [one for one in kept() if one["experiment"] in options.experiments]
    if options.quick or options.rows_only:
        print("\n".join(table(rows)))
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    cells = grids()
    lines = [
        "# Nonlinear filtering: figure 5 of the thesis",
        "",
        f"`{command()}`",
        "",
        *(line for line in (__doc__ or "").splitlines()[2:6]),
        "",
        "The published paths are other draws of the same law, so medians and ranges are compared, not runs. Intervals "
        "are order statistics that hold the median with 95 % confidence (the range where there are fewer than six "
        "runs). `ICNN-JKO` has 60 iterations a step, with stratified draws 100, and dt = 0.1 as published. Without "
        "a word it draws the start of its paths exactly by quantiles; with chains it is the published "
        f"Algorithm 3, mended: {CHAINS['chains']} chains, {CHAINS['warm_up']} steps of warm-up from where those of "
        f"the one before ended, every {CHAINS['every']}rd place (published: 1,024, 1,000 and 2). "
        "`VariationalJKO` has 100 iterations a step, and the convex maps that it takes have no neurons as sharp as the "
        "wells; `DualJKO` has its defaults. "
        "`JKO in quantiles` has the error of JKO steps alone, in cells where it has mass (the truth has at most "
        f"{max([one['outside'] for one in rows], default=0):.1g} outside). The bootstrap filter is that of Langevin "
        "particles; Stein particles (`SVGD`) are on their way to a law, and not along that of the diffusion, so that "
        "they predict nothing between two observations.",
        "",
        *few_particles(rows),
        *table(rows),
        "",
        "![SymKL and the posterior](figure5.png)",
        "",
        *chains_table(rows),
        "## Work and precision",
        "",
        "Medians and their intervals; the published seconds are those of the authors' machine.",
        "",
        "![Work and precision](work_precision.png)",
        "",
        "Chang-Cooper on [-5, 5] of second order in time, median of three experiments against the truth:",
        "",
        *grid_table(cells),
        "",
    ]
    (FOLDER / "figure5.md").write_text("\n".join(lines), "utf-8")
    seen, exact = experiment(0)
    laws = {name: METHODS[name](seen, 0)[1].log_density(CENTRES[:, None]) for name in DRAWN}
    names = [name for name in METHODS if any(one["method"] == name for one in rows)]
    published = {name: PUBLISHED[COLUMNS[name]] for name in names if name in COLUMNS}
    pictures.errors_and_posterior(FOLDER / "figure5.png", names, rows, published, CENTRES, exact.final.density, laws)
    pictures.work_and_precision(FOLDER / "work_precision.png", names, rows, published, cells, median_interval)
    print("\n".join(table(rows)))
    return 0
