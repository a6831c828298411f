"""Same seed, same bits, whatever the number of threads: programs with one, two and four of them print the same."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

WALK = """
import hashlib, numba, numpy as np, pdeflow as pf
assert numba.get_num_threads() == {threads}

def show(name, *arrays):
    print(name, *(hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in arrays))

repelling = pf.Energy(internal=pf.Entropy(), interaction=pf.problems.log_repulsion().energy.interaction)
for problem, n, dt in [
    (pf.problems.ou(dim=5, seed=1), 3001, 0.01), (pf.problems.mckean_vlasov_ou(), 3001, 0.01),
    (pf.problems.ring_aggregation(dim=2), 1500, 0.02),
    (pf.Problem(repelling, pf.laws.Gaussian(0.0, 1.0), horizon=1.0), 700, 0.01),
]:
    x = pf.solve(problem, pf.particle.EulerMaruyama(n), dt=dt, times=[30 * dt], seed=5).final.x
    show("EulerMaruyama", x)
"""

NEURAL = """
import torch
torch.set_num_threads({threads})

def show_law(name, law, n, *more):
    show(name, *law.sample_with_log_density(n, np.random.default_rng(0)), *more)

training = pf.neural.Training(pool=1024)
method = pf.neural.ICNNJKO(iterations=5, batch=256, logdet="stochastic", training=training)
show_law("ICNNJKO", pf.solve(pf.problems.ou(dim=5, seed=1), method, dt=0.5, seed=5).final, 300)
method = pf.neural.VariationalJKO(pf.neural.DeepResidual(), outer=5, training=pf.neural.Training(pool=2048))
flow = pf.solve(pf.problems.ou(dim=3, seed=1), method, dt=0.5, seed=5)
show("VariationalJKO", flow.final.sample(300, np.random.default_rng(0)), flow.history[-1]["bound"])
for solver in ("dense", "lsmr"):
    method = pf.neural.PWGF(map=pf.neural.Planar(4), samples=4000, solver=solver, integrator=pf.neural.Euler())
    flow = pf.solve(pf.problems.ou(dim=4, seed=1), method, dt=0.05, times=[0.1], seed=5)
    show_law("PWGF", flow.final, 200)
"""

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@pytest.fixture(scope="module")
def printed():
    """(threads, method): what a process with so many threads prints of it."""
    lines = {}
    both = WALK + (NEURAL if find_spec("torch") else "")
    for threads, program in ((1, both), (2, both), (4, WALK)):  # three starts for four methods
        run = subprocess.run(
            [sys.executable, "-c", program.format(threads=threads)],
            env={**os.environ, **dict.fromkeys(NAMES, str(threads))},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        for line in run.stdout.splitlines():
            lines.setdefault((threads, line.split()[0]), []).append(line)
    return lines


@pytest.mark.parametrize(
    ("method", "results"), [("EulerMaruyama", 4), ("ICNNJKO", 1), ("VariationalJKO", 1), ("PWGF", 2)]
)
def test_same_seed_same_bits_whatever_the_threads(printed, method, results):
    if method != "EulerMaruyama":
        pytest.importorskip("torch")
    one, two = printed[1, method], printed[2, method]
    assert one == two and len(one) == results
    assert printed.get((4, method), one) == one
