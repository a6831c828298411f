"""Proximal recursion, 10,000 particles, 1,000 steps of 0.001: python benchmarks/proximal_recursion.py [--whole]

Ornstein-Uhlenbeck draws of the published ensemble with the published regularisation 0.05; tolerance 1e-5, here a
certified one of the logarithm of each value in a step. Without --whole five steps are timed from the exact law at each
of five times of the run, and scaled: clouds contract, and later steps have more pairs. Peak memory is that of the
process. The public code was measured on the same kind of machine, its first 5 steps scaled: 2,909 s in d = 2 and
4,852 s in d = 12, at 2.76 GB. Bars for d = 12: a third of its time, and 1 GB. Judged by CPU seconds of all threads,
which are at least the seconds of one core left alone, so that the load of the machine does not count. The exit status
is 1 where a bar is missed.
"""

import argparse
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import pdeflow as pf

PARTICLES, STEPS, STEP = 10_000, 1000, 1e-3
PUBLIC = {2: 2909.0, 12: 4852.0}  # seconds of the public code
FASTER, MEGABYTES = 3, 1000
METHOD = pf.particle.ProximalRecursion(PARTICLES, tolerance=1e-5)


def timed(problem, steps, rng, watched=0):
    """(seconds, CPU seconds, most pairs, iterations) of so many steps after the first, which compiles and adapts."""
    state = METHOD.step(problem, METHOD.init(problem, rng), STEP, rng)
    begin, cpu, pairs, iterations = time.perf_counter(), time.process_time(), 0, []
    for step in range(steps):
        state = METHOD.step(problem, state, STEP, rng)
        pairs = max(pairs, state.facts["pairs"])
        iterations.append(state.facts["iterations"])
        if watched and (step + 1) % watched == 0:
            now = time.perf_counter() - begin, time.process_time() - cpu
            print(f"{step + 2} steps: {now[0]:.0f} s, {now[1]:.0f} CPU s, {pairs:,} pairs", file=sys.stderr, flush=True)
    return time.perf_counter() - begin, time.process_time() - cpu, pairs, np.mean(iterations)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--whole", action="store_true", help="take all 1,000 steps")
    parser.add_argument("--dims", type=int, nargs="*", default=[12])
    parser.add_argument("--out", type=Path, help="a Markdown file for the table")
    options = parser.parse_args()
    missed = False
    text = [f"{PARTICLES:,} particles, {STEPS:,} steps", ""]
    text += ["| d | steps timed | CPU s for 1,000 | wall s | public code | times faster | pairs | iterations | MB |"]
    text += ["|" + " --- |" * 9]
    print("\n".join(text))
    for dim in options.dims:
        problem, rng = pf.problems.ou(dim=dim, seed=0, ensemble="mokrov"), np.random.default_rng(0)
        if options.whole:
            runs, steps = [timed(problem, STEPS - 1, rng, watched=50)], STEPS - 1
        else:
            starts = [replace(problem, initial=problem.exact(t)) for t in np.linspace(0, STEPS * STEP, 5)]
            runs, steps = [timed(start, 5, rng) for start in starts], 25
        seconds, cpu = (STEPS / steps * sum(run[k] for run in runs) for k in (0, 1))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux
        public = PUBLIC.get(dim, np.nan)
        missed |= cpu * FASTER > public or (dim == 12 and peak > MEGABYTES)
        text.append(
            f"| {dim} | {steps} | {cpu:.0f} | {seconds:.0f} | {public:.0f} | {public / cpu:.1f} | "
            f"{max(run[2] for run in runs):,} | {np.mean([run[3] for run in runs]):.1f} | {peak:.0f} |"
        )
        print(text[-1], flush=True)
    if options.out:
        about = (__doc__ or "").partition("\n\n")
        title = "# ProximalRecursion\n\nMade by `python benchmarks/proximal_recursion.py --out ...`.\n\n"
        options.out.write_text(title + about[2] + "\n" + "\n".join(text) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
