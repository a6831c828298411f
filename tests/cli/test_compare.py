"""pdeflow compare: exit codes."""

import pytest

import pdeflow as pf
from pdeflow.report import Board, Entry, score


@pytest.fixture
def board(tmp_path):
    entry = Entry("JKO", pf.grid.QuantileJKO(points=50), "classical", [1 / 2, 1 / 4, 1 / 8], 1)
    made = score({"ou": pf.problems.ou()}, [entry], pf.metrics.w2, time=0.5, progress=False)
    made.to_csv(tmp_path / "old.csv")
    return made


def test_exit_codes(run, board, tmp_path, capsys):
    Board([{**row, "errors": tuple(2 * e for e in row["errors"])} for row in board]).to_csv(tmp_path / "new.csv")
    assert run("compare", tmp_path / "old.csv", tmp_path / "old.csv") == 0
    assert "No difference" in capsys.readouterr().out
    assert run("compare", tmp_path / "old.csv", tmp_path / "new.csv") == 1
    assert "1 got worse" in capsys.readouterr().out
    assert run("compare", tmp_path / "new.csv", tmp_path / "old.csv") == 0
    assert run("compare", tmp_path / "old.csv", tmp_path / "none.csv") == 2
    assert "pdeflow score" in capsys.readouterr().err
