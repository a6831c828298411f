"""What users' code, odd arguments and odd places do to a study: typed errors, notes, whole files, honest truths."""

import os
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np
import pandas
import pytest
from study.toys import Moments, moment_distance, small_study

import pdeflow as pf
from pdeflow._core.errors import BadInput, UnknownField
from pdeflow.study import Table

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32]


small = partial(small_study, DTS)


# --- a run as the truth ---------------------------------------------------------------------------------------------------------


def run(stats=None):
    found = pf.solve(pf.problems.ou(), Moments(), dt=1 / 256)
    return pf.Trajectory(found.times, found.laws, {**found.stats, **(stats or {})})


def closed(problem, times):
    return pf.Trajectory(times, pf.exact(problem, times).laws)


@pytest.mark.parametrize(
    ("against", "error", "verdict"),
    [
        (run(), np.nan, "inconclusive"), (lambda problem, times: run(), np.nan, "inconclusive"),
        (run({"error": pf.Estimate(1e-4, metric="w2")}), np.nan, "inconclusive"),
        (run({"error": 1e-4, "error_metric": "w2"}), np.nan, "inconclusive"),
        (run({"error": 1e-4, "error_metric": "moments"}), 1e-4, "pass"), (run({"error": 1e-4}), 1e-4, "pass"),
        (pf.exact(pf.problems.ou()), 0.0, "pass"), (closed, 0.0, "pass"), (pf.exact_jko, 0.0, "pass"),
    ],
)  # fmt: skip
def test_a_run_is_no_exact_truth(against, error, verdict):
    table = small(against=against).run()
    assert np.array_equal([row["truth_error"] for row in table], [error] * len(DTS), equal_nan=True)
    # order one to 0.3: the truth of step 1/256 bends the finest error, of step 1/32, by an eighth
    (order,) = table.orders("moments", expected=1, tolerance=0.3)
    assert order["verdict"] == verdict
    assert ("pf.finer(method, dt), or stats['error']" in order["why"]) == (verdict == "inconclusive")


def test_a_correct_method_does_not_fail_against_a_coarse_run():
    assert (
        small(methods={"m": Moments(0.5)}, against=run()).run().orders("moments", expected=2)[0]["verdict"]
        == "inconclusive"
    )


def test_a_run_and_a_closed_form_with_its_laws_are_two_questions_to_a_store(tmp_path):
    first = run()
    small(against=first).run(store=tmp_path)
    stripped = small(against=pf.Trajectory(first.times, first.laws, {"steps": first.stats["steps"]}))
    assert {row["truth_error"] for row in stripped.run(store=tmp_path)} == {0.0}


# --- users' code ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Singular(Moments):
    weight: float = 1.0

    def __post_init__(self):
        if self.weight == 3.0:
            raise ArithmeticError("a weight of three")

    def step(self, problem, state, dt, rng):
        if dt == 1 / 8:
            np.linalg.inv(np.zeros((2, 2)))
        return super().step(problem, state, dt, rng)


def dividing(approximation, truth):
    return 1 / 0


def no_truth(problem, times):
    raise OSError("no such disk")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("changes", "kind", "parts"),
    [
        ({"methods": {"bad": Singular()}, "seeds": [7]}, np.linalg.LinAlgError, ["in the run", "'ou'", "'bad'", "dt = 0.125", "seed = 7"]),
        ({"metrics": {"bad": dividing}}, ZeroDivisionError, ["in the floor for the run", "'ou'", "'euler'", "dt = 0.25", "seed = 0"]),
        ({"against": no_truth}, OSError, ["in the truth for the run", "'ou'"]),
        ({"methods": {"bad": Singular()}, "sweep": {"weight": [1.0, 3.0]}, "dt": 0.25}, ArithmeticError, ["'bad'", "weight = 3.0"]),
    ],
)  # fmt: skip
def test_an_untyped_error_passes_and_names_its_run(changes, kind, parts, jobs):
    with pytest.raises(kind) as caught:
        small(**changes).run(jobs=jobs)
    (note,) = caught.value.__notes__
    assert all(part in note for part in parts)


@pytest.mark.parametrize(
    "answer",
    [
        None, np.array([1.0]), np.ones(3), [1.0], lambda: 1.0, "1", True, np.True_, 1j, np.timedelta64("NaT"), Decimal("NaN"),
        pandas.NA, pandas.NaT, pf.Estimate(None), pf.Estimate(np.ones(2)), pf.Estimate(1.0, None), pf.Estimate(1.0, metric=None),
    ],
    ids=repr,
)  # fmt: skip
def test_a_metric_that_gives_no_number_is_a_bad_input_row_that_names_it(answer):
    table = small(metrics={"odd": lambda a, b: answer, "moments": moment_distance}).run()
    odd = [row for row in table if row["metric"] == "odd"]
    assert {row["status"] for row in odd} == {"bad input"} and all("'odd'" in row["why"] for row in odd)
    assert all(np.isnan(row["floor"]) and "'odd'" in row["floor_how"] for row in odd)
    assert table.orders("moments", expected=1)[0]["order"].used == len(DTS)


