"""pdeflow score: files, methods of one's own, errors."""

from pdeflow.report import read_board

OWN = """
import pdeflow as pf

mine = pf.grid.QuantileJKO(points=60)
"""


def test_a_board_of_a_method_of_ones_own_and_one_of_the_house(run, tmp_path, capsys):
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    words = ["--problems", "ou 1", "--out", tmp_path / "b", "--quiet"]
    assert run("score", "ChangCooper", f"{tmp_path / 'own.py'}:mine", *words) == 0
    assert "board.html" in capsys.readouterr().out
    rows = list(read_board(tmp_path / "b"))
    assert [(row["method"], row["class"]) for row in rows] == [("ChangCooper", "classical"), ("mine", "own")]
    assert all((tmp_path / "b" / f"board.{kind}").stat().st_size > 200 for kind in ("html", "md", "tex", "csv"))


def test_wrong_names_are_answered(run, tmp_path, capsys):
    for words, answer in (
        (["ChangCoper"], "Did you mean 'ChangCooper'"),
        (["none.py:x"], "no Python file"),
        (["--problems", "ou 3"], "Possible: standard"),
        (["METHOD"], "FILE.py:NAME. Use one of these."),
        (["my.py"], "Name the object too: my.py:NAME."),
        (["QuantileJKO", "double_well"], "'double_well' is a problem: pass it by --problems."),
    ):
        assert run("score", *words, "--out", tmp_path / "b") == 3
        said = capsys.readouterr().err
        assert answer in said and said.count(" one of these") <= 1
