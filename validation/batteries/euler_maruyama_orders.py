"""Verdicts on a correct scheme of order one: Euler-Maruyama on the Ornstein-Uhlenbeck flow, the study repeated anew.

dt = 1/2 ... 1/64, 10⁵ particles, 4 seeds, claim 1 ± 0.1 in the mean, the covariance and W2. The bar: of 100 repeats at
most 1 ends `fail` and at least 90 end `pass`, in each metric. The steps of one seed share no noise: each level is a run
of its own, as a user's first study has it.

Run: python validation/batteries/euler_maruyama_orders.py [--quick] [--repeats K] [--out FILE]; exit code 1
where a bar is missed.
"""

import argparse
import pathlib
import sys
from collections import Counter

import pdeflow as pf

METRICS = {"mean": pf.metrics.mean_error, "covariance": pf.metrics.cov_error, "W2": pf.metrics.w2}
WORDS = ("pass", "inconclusive", "fail")


def verdicts(seed):
    """The order of each metric from one study with seeds of its own."""
    study = pf.Study(
        problems=[pf.problems.ou()],
        methods={"euler-maruyama": pf.particle.EulerMaruyama(100_000)},
        sweep={"dt": [2.0**-k for k in range(1, 7)]},
        metrics=METRICS,
        seeds=range(seed, seed + 4),
    )
    table = study.run()
    return {name: table.orders(name, expected=1.0).rows[0] for name in METRICS}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    repeats = options.repeats or (10 if options.quick else 100)
    found = {name: Counter() for name in METRICS}
    for k in range(repeats):
        for name, order in verdicts(4 * k).items():
            found[name][order["verdict"]] += 1
            if order["verdict"] == "fail":
                print(f"repeat {k}, {name}: {order['why']}", flush=True)
    lines = ["| metric | pass | inconclusive | fail |", "|---|---|---|---|"]
    lines += [f"| {name} | " + " | ".join(str(count[word]) for word in WORDS) + " |" for name, count in found.items()]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("# Euler-Maruyama, claim of order one\n\n" + "\n".join(lines) + "\n")
    good = all(count["fail"] <= max(1, repeats // 100) and count["pass"] >= 0.9 * repeats for count in found.values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
