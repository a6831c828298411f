"""pdeflow study: verdicts as exit codes."""

from pathlib import Path

import pytest

VALIDATION = '''"""Explicit moments on Ornstein-Uhlenbeck.

Two lines of text."""
import sys
sys.path.insert(0, {here!r})
import pdeflow as pf
from cheap_schemes import ExplicitMoments

def study(scale="quick"):
    steps = [0.1, 0.05, 0.025, 0.0125] if scale == "quick" else [0.01, 0.005, 0.0025]
    methods, metrics = {{"explicit": ExplicitMoments()}}, {{"mean": pf.metrics.mean_error}}
    return pf.Study([pf.problems.ou()], methods, {{"dt": steps}}, metrics)

CLAIMS = [pf.Claim("explicit", "mean", {order}, 0.1, "docs/math.md 4.3")]
'''


@pytest.mark.parametrize(("order", "code"), [(1.0, 0), (2.0, 1)])
def test_study_exits_with_its_verdict_and_leaves_a_report(run, order, code, tmp_path, capsys):
    file = tmp_path / "claim.py"
    file.write_text(VALIDATION.format(here=str(Path(__file__).parents[1]), order=order), encoding="utf-8")
    assert run("study", file, "--store", tmp_path / "runs", "--report", tmp_path / "report") == code
    out = capsys.readouterr().out
    assert f"verdict: {'pass' if code == 0 else 'fail'}" in out
    assert "errors in mean: means over the seeds" in out and "dt = 0.0125" in out
    assert "Explicit moments on Ornstein-Uhlenbeck." in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert run("show", tmp_path / "report" / "table.csv") == 0


def test_errors_are_printed_by_level_and_runs_that_ended_say_why(run, tmp_path, capsys):
    file = tmp_path / "noisy.py"
    text = VALIDATION.format(here=str(Path(__file__).parents[1]), order=1.0)
    text += "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Refusing(ExplicitMoments):\n"
    text += "    def init(self, problem, rng):\n        raise pf.Unsupported('It is too noisy. Be quiet. Go.')\n"
    file.write_text(text.replace('methods, metrics = {"explicit"', 'methods, metrics = {"no": Refusing(), "explicit"'))
    assert run("study", file, "--quiet") == 0
    out = capsys.readouterr().out
    refused, measured = (line for line in out.splitlines()[2:4])
    assert refused.split()[3:] == ["unsupported"] * 4
    errors = [float(word) for word in measured.split()[3:]]
    assert len(errors) == 4 and errors[0] / errors[3] == pytest.approx(8, rel=0.15)  # of order one
    assert out.count("no on ou: unsupported. It is too noisy. Be quiet. Go.") == 1


def test_a_study_may_stand_in_the_module_with_or_without_claims(run, tmp_path, capsys):
    file = tmp_path / "own.py"
    text = VALIDATION.format(here=str(Path(__file__).parents[1]), order=1.0)
    head, _, claims = text.partition("CLAIMS = ")
    file.write_text(head.replace("def study(", "def make(") + "study = make()\n", encoding="utf-8")
    assert run("study", file, "--quiet") == 0
    assert "nothing is judged" in capsys.readouterr().out
    file.write_text(file.read_text(encoding="utf-8") + "CLAIMS = " + claims, encoding="utf-8")
    assert run("study", file, "--quiet") == 0
    assert "verdict: pass" in capsys.readouterr().out
    assert run("study", file, "--quiet", "--scale", "paper") == 3
    assert "drop --scale" in capsys.readouterr().err
