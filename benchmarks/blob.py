"""One step of Blob in the plane, 10,225 particles, beside arrays of all pairs: python benchmarks/blob.py [--out FILE]

A Barenblatt profile, m = 2, t0 = 0.1, on 113 x 113 cells; a step of 1e-4, which is one substep of three velocities.
Beside it the same three velocities by numpy arrays of all n² pairs, in blocks of rows so that they fit into memory.
Bar: 100 ms a step, judged by the CPU seconds of all threads, so that the load of the machine does not count. The exit
status is 1 if it is missed.
"""

import argparse
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np

import pdeflow as pf

CELLS, STEP, REPEATS, BAR = 113, 1e-4, 7, 0.1


def all_pairs(x, weights, width):
    """The velocity for U = ρ², by arrays of n entries for each of 500 rows at a time."""
    top, out = (4 * np.pi * width**2) ** (-x.shape[1] / 2), np.empty_like(x)
    for begin in range(0, len(x), 500):
        z = x[begin : begin + 500, None] - x
        kernel = top * np.exp(-np.einsum("ijk,ijk->ij", z, z) / (4 * width**2)) * weights
        out[begin : begin + 500] = 2 * np.einsum("ij,ijk->ik", kernel, z) / (2 * width**2)
    return out


def seconds(call, repeats):
    """Medians of wall and CPU seconds."""
    wall, cpu = [], []
    for _ in range(repeats):
        begin, spent = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - spent)
    return float(np.median(wall)), float(np.median(cpu))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    problem = pf.problems.porous_medium(2, 2.0, 0.1, 0.5)
    method = pf.particle.Blob(cells=CELLS)
    start = method.init(problem, None)
    after = method.step(problem, start, STEP, None)
    gap = np.abs(all_pairs(start.x, start.weights, start.width) - start.velocity).max() / np.abs(start.velocity).max()
    wall, cpu = seconds(lambda: method.step(problem, start, STEP, None), REPEATS)
    tracemalloc.start()
    method.step(problem, start, STEP, None)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    slow, slow_cpu = seconds(lambda: all_pairs(start.x, start.weights, start.width), 1)
    lines = [
        f"{len(start.x)} particles, d = 2, {after.substeps - start.substeps} substep of {STEP:g}, "
        f"{after.evaluations - start.evaluations} velocities; largest difference of a velocity to all pairs {gap:.1e} "
        "of the largest.",
        "",
        "| what | wall ms a step | CPU ms a step | peak MB |",
        "| --- | --- | --- | --- |",
        f"| Blob (bar {BAR * 1e3:.0f} ms) | {wall * 1e3:.0f} | {cpu * 1e3:.0f} | {peak:.0f} |",
        f"| numpy, all pairs | {3 * slow * 1e3:.0f} | {3 * slow_cpu * 1e3:.0f} "
        f"| {8 * 3 * 500 * len(start.x) / 1e6:.0f} at least |",
        "",
        "Bar missed." if cpu > BAR else "Bar met.",
    ]
    print("\n".join(lines))
    if options.out:
        text = ["# Blob", "", (__doc__ or "").strip(), "", *lines, ""]
        options.out.write_text("\n".join(text), encoding="utf-8")
    return 1 if cpu > BAR else 0


if __name__ == "__main__":
    sys.exit(main())
