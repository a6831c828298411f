"""A potential, a kernel, a metric, a method and a problem of a user go through everything that built-in ones go
through.

Laws, maps and internal energies of a user have tests of their own beside this one; `foreign_script.py` has one of each.
"""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from contract import foreign_script as mine

import pdeflow as pf
from pdeflow.laws import Gaussian, Uniform

SCRIPT = Path(mine.__file__)
START = Gaussian(0.5, 0.25)


def test_every_definition_is_short_and_uses_public_names():
    text = SCRIPT.read_text(encoding="utf-8")
    assert "pdeflow." not in text.replace("import pdeflow as pf", "") and "._" not in text
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name != "main":
            body = text.splitlines()[node.lineno - 1 : node.end_lineno]
            assert len([line for line in body if line.strip()]) <= 15, node.name


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder to which the script saved its files."""
    folder = tmp_path_factory.mktemp("saved")
    assert script("save", folder) == "saved"
    return folder


def script(verb, folder):
    command = [sys.executable, "-W", "error", str(SCRIPT), verb, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.strip()


def test_one_script_has_one_of_each_and_its_file_loads_with_its_problem(saved):
    assert script("load", saved) == "loaded []"


def test_a_file_whose_builder_is_not_registered_says_so(saved):
    code = f"import pdeflow as pf; r = pf.reference.load({str(saved / 'quartic.h5')!r})"
    code += "; print(r.problem, r.provenance['problem_note'])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and run.stdout.startswith("None"), run.stderr
    assert "registered builder 'quartic'" in run.stdout


METHODS = {
    "chang-cooper": pf.grid.ChangCooper(cells=100),
    "quantile-jko": pf.grid.QuantileJKO(points=60),
    "cvxopt-jko": pf.grid.CvxoptJKO(cells=60, lower=-3.0, upper=3.0),
    "euler-maruyama": pf.particle.EulerMaruyama(particles=200),
    "pwgf": pf.neural.PWGF(map=pf.neural.Planar(layers=2), samples=200),
    "pfpe": pf.neural.PFPE(map=pf.neural.Planar(layers=2), samples=200, features=10),
    "icnn-jko": pf.neural.ICNNJKO(width=4, iterations=5, batch=64, training=pf.neural.Training(pool=256)),
    "variational-jko": pf.neural.VariationalJKO(outer=3, batch=64, training=pf.neural.Training(pool=256)),
}
every = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@every
def test_a_potential_in_every_method(method):
    problem = pf.Problem(pf.Energy(mine.Quartic(), pf.Entropy(0.5)), START, 0.2)
    assert moved_or_told(problem, method, ("value", "grad", "hessian"))


@every
def test_a_kernel_in_every_method(method):
    problem = pf.Problem(pf.Energy(internal=pf.Entropy(0.5), interaction=mine.Cubic()), START, 0.2)
    assert moved_or_told(problem, method, ("value", "grad", "interaction", "kernel"))


def moved_or_told(problem, method, words):
    """Whether two steps give a law that has moved, or the error names what is missing."""
    try:
        law = pf.solve(problem, method, dt=0.1).final
    except (pf.Unsupported, pf.NotAvailable) as error:
        return any(word in str(error) for word in words)
    x = law.sample(50, np.random.default_rng(0))
    return bool(np.isfinite(x).all()) and not np.array_equal(x, problem.initial.sample(50, np.random.default_rng(0)))


def test_potential_and_kernel_under_checks_and_in_energies():
    x = np.random.default_rng(0).normal(size=(20, 1))
    assert pf.checks.gradient(mine.Quartic(), x) < 1e-9 and pf.checks.gradient(mine.Cubic(), x + 3.0) < 1e-7
    # E x⁴/4 of N(0, 1) is 3/4; ½ E|x - y|³/3 with x - y ~ N(0, 2) is 4/(3√π)
    normal = Gaussian(0.0, 1.0)
    assert pf.Energy(mine.Quartic()).evaluate(normal).value == pytest.approx(0.75, rel=1e-10)
    cloud = pf.laws.Particles(normal.sample(2000, np.random.default_rng(1)))
    assert pf.Energy(interaction=mine.Cubic()).evaluate(cloud).value == pytest.approx(4 / (3 * np.sqrt(np.pi)), rel=0.1)
    with pytest.raises(pf.BadInput, match="lacks grad"):
        pf.Energy(interaction=type("Half", (), {"value": lambda self, z: z})())


def test_a_metric_is_a_column_of_a_study_with_its_floor():
    problem = pf.problems.ou(initial=START)
    study = pf.Study(
        problem,
        pf.grid.ChangCooper(cells=100),
        {"dt": [0.25, 0.125]},
        {"m": mine.median_error, "w2": pf.metrics.w2},
        times=[0.5],
    )
    table = study.run(progress=False)
    rows = [row for row in table if row["metric"] == "m"]
    assert len(rows) == 2 and all(row["status"] == "ok" and np.isfinite(row["floor"]) for row in rows)
    assert len(table.orders("m")) == 1 and "m" in str(table)


def test_a_method_has_fields_a_fingerprint_and_checks(tmp_path):
    with pytest.raises(pf.UnknownField, match="Did you mean 'particles'"):
        mine.Langevin(particle=3)
    prints = [pf.fingerprint.sha256(mine.Langevin(particles=n)) for n in (200, 300, 200)]
    assert prints[0] == prints[2] != prints[1]
    problem = pf.problems.ou(initial=START)
    flow = pf.solve(problem, mine.Langevin(), dt=0.1, times=[0.5, 1.0], seed=3)
    assert pf.checks.mass(flow, tolerance=1e-12) <= 1e-12
    file = pf.reference.save(
        tmp_path / "mine.h5", problem, flow, error=pf.Estimate(0.1, 0.0, "guess", "w2"), method=mine.Langevin(), seed=3
    )
    again = pf.reference.load(file)
    assert pf.reference.check(file) == [] and np.array_equal(again.trajectory.final.x, flow.final.x)
    with pytest.raises(pf.NotAvailable, match="exact_sequence"):
        mine.Langevin().exact_sequence(problem, dt=0.1, times=[0.5])


def test_a_problem_is_rebuilt_by_name_and_its_name_is_its_own():
    problem = mine.quartic(temperature=0.25)
    assert problem.name == "quartic" and problem.params == {"temperature": 0.25}
    again = pf.problems.rebuild(problem.name, problem.params)
    assert pf.fingerprint.sha256(again) == pf.fingerprint.sha256(problem)
    with pytest.raises(pf.UnknownField, match="Did you mean 'temperature'"):
        mine.quartic(temperatur=1.0)

    def ou(dim=1):
        return pf.Problem(pf.Energy(internal=pf.Entropy()), Uniform(0.0, 1.0), 1.0)

    with pytest.raises(pf.BadInput, match="'ou' is taken by the builder"):
        pf.problems.register(ou)
