"""pdeflow show: files as text."""

import pdeflow as pf
from pdeflow.cli.main import ERROR


def test_a_table_and_a_reference_are_shown_as_text(run, tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("problem,error\nou,0.125\n")
    assert run("show", table) == 0
    assert "0.125" in capsys.readouterr().out
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.0, 1.0)])
    file = pf.reference.save(tmp_path / "a.h5", pf.problems.ou(), flow, error=pf.Estimate(0.0, metric="w2"))
    assert run("show", file, "--figure", tmp_path / "a.png") == 0
    assert "laws      Gaussian" in capsys.readouterr().out and (tmp_path / "a.png").stat().st_size > 5000


def test_what_cannot_be_shown_is_an_error(run, tmp_path, capsys):
    empty = tmp_path / "table.csv"
    for words in (empty, tmp_path / "none.h5"):
        assert run("show", words) == ERROR
    empty.write_text("")
    assert run("show", empty) == ERROR
    assert "is empty" in capsys.readouterr().err
