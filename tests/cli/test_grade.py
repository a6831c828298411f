"""pdeflow grade: diagnoses and exit codes."""

import sys

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
        said = capsys.readouterr().out
        assert words in said and "A = [[1.25]], b = [0.5], T = 0.6, from Gaussian(mean=[2.0]" in said
        assert "built in" not in said  # a method of Python is told the problem


def test_a_program_that_solves_another_problem_is_told_so(run, tmp_path, capsys):
    file, program = tmp_path / "mine.py", tmp_path / "exact.py"
    # the exact moments of X' = -X, T = 1 from N(2, 1/4), whatever the step
    program.write_text(
        "from math import exp\nimport sys\nt = float(sys.argv[2])\nprint(f'{2 * exp(-t)},{1 - 0.75 * exp(-2 * t)}')\n",
        encoding="utf-8",
    )
    command = f"[{sys.executable!r}, {str(program)!r}, '{{dt}}', '{{time}}']"
    text = f"import pdeflow as pf\nmethod = pf.External({command}, answer='moments')\n"
    file.write_text(text, encoding="utf-8")
    assert run("grade", file) == 1
    assert "constants built in; if it solves others" in capsys.readouterr().out
    file.write_text(text + "problem = pf.problems.ou()\n", encoding="utf-8")
    assert run("grade", file) == 0
    said = capsys.readouterr().out
    assert "Nothing was found" in said and "A = [[1.0]]" in said and "built in" not in said


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
