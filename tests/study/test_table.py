"""Table: its columns, means over seeds, orders, and the size of the errors."""

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from cheap_schemes import Moments, moment_distance, small_study
from study_cases import DTS, Cloud, Own, small

import pdeflow as pf
from pdeflow._core.errors import Diverged, Unsupported
from pdeflow.grid import QuantileJKO
from pdeflow.laws import Gaussian
from pdeflow.study import Table


def test_long_table_has_the_columns_of_the_design_in_order(tmp_path):
    table = small(times=[0.5, 1.0]).run()
    frame = table.to_dataframe()
    assert list(frame.columns[:14]) == [
        "problem",
        "method",
        "dt",
        "seed",
        "time",
        "metric",
        "error",
        "stderr",
        "floor",
        "time_error",
        "status",
        "why",
        "seconds",
        "first_call_seconds",
    ]
    assert list(frame["dt"].unique()) == DTS and (frame["seconds"] > 0).all()
    table.to_csv(tmp_path / "table.csv")
    # by the csv module: whether pandas reads a float to the last bit depends on its version
    with open(tmp_path / "table.csv", newline="") as file:
        assert [float(row["error"]) for row in csv.DictReader(file)] == frame["error"].tolist()
    swept = small(methods={"own": Own(3)}, sweep={"cells": [1, 2, 4]}, dt=0.25).run()
    assert list(swept.columns[:3]) == ["problem", "method", "cells"] and "dt" in swept.columns
    assert "cells" in str(swept) and "dt  " in str(table)


def with_a_null_level(approximation, truth):
    return pf.Estimate(1.0, 0.1, "samples", "distance", null=0.25)


def test_rows_carry_the_null_level_of_a_metric_and_show_it():
    table = small(metrics={"moments": moment_distance, "sampled": with_a_null_level}).run()
    nulls = {row["metric"]: row["null"] for row in table}
    assert nulls["sampled"] == 0.25 and np.isnan(nulls["moments"]) and "null" in table.visible()
    assert "null" not in small().run().visible() and "null" in small().run().columns


def test_a_null_level_that_is_no_number_is_refused():
    table = small(metrics={"bad": lambda a, b: pf.Estimate(1.0, null="low")}).run()
    assert {row["status"] for row in table} == {"bad input"} and "null level" in table[0]["why"]


def test_work_precision_and_parts_average_over_seeds():
    table = small(methods={"cloud": Cloud()}, sweep={"dt": [0.25, 0.5]}, seeds=range(4)).run()
    for level, part in zip(table.work_precision("moments"), table.parts("moments")):
        errors = [row["error"] for row in table if row["dt"] == level["dt"]]
        assert level["seeds"] == 4 and level["error"] == np.mean(errors) == part["error"]
        assert np.isclose(level["stderr"], np.std(errors, ddof=1) / 2, rtol=1e-12)
        assert np.isnan(part["rest"]) and part["undivided"] == part["error"] - part["floor"]


def test_one_level_is_inconclusive():
    assert small(sweep={"dt": [0.25]}).run().orders("moments", expected=1)[0]["verdict"] == "inconclusive"


FINE_STEPS = [1 / 8, 1 / 16, 1 / 32, 1 / 64]


# At the default horizon 1 one implicit step too many turns the error of the mean from +dt/2 into -dt/2 (times the
# mean), which no distance sees. Half the horizon tells the two apart: +dt/4 against -3 dt/4.
OU = pf.problems.ou(horizon=0.5)


CLAIM = pf.Claim("m", "d", 1, 0.1, "rate and size")


@dataclass(frozen=True)
class TwiceQuantileJKO(QuantileJKO):
    """Off by one: takes its first step twice."""

    def step(self, problem, state, dt, rng=None):
        new = super().step(problem, state, dt, rng)
        return new if "iterations" in state.facts else super().step(problem, new, dt, rng)

    def exact_sequence(self, problem, *, dt, times):  # it says of itself that its steps are those of JKO
        return QuantileJKO(self.points).exact_sequence(problem, dt=dt, times=times)


@dataclass(frozen=True)
class Recursion(pf.Method):
    """Mean and variance of Euler-Maruyama on dX = -X dt + √2 dW, in closed form and step by step.

    extra : steps taken too often.
    """

    extra: int = 0

    def init(self, problem, rng):
        return np.array([problem.initial.mean()[0], problem.initial.cov()[0, 0], self.extra])

    def step(self, problem, state, dt, rng):
        mean, variance, extra = state
        for _ in range(1 + int(extra)):
            mean, variance = (1 - dt) * mean, (1 - dt) ** 2 * variance + 2 * dt
        return np.array([mean, variance, 0])

    def law(self, state):
        return Gaussian(state[0], state[1])

    def exact_sequence(self, problem, *, dt, times):
        limit = 1 / (1 - dt / 2)
        decay = [(1 - dt) ** round(t / dt) for t in times]
        mean, variance = problem.initial.mean()[0], problem.initial.cov()[0, 0]
        return pf.Trajectory(times, [Gaussian(q * mean, limit + q * q * (variance - limit)) for q in decay])


