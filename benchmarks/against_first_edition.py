"""This checkout against another one, the first edition: seconds of the same work, side by side in one run.

    git worktree add ../first_edition 7537ce0
    python benchmarks/against_first_edition.py ../first_edition [NAME ...] [--pairs 9]

Two processes stay open, one for each checkout. After a warm-up they take turns, the first of a pair changing from
pair to
pair, and the medians of the pairs are printed. The exit status is 1 if anything is slower by more than 5 %: then run it
again on a quiet machine before you believe it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parents[1]
ALLOWED = 1.05

# name: (preparation, timed work), and where the first edition spelt something differently, the pair for it.
WORK = {
    "chang_cooper": (
        "problem = pf.problems.ou(); method = pf.grid.ChangCooper(cells=2000, lower=-5.0, upper=5.0)",
        "pf.solve(problem, method, dt=1e-3)",
    ),
    "quantile_jko": (
        "problem = pf.problems.ou(); method = pf.grid.QuantileJKO(points=1000)",
        "pf.solve(problem, method, dt=1 / 64)",
    ),
    "quantile_jko_interaction": (
        "problem = pf.problems.mckean_vlasov_ou(); method = pf.grid.QuantileJKO(points=500)",
        "pf.solve(problem, method, dt=1 / 32)",
    ),
    "cvxopt_jko": (
        "problem = pf.problems.porous_medium(1, 2.0, 0.2, 0.1); method = pf.grid.CvxoptJKO(cells=150)",
        "pf.solve(problem, method, dt=0.05)",
    ),
    "euler_maruyama": (
        "problem = pf.problems.ou(dim=12, seed=0); method = pf.particle.EulerMaruyama(particles=50_000)",
        "pf.solve(problem, method, dt=0.01, times=[1.0])",
    ),
    "icnn_jko": (
        "problem = pf.problems.ou(dim=12, seed=0); method = pf.neural.ICNNJKO()",
        "pf.solve(problem, method, dt=0.05, times=[0.1])",
    ),
    "variational_jko": (
        "problem = pf.problems.ou(dim=6, seed=0); method = pf.neural.VariationalJKO("
        "map=pf.neural.DeepResidual(), outer=30, learning_rate=0.025)",
        "pf.solve(problem, method, dt=0.05, times=[0.1])",
    ),
    "pwgf": (
        "problem = pf.problems.styblinski_tang(2); method = pf.neural.PWGF(samples=4000, "
        "map=pf.neural.Planar(layers=20), integrator=pf.neural.Euler())",
        "pf.solve(problem, method, dt=0.005, times=[0.02])",
    ),
    "w2_of_clouds": (
        "rng = np.random.default_rng(0); a, b = (pf.laws.Particles(rng.normal(size=(800, 3))) for _ in range(2))",
        "pf.metrics.w2(a, b)",
    ),
    "w2_on_the_line": (
        "a = pf.problems.mixture_ou(); a, b = a.exact(0.5), a.exact(0.6)",
        "pf.metrics.w2(a, b)",
    ),
    "w2_mixture_to_gaussian": (
        "a = pf.laws.GaussianMixture([0.3, 0.7], [-1.0, 1.0], [0.2, 0.3]); b = pf.laws.Gaussian(0.0, 1.0)",
        "[pf.metrics.w2(a, b) for _ in range(5)]",
    ),
    "sliced_w2_to_a_mixture": (
        "rng = np.random.default_rng(0); a = pf.laws.GaussianMixture([0.3, 0.7], rng.normal(size=(2, 10)), 0.5); "
        "b = pf.laws.Particles(a.sample(2000, rng))",
        "pf.metrics.sliced_w2(b, a, rng=np.random.default_rng(1), projections=20)",
    ),
    "kl_of_mixtures": (
        "a = pf.problems.mixture_ou(); a, b = a.exact(0.5), a.exact(0.6)",
        "[pf.metrics.sym_kl(a, b) for _ in range(5)]",
    ),
    "energy": (
        "p = pf.problems.double_well(); law = pf.laws.GaussianMixture([0.4, 0.6], [-1.0, 1.0], [0.2, 0.3])",
        "[p.energy.evaluate(law) for _ in range(20)]",
    ),
}
FIRST_EDITION = {
    "variational_jko": WORK["variational_jko"][0].replace("pf.neural.DeepResidual()", '"residual"'),
    "pwgf": WORK["pwgf"][0]
    .replace("map=pf.neural.Planar(layers=20)", "shape=pf.neural.Shape(layers=20)")
    .replace("pf.neural.Euler()", '"euler"'),
}

WORKER = """
import sys, time
import numpy as np
import pdeflow as pf
for line in sys.stdin:
    prepare, work = line.rstrip("\\n").split("\\t")
    names = {"pf": pf, "np": np}
    exec(prepare, names)
    code = compile(work, "work", "exec")
    begin = time.perf_counter()
    exec(code, names)
    print(time.perf_counter() - begin, flush=True)
"""


class Checkout:
    """A process that works for one checkout."""

    def __init__(self, root: Path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )

    def seconds(self, prepare: str, work: str) -> float:
        """Seconds of `work` after `prepare`."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{prepare}\t{work}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("names", nargs="*", help=f"default all: {', '.join(WORK)}")
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    first, second = Checkout(options.other.resolve()), Checkout(HERE)
    worst = 0.0
    print("| work | first edition, ms | this checkout, ms | ratio |\n| --- | --- | --- | --- |")
    for name in options.names or WORK:
        prepare, work = WORK[name]
        before = FIRST_EDITION.get(name, prepare)
        times: tuple[list[float], list[float]] = ([], [])
        for pair in range(-1, options.pairs):  # the pair -1 is the warm-up
            sides = [(first, before, times[0]), (second, prepare, times[1])]
            for checkout, ready, kept in sides if pair % 2 else sides[::-1]:
                seconds = checkout.seconds(ready, work)
                if pair >= 0:
                    kept.append(seconds)
        ratio = median(new / old for old, new in zip(*times, strict=True))
        worst = max(worst, ratio)
        print(f"| {name} | {1e3 * median(times[0]):.2f} | {1e3 * median(times[1]):.2f} | {ratio:.3f} |", flush=True)
    return 1 if worst > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main())
