"""EulerMaruyama against numpy, torch and bare random numbers.

python benchmarks/euler_maruyama.py [--steps 1000] [--repeats 3]

Ornstein-Uhlenbeck with a full 12 x 12 matrix, 50,000 particles, dt = 1e-3. All sides do the same number of steps on the
same cores:
(a) the same steps vectorised in numpy, float64, written without temporaries (Generator.standard_normal(out=),
matmul(out=));
(b) the plain torch loop in float32;
(c) two threads that only draw as many float64 normals from numpy's Generator and throw them away.
Bars: (a) 3x (aim 4.5x), (b) 1x, (c) 1x. Medians of interleaved repeats after a warm-up. The exit status is 1 if a bar
is missed. Also printed: that the bits are those of one thread, and the largest error of mean and covariance in standard
errors.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import torch

import pdeflow as pf

DIM, PARTICLES, DT, THREADS = 12, 50_000, 1e-3, 2


def numpy_steps(problem, steps):
    rng, matrix, center = np.random.default_rng(0), problem.energy.potential.matrix, problem.energy.potential.center
    x = problem.initial.sample(PARTICLES, rng)
    noise, drift, scale = np.empty_like(x), np.empty_like(x), np.sqrt(2 * DT)
    for _ in range(steps):
        np.subtract(x, center, out=noise)
        np.matmul(noise, matrix, out=drift)
        drift *= DT
        x -= drift
        rng.standard_normal(out=noise)
        noise *= scale
        x += noise
    return x


def torch_steps(problem, steps):
    torch.manual_seed(0)
    matrix = torch.tensor(problem.energy.potential.matrix, dtype=torch.float32)
    center = torch.tensor(problem.energy.potential.center, dtype=torch.float32)
    x = torch.randn(PARTICLES, DIM)
    for _ in range(steps):
        x = x - DT * (x - center) @ matrix + (2 * DT) ** 0.5 * torch.randn_like(x)
    return x


def only_normals(steps):
    share = PARTICLES * DIM // THREADS

    def draw(seed):
        rng, buffer = np.random.default_rng(seed), np.empty(share)
        for _ in range(steps):
            rng.standard_normal(out=buffer)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(draw, range(THREADS)))


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    threads = min(THREADS, numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(threads)
    torch.set_num_threads(THREADS)
    problem, method = pf.problems.ou(dim=DIM, seed=0), pf.particle.EulerMaruyama(PARTICLES)

    def ours(steps):
        return pf.solve(problem, method, dt=DT, times=[steps * DT])

    sides = {
        "EulerMaruyama, float64": (ours, None),
        "(a) numpy, float64": (lambda steps: numpy_steps(problem, steps), 3.0),
        "(b) torch loop, float32": (lambda steps: torch_steps(problem, steps), 1.0),
        "(c) two threads of normals": (only_normals, 1.0),
    }
    for side, _ in sides.values():
        side(5)
    times = {name: [] for name in sides}
    for _ in range(options.repeats):
        for name, (side, _) in sides.items():
            times[name].append(seconds(side, options.steps))
    medians = {name: float(np.median(values)) for name, values in times.items()}
    mine = medians["EulerMaruyama, float64"]
    print(f"{PARTICLES} particles, d = {DIM}, {options.steps} steps, {threads} threads, median of {options.repeats}")
    print(f"{'side':<28} {'seconds':>9} {'ns/normal':>10} {'ratio':>7} {'bar':>5}")
    missed = False
    for name, (_, bar) in sides.items():
        ratio = medians[name] / mine
        missed |= bar is not None and ratio < bar
        per_normal = medians[name] / (options.steps * PARTICLES * DIM) * 1e9
        print(f"{name:<28} {medians[name]:9.2f} {per_normal:10.2f} {ratio:7.2f} {'' if bar is None else bar:>5}")

    two = ours(50).final
    numba.set_num_threads(1)
    same = np.array_equal(ours(50).final.x, two.x)
    law = method.exact_sequence(problem, dt=DT, times=[50 * DT]).final
    spread = np.diag(law.cov())
    mean_score = np.max(np.abs(two.mean() - law.mean()) / np.sqrt(spread / PARTICLES))
    cov_score = np.max(np.abs(two.cov() - law.cov()) / np.sqrt((np.outer(spread, spread) + law.cov() ** 2) / PARTICLES))
    print(
        f"same bits with one thread: {same}; mean within {mean_score:.1f}, covariance within {cov_score:.1f} "
        "standard errors"
    )
    return 1 if missed or not same else 0


if __name__ == "__main__":
    sys.exit(main())