@pytest.mark.parametrize("answer", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0), pf.Estimate(np.float64(2))])
def test_a_metric_may_give_any_real_number(answer):
    assert {row["error"] for row in small(metrics={"m": lambda a, b: answer}).run()} == {2.0}


def test_a_sequence_that_cannot_be_had_leaves_the_time_error_open():
    @dataclass(frozen=True)
    class Mute(Moments):
        def exact_sequence(self, problem, *, dt, times):
            raise pf.Unsupported("Not for this problem. Use another.")

    table = small(methods={"m": Mute()}).run()
    assert all(row["status"] == "ok" and np.isnan(row["time_error"]) for row in table)


# --- arguments ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda: small().run(store=3), lambda: small(sweep={"theta": [1.0]}, dt=True), lambda: small(sweep={"dt": [True]}),
        lambda: small(sweep={"dt": ["0.1"]}), lambda: pf.finer(Moments(), True), lambda: pf.Claim("m", "w", 1, "0.1", "x"),
        lambda: pf.fit_order([1, 0.5], ["a", "b"]), lambda: pf.fit_order([1, 0.5], ["1", "2"]),
        lambda: pf.fit_order([True, 0.5], [None, 1]), lambda: pf.fit_order(None, [1]), lambda: pf.fit_order([1, 0.5], [1, 1j]),
        lambda: pf.fit_order([[1], [2, 3]], [1, 2]), lambda: pf.fit_order([1, 0.5], [1, 1], floor="a"),
        lambda: pf.fit_order([1, 0.5], [1, 1], truth_error="a"), lambda: pf.fit_order([1, 0.5], [1, 1], floor=[0.1]),
        lambda: pf.fit_order([1, 0.5], [1, 1], expected="1"), lambda: pf.fit_order([1, 0.5], [1, 1], expected=True),
        lambda: pf.fit_order([1, 0.5], [1, 1], expected=1, tolerance="0.1"),
        lambda: small().run().orders("moments", expected="1"),
    ],
)  # fmt: skip
def test_look_alikes_of_numbers_and_folders_are_typed_errors(call):
    with pytest.raises(BadInput):
        call()


def test_unknown_names_are_said_plainly():
    with pytest.raises(UnknownField, match=r"^Method c has no field 'theto'\. It has: theta\. Did you mean 'theta'\?"):
        small(methods={"c": Moments()}, sweep={"theto": [1.0]}, dt=0.25)
    with pytest.raises(UnknownField, match=r"^The set of methods a, b has no field 'foo'\. It has: theta"):
        small(methods={"a": Moments(), "b": Moments(0.5)}, sweep={"foo": [1.0]}, dt=0.25)
    table = small().run()
    with pytest.raises(UnknownField, match=r"^This table has no metric 'foo'\. It has: moments"):
        table.orders("foo")
    with pytest.raises(UnknownField, match=r"^This table has no method 'foo'\. It has: euler"):
        table.claims(pf.Claim("foo", "moments", 1, 0.1, "x"))


def test_the_table_says_how_many_runs_came_from_the_store(tmp_path):
    assert small().run().reused == 0 == Table([], "dt").reused
    assert small(sweep={"dt": DTS[:3]}).run(store=tmp_path).reused == 0
    again = small().run(store=tmp_path)
    assert again.reused == 3 and len(again) == len(DTS)
    assert small(seeds=[0, 1]).run(store=tmp_path).reused == 4


# --- CSV ------------------------------------------------------------------------------------------------------------------------


def test_csv_is_refused_before_writing_where_it_cannot_be_written(tmp_path, monkeypatch):
    table = small().run()
    monkeypatch.setattr(
        Table, "to_dataframe", lambda self: pytest.fail("asked for the rows before the place was tried")
    )
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for place, says in (
        (tmp_path, "is a folder"), (str(tmp_path), "is a folder"), (tmp_path / "no" / "such.csv", "No such file"),
        (3, "must name a file"), (None, "must name a file"), ("a\0b", "must name a file"), (tmp_path / "loop", "must name a file"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=says):
            table.to_csv(place)
    target = tmp_path / "old.csv"
    target.write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anything
    with pytest.raises(BadInput, match="must not be written"):
        table.to_csv(target)
    assert target.read_text() == "old" and {path.name for path in tmp_path.iterdir()} == {"old.csv", "loop"}


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_csv(tmp_path, monkeypatch, failing):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    table, target = small().run(), tmp_path / "table.csv"
    table.to_csv(target)
    old = target.read_bytes()
    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(pandas.DataFrame, "to_csv", full)
    with pytest.raises(BadInput, match="No space left"):
        table.to_csv(target)
    assert target.read_bytes() == old and os.listdir(tmp_path) == ["table.csv"]


def test_csv_replaces_a_file_behind_a_link_with_its_rights_and_writes_to_devices(tmp_path):
    table, target, link = small().run(), tmp_path / "table.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    table.to_csv(link)
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    assert (pandas.read_csv(target)["error"] == table.to_dataframe()["error"]).all()
    table.to_csv(os.devnull)
    assert not os.path.isfile(os.devnull)
    with pytest.raises(BadInput, match="cannot be written"):
        table.to_csv("/dev/full")
    assert not os.path.isfile("/dev/full")
