"""CvxoptJKO, seconds per step: the structured KKT solver against CVXOPT's own: python benchmarks/jko_cvxopt.py

One JKO step of Power(m=2) from N(0, 0.04) on [-1, 1], dt = 0.01: all n cells hold mass, so there are n² variables on
both sides. CVXOPT's own solver is timed at n = 60, 80, 100 and extrapolated to n = 300 by a power law fitted to these;
the structured one is timed at the same n, at 300 and at 1,000. Medians of interleaved repeats after a warm-up; the
large sizes are run once a side.
Bars: 100x at n = 300; objectives equal to 1e-9 relative where both run; n = 1,000 completes (seconds, peak memory of
the process). The exit status is 1 if a bar is missed.
"""

import resource
import sys
import time

import numpy as np

import pdeflow as pf

SHARED, LARGE, REPEATS, DT = (60, 80, 100), 300, 3, 1e-2
PROBLEM = pf.Problem(pf.Energy(internal=pf.Power(2.0)), pf.laws.Gaussian(0.0, 0.04), 0.02, name="benchmark")


def one_step(cells, kkt):
    """Seconds and report of one step."""
    method = pf.grid.CvxoptJKO(cells=cells, lower=-1.0, upper=1.0, kkt=kkt)
    state = method.init(PROBLEM, None)
    start = time.perf_counter()
    state = method.step(PROBLEM, state, DT, None)
    return time.perf_counter() - start, method.report(state)


def main():
    for kkt in ("structured", "default"):
        one_step(30, kkt)
    seconds = {(cells, kkt): [] for cells in SHARED for kkt in ("structured", "default")}
    seconds[LARGE, "structured"] = []
    worst = 0.0
    for _ in range(REPEATS):
        for cells in SHARED:
            objectives = []
            for kkt in ("structured", "default"):
                spent, report = one_step(cells, kkt)
                seconds[cells, kkt].append(spent)
                objectives.append(report["primal_objective"])
            worst = max(worst, abs(objectives[0] / objectives[1] - 1))
        seconds[LARGE, "structured"].append(one_step(LARGE, "structured")[0])
    median = {key: float(np.median(times)) for key, times in seconds.items()}
    power, offset = np.polyfit(np.log(SHARED), [np.log(median[n, "default"]) for n in SHARED], 1)
    extrapolated = float(np.exp(offset) * LARGE**power)
    ratio = extrapolated / median[LARGE, "structured"]
    spent, report = one_step(1000, "structured")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    print(f"{'n':>6} {'structured s':>13} {'default s':>12} {'ratio':>8}")
    for cells in SHARED:
        ours, theirs = median[cells, "structured"], median[cells, "default"]
        print(f"{cells:>6} {ours:>13.4f} {theirs:>12.3f} {theirs / ours:>8.0f}")
    print(
        f"{LARGE:>6} {median[LARGE, 'structured']:>13.4f} {extrapolated:>12.1f} {ratio:>8.0f}   default "
        f"extrapolated: s = {np.exp(offset):.2e} n^{power:.2f}"
    )
    print(
        f"{1000:>6} {spent:>13.2f} {'':>12} {'':>8}   {report['iterations']} iterations, gap "
        f"{report['relative_gap']:.1e}, peak memory {memory:.2f} GiB"
    )
    passed = {
        f"speed at n = {LARGE}: {ratio:.0f}x, bar 100x": ratio >= 100,
        f"objectives differ by {worst:.1e} relative, bar 1e-9": worst <= 1e-9,
        "n = 1000 completes": report["status"] == "optimal",
    }
    for line, good in passed.items():
        print(f"{'pass' if good else 'FAIL'}  {line}")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
