"""score: what a board says of methods whose errors are known."""

import pytest

import pdeflow as pf
from pdeflow._core.errors import BadInput
from pdeflow.report import Entry, score
from pdeflow.report.scoring import _with_all_seeds
from pdeflow.study import Table


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


def test_what_runs_out_of_time_with_the_first_seed_is_not_tried_with_the_others():
    """Slow has no time on `hard` at any step, and on `easy` at the finer one only: there it gets all its seeds."""
    asked = []

    def status(problem, method, dt):
        return "out of time" if method == "slow" and (problem == "hard" or dt < 0.4) else "ok"

    def run(problems, methods, seeds):
        asked.append((list(problems), list(methods), list(seeds)))
        keys = [(p, m, dt, s) for p in problems for m in methods for dt in (0.5, 0.25) for s in seeds]
        names = ("problem", "method", "dt", "seed", "status")
        return Table(({**dict(zip(names, key)), "status": status(*key[:3])} for key in keys), "dt")

    table = _with_all_seeds(run, ["easy", "hard"], ["fast", "slow"], range(3, 6))
    first, others = asked[0], sorted(asked[1:])
    assert first == (["easy", "hard"], ["fast", "slow"], [3])
    assert others == [(["easy"], ["slow"], [4, 5]), (["easy", "hard"], ["fast"], [4, 5])]
    assert len(table) == 3 * 2 * 3 + 2
    pairs = [(row["problem"], row["method"]) for row in table]
    assert list(dict.fromkeys(pairs)) == [(p, m) for p in ("easy", "hard") for m in ("fast", "slow")]
