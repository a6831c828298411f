"""PWGF against PFPE on the timing problem of jin2025: python benchmarks/pwgf.py [--repeats 3] [--published-steps 1]

The problem: Styblinski-Tang potential 3/50 in the plane from N(0, I), 40 planar layers, h = 0.005, ten steps. Three
sides, on one thread: PWGF with 12,000 samples; pf.neural.PFPE (the true metric through the inner problem, solved by
least squares); and the bilevel loop of liu2022 with the settings of its public code: 30 Adam steps for the map (batch
5000, rate 5e-4), each after 60 Adam steps for ψ (batch 1000, rate 5e-3), a ReLU network of four hidden layers of 20,
float32. That loop runs `--published-steps` steps and is scaled to ten, for every step costs the same. Its inner product
is one sum here; the public code loops over the samples in Python, which is part of the published ratio. Published: PWGF
14.26 s and PFPE 6093.58 s (ratio 427) on an RTX 3070; a public JAX code needs 40 s and more for the ten steps on two
CPU cores.
Bars: PWGF under 5 s, energy falling at every step, KL to the stationary law within 3 % of the exact one after ten
steps. Medians of interleaved repeats after a warm-up. The exit status is 1 if a bar is missed.
"""

import argparse
import itertools
import sys
import time

import numpy as np
import torch

import pdeflow as pf

STEP, STEPS, LAYERS, SAMPLES = 0.005, 10, 40, 12_000
PROBLEM = pf.problems.styblinski_tang(2)
LOG_Z = 2 * 154.5142754327 / 30  # docs/math.md 8.3
KL_0 = 88.5461194365 / 30


