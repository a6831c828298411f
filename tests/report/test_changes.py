"""compare: seeded regressions are found, other seeds are left in peace."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.errors import BadInput
from pdeflow.report import Board, compare


def test_the_same_board_has_no_change(board):
    assert len(compare(board, board)) == 0 and compare(board, board).exit_code == 0


def test_other_seeds_are_no_regression(board, scored):
    changes = compare(board, scored(seed=100))
    assert [row for row in changes.regressions if row["what"].startswith("error")] == []


def test_a_seeded_bug_is_found(board, scored, twice_the_noise):
    changes = compare(board, scored(seed=100, particle=twice_the_noise))
    assert changes.exit_code == 1
    assert ("EM", "error at dt = 0.125") in {(row["method"], row["what"]) for row in changes.regressions}


def test_a_coarser_scheme_without_noise_is_found_both_ways(board):
    rows = [
        {**row, "errors": tuple(1.05 * e for e in row["errors"])} if row["method"] == "JKO" else row for row in board
    ]
    worse, better = compare(board, Board(rows)), compare(Board(rows), board)
    assert {row["method"] for row in worse.regressions} == {"JKO"} and worse.exit_code == 1
    assert better.exit_code == 0 and {row["kind"] for row in better} == {"better"}


def test_times_count_in_kernels_and_lost_runs_count(board):
    quick, slow = (Board([{**row, "cpu_seconds": s * row["kernel_seconds"]} for row in board]) for s in (100, 2000))
    assert {row["what"] for row in compare(quick, slow).regressions} == {"CPU time in kernels"}
    busy = Board([{**row, "kernel_seconds": 20 * row["kernel_seconds"]} for row in slow])
    assert compare(quick, busy).exit_code == 0
    tiny = Board([{**row, "cpu_seconds": row["kernel_seconds"] / 10} for row in board])
    assert compare(tiny, board).exit_code == 0  # which may have compiled
    nan = (float("nan"),) * 3
    lost = Board([{**row, "errors": nan, "status": "diverged"} for row in board])
    assert {row["what"] for row in compare(board, lost).regressions} >= {"status at dt = 0.5"}


def test_false_alarms_stay_below_their_rate_and_a_doubled_error_is_found(board):
    """Boards of 20 noisy rows, three seeds each: at most 1 % of pairs may show a regression.

    Of 60 pairs 0.6 are expected at the bound, and five or more have a chance below 0.0004 then. A larger simulation,
    500 pairs of 60 rows, had 0 to 1 alarms, and a doubled error among spreads of 8 % was found in 49 of 50.
    """
    rng = np.random.default_rng(1)
    base = next(row for row in board if row["method"] == "EM" and row["problem"] == "ou")

    def drawn(factor=1.0):
        rows = []
        for i in range(20):
            errors = np.array([0.4, 0.2, 0.1]) * np.exp(0.08 * rng.standard_normal((3, 3)))  # seeds, steps
            errors *= factor if i == 0 else 1.0
            rows.append(
                {
                    **base,
                    **{"problem": f"p{i // 2}", "method": f"m{i % 2}", "seeds": 3, "errors": tuple(errors.mean(0))},
                    "stderrs": tuple(errors.std(0, ddof=1) / 3**0.5),
                }
            )
        return Board(rows)

    assert sum(compare(drawn(), drawn()).exit_code for _ in range(60)) <= 4
    assert sum(compare(drawn(), drawn(2.0)).exit_code for _ in range(10)) >= 8


def test_an_error_that_grows_out_of_its_noise_is_found(board):
    base = next(row for row in board if row["method"] == "EM" and row["problem"] == "ou")
    one = {"steps": (0.125,), "dt": 0.125, "costs": (1.0,), "seeds": 3}
    old = Board([{**base, **one, "errors": (0.0248,), "stderrs": (0.0048,)}])
    new = Board([{**base, **one, "errors": (0.0998,), "stderrs": (0.0040,)}])
    # Student's t is 12 with 4 degrees of freedom; a spread in proportion to the error made 5.2 of it
    (found,) = [row for row in compare(old, new).regressions if row["what"].startswith("error")]
    assert found["p"] == pytest.approx(1.4e-4, rel=0.05)
    assert not compare(new, old).regressions


def test_boards_without_a_common_row_are_refused(board):
    other = Board([{**row, "problem": "another"} for row in board])
    with pytest.raises(BadInput, match="none in common"):
        compare(board, other)
    with pytest.raises(BadInput, match="same question"):
        compare(board, Board([{**row, "time": 1.0} for row in board]))
    with pytest.raises(BadInput, match="false_alarms"):
        compare(board, board, false_alarms=2.0)
    assert pf.report.compare is compare
