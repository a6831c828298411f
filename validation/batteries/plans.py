"""Whether a planned study is conclusive, and what it costs beside the cheapest one: Euler-Maruyama, claim of order one.

Runs of 20,000 particles on the Ornstein-Uhlenbeck flow are made once, for dt = 1/2 ... 1/256 and many seeds. Each
repeat draws its pilot (three levels, twelve seeds) and its planned study from them. The grid asks for the cheapest
levels and seeds that is conclusive in 90 % of as many repeats. A run costs its steps, so that the plans do not depend
on the load of the machine. The bars: at least 90 % of the planned studies end as `pass`, and each costs at most three
times the cheapest.

Run: python validation/batteries/plans.py [--quick] [--repeats K] [--seeds N] [--out FILE]; exit code 1 where a bar is
missed.
"""

import argparse
import pathlib
import sys

import numpy as np

import pdeflow as pf
from pdeflow.study import Table
from pdeflow.study.planning import PILOT_LEVELS, PILOT_SEEDS, SEEDS

LEVELS = [2.0**-k for k in range(1, 9)]
CLAIMS = {"mean": pf.Claim("em", "mean", 1.0, 0.1, "x"), "W2": pf.Claim("em", "W2", 1.0, 0.1, "x")}
METRICS = {"mean": pf.metrics.mean_error, "W2": pf.metrics.w2}


def study(levels, seeds):
    """Euler-Maruyama with 20,000 particles."""
    return pf.Study(pf.problems.ou(), {"em": pf.particle.EulerMaruyama(20_000)}, {"dt": levels}, METRICS, seeds=seeds)


class Pool:
    """Rows of many seeds, from which smaller studies are drawn."""

    def __init__(self, seeds):
        self.table, self.seeds = study(LEVELS, range(seeds)).run(), seeds
        self.rows = {}
        for row in self.table.rows:
            self.rows.setdefault((row["dt"], row["seed"]), []).append({**row, "seconds": 1 / row["dt"]})

    def drawn(self, levels, seeds, rng):
        """The table of a study with seeds drawn for each level."""
        rows = []
        for dt in levels:
            rows += [row for seed in rng.choice(self.seeds, seeds, replace=False) for row in self.rows[dt, int(seed)]]
        return Table(rows, self.table.axes, self.table.floor_adds)

    def conclusive(self, claim, levels, seeds, rng):
        return self.drawn(levels, seeds, rng).claims(claim).worst == "pass"


def cost(levels, seeds):
    return seeds * sum(1 / dt for dt in levels)


def cheapest(pool, claim, repeats, rng):
    """The least cost of levels and seeds that are conclusive in 90 % of the repeats."""
    pairs = sorted(((LEVELS[:n], seeds) for n in range(4, 9) for seeds in SEEDS[1:]), key=lambda pair: cost(*pair))
    for levels, seeds in pairs:
        missed = 0
        for _ in range(repeats):
            missed += not pool.conclusive(claim, levels, seeds, rng)
            if missed > 0.1 * repeats:
                break
        else:
            return cost(levels, seeds), f"{len(levels)} levels, {seeds} seeds"
    return np.inf, "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--seeds", type=int, help="runs that the studies are drawn from, at each level")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    repeats = options.repeats or (10 if options.quick else 100)
    rng, pool, good = np.random.default_rng(0), Pool(options.seeds or (140 if options.quick else 400)), True
    lines = [
        "| metric | planned studies that pass | cost of the plans over the cheapest: mean | largest | cheapest |",
        "|---|---|---|---|---|",
    ]
    for name, claim in CLAIMS.items():
        costs, passed = [], 0
        for k in range(repeats):
            pilot = pool.drawn(LEVELS[:PILOT_LEVELS], PILOT_SEEDS, rng)
            plan = pf.plan(study(LEVELS[:2], range(1)), claim, pilot=pilot, most_levels=8, seed=k)
            costs.append(cost(plan.levels, plan.seeds))
            passed += pool.conclusive(claim, list(plan.levels), plan.seeds, rng)
        least, words = cheapest(pool, claim, repeats, rng)
        ratio = np.array(costs) / least
        good &= passed >= 0.9 * repeats and ratio.max() <= 3
        lines.append(f"| {name} | {passed} of {repeats} | {ratio.mean():.2f} | {ratio.max():.2f} | {words} |")
        print(lines[-1], flush=True)
    if options.out:
        made = f"{repeats} repeats, from runs of {pool.seeds} seeds."
        options.out.write_text("# Planned studies\n\n" + "\n".join([made, "", *lines]) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