class Published:
    """One time step of the bilevel scheme of liu2022, Algorithm 4.1, with the settings of its public code."""

    def __init__(self, seed=0):
        self.generator = torch.Generator().manual_seed(seed)
        start = 2**-0.5 / 20  # small random layers: the identity to a few percent, as it starts
        self.theta = [self.uniform(LAYERS, 2, start), self.uniform(LAYERS, 2, start), self.uniform(LAYERS, 1, start)]
        self.theta = [part.requires_grad_() for part in self.theta]
        widths = [2, 20, 20, 20, 20, 1]
        self.psi = [
            array
            for a, b in itertools.pairwise(widths)
            for array in (torch.empty(b, a, requires_grad=True), torch.empty(b, requires_grad=True))
        ]
        self.outer = torch.optim.Adam(self.theta, lr=5e-4)
        self.inner = torch.optim.Adam(self.psi, lr=5e-3)

    def uniform(self, rows, columns, bound):
        return (2 * torch.rand(rows, columns, generator=self.generator) - 1) * bound

    def map(self, theta, z):
        volume = 0.0
        for w, u, b in zip(*theta):
            bent = torch.tanh(z @ w + b)
            volume = volume + torch.log(torch.abs(1 + (u @ w) * (1 - bent * bent)) + 1e-7)
            z = z + bent[:, None] * u
        return z, volume

    def gradient(self, x, graph):
        x = x.detach().requires_grad_()
        value = x
        for weight, bias in zip(self.psi[::2], self.psi[1::2]):
            value = torch.nn.functional.linear(value, weight, bias)
            value = torch.relu(value) if len(weight) > 1 else value
        return torch.autograd.grad(value.sum(), x, create_graph=graph)[0]

    def step(self, dt):
        before = [part.detach().clone() for part in self.theta]
        epsilon = 5e-4
        with torch.no_grad():
            for array in self.psi:
                array.uniform_(-0.1, 0.1, generator=self.generator)
        for _ in range(30):
            for _ in range(60):
                z = torch.randn(1000, 2, generator=self.generator)
                with torch.no_grad():
                    old, new = self.map(before, z)[0], self.map(self.theta, z)[0]
                gap = self.gradient(old, True) - (new - old) / epsilon
                self.inner.zero_grad()
                gap.square().sum(1).mean().backward()
                self.inner.step()
            z = torch.randn(5000, 2, generator=self.generator)
            with torch.no_grad():
                old = self.map(before, z)[0]
            pull = self.gradient(old, False)
            new, volume = self.map(self.theta, z)
            energy = (PROBLEM.energy.potential.value(new) - volume).mean()
            self.outer.zero_grad()
            (energy + epsilon / dt * (pull * new).sum(1).mean()).backward()
            self.outer.step()

    def kl(self, n):
        """KL to the stationary law and its standard error."""
        z = torch.randn(n, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        with torch.no_grad():
            x, volume = self.map([part.double() for part in self.theta], z)
        base = -0.5 * (z * z).sum(1) - np.log(2 * np.pi)
        values = (base - volume + PROBLEM.energy.potential.value(x) + LOG_Z).numpy()
        return values.mean(), values.std() / np.sqrt(n)


def published(steps):
    """(seconds for ten steps, scaled from `steps`; KL after `steps`)."""
    scheme = Published()
    start = time.perf_counter()
    for _ in range(steps):
        scheme.step(STEP)
    return (time.perf_counter() - start) * STEPS / steps, scheme.kl(200_000)


def exact_kl():
    """KL to the stationary law after the ten steps: the potential separates, so it is twice that of the line."""
    line = pf.problems.styblinski_tang(1)
    method = pf.grid.ChangCooper(cells=4000, lower=-8, upper=8, time_order=2)
    law = pf.solve(line, method, dt=STEP / 2, times=[STEPS * STEP]).final
    weight = np.exp(-line.energy.potential.value(law.centers[0][:, None]))
    return 2 * pf.metrics.kl(law, pf.laws.GridLaw(law.axes, weight / weight.sum())).value


def kl_of(law, n=200_000):
    x, log_density = law.sample_with_log_density(n, np.random.default_rng(1))
    values = log_density + PROBLEM.energy.potential.value(x) + LOG_Z
    return values.mean(), values.std() / np.sqrt(n)


def run(method):
    """(seconds, KL with its standard error, whether the energy fell at every step)."""
    start = time.perf_counter()
    flow = pf.solve(PROBLEM, method, dt=STEP, times=[STEPS * STEP])
    seconds = time.perf_counter() - start
    first = method.init(
        PROBLEM, np.random.default_rng(np.random.SeedSequence(0))
    )  # the points that solve(seed=0) draws
    energies = [method.report(first)["energy"], *(step["energy"] for step in flow.history)]
    return seconds, kl_of(flow.final), all(after < before for before, after in itertools.pairwise(energies))


def bar(name, value, limit, missed):
    met = value <= limit
    print(f"{name:<72} {value:>9.3f}  bar <= {limit:g}: {'met' if met else 'MISSED'}")
    if not met:
        missed.append(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--published-steps", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    planar, euler, heun = pf.neural.Planar(layers=LAYERS), pf.neural.Euler(), pf.neural.Heun()
    sides = {
        "PWGF, euler (the bar)": pf.neural.PWGF(map=planar, samples=SAMPLES, integrator=euler),
        "PWGF, heun": pf.neural.PWGF(map=planar, samples=SAMPLES, integrator=heun),
        "PWGF, euler, no affine map (the published map)": pf.neural.PWGF(
            map=pf.neural.Planar(layers=LAYERS, affine=False), samples=SAMPLES, integrator=euler
        ),
        "PFPE, euler": pf.neural.PFPE(map=planar, samples=SAMPLES, integrator=euler),
        "PFPE, heun": pf.neural.PFPE(map=planar, samples=SAMPLES, integrator=heun),
    }
    exact = exact_kl()
    for method in sides.values():  # warm-up
        pf.solve(PROBLEM, method, dt=STEP, times=[STEP])
    found = {name: [] for name in sides}
    slow = []
    for _ in range(options.repeats):
        for name, method in sides.items():
            found[name].append(run(method))
        slow.append(published(options.published_steps))
    print(
        f"ten steps of h = {STEP}; exact KL to the stationary law at t = {STEPS * STEP:g}: {exact:.5f}, at t "
        f"= 0: {2 * KL_0:.5f}"
    )
    seconds = {}
    for name, runs in found.items():
        seconds[name] = float(np.median([first for first, *_ in runs]))
        kl, stderr = runs[0][1]
        print(
            f"{name:<48} {seconds[name]:>8.2f} s   KL {kl:.4f} +- {stderr:.4f} ({kl / exact - 1:+.2%})   "
            f"energy falling: {runs[0][2]}"
        )
    loop = float(np.median([first for first, _ in slow]))
    kl, stderr = slow[0][1]
    print(
        f"{'liu2022, its loop and settings (scaled)':<48} {loop:>8.2f} s   KL {kl:.4f} +- {stderr:.4f} after "
        f"{options.published_steps} steps"
    )
    first, second = seconds["PWGF, euler (the bar)"], seconds["PFPE, euler"]
    print(
        f"ratio to PWGF: PFPE {second / first:.1f}, the loop of liu2022 {loop / first:.0f}; published "
        "6093.58 / 14.26 = 427"
    )
    missed = []
    bar("PWGF, ten steps, s", first, 5.0, missed)
    bar(
        "PWGF, |KL / exact - 1| after ten steps", abs(found["PWGF, euler (the bar)"][0][1][0] / exact - 1), 0.03, missed
    )
    bar("PWGF, steps at which the energy did not fall", float(not found["PWGF, euler (the bar)"][0][2]), 0.0, missed)
    for line in missed:
        print("FAILED:", line)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
