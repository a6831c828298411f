"""CvxoptJKO: CPU seconds per step of its three KKT solvers, and sweeps that do not lock: benchmarks/jko_cvxopt.py

One JKO step of Power(m=2) from N(0, 0.04) on [-1, 1], dt = 0.01: all n cells hold mass, so there are n² variables for
"default" (CVXOPT's own solver) and "structured" (all pairs). "default" is timed at n = 60, 80, 100 and extrapolated to
n = 300 by a power law fitted to these, "structured" at the same n, at 300 and at 1,000, "banded" at all of these and at
4,000. Medians of interleaved repeats after a warm-up; the large sizes are run once. All is of one thread, so that CPU
seconds are those of an idle machine.
The sweeps: dt = 1/4 ... 1/32 on Ornstein-Uhlenbeck and on Barenblatt, with the 300 structured cells that were the
default before and with automatic cells: the order against the equation, and by how much the error exceeds that of the
exact JKO sequence.
Bars: structured 100x at n = 300; objectives equal to 1e-9 relative where two run; n = 1,000 structured completes; n =
4,000 banded under 5 s; automatic sweeps of order 1.0 +- 0.1, excess below 5 %, both under 3 minutes. The exit status is
1 if a bar is missed. --quick leaves out the sweeps.
"""

import resource
import sys
import time

import numpy as np

import pdeflow as pf

SHARED, LARGE, HUGE, REPEATS, DT = (60, 80, 100), 300, 4000, 3, 1e-2
PROBLEM = pf.Problem(pf.Energy(internal=pf.Power(2.0)), pf.laws.Gaussian(0.0, 0.04), 0.02, name="benchmark")
SWEEP = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
FLOWS = {"Ornstein-Uhlenbeck": pf.problems.ou(), "Barenblatt": pf.problems.porous_medium(1, 2.0, 0.2, 1.0)}


def one_step(cells, kkt):
    """CPU seconds and report of one step."""
    method = pf.grid.CvxoptJKO(cells=cells, lower=-1.0, upper=1.0, kkt=kkt)
    state = method.init(PROBLEM, None)
    start = time.process_time()
    state = method.step(PROBLEM, state, DT, None)
    return time.process_time() - start, method.report(state)


def steps():
    """The table of steps; what passed, by line."""
    for kkt in ("banded", "structured", "default"):
        one_step(30, kkt)
    one_step(120, "banded")
    timed = [(cells, kkt) for cells in SHARED for kkt in ("banded", "structured", "default")]
    timed += [(LARGE, "banded"), (LARGE, "structured")]
    seconds, objectives = {key: [] for key in timed}, {}
    for _ in range(REPEATS):
        for key in timed:
            spent, report = one_step(*key)
            seconds[key].append(spent)
            objectives[key] = report["primal_objective"]
    median = {key: float(np.median(times)) for key, times in seconds.items()}
    worst = max(abs(value / objectives[cells, "structured"] - 1) for (cells, _), value in objectives.items())
    power, offset = np.polyfit(np.log(SHARED), [np.log(median[n, "default"]) for n in SHARED], 1)
    median[LARGE, "default"] = float(np.exp(offset) * LARGE**power)
    ratio = median[LARGE, "default"] / median[LARGE, "structured"]
    spent, report = one_step(1000, "structured")
    banded = {cells: one_step(cells, "banded") for cells in (1000, HUGE)}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    print(f"{'n':>6} {'banded s':>10} {'structured s':>13} {'default s':>12}")
    for cells in (*SHARED, LARGE):
        row = [median[cells, kkt] for kkt in ("banded", "structured", "default")]
        note = f"   default extrapolated: s = {np.exp(offset):.2e} n^{power:.2f}" if cells == LARGE else ""
        print(f"{cells:>6} {row[0]:>10.4f} {row[1]:>13.4f} {row[2]:>12.3f}{note}")
    print(f"{1000:>6} {banded[1000][0]:>10.2f} {spent:>13.2f}   peak memory {memory:.2f} GiB")
    huge, facts = banded[HUGE]
    print(
        f"{HUGE:>6} {huge:>10.2f}   {facts['iterations']} iterations, {facts['pairs']} pairs, "
        f"gap {facts['relative_gap']:.1e}"
    )
    return {
        f"structured at n = {LARGE}: {ratio:.0f}x, bar 100x": ratio >= 100,
        f"objectives differ by {worst:.1e} relative, bar 1e-9": worst <= 1e-9,
        "n = 1000 structured completes": report["status"] == "optimal",
        f"n = {HUGE} banded: {huge:.2f} s, bar 5 s": huge < 5,
    }


def sweeps():
    """The tables of both sweeps; what passed, by line."""
    passed, total = {}, 0.0
    for name, problem in FLOWS.items():
        truth = pf.exact(problem).final
        exact = [pf.metrics.w2(pf.exact_jko(problem, dt=dt).final, truth).value for dt in SWEEP]
        print(f"\n{name}: W2 to the equation\n{'dt':>8} {'exact JKO':>10} {'300 cells':>10} {'automatic':>10} excess")
        errors = []
        for dt, least in zip(SWEEP, exact):
            before = pf.solve(problem, pf.grid.CvxoptJKO(cells=300, kkt="structured"), dt=dt)
            start = time.process_time()
            run = pf.solve(problem, pf.grid.CvxoptJKO(), dt=dt)
            spent = time.process_time() - start
            total += spent
            old, new = (pf.metrics.w2(law, truth).value for law in (before.final, run.final))
            errors.append(new)
            cells = f"{run.history[0]['cells']} to {run.history[-1]['cells']} cells"
            print(f"{dt:>8g} {least:>10.5f} {old:>10.5f} {new:>10.5f} {new / least - 1:>6.1%}   {cells}, {spent:.1f} s")
        order = pf.fit_order(SWEEP, errors, expected=1.0, tolerance=0.1)
        excess = max(new / least - 1 for new, least in zip(errors, exact))
        passed[f"{name}: order {order.slope:.3f}, {order.verdict}, bar 1.0 +- 0.1"] = order.verdict == "pass"
        passed[f"{name}: excess over the exact JKO sequence {excess:.1%}, bar 5 %"] = excess < 0.05
    return {**passed, f"automatic sweeps: {total:.0f} s, bar 180 s": total < 180}


def main():
    passed = steps() if "--quick" in sys.argv else {**steps(), **sweeps()}
    for line, good in passed.items():
        print(f"{'pass' if good else 'FAIL'}  {line}")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
