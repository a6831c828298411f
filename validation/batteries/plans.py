"""Whether a planned study is conclusive, and what it costs beside the cheapest one: Euler-Maruyama, claim of order one.

Runs of 20,000 particles on the Ornstein-Uhlenbeck flow are made once, for dt = 1/2 ... 1/256 and many seeds. Each
repeat draws its runs from them: those of the pilot, which grows by itself, and those of the planned study, which begin
with the pilot's. `fresh` is the planned study with other seeds than the pilot's. The grid asks for the cheapest levels
and seeds that are conclusive in 90 % of as many repeats. A run costs its steps, so that the plans do not depend on the
load of the machine. The bars: at least 90 % of the planned studies end as `pass`, and at least 90 % of them cost at
most three times the cheapest, as does their mean. `with the pilot` is the cost of all runs, each made once.

Run: python validation/batteries/plans.py [--quick] [--repeats K] [--seeds N] [--out FILE]; exit code 1 where a bar is
missed.
"""

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from _report import command

import pdeflow as pf
from pdeflow.study import Table
from pdeflow.study.planning import SEEDS

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

    def drawn(self, rng):
        """A function (levels, seeds) -> Table of runs, the same ones when asked again."""
        order = {dt: rng.permutation(self.seeds) for dt in LEVELS}

        def table(levels, seeds):
            rows = [
                {**row, "seed": seed} for dt in levels for seed in seeds for row in self.rows[dt, int(order[dt][seed])]
            ]
            return Table(rows, self.table.axes, self.table.floor_adds)

        return table


def conclusive(table, claim):
    return table.claims(claim).worst == "pass"


def cost(levels, seeds):
    return seeds * sum(1 / dt for dt in levels)


def planned(pool, claim, seed, rng):
    """Of a plan: the cost of its study, that of all runs, and whether it passes with the pilot's seeds and others."""
    table = pool.drawn(rng)
    plan = pf.plan(
        study(LEVELS[:2], range(1)),
        claim,
        pilot=lambda part: table(part.sweep.given["dt"], part.seeds),
        most_levels=8,
        seed=seed,
    )
    seeds = dict.fromkeys(plan.levels, plan.seeds)
    for row in plan.pilot.rows:
        seeds[row["dt"]] = max(seeds.get(row["dt"], 0), row["seed"] + 1)
    same, others = (table(plan.levels, range(first, first + plan.seeds)) for first in (0, pool.seeds // 2))
    whole = sum(count / dt for dt, count in seeds.items())
    return cost(plan.levels, plan.seeds), whole, conclusive(same, claim), conclusive(others, claim)


def cheapest(pool, claim, repeats, rng):
    """The least cost of levels and seeds that are conclusive in 90 % of the repeats."""
    pairs = sorted(((LEVELS[:n], seeds) for n in range(4, 9) for seeds in SEEDS[1:]), key=lambda pair: cost(*pair))
    for levels, seeds in pairs:
        missed = 0
        for _ in range(repeats):
            missed += not conclusive(pool.drawn(rng)(levels, range(seeds)), claim)
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
    pool, good = Pool(options.seeds or (280 if options.quick else 400)), True
    lines = [
        "| metric | planned studies that pass | fresh | cost over the cheapest: mean | 90 % | largest | at most 3 "
        "| with the pilot: mean | largest | cheapest |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number, (name, claim) in enumerate(CLAIMS.items()):
        rng, rng_of_grid = np.random.default_rng(number), np.random.default_rng(100 + number)
        found = [planned(pool, claim, k, rng) for k in range(repeats)]
        costs, whole, passed, fresh = (np.array(column) for column in zip(*found, strict=True))
        least, words = cheapest(pool, claim, repeats, rng_of_grid)
        ratio, cheap = costs / least, int(np.sum(costs <= 3 * least))
        good &= passed.sum() >= 0.9 * repeats and cheap >= 0.9 * repeats and ratio.mean() <= 3
        lines.append(
            f"| {name} | {passed.sum()} of {repeats} | {fresh.sum()} | {ratio.mean():.2f} "
            f"| {np.quantile(ratio, 0.9):.2f} | {ratio.max():.2f} | {cheap} of {repeats} "
            f"| {(whole / least).mean():.2f} | {(whole / least).max():.2f} | {words} |"
        )
        print(lines[-1], flush=True)
    if options.out:
        made = f"Made by `{command()}`: {repeats} repeats, from runs of {pool.seeds} seeds."
        options.out.write_text("\n".join(["# Planned studies", "", made, "", *lines]) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
