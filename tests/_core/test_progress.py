"""The progress bar shows nothing where there is no terminal."""

import sys

from pdeflow._core.progress import ProgressBar


def test_no_terminal_no_bar(capsys):
    with ProgressBar(True, 3, "run") as bar:
        bar.update(1, loss=0.5)
    assert bar.bar is None and capsys.readouterr() == ("", "")


def test_a_terminal_has_one(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with ProgressBar(True, 3, "run") as bar:
        bar.update(3, loss=0.5)
    out, err = capsys.readouterr()
    assert out == "" and "run, loss 0.5" in err
