"""Progress: a bar in a terminal, nothing of short loops elsewhere."""

import sys

from pdeflow._core.progress import ProgressBar


def test_a_short_loop_says_nothing_where_there_is_no_terminal(capsys):
    with ProgressBar(True, 3, "run") as bar:
        bar.update(1, loss=0.5)
        assert bar.line() == "run: 1 of 3 after 0 s, about 0 s left, loss 0.5"
    assert capsys.readouterr() == ("", "")


def test_a_terminal_has_a_bar(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with ProgressBar(True, 3, "run") as bar:
        bar.update(3, loss=0.5)
    out, err = capsys.readouterr()
    assert out == "" and "run, loss 0.5" in err
