"""The bars of table 2 of mokrov2022: what is missed is named, and what is not is not."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2] / "validation"
ERRORS = {f"{what}_of_{of}": 0.01 for what in ("accuracy", "log_likelihood") for of in ("labels", "draws")}


@pytest.fixture
def report(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    return SimpleNamespace(**runpy.run_path(str(ROOT / "reproductions" / "logistic_regression" / "report.py")))


def row(method, split=0, **changed):
    common = {"set": "banana", "split": split, "features": 2, "seconds": 40.0, "draws": 8192}
    numbers = {"energy": 0.04, "null": 0.02, "accuracy": 0.7, "log_likelihood": -0.5}
    return {**common, **ERRORS, **numbers, "method": method, **changed}


def test_what_meets_the_bars_is_not_named(report):
    near = row("ICNN-JKO", accuracy=0.725)  # 1.8 combined errors of 0.014
    assert report.missed([row("chain"), near, row("prior", log_likelihood=-9.0)]) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"accuracy": 0.73}, "accuracy"), ({"log_likelihood": -0.6}, "log_likelihood"), ({"energy": 0.07}, "3.50 null"),
     ({"seconds": 301.0}, "301 s"), ({"accuracy": float("nan")}, "accuracy")],
)  # fmt: skip
def test_what_misses_a_bar_is_named(report, changed, words):
    (found,) = report.missed([row("chain"), row("ICNN-JKO", **changed)])
    assert words in found


def test_a_short_chain_does_not_make_the_bar_easier(report):
    """Of 8,192 draws against 2,048 in the chain the null level is √2.5 of what it is at 8,192 in both."""
    short, mine = row("chain", draws=2048), row("ICNN-JKO", energy=0.046)  # 2.3 of its null levels
    assert report.at_reference([mine], [short]) == pytest.approx([(1 + 2.5 * (2.3**2 - 1)) ** 0.5])
    (found,) = report.missed([short, mine])
    assert "3.42 null" in found


def test_gaps_are_over_the_splits_that_both_have(report):
    rows = [row("chain"), row("chain", split=1, accuracy=0.5), row("SVGD", split=1, accuracy=0.5)]
    assert report.missed(rows) == []
    assert report.gap([rows[2]], rows[:2], "accuracy") == (
        0.0,
        pytest.approx(0.01 * 2**0.5),
        pytest.approx(0.01 * 2**0.5),
    )
    refused = {"set": "banana", "split": 0, "method": "SVGD", "why": "Diverged: far"}
    assert report.missed([*rows, refused]) == ["banana, SVGD, split 0: Diverged: far"]
