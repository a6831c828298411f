"""ICNN-JKO, seconds and memory: python benchmarks/icnn_jko.py [--part iteration|memory|steps|flow]

iteration: milliseconds an iteration with no earlier maps, d = 2 and 32 at width 64 and batch 1024, and d = 32 at width
1024 and batch 512, each beside the same iteration with the Hessian of the published code: row by row by reverse passes,
kept in the graph. The other side has the published network (rank 5, one activated layer) and, for comparison, our own
network. Both sides have one thread.
memory: peak resident memory of a step at d = 32, width 1024, batch 512, in a process of its own.
steps: seconds of 40 JKO steps over those of 20. flow: Ornstein-Uhlenbeck, 20 steps to t = 1, d = 12 and 32.
Bars: d = 32 at most 3x d = 2; 20x and 8x faster than row by row; under 2.5 GB; 40 steps at most 2.2x 20; 60 s and 120
s. Medians of interleaved repeats after a warm-up. The exit status is 1 if a bar is missed.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import torch

import pdeflow as pf
from pdeflow.neural.icnn_jko.jko_functional import JKOFunctional
from pdeflow.neural.icnn_jko.log_det import Exact, Stochastic, cheaper
from pdeflow.neural.icnn_jko.minimisation import descend
from pdeflow.neural.local_coordinates import LocalCoordinates
from pdeflow.neural.maps.convex import first_map
from pdeflow.neural.maps.training import ConvexTraining

DT = 0.05


class RowByRow:
    """The gradient of E log det through d reverse passes and a log-determinant, all in the graph, as in the published
    code.
    """

    def surrogate(self, jet):
        x = (jet.move.center + jet.move.scale * jet.y @ jet.move.basis.T).detach().requires_grad_()
        gradient = torch.autograd.grad(jet.move.value(x).sum(), x, create_graph=True)[0]
        rows = [
            torch.autograd.grad(gradient[:, i].sum(), x, create_graph=True, retain_graph=True)[0]
            for i in range(x.shape[1])
        ]
        return torch.logdet(torch.stack(rows, dim=1)).mean()


def one_iteration(dim, width, batch, network, log_det):
    """A function that runs one training iteration, and its state."""
    generator = torch.Generator().manual_seed(0)
    move = first_map(np.zeros(dim), np.eye(dim), 1.0, width, network, generator)
    training = ConvexTraining(move, network, torch.float32, "cpu")
    with torch.no_grad():
        training.map.weight.add_(0.5 / width)  # a network away from the identity, so that the solves have work
    arrays = [array for group, _ in training.groups for array in group.values()]
    optimiser = torch.optim.Adam(arrays, lr=1e-3, fused=True)
    points = torch.randn(batch, dim, generator=generator)
    functional = JKOFunctional(
        pf.problems.ou(dim=dim, seed=0).energy, torch.ones(2, dim), LocalCoordinates(np.zeros(dim))
    )
    if log_det is None:
        way = cheaper(dim, width, network)
        log_det = Exact() if way == "exact" else Stochastic(generator)

    def run():
        descend(functional, training, points, log_det, DT, optimiser)

    return run


def medians(functions, repeats):
    """Median seconds of each function, interleaved, after a warm-up."""
    taken = {name: [] for name in functions}
    for function in functions.values():
        function(), function()
    for _ in range(repeats):
        for name, function in functions.items():
            inner = 1 if "row by row" in name else 5
            begin = time.perf_counter()
            for _ in range(inner):
                function()
            taken[name].append((time.perf_counter() - begin) / inner)
    return {name: float(np.median(times)) for name, times in taken.items()}


def iteration():
    ours, published = pf.neural.Network(), pf.neural.Network(depth=1, rank=5)
    missed = []
    small = medians(
        {
            "ours, d = 2": one_iteration(2, 64, 1024, ours, None),
            "ours, d = 32": one_iteration(32, 64, 1024, ours, None),
            "ours at the published network, d = 32": one_iteration(32, 64, 1024, published, None),
            "row by row, our network, d = 32": one_iteration(32, 64, 1024, ours, RowByRow()),
            "row by row, published network, d = 32": one_iteration(32, 64, 1024, published, RowByRow()),
        },
        7,
    )
    wide = medians(
        {
            "ours, d = 32": one_iteration(32, 1024, 512, ours, None),
            "row by row, our network, d = 32": one_iteration(32, 1024, 512, ours, RowByRow()),
        },
        3,
    )
    for title, times in (("width 64, batch 1024", small), ("width 1024, batch 512", wide)):
        print(f"\n{title}")
        for name, seconds in times.items():
            print(f"  {name:<42} {1e3 * seconds:>9.1f} ms")
    ratio = small["ours, d = 32"] / small["ours, d = 2"]
    own = small["row by row, our network, d = 32"] / small["ours, d = 32"]
    theirs = small["row by row, published network, d = 32"] / small["ours at the published network, d = 32"]
    large = wide["row by row, our network, d = 32"] / wide["ours, d = 32"]
    bar("d = 32 over d = 2, width 64", ratio, 3.0, missed)
    bar("row by row over ours, width 64, our network", own, 20.0, missed, least=True)
    bar("row by row over ours, width 64, published network", theirs, 20.0, missed, least=True)
    bar("row by row over ours, width 1024, our network", large, 8.0, missed, least=True)
    return missed


def memory():
    code = (
        "import resource, pdeflow as pf; base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "method = pf.neural.ICNNJKO(width=1024, batch=512, iterations=10);"
        "pf.solve(pf.problems.ou(dim=32, seed=0), method, dt=0.05, times=[0.05]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)"
    )
    peak = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    missed = []
    bar("peak resident memory, GB, d = 32, width 1024, batch 512 (published code: 12.3)", peak, 2.5, missed)
    return missed


def steps():
    problem, method = pf.problems.ou(dim=6, seed=0), pf.neural.ICNNJKO(training=pf.neural.Training(tolerance=0))
    taken = {20: [], 40: []}
    pf.solve(problem, method, dt=DT, times=[DT])
    for _ in range(3):
        for count, times in taken.items():
            times.append(pf.solve(problem, method, dt=DT, times=[count * DT]).stats["seconds"])
    missed = []
    bar("40 steps over 20 steps, pool, d = 6", np.median(taken[40]) / np.median(taken[20]), 2.2, missed)
    return missed


def flow():
    missed = []
    for dim, most in ((12, 60.0), (32, 120.0)):
        problem = pf.problems.ou(dim=dim, seed=0, ensemble="mokrov")
        seconds = pf.solve(problem, pf.neural.ICNNJKO(), dt=DT, times=[1.0]).stats["seconds"]
        bar(f"Ornstein-Uhlenbeck, d = {dim}, 20 steps to t = 1, s", seconds, most, missed)
    return missed


def bar(name, value, limit, missed, least=False):
    met = value >= limit if least else value <= limit
    print(f"{name:<82} {value:>8.2f}  bar {'>=' if least else '<='} {limit:g}: {'met' if met else 'MISSED'}")
    if not met:
        missed.append(name)


def main():
    parts = {"iteration": iteration, "memory": memory, "steps": steps, "flow": flow}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=list(parts), default=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    missed = [line for name, part in parts.items() if options.part in (None, name) for line in part()]
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")
    for line in missed:
        print("FAILED:", line)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
