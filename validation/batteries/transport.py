"""W2 between clouds against assignments that are right by construction: units, outliers, weights and offsets.

Run `python validation/batteries/transport.py [--quick] [--out FILE]`. The exit code is 1 where a bar is missed: no
wrong value, 99 % answered (90 % with outliers beyond 1e6), 30 s and 1 GB a call.

The truth never comes from the far points: a cloud is a bulk of size one and, 1e3 to 1e10 away, groups of as many points
in both clouds, so that the optimum transports each group within itself. Each group is solved in its own coordinates
as an assignment problem by scipy, whose optimality is proved by the potentials of a linear program (HiGHS) up to 60
points. Weighted clouds are the same points with repeated ones merged. Units are powers of ten: they round coordinates.
"""

import argparse
import resource
import sys
import time

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

import pdeflow as pf
from pdeflow.laws import Particles

OUTLIERS = (0.0, 1e3, 1e6, 1e8, 1e10)
UNITS = (1e-12, 1e-7, 1e-3, 1.0, 1e5, 1e12)


def assignment(x, y, proved=True):
    """Σ of squared distances of the optimal assignment; proved by a linear program where it is small."""
    cost = cdist(x, y, "sqeuclidean")
    rows, columns = linear_sum_assignment(cost)
    total = cost[rows, columns].sum()
    n = len(x)
    if proved and 1 < n <= 60 and total > 0:
        sums = np.zeros((2 * n, n, n))
        sums[np.arange(n), np.arange(n), :] = 1
        sums[n + np.arange(n), :, np.arange(n)] = 1
        solved = linprog(cost.ravel(), A_eq=sums.reshape(2 * n, -1), b_eq=np.ones(2 * n), method="highs")
        assert solved.status == 0
        dual = solved.eqlin.marginals
        u = (cost - dual[n:]).min(axis=1)  # feasible to round-off, whatever the solver returned
        v = (cost - u[:, None]).min(axis=0)
        assert abs(total - u.sum() - v.sum()) <= 1e-8 * total, "the truth itself is not proved"
    return total


def case(rng, n, dim, unit, outlier, kind):
    """(approximation, truth, exact W2): near clouds are almost equal, a lone outlier has no partner."""
    closeness = 10.0 ** rng.uniform(-6, -1) if kind == "near" else 1.0
    x = rng.standard_normal((n, dim))
    y = x[rng.permutation(n)] + closeness * rng.standard_normal((n, dim)) if kind == "near" else None
    y = rng.standard_normal((n, dim)) + 0.3 if y is None else y
    if kind == "weighted":
        x, y = x[rng.integers(max(n // 2, 1), size=n)], y[rng.integers(max(n // 2, 1), size=n)]
    squared, far = 0.0, 0
    if outlier:
        far = int(rng.integers(1, 4))
        for i in range(far):
            place = np.zeros(dim)
            place[rng.integers(dim)] = outlier * (i + 1)
            x[i], y[i] = place, place + closeness * rng.standard_normal(dim)
            squared += np.sum((x[i] - y[i]) ** 2)
    if kind == "lone" and outlier:
        # one far point without a partner: all other points count by their difference of costs alone, to 1e-9 of the sum
        y[:far] = rng.standard_normal((far, dim))
        far, squared = 0, 0.0
    squared += assignment(x[far:], y[far:], proved=kind != "lone")
    exact = np.sqrt(squared / n) * unit
    laws = []
    for z in (x, y):
        z = z[rng.permutation(n)] * unit
        if kind == "weighted":
            z, count = np.unique(z, axis=0, return_counts=True)
            laws.append(Particles(z, count / n))
        else:
            laws.append(Particles(z))
    return *laws, exact


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args()
    rng = np.random.default_rng(20261127)
    sizes = {10: 6, 40: 4, 200: 1} if options.quick else {10: 60, 55: 25, 200: 10, 1000: 1}
    rows, missed, everything = [], [], []
    for outlier in OUTLIERS:
        for kind in ("equal", "weighted", "near", "lone"):
            if kind == "lone" and not outlier:
                continue
            for n, repeats in sizes.items():
                wrong, answered, worst, seconds, asked = 0, 0, 0.0, 0.0, 0
                for dim in (2, 3, 5, 10):
                    for unit in UNITS:
                        for _ in range(max(repeats // 6, 1)) if n < 1000 else range(unit in (1e-12, 1.0, 1e12)):
                            a, b, exact = case(rng, n, dim, unit, outlier, kind)
                            asked += 1
                            start = time.process_time()
                            try:
                                value = pf.metrics.w2(a, b).value
                            except pf.errors.NotConverged as error:
                                everything.append(str(error))
                                value = None
                            seconds = max(seconds, time.process_time() - start)
                            if value is not None:
                                answered += 1
                                # coordinates far out are rounded by the unit to 1e-16 of their size
                                rounding = 4e-16 * outlier * 3 * unit / exact if unit != 1 else 0.0
                                error = abs(value - exact) / exact
                                worst = max(worst, max(error - rounding, 0.0))
                                wrong += error > 1e-9 + rounding
                bar = 0.9 if outlier > 1e6 else 0.99
                if wrong or answered < bar * asked or seconds > 30:
                    missed.append((outlier, kind, n))
                rows.append((f"{outlier:.0e}" if outlier else "none", kind, n, asked, wrong, answered, worst, seconds))
                print(rows[-1], flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines = [
        "# W2 between clouds: the battery of units, outliers and weights",
        "",
        "`python validation/batteries/transport.py`: dimensions 2, 3, 5, 10; units 1e-12 ... 1e12. Bars: 0 wrong",
        "(beyond 1e-9, and the rounding of far coordinates by the unit), 99 % answered (90 % beyond outliers of 1e6),",
        "30 s, 1 GB.",
        "",
        "| outlier | clouds | n | asked | wrong | answered | worst relative error | worst CPU seconds |",
        "|---|---|---|---|---|---|---|---|",
        *(f"| {o} | {k} | {n} | {a} | {w} | {r} | {e:.1e} | {s:.2f} |" for o, k, n, a, w, r, e, s in rows),
        "",
        f"Peak memory of the whole run: {peak:.2f} GB. Bars missed: {missed or 'none'}.",
    ]
    print("\n".join(lines), *everything[:5], sep="\n")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    sys.exit(1 if missed or peak > 1 else 0)


if __name__ == "__main__":
    main()
