"""pdeflow case and pdeflow judge: from a name to a verdict, and exit codes."""

import pytest

import pdeflow as pf
from pdeflow.cli.main import ERROR


def test_from_a_name_to_a_verdict(run, tmp_path, capsys):
    assert run("case", "list") == 0 and "porous_medium_2d" in capsys.readouterr().out
    case, out = tmp_path / "case", tmp_path / "out"
    options = ("--levels", "0.25,0.125,0.0625,0.03125", "--times", "0.5")
    assert run("case", "export", "ou_1d", "--out", case, *options, "--metrics", "cov_error") == 0
    assert run("case", "export", "ou_1d", "--out", case) == ERROR  # nothing is overwritten
    assert run("case", "example-output", case, "--out", out, "--answer", "masses") == 0
    assert len(list(out.iterdir())) == 4
    capsys.readouterr()
    assert run("judge", case, "--results", out, "--order", "3", "--quiet") == 1
    printed = capsys.readouterr().out  # the verdict stands beside the claim, and only there
    assert "no order was expected" not in printed and "measured" not in printed and "verdict: fail" in printed
    words = ("judge", case, "--results", out, "--quiet", "--at-least")
    assert run(*words, "0.5") == 0 and "at least 0.5" in capsys.readouterr().out  # a better scheme does not fail
    assert run(*words, "3") == 1 and "verdict: fail" in capsys.readouterr().out
    assert run(*words, "0.5", "--order", "3") == 1 and "at least 0.5" in capsys.readouterr().out  # both are judged
    assert run("judge", case, "--results", out, "--quiet") == 0
    assert "nothing is judged" in capsys.readouterr().out
    sorted(out.iterdir())[0].unlink()
    assert run("judge", case, "--results", out, "--order", "1") == ERROR
    assert "lacks 1 of 4 answers" in capsys.readouterr().err


def test_what_cannot_be_a_case_exits_with_three(run, tmp_path, capsys):
    for words, message in (
        (("case", "export", "ou_3d", "--out", tmp_path / "a"), "Did you mean 'ou_"),
        (("case", "export", "ou_1d", "--out", tmp_path / "a", "--levels", "a,b"), "separated by commas"),
        (("case", "export", "ou_1d", "--out", tmp_path / "a", "--levels", "0.3"), "no multiple"),
        (("case", "example-output", "ou_10d", "--out", tmp_path / "a", "--answer", "masses"), "another --answer"),
        (("judge", tmp_path, "--results", tmp_path), "case export NAME"),
    ):
        assert run(*words) == ERROR
        assert message in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_constants_are_set_by_name(run, tmp_path, capsys):
    words = ("case", "export", "ou_1d", "--out", tmp_path / "a")
    assert run(*words, "--set", "temperature=0.5", "--set", "dim=3", "--set", "seed=4") == 0
    case = pf.case.load(tmp_path / "a")
    assert case.problem == pf.problems.ou(dim=3, seed=4, temperature=0.5) and "sliced_w2" in case.metrics
    for bad, message in (("temprature=1", "Did you mean 'temperature'"), ("dim", "NAME=VALUE"), ("dim=x", "dim")):
        assert run(*words, "--set", bad) == ERROR
        assert message in capsys.readouterr().err


def test_a_reference_file_makes_a_case(run, tmp_path, capsys):
    flow = pf.Trajectory([0.5], [pf.laws.GridLaw([-3.0, 0.0, 3.0], [0.5, 0.5])])
    error = pf.Estimate(0.01, metric="l1")
    file = pf.reference.save(tmp_path / "well.h5", pf.problems.double_well(), flow, error=error)
    assert run("case", "export", file, "--out", tmp_path / "case") == ERROR
    assert "Pass --times and --levels" in capsys.readouterr().err
    assert run("case", "export", file, "--out", tmp_path / "case", "--times", "0.5", "--levels", "0.25") == 0
    assert pf.case.load(tmp_path / "case").metrics == ("l1",)


@pytest.mark.parametrize("command", [("case",), ("case", "export"), ("case", "example-output"), ("judge",)])
def test_help_is_there(run, command, capsys):
    assert run(*command, "--help") == 0
    assert "Options:" in capsys.readouterr().out
