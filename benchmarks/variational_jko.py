"""VariationalJKO, milliseconds an outer iteration.

python benchmarks/variational_jko.py [--dims 2 6 12 16 32] [--repeats 7]

An outer iteration is 3 updates of the test function h and one of the map T at batch 1000, both with three hidden layers
of 64, on the Ornstein-Uhlenbeck problem from N(0, I). Beside ours, in the same run and on one thread too, stand plain
loops of the published algorithm [fan2022iclr, algorithm 1]: torch modules, automatic differentiation, torch.optim.Adam,
particles drawn by index. `same networks` has our networks (tanh), `published networks` has those of the authors'
Ornstein-Uhlenbeck runs (a linear residual map of three layers, h the square of a PReLU network). The authors' own code
took 18.0 (d = 2) to 21.5 ms (d = 32) on this kind of machine.

Bars: d = 32 at most 1.3x d = 2; at least 1.5x faster than the plain loop with the same networks and than the authors'
figures. Medians of interleaved repeats after a warm-up. The exit status is 1 if a bar is missed.
"""

import argparse
import sys
import time

import numpy as np
import torch

import pdeflow as pf
from pdeflow.neural.particles import moments
from pdeflow.neural.variational_jko.saddle import find_saddle

AUTHORS = {2: 18.0, 6: 17.4, 12: 18.3, 16: 20.1, 32: 21.5}  # ms, their code on 2 virtual CPU cores
BATCH, INNER, WIDTH, DT = 1000, 3, 64, 0.05
MAPS = {"residual": pf.neural.DeepResidual(width=WIDTH, depth=3), "linear": pf.neural.Affine()}


def network(activation):
    """A builder of networks with three hidden layers, (dim, outputs) -> module.

    No activation makes a linear map of three factors.
    """

    def build(dim, outputs):
        layers, last = [], dim
        for width in (WIDTH, WIDTH, WIDTH) if activation else (WIDTH, WIDTH):
            layers += [torch.nn.Linear(last, width)] + ([activation()] if activation else [])
            last = width
        return torch.nn.Sequential(*layers, torch.nn.Linear(last, outputs))

    return build


def plain_loop(dim, map_network, h_network, log_h):
    """A function that runs one outer iteration of the published algorithm for KL to Q ~ exp(-V), in the corrected form
    of docs/math.md 5.

    max over h of E_P[log h(T) + log(μ/Q)(T)] - E_μ h, min over T of E|x - T|²/(2 dt) + the same; μ Gaussian.
    log_h : turns the output of the network into log h.
    """
    torch.manual_seed(0)
    particles = torch.randn(65_536, dim)
    problem = pf.problems.ou(dim=dim, seed=0)
    matrix = torch.tensor(problem.energy.potential.matrix, dtype=torch.float32)
    center = torch.tensor(problem.energy.potential.center, dtype=torch.float32)
    move, h = map_network(dim, dim), h_network(dim, 1)
    slow, fast = torch.optim.Adam(move.parameters(), lr=5e-3), torch.optim.Adam(h.parameters(), lr=5e-3)

    def potential(x):
        y = x - center
        return 0.5 * ((y @ matrix) * y).sum(-1)

    def run():
        x = particles[torch.randint(len(particles), (BATCH,))]
        for _ in range(INNER):
            fast.zero_grad()
            with torch.no_grad():
                y = x + move(x)
            reference = torch.randn(BATCH, dim)
            loss = log_h(h(reference)).exp().mean() - log_h(h(y)).mean()
            loss.backward()
            fast.step()
        slow.zero_grad()
        y = x + move(x)
        loss = ((x - y) ** 2).sum(-1).mean() / (2 * DT) + (
            log_h(h(y))[:, 0] - (y * y).sum(-1) / 2 + potential(y)
        ).mean()
        loss.backward()
        slow.step()

    def seconds(iterations):
        begin = time.perf_counter()
        for _ in range(iterations):
            run()
        return (time.perf_counter() - begin) / iterations

    return seconds


def ours(dim, kind):
    """Seconds an outer iteration of VariationalJKO: its own training loop on a pool of the same size."""
    problem = pf.problems.ou(dim=dim, seed=0)
    method = pf.neural.VariationalJKO(
        map=MAPS[kind],
        inner=INNER,
        batch=BATCH,
        dual=pf.neural.DualNetwork(width=WIDTH, depth=3),
        training=pf.neural.Training(pool=65_536),
    )
    state = method.init(problem, np.random.default_rng(0))
    prepared, generator = state.prepared, torch.Generator().manual_seed(0)
    pool, coordinates = state.pool.points, state.pool.coordinates
    center, cov = moments(pool)
    move = prepared.map_in_training(center, cov, None, generator)
    dual = prepared.dual_in_training(state.law, pool, center, cov, coordinates, None, generator)
    blocks, rates = prepared.blocks(pool, generator), (method.learning_rate, method.dual.rate)

    def seconds(iterations):
        begin = time.perf_counter()
        with torch.no_grad():
            find_saddle(prepared.force_in(coordinates), move, dual, blocks, DT, iterations, INNER, rates)
        return (time.perf_counter() - begin) / iterations

    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="*", default=[2, 6, 12, 16, 32])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--iterations", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sides = {
        "ours, residual map": lambda dim: ours(dim, "residual"),
        "ours, linear map": lambda dim: ours(dim, "linear"),
        "plain loop, same networks": lambda dim: plain_loop(
            dim, network(torch.nn.Tanh), network(torch.nn.Tanh), lambda g: g
        ),
        "plain loop, published networks": lambda dim: plain_loop(
            dim, network(None), network(torch.nn.PReLU), lambda g: torch.log(g * g + 1e-6)
        ),
    }
    runs = {(name, dim): side(dim) for dim in options.dims for name, side in sides.items()}
    taken = {key: [] for key in runs}
    for seconds in runs.values():
        seconds(5)
    for _ in range(options.repeats):
        for key, seconds in runs.items():
            taken[key].append(seconds(options.iterations))
    median = {key: 1e3 * float(np.median(values)) for key, values in taken.items()}
    print(f"{'ms an outer iteration':<34}" + "".join(f"{f'd = {dim}':>10}" for dim in options.dims))
    for name in sides:
        print(f"{name:<34}" + "".join(f"{median[name, dim]:>10.2f}" for dim in options.dims))
    print(
        f"{'authors code, measured before':<34}" + "".join(f"{AUTHORS.get(dim, np.nan):>10.1f}" for dim in options.dims)
    )
    missed, low, high = [], min(options.dims), max(options.dims)
    us, plain = "ours, residual map", "plain loop, same networks"
    bar(f"d = {high} over d = {low}, residual map", median[us, high] / median[us, low], 1.3, missed)
    for dim in options.dims:
        bar(f"plain loop over ours, d = {dim}", median[plain, dim] / median[us, dim], 1.5, missed, least=True)
        if dim in AUTHORS:
            bar(f"authors' figure over ours, d = {dim}", AUTHORS[dim] / median[us, dim], 1.5, missed, least=True)
    for line in missed:
        print("FAILED:", line)
    return 1 if missed else 0


def bar(name, value, limit, missed, least=False):
    met = value >= limit if least else value <= limit
    print(f"{name:<60} {value:>8.2f}  bar {'>=' if least else '<='} {limit:g}: {'met' if met else 'MISSED'}")
    if not met:
        missed.append(name)


if __name__ == "__main__":
    sys.exit(main())
