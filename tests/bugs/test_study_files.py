"""A study file is loaded as Python loads a program, and an error in it names the line.

From: sqlalchemy/alembic#1419 and modelcontextprotocol/python-sdk#3374 (postponed annotations need the module in
sys.modules), williballenthin/idawilli#143 (siblings of a file loaded by its path).
"""

import sys

import pytest
from click.testing import CliRunner

from pdeflow._core.errors import BadInput
from pdeflow.cli.study import load_validation, study

FILE = '''"""A study."""
from __future__ import annotations
import dataclasses
import pdeflow as pf
from beside_the_study import START

@dataclasses.dataclass(frozen=True)
class Contraction:
    rate: float = START
    def init(self, problem, rng): return problem.initial.mean()
    def step(self, problem, state, dt, rng): return state / (1 + self.rate * dt)
    def law(self, state):
        import later_beside_the_study
        return pf.laws.Gaussian(state, later_beside_the_study.COV)

def study(scale="quick"):
    return pf.Study(pf.problems.ou(), Contraction(), {"dt": [1/8, 1/16, 1/32]}, {"mean": pf.metrics.mean_error})

CLAIMS = [pf.Claim("Contraction", "mean", 1.0, 0.15, "me")]
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "beside_the_study.py").write_text("START = 1.0\n")
    (tmp_path / "later_beside_the_study.py").write_text("COV = 1.0\n")
    yield tmp_path
    for name in ("beside_the_study", "later_beside_the_study"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["random.py", "study.py", "colorsys.py", "with-dash and space.py"])
def test_a_file_of_any_name_runs_with_its_siblings(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = list(sys.path)
    (folder / name).write_text(FILE)
    result = CliRunner().invoke(study, [name, "--quiet"], standalone_mode=False)
    assert result.exception is None and result.return_value == 0, result.exception
    assert sys.path == before
    import colorsys
    import random

    assert random.__name__ == "random" and hasattr(random, "Random") and hasattr(colorsys, "rgb_to_hls")


def test_workers_know_the_classes_of_a_study_file(folder):
    from joblib import wrap_non_picklable_objects  # pickles as the workers do

    (folder / "mine.py").write_text(FILE)
    module = load_validation(folder / "mine.py")
    import pickle

    sent = pickle.dumps(wrap_non_picklable_objects(module.Contraction(2.0)))
    del sys.modules[module.__name__]
    assert pickle.loads(sent).rate == 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\nprint(1 / (x - 1))\n", ["ZeroDivisionError", "line 2", "print(1 / (x - 1))"]),
        ("x = 1\ndef study(scale:\n", ["SyntaxError", "line 2"]),
        ("import pdeflow as pf\nCLAIMS = [pf.Claim('', 'w2', 1.0, 0.1, 'me')]\n", ["Claim.method is ''", "line 2"]),
        ("import no_such_module_anywhere\n", ["ModuleNotFoundError", "line 1"]),
        ("x = 1\n", ["defines no study"]),
        ("def study(scale):\n    return 3\n", ["must give a Study"]),
    ],
)
def test_a_faulty_file_says_where(text, expected, tmp_path):
    (tmp_path / "faulty.py").write_text(text)
    result = CliRunner().invoke(study, [str(tmp_path / "faulty.py")], standalone_mode=False)
    assert isinstance(result.exception, BadInput)
    assert all(part in str(result.exception) for part in expected) and len(str(result.exception)) < 1000
