"""The tutorial runs as printed."""

import pytest
from docs.blocks import blocks, run, same


def test_the_tutorial_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it writes a reference file
    assert len(blocks("tutorial.md")) >= 10
    names = run("tutorial.md")
    assert names["distance"].value == pytest.approx(0.0378914, rel=1e-4)
    assert names["order"]["verdict"] == "pass"
    assert (tmp_path / "double_well.h5").exists()


def test_a_wrong_number_or_word_would_be_seen():
    same("order 1.00 pass\n", "order 1.01  pass", 0.02)
    for wrong in ("order 1.10 pass", "order 1.00 fail"):
        with pytest.raises(AssertionError):
            same("order 1.00 pass\n", wrong, 0.02)
