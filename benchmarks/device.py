"""The neural methods on a CUDA device beside the CPU: python benchmarks/device.py [--device cuda]

Each method that takes `Training(device=...)` runs the same Ornstein-Uhlenbeck flow in d = 12 on both devices. The laws
must agree: sums are taken in another order on the device, so agreement is judged against the exact JKO sequence, by the
SymKL of each run to it, and by (E|X - Y|²)^½ of the two runs coupled by their base draws, which bounds their W2
distance.
The exit status is 1 if a run on the device is worse than 1.5 times the run on the CPU, or if the device is absent.
benchmarks/results/device.md holds what it printed last.
"""

import argparse
import sys
import time

import numpy as np
import torch

import pdeflow as pf

DT, TIMES = 0.05, [0.25]


def methods(device: str) -> dict:
    """The methods under test, by name."""
    training = pf.neural.Training(device=device)
    saddle = pf.neural.Training(pool=65_536, device=device)
    return {
        "ICNNJKO": pf.neural.ICNNJKO(training=training),
        "ICNNJKO, width 1024": pf.neural.ICNNJKO(width=1024, iterations=100, batch=512, training=training),
        "VariationalJKO, affine map": pf.neural.VariationalJKO(map=pf.neural.Affine(), training=saddle),
        "VariationalJKO, convex map": pf.neural.VariationalJKO(map=pf.neural.Convex(), outer=100, training=saddle),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    name = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    print(f"torch {torch.__version__}, CUDA device: {name}")
    problem = pf.problems.ou(dim=12, seed=0)
    truth = pf.exact_jko(problem, dt=DT, times=TIMES).final
    missed = False
    print(
        "| method | seconds, CPU | seconds, device | SymKL to the exact JKO step, CPU | device | W2 between "
        "the runs, at most |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for label, cpu in methods("cpu").items():
        laws, seconds, gaps = [], [], []
        for method in (cpu, methods(options.device)[label]):
            if method is not cpu:  # the first call on a device makes its context
                pf.solve(problem, method, dt=DT, times=[DT])
            begin = time.perf_counter()
            law = pf.solve(problem, method, dt=DT, times=TIMES).final
            seconds.append(time.perf_counter() - begin)
            laws.append(law)
            gaps.append(pf.metrics.sym_kl(law, truth, rng=draws(), n=4096).value)
        one, other = (law.sample(20_000, draws()) for law in laws)  # the same base draws: a coupling of the two laws
        apart = np.sqrt(np.mean(np.sum((one - other) ** 2, axis=1)))
        missed |= not gaps[1] <= 1.5 * abs(gaps[0]) + 1e-4
        print(
            f"| {label} | {seconds[0]:.2f} | {seconds[1]:.2f} | {gaps[0]:.2e} | {gaps[1]:.2e} | {apart:.1e} |",
            flush=True,
        )
    return 1 if missed else 0


def draws() -> np.random.Generator:
    """The same draws for every estimate, so that runs are compared and not samples."""
    return np.random.default_rng(0)


if __name__ == "__main__":
    sys.exit(main())