@dataclass(frozen=True)
class Weighted(Moments):
    """The theta scheme, which says of itself that it is implicit Euler (theta = 1)."""

    def exact_sequence(self, problem, *, dt, times):
        run = pf.solve(problem, Moments(1.0), dt=dt, times=times)
        return pf.Trajectory(run.times, run.laws)


def table(method, metric=moment_distance):
    return pf.Study(OU, {"m": method}, {"dt": FINE_STEPS}, {"d": metric}).run()


@pytest.mark.parametrize(
    ("method", "metric", "times"),
    [
        (TwiceQuantileJKO(200), pf.metrics.w2, "2.3"),
        (Recursion(extra=1), moment_distance, ""),
        (Weighted(0.75), moment_distance, "0.4"),
        (Weighted(0.9), moment_distance, None),
        (QuantileJKO(200), pf.metrics.w2, None),
        (Recursion(), moment_distance, None),
    ],
    ids=["JKO one step more", "Euler-Maruyama one step more", "half the error", "four fifths", "JKO", "Euler-Maruyama"],
)
def test_the_right_order_at_the_wrong_size_fails(method, metric, times):
    found = table(method, metric)
    (claim,) = found.claims(CLAIM)
    assert abs(claim["slope"] - 1) < 0.1  # the rate alone sees nothing
    if times is None:
        assert claim["verdict"] == "pass"
    else:
        assert claim["verdict"] == "fail" and "the order may be right, the size is not" in claim["why"]
        assert f"the error is {times}" in claim["why"]
    assert found.orders("d")[0]["verdict"] == "measured"  # where nothing is claimed, nothing is judged


def changed(rows, **changes):
    return Table([{**row, **{k: c(row) for k, c in changes.items()}} for row in rows], "dt")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "fail"),
        (
            {"time_error": lambda row: np.nan if row["dt"] == 1 / 16 else row["time_error"]},
            "pass",
        ),  # unknown at one level
        ({"time_error": lambda row: row["error"] / (2 if row["dt"] > 1 / 32 else 0.5)}, "pass"),  # off to both sides
        ({"time_error": lambda row: row["error"] / (2 if row["dt"] > 1 / 32 else 1)}, "pass"),  # right at the fine end
        ({"time_error": lambda row: 1e-15}, "pass"),  # the truth is the sequence itself: round-off
        ({"floor": lambda row: row["time_error"] / 9}, "pass"),  # the floor may explain the difference
        ({"truth_error": lambda row: 3e-3}, "pass"),  # between a tenth of the finest time error and of the finest error
        ({"floor": lambda row: row["time_error"] / 1e3, "truth_error": lambda row: row["time_error"] / 1e3}, "fail"),
    ],
)
def test_size_is_judged_only_where_the_sequence_stands_above_all_else(changes, verdict):
    rows = [{**row, "error": 3 * row["dt"], "time_error": row["dt"]} for row in table(Recursion())]
    assert changed(rows, **changes).claims(CLAIM).worst == verdict


def test_size_is_judged_over_dt_only_and_for_three_levels():
    rows = [{**row, "error": 3 * row["dt"], "time_error": row["dt"]} for row in table(Recursion())]
    other = [{**row, "width": row["dt"]} for row in rows]
    assert Table(other, "width").claims(CLAIM).worst == "pass"
    assert Table(rows[:3], "dt").claims(CLAIM).worst == "fail"
    assert Table(rows[:2], "dt").claims(CLAIM).worst == "inconclusive"


class Fussy(Moments):
    """Refuses steps of two sizes in two ways."""

    def step(self, problem, state, dt, rng):
        if dt < 1 / 10:
            raise Diverged(f"Step {dt:g} blew up, e.g. at x = 1.5. States stay finite. Use a larger one.")
        if dt > 1 / 5:
            raise Unsupported("Too long. Steps are short. Take a shorter one.")
        return super().step(problem, state, dt, rng)


class Hopeless(Moments):
    def step(self, problem, state, dt, rng):
        raise Diverged(f"All is lost at dt = {dt > 0}. States stay finite. Take another method.")


def test_a_verdict_names_the_most_frequent_reason_for_which_runs_failed():
    dts = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    table = small_study(dts, methods={"fussy": Fussy(), "hopeless": Hopeless()}, seeds=[0, 1]).run()
    orders = {row["method"]: row for row in table.orders("moments", expected=1)}
    assert orders["hopeless"]["verdict"] == orders["fussy"]["verdict"] == "inconclusive"
    assert orders["hopeless"]["why"] == "8 of 8 runs ended as diverged: All is lost at dt = True."
    assert orders["fussy"]["why"].endswith("4 of 8 runs ended as diverged: Step 0.0625 blew up, e.g. at x = 1.5.")
    claim = table.claims([pf.Claim(name, "moments", order=1, source="x") for name in ("fussy", "hopeless")])
    assert claim[0]["why"].startswith("6 row(s) are not ok. Most often (4 times), diverged: Step 0.0625 blew")
    assert claim[1]["why"].startswith("8 row(s) are not ok. diverged: All is lost at dt = True. States")
