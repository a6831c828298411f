"""Study: its rows, its validation, its truths; Table: orders, claims, parts, cost."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from study.toys import Moments, moment_distance, small_study, unavailable

import pdeflow as pf
from pdeflow._core.errors import BadInput, Diverged, UnknownField
from pdeflow.laws import Gaussian, Particles
from pdeflow.study import Table

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]


small = partial(small_study, DTS)


@dataclass(frozen=True)
class Cloud(Moments):
    """Moments seen through a sample: a random method whose floor is its sampling error."""

    particles: int = 400

    def init(self, problem, rng):
        x = problem.initial.sample(self.particles, rng)
        return np.concatenate([x.mean(axis=0), np.cov(x.T, bias=True).ravel()])


class Own:
    """Somebody's own solver: no base class, no dataclass."""

    def __init__(self, cells):
        self.cells = cells

    def init(self, problem, rng):
        return problem.initial.mean()[0], problem.initial.cov()[0, 0]

    def step(self, problem, state, dt, rng):
        return state[0] / (1 + dt), (state[1] + 2 * dt) / (1 + 2 * dt)

    def law(self, state):
        return Gaussian(state[0] + 1 / self.cells**2, state[1])


class Slots:
    """An object with no attributes to tell it by."""

    __slots__ = ()


@dataclass(frozen=True)
class Explodes(Moments):
    """Fails in the way it is told to."""

    kind: type = Diverged

    def step(self, problem, state, dt, rng):
        if dt < 1 / 20:
            raise self.kind("It left the numbers. Use a larger dt.")
        return super().step(problem, state, dt, rng)


def test_first_order_scheme_passes_and_keeps_every_row():
    table = small(seeds=range(2), times=[0.5, 1.0]).run()
    assert isinstance(table, Table) and len(table) == 2 * 2 * len(DTS)
    assert all(order["verdict"] == "pass" for order in table.orders("moments", expected=1))
    assert len(table.orders("moments")) == 2 and len(table.orders("moments", time=0.5)) == 1


def test_long_table_has_the_columns_of_the_design_in_order(tmp_path):
    table = small(times=[0.5, 1.0]).run()
    frame = table.to_dataframe()
    assert list(frame.columns[:14]) == [
        "problem", "method", "dt", "seed", "time", "metric", "error", "stderr", "floor", "time_error", "status", "why",
        "seconds", "first_call_seconds",
    ]  # fmt: skip
    assert list(frame["dt"].unique()) == DTS and (frame["seconds"] > 0).all()
    import pandas

    table.to_csv(tmp_path / "table.csv")
    again = pandas.read_csv(tmp_path / "table.csv")
    assert (again["error"] == frame["error"]).all()
    swept = small(methods={"own": Own(3)}, sweep={"cells": [1, 2, 4]}, dt=0.25).run()
    assert list(swept.columns[:3]) == ["problem", "method", "cells"] and "dt" in swept.columns
    assert "cells" in str(swept) and "dt  " in str(table)


def test_failing_metric_becomes_a_row():
    table = small(metrics={"moments": moment_distance, "none": unavailable}).run()
    assert {row["status"] for row in table if row["metric"] == "none"} == {"not available"}
    assert {row["status"] for row in table if row["metric"] == "moments"} == {"ok"}


@pytest.mark.parametrize("kind", ["Unsupported", "NotAvailable", "Diverged", "NotConverged", "BadInput"])
def test_every_typed_error_of_a_run_becomes_a_row_with_its_reason(kind):
    error = getattr(pf, kind)
    table = small(methods={"bad": Explodes(kind=error), "good": Moments()}).run()
    bad = [row for row in table if row["status"] != "ok"]
    assert {(row["method"], row["dt"]) for row in bad} == {("bad", 1 / 32), ("bad", 1 / 64)}
    assert {row["status"] for row in bad} == {error.status} and all("left the numbers" in row["why"] for row in bad)
    assert all(np.isnan(row["error"]) and row["floor"] == 0 for row in bad) and len(table) == 2 * len(DTS)
    claims = table.claims([pf.Claim("bad", "moments", 1, 0.1, "x"), pf.Claim("good", "moments", 1, 0.1, "x")])
    assert [claim["verdict"] for claim in claims] == ["error", "pass"] and claims.exit_code == 3
    assert table.orders("moments", expected=1)[0]["verdict"] == "inconclusive"


@pytest.mark.parametrize("kind", [ZeroDivisionError, ValueError, RuntimeError])
def test_nothing_else_is_caught(kind):
    def metric(approximation, truth):
        raise kind

    with pytest.raises(kind):
        small(methods={"bad": Explodes(kind=kind)}).run()
    with pytest.raises(kind):
        small(metrics={"bad": metric}).run()


def test_a_step_that_misses_a_time_is_a_bad_input_row():
    table = small(sweep={"dt": [0.1, 0.3]}, times=[0.3, 0.9, 1.0]).run()
    assert [row["status"] for row in table] == ["ok"] * 3 + ["bad input"] * 3  # 0.3 / 0.1 is a whole number here


