"""pdeflow grade: diagnoses and exit codes."""

from pdeflow.cli.main import ERROR

SOLVER = """
import pdeflow as pf


class Mine:
    def init(self, problem, rng):
        return problem.initial.sample(2000, rng)

    def step(self, problem, x, dt, rng):
        return x {sign} dt * problem.energy.potential.grad(x) + (2 * 0.6 * dt) ** 0.5 * rng.standard_normal(x.shape)

    def law(self, x):
        return pf.laws.Particles(x)


method = Mine()
"""


def test_a_wrong_sign_is_named_and_a_right_one_is_silent(run, tmp_path, capsys):
    file = tmp_path / "mine.py"
    for sign, code, words in (("-", 0, "Nothing was found"), ("+", 1, "sign of the gradient?")):
        file.write_text(SOLVER.replace("{sign}", sign), encoding="utf-8")
        assert run("grade", file) == code
        assert words in capsys.readouterr().out


def test_what_cannot_be_graded_is_an_error(run, tmp_path, capsys):
    file = tmp_path / "mine.py"
    for text, words in (
        ("x = 1", "defines no method"),
        ("1/0", "ZeroDivisionError"),
        (SOLVER.replace("{sign}", "-") + "problem = pf.problems.heat()", "quadratic potential"),
        (SOLVER.replace("{sign}", "-") + "levels = [0.1]", "three steps"),
        ("method = 3", "method is 3"),
    ):
        file.write_text(text, encoding="utf-8")
        assert run("grade", file) == ERROR
        assert words in capsys.readouterr().err
    assert run("grade", tmp_path / "none.py") == ERROR
