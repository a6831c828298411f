"""score: what a board says of methods whose errors are known."""

import pytest
from greedy_schemes import Ending

import pdeflow as pf
from pdeflow._core.errors import BadInput
from pdeflow.report import Entry, score


def test_rows_say_what_is_known(board):
    assert [(row["problem"], row["method"]) for row in board][:3] == [("ou", "JKO"), ("ou", "EM"), ("ou", "CC")]
    jko, em, cc = board[0], board[1], board[2]
    # the exact JKO iterates are closed: 100 quantiles add less than a twentieth to their distance from the truth
    problem = pf.problems.ou(horizon=0.5)
    known = pf.metrics.w2(pf.exact_jko(problem, dt=1 / 8, times=[0.5]).final, pf.exact(problem, [0.5]).final)
    assert jko["error"] == pytest.approx(known.value, rel=0.05)
    assert jko["stderr"] == 0 < em["stderr"]
    assert em["level_kind"] == "floor" and 0.5 < em["times_level"] < 20
    assert jko["verdict"] != "fail" != cc["verdict"]
    assert all(row["kernel_seconds"] > 0 for row in board)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"kind": "fast"}, "kind"), ({"name": ""}, "name"), ({"steps": []}, "steps"), ({"seeds": 0}, "seeds")],
)
def test_entries_are_checked(change, words):
    with pytest.raises(BadInput, match=words):
        Entry(**{"name": "a", "method": pf.grid.QuantileJKO(points=50), **change})


def test_two_methods_of_one_name_are_refused():
    entry = Entry("a", pf.grid.QuantileJKO(points=50))
    with pytest.raises(BadInput, match="called 'a'"):
        score({"ou": pf.problems.ou()}, [entry, entry], pf.metrics.w2, time=0.5)


def test_a_step_out_of_time_ends_the_smaller_ones_and_the_row_says_so():
    """A step of 1/8 has no time: the row has the error at 1/4 with both seeds, and the reason of 1/8."""
    problems = {"ou": pf.problems.ou(horizon=0.5)}
    entry = Entry("ending", Ending(1 / 8), steps=[1 / 4, 1 / 8, 1 / 16], seeds=2)
    (row,) = score(problems, [entry], pf.metrics.w2, time=0.5, budget=30.0, progress=False)
    assert row["dt"] == 1 / 4 and row["error"] > 0 and row["seeds"] == 2 and row["verdict"] == "-"
    assert row["status"] == "out of time" and row["why"].startswith("dt = 0.125: The step had no time")