def test_a_method_without_the_swept_field_is_unsupported_and_names_the_nearest():
    table = small(methods={"cloud": Cloud(), "euler": Moments()}, sweep={"particles": [10, 20]}, dt=0.25).run()
    assert [row["status"] for row in table] == ["ok", "ok", "unsupported", "unsupported"]
    assert "has no field 'particles'" in table[-1]["why"]
    with pytest.raises(UnknownField, match="Did you mean 'particles'"):
        small(methods={"cloud": Cloud()}, sweep={"particle": [10, 20]}, dt=0.25)


def test_fields_that_count_have_their_order_in_one_over_the_count():
    problem = pf.problems.ou(horizon=0.25)
    against = pf.Trajectory([0.25], [Own(10**9).law(Own(1).step(problem, (2.0, 0.25), 0.25, None))])
    table = small(
        problems=problem, methods={"own": Own(1)}, sweep={"cells": [10, 15, 30]}, dt=0.25, against=against
    ).run()
    # the floor is 1/cells² as well: the representation is the only error here, and it is what converges
    (order,) = table.orders("moments", expected=2)
    assert order["verdict"] == "pass" and abs(order["slope"] - 2) < 1e-6 and "part of the error" in order["why"]
    assert table.step_size(10) == 0.1 and np.allclose(
        [r["error"] for r in table], [r["floor"] for r in table], rtol=1e-6
    )


def test_floor_is_averaged_over_draws_of_a_random_method_and_single_for_a_deterministic_one():
    table = small(methods={"cloud": Cloud(), "euler": Moments()}, sweep={"dt": [0.25, 0.5]}, seeds=range(3)).run()
    cloud, euler = ([row for row in table if row["method"] == name] for name in ("cloud", "euler"))
    assert len({row["floor"] for row in cloud}) == 1 and cloud[0]["floor_how"].startswith("mean of 8 draws")
    assert 0.02 < cloud[0]["floor"] < 0.2  # about (σ²/n + 2σ⁴/n)^½ = 0.08 at n = 400
    assert {row["floor_how"] for row in euler} == {"deterministic"}
    assert len({row["error"] for row in cloud}) == 6 and len({row["error"] for row in euler}) == 2


def test_floor_is_nan_and_says_why_where_the_method_cannot_start_at_the_truth():
    times = [0.5]
    truth = pf.Trajectory(times, [Particles(np.linspace(-1, 1, 9)[:, None])])
    (row,) = small(sweep={"dt": [0.25]}, times=times, against=truth).run()
    assert row["status"] == "ok" and np.isnan(row["floor"]) and row["floor_how"].startswith("unsupported: ")


@pytest.mark.parametrize(("finest", "verdict"), [(1 / 128, "inconclusive"), (1 / 2048, "pass")])
def test_reference_must_be_much_finer_than_the_run(finest, verdict):
    table = small(against=pf.finer(Moments(), finest)).run()
    (order,) = table.orders("moments", expected=1)
    assert order["verdict"] == verdict and ("the truth's own error" in order["why"]) == (verdict == "inconclusive")
    runs = [pf.solve(pf.problems.ou(), Moments(), dt=k * finest).final for k in (2, 1)]
    assert {row["truth_error"] for row in table} == {moment_distance(*runs)}


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (1e-6, "pass"), (1e-1, "inconclusive"), (pf.Estimate(1e-6, metric="moments"), "pass"),
        (pf.Estimate(1e-6, metric="l1"), "inconclusive"), (None, "pass"),
    ],
)  # fmt: skip
def test_a_truth_may_state_its_own_error(error, verdict):
    def against(problem, times):
        found = pf.exact(problem, times)
        return pf.Trajectory(found.times, found.laws, {} if error is None else {"error": error})

    assert small(against=against).run().orders("moments", expected=1)[0]["verdict"] == verdict


def test_a_truth_that_takes_dt_gets_the_step_of_the_run():
    table = small(against=pf.exact_jko, problems=pf.problems.ou(temperature=1.0)).run()
    rows = small().run()
    for ours, row in zip(table, rows):
        expected = pf.exact_jko(pf.problems.ou(), dt=row["dt"]).final
        assert ours["error"] == moment_distance(pf.solve(pf.problems.ou(), Moments(), dt=row["dt"]).final, expected)


def test_a_missing_truth_is_a_row_that_names_the_ways_out():
    table = small(problems=[pf.problems.double_well(), pf.problems.ou()]).run()
    first, second = ([row for row in table if row["problem"] == name] for name in ("double_well", "ou"))
    assert {row["status"] for row in first} == {"not available"} and "pf.finer" in first[0]["why"]
    assert {row["status"] for row in second} == {"ok"}


def test_problems_of_one_name_are_told_apart():
    problems = [pf.problems.ou(dim=1), pf.problems.ou(dim=2), pf.problems.ou(dim=2)]
    table = small(problems=problems).run()
    assert list(dict.fromkeys(row["problem"] for row in table)) == ["ou(dim=1)", "ou(dim=2)#1", "ou(dim=2)#2"]
    assert len(table.orders("moments")) == 3


