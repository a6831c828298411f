"""One run: typed errors become rows, floors, the error of the truth, what a metric may return."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas
import pytest
from cheap_schemes import Moments, moment_distance, unavailable
from study_cases import DTS, FOUR_STEPS, brief, run, small

import pdeflow as pf
from pdeflow._core.errors import Diverged
from pdeflow.laws import Particles


@dataclass(frozen=True)
class Explodes(Moments):
    """Fails in the way it is told to."""

    kind: type = Diverged

    def step(self, problem, state, dt, rng):
        if dt < 1 / 20:
            raise self.kind("It left the numbers. Use a larger dt.")
        return super().step(problem, state, dt, rng)


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


@pytest.mark.parametrize(
    ("floor", "error", "kept", "how"),
    [
        ((0.0, 0.0, None), (0.1, 0.0, None), 0.0, "deterministic"),
        ((0.09, 0.01, 0.08), (0.1, 0.0, None), np.nan, "not comparable: the error is by closed form, the floor 0.09"),
        ((0.0, 0.0, None), (0.1, 0.01, 0.08), 0.08, "null level of the metric"),
        ((0.09, 0.01, 0.08), (0.1, 0.01, 0.08), 0.09, "deterministic"),
        ((0.0, 0.0, None), (0.1, 0.01, None), 0.0, "deterministic"),  # a Monte Carlo integral, about its own mean
    ],
)
def test_error_and_floor_of_a_row_come_from_one_estimator(floor, error, kept, how):
    """The bias of samples is in both or in none; the scheme's start is told by its mean, which has not moved yet."""

    def metric(approximation, there, rng=None):
        value, stderr, null = floor if np.allclose(approximation.mean(), there.mean(), atol=1e-9) else error
        return pf.Estimate(value, stderr, "closed form", "it", null)

    (row,) = small(methods={"euler": Moments()}, sweep={"dt": [0.25]}, times=[1.0], metrics={"it": metric}).run()
    assert row["error"] == 0.1
    assert row["floor"] == pytest.approx(kept, nan_ok=True) and row["floor_how"].startswith(how)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (1e-6, "pass"),
        (1e-1, "inconclusive"),
        (pf.Estimate(1e-6, metric="moments"), "pass"),
        (pf.Estimate(1e-6, metric="l1"), "inconclusive"),
        (None, "pass"),
    ],
)
def test_a_truth_may_state_its_own_error(error, verdict):
    def against(problem, times):
        found = pf.exact(problem, times)
        return pf.Trajectory(found.times, found.laws, {} if error is None else {"error": error})

    assert small(against=against).run().orders("moments", expected=1)[0]["verdict"] == verdict


def closed(problem, times):
    return pf.Trajectory(times, pf.exact(problem, times).laws)


@pytest.mark.parametrize(
    ("against", "error", "verdict"),
    [
        (run(), np.nan, "inconclusive"),
        (lambda problem, times: run(), np.nan, "inconclusive"),
        (run({"error": pf.Estimate(1e-4, metric="w2")}), np.nan, "inconclusive"),
        (run({"error": 1e-4, "error_metric": "w2"}), np.nan, "inconclusive"),
        (run({"error": 1e-4, "error_metric": "moments"}), 1e-4, "pass"),
        (run({"error": 1e-4}), 1e-4, "pass"),
        (pf.exact(pf.problems.ou()), 0.0, "pass"),
        (closed, 0.0, "pass"),
        (pf.exact_jko, 0.0, "pass"),
    ],
)
def test_a_run_is_no_exact_truth(against, error, verdict):
    table = brief(against=against).run()
    assert np.array_equal([row["truth_error"] for row in table], [error] * len(FOUR_STEPS), equal_nan=True)
    # order one to 0.3: the truth of step 1/256 bends the finest error, of step 1/32, by an eighth
    (order,) = table.orders("moments", expected=1, tolerance=0.3)
    assert order["verdict"] == verdict
    assert ("pf.finer(method, dt), or stats['error']" in order["why"]) == (verdict == "inconclusive")


def test_a_correct_method_does_not_fail_against_a_coarse_run():
    assert (
        brief(methods={"m": Moments(0.5)}, against=run()).run().orders("moments", expected=2)[0]["verdict"]
        == "inconclusive"
    )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        np.array([1.0]),
        np.ones(3),
        [1.0],
        lambda: 1.0,
        "1",
        True,
        np.True_,
        1j,
        np.timedelta64("NaT"),
        Decimal("NaN"),
        pandas.NA,
        pandas.NaT,
        pf.Estimate(None),
        pf.Estimate(np.ones(2)),
        pf.Estimate(1.0, None),
        pf.Estimate(1.0, metric=None),
    ],
    ids=lambda answer: repr(answer).partition(" at 0x")[0],
)
def test_a_metric_that_gives_no_number_is_a_bad_input_row_that_names_it(answer):
    table = brief(metrics={"odd": lambda a, b: answer, "moments": moment_distance}).run()
    odd = [row for row in table if row["metric"] == "odd"]
    assert {row["status"] for row in odd} == {"bad input"} and all("'odd'" in row["why"] for row in odd)
    assert all(np.isnan(row["floor"]) and "'odd'" in row["floor_how"] for row in odd)
    assert table.orders("moments", expected=1)[0]["order"].used == len(FOUR_STEPS)


@pytest.mark.parametrize("answer", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0), pf.Estimate(np.float64(2))])
def test_a_metric_may_give_any_real_number(answer):
    assert {row["error"] for row in brief(metrics={"m": lambda a, b: answer}).run()} == {2.0}


def test_a_sequence_that_cannot_be_had_leaves_the_time_error_open():
    @dataclass(frozen=True)
    class Mute(Moments):
        def exact_sequence(self, problem, *, dt, times):
            raise pf.Unsupported("Not for this problem. Use another.")

    table = brief(methods={"m": Mute()}).run()
    assert all(row["status"] == "ok" and np.isnan(row["time_error"]) for row in table)


class Whole:
    """A method with the verb run: the exact law, with a bias dt, as so many draws as the step says."""

    def run(self, problem, dt, times, seed):
        return [Particles(problem.exact(t).sample(round(50 / dt), np.random.default_rng(seed)) + dt) for t in times]


class Represented(Whole):
    def represent(self, law, answer, rng):
        return Particles(law.sample(len(answer.x), rng))


def test_the_floor_of_a_method_that_runs_as_a_whole_is_that_of_each_answer():
    table = small(methods={"w": Represented(), "no": Whole()}, metrics={"w2": pf.metrics.w2}).run()
    assert {row["status"] for row in table} == {"ok"}
    known = {row["dt"]: row["floor"] for row in table if row["method"] == "w"}
    assert known[DTS[0]] > 1.5 * known[DTS[-1]] > 0  # more draws, less noise
    assert all("no represent" in row["floor_how"] and np.isnan(row["floor"]) for row in table if row["method"] == "no")


def test_the_floor_of_a_run_in_a_store_is_not_that_of_another_level(tmp_path):
    first = small(methods={"w": Represented()}, sweep={"dt": DTS[:1]}).run(store=tmp_path)
    both = small(methods={"w": Represented()}, sweep={"dt": DTS[:2]}).run(store=tmp_path)
    assert both.reused == 1 and both[0]["floor"] == first[0]["floor"] != both[1]["floor"] > 0
