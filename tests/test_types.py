"""What a type checker sees in a script of a user: no error, and no Any where laws, numbers and tables come back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numpy as np
import pdeflow as pf

rng = np.random.default_rng(0)
problem = pf.problems.ou(dim=1, initial=pf.laws.Gaussian(1.0, 0.25))
energy = pf.Energy(pf.potentials.Quadratic(1.0), pf.Entropy(0.5), pf.interactions.QuadraticAttraction(1.0))
mine = pf.Problem(energy, pf.laws.Uniform(0.0, 1.0), 1.0, name="mine")
flow = pf.solve(problem, pf.grid.ChangCooper(cells=100), dt=0.1, times=[0.5, 1.0], seed=1)
truth = pf.exact(problem, times=[0.5, 1.0])
reveal_type(flow)
reveal_type(truth)
reveal_type(flow.final)
reveal_type(pf.exact_jko(problem, dt=0.1))
reveal_type(pf.lift(flow, 3))
reveal_type(flow.final.sample(10, rng))
reveal_type(flow.final.log_density(np.zeros((3, 1))))
reveal_type(pf.metrics.w2(flow.final, truth.final))
reveal_type(pf.metrics.kl(flow.final, truth.final, rng=rng))
reveal_type(pf.metrics.sym_kl(flow.final, truth.final))
reveal_type(pf.metrics.l1(flow.final, truth.final).value)
reveal_type(energy.evaluate(problem.initial))
study = pf.Study(problem, {"cc": pf.grid.ChangCooper()}, {"dt": [0.1, 0.05]}, {"w2": pf.metrics.w2}, times=[0.5])
table = study.run(progress=False)
reveal_type(table)
reveal_type(pf.checks.gradient(pf.potentials.Quadratic(1.0), np.zeros((2, 1))))
path = pf.reference.save("ou.h5", problem, flow, error=pf.Estimate(0.1, 0.0, "halved step", "w2"))
reveal_type(path)
reveal_type(pf.reference.load(path))
reveal_type(pf.reference.check(path))
jko = [pf.grid.CvxoptJKO(), pf.grid.QuantileJKO(points=50), pf.neural.ICNNJKO(), pf.neural.VariationalJKO()]
other = [pf.particle.EulerMaruyama(particles=10), pf.neural.PWGF(map=pf.neural.Planar()), pf.neural.PFPE()]
print(pf.fit_order([0.1, 0.05], [1.0, 0.5]).slope, pf.finer(jko[0], 0.01), pf.Claim)
""".strip()

ESTIMATE, TRAJECTORY = "pdeflow._core.estimate.Estimate", "pdeflow.trajectory.Trajectory"
EXPECTED = [
    TRAJECTORY,
    TRAJECTORY,
    "pdeflow.laws.base.Law",
    TRAJECTORY,
    TRAJECTORY,
    "numpy.ndarray",
    "numpy.ndarray",
    ESTIMATE,
    ESTIMATE,
    ESTIMATE,
    "float",
    ESTIMATE,
    "pdeflow.study.table.Table",
    "float",
    "pathlib.Path",
    "pdeflow.reference.",
    "list[str]",
]


@pytest.fixture
def known_types(pytestconfig, tmp_path):
    """Where mypy keeps what it found of files that have not changed, from one run of the tests to the next."""
    cache = getattr(pytestconfig, "cache", None)
    return tmp_path / "cache" if cache is None else cache.mkdir("mypy")


def test_a_script_of_a_user_has_types(tmp_path, known_types):
    pytest.importorskip("mypy")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--follow-imports=silent", "script.py"]
    environment = {**os.environ, "MYPYPATH": str(root), "MYPY_CACHE_DIR": str(known_types)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert "error:" not in run.stdout, run.stdout + run.stderr
    revealed = re.findall(r'Revealed type is "(.*)"', run.stdout)
    assert len(revealed) == len(EXPECTED), run.stdout
    for kind, expected in zip(revealed, EXPECTED, strict=True):
        assert kind.removeprefix("builtins.").startswith(expected), (kind, expected)
        assert "Any" not in kind or kind.startswith("numpy.ndarray"), kind