def test_work_precision_and_parts_average_over_seeds():
    table = small(methods={"cloud": Cloud()}, sweep={"dt": [0.25, 0.5]}, seeds=range(4)).run()
    for level, part in zip(table.work_precision("moments"), table.parts("moments")):
        errors = [row["error"] for row in table if row["dt"] == level["dt"]]
        assert level["seeds"] == 4 and level["error"] == np.mean(errors) == part["error"]
        assert np.isclose(level["stderr"], np.std(errors, ddof=1) / 2, rtol=1e-12)
        assert np.isnan(part["rest"]) and part["undivided"] == part["error"] - part["floor"]


def test_nothing_is_printed_where_stderr_is_no_terminal(capfd):
    small().run(progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_bar_runs_on_a_terminal_and_leaves_standard_output_alone(capsys, monkeypatch):
    import sys

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    small().run(progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "study" in err


def test_without_a_store_an_object_that_cannot_be_described_may_take_part(tmp_path):
    def metric(approximation, truth, slots=Slots()):  # noqa: B008
        return moment_distance(approximation, truth)

    assert len(small(metrics={"m": metric}).run()) == len(DTS)
    with pytest.raises(BadInput, match="cannot be described"):
        small(metrics={"m": metric}).run(store=tmp_path)


def test_one_level_is_inconclusive():
    assert small(sweep={"dt": [0.25]}).run().orders("moments", expected=1)[0]["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"problems": []}, "problems is empty"), ({"problems": ["ou"]}, "must be a Problem"), ({"methods": {}}, "empty"),
        ({"methods": {"m": Moments}}, "object with init"), ({"methods": {1: Moments()}}, "strings"),
        ({"methods": [Moments(), Moments(0.5)]}, "twice"), ({"metrics": {}}, "empty"), ({"metrics": {"w2": 3}}, "function"),
        ({"sweep": {}}, "exactly one axis"), ({"sweep": {"dt": [1], "theta": [1]}}, "exactly one axis"),
        ({"sweep": {"dt": []}}, "empty"), ({"sweep": {"dt": [0.1, 0.1]}}, "twice"), ({"sweep": {"dt": [0.1, -1]}}, "> 0"),
        ({"sweep": {"dt": [0.1, np.nan]}}, "> 0"), ({"sweep": {"dt": 3 * [None]}}, "."), ({"dt": 0.1}, "Drop dt="),
        ({"sweep": {"theta": [0.5]}}, "dt is missing"), ({"sweep": {"theta": [0.5]}, "dt": 0}, "> 0"),
        ({"times": [1, 0.5]}, "increase"), ({"times": [-1]}, "increase"), ({"times": []}, "increase"),
        ({"times": [np.nan]}, "finite"), ({"seeds": []}, "empty"), ({"seeds": [0.5]}, "integer"), ({"seeds": [1, 1]}, "twice"),
        ({"seeds": [-1]}, "at least 0"), ({"against": 3}, "pf.finer"), ({"against": None}, "pf.finer"),
    ],
)  # fmt: skip
def test_a_study_that_means_nothing_is_refused_at_once(changes, says):
    with pytest.raises(BadInput, match=says):
        small(**changes)


def test_wrong_arguments_of_run_and_table_are_typed_errors():
    with pytest.raises(BadInput, match="jobs"):
        small().run(jobs=0)
    table = small(sweep={"dt": [0.25]}).run()
    with pytest.raises(UnknownField, match="Did you mean 'moments'"):
        table.orders("moment")
    with pytest.raises(BadInput, match="No rows at time"):
        table.orders("moments", time=0.7)
    with pytest.raises(UnknownField, match="Did you mean 'euler'"):
        table.claims([pf.Claim("eulr", "moments", 1, 0.1, "x")])
    with pytest.raises(BadInput, match="non-empty list of Claim"):
        table.claims([])
    with pytest.raises(BadInput, match="numeric"):
        Table([], "kkt").step_size("structured")


@pytest.mark.parametrize(
    "fields",
    [("", "w2", 1, 0.1, "x"), ("m", "w2", "1", 0.1, "x"), ("m", "w2", 1, 0, "x"), ("m", "w2", np.nan, 0.1, "x")],
)
def test_a_claim_that_means_nothing_is_refused(fields):
    with pytest.raises(BadInput):
        pf.Claim(*fields)


def test_claims_end_with_the_worst_verdict():
    table = small(methods={"euler": Moments(), "trapezoidal": Moments(0.5)}).run()
    good, bad = pf.Claim("euler", "moments", 1, 0.1, "x"), pf.Claim("trapezoidal", "moments", 1, 0.1, "x")
    assert (table.claims(good).worst, table.claims(good).exit_code) == ("pass", 0)
    assert (table.claims([good, bad]).worst, table.claims([bad]).exit_code) == ("fail", 1)
    table.claims([good]).assert_all()
    with pytest.raises(AssertionError, match="trapezoidal"):
        table.claims([good, bad]).assert_all()
    assert table.claims([bad]).to_dataframe()["verdict"].tolist() == ["fail"]
