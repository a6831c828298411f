"""Work in a process of its own, which is ended where it takes too long."""

import os
import time

import psutil
import pytest
from greedy_schemes import Ending, Greedy, adds, busy, dies, fails, prints, sleeps, spins
from study_cases import FOUR_STEPS, brief

import pdeflow as pf
from pdeflow.study import worker


@pytest.fixture(autouse=True, scope="module")
def dismissed():
    yield
    worker.dismiss()


def test_work_is_done_in_one_other_process_that_ends_when_dismissed():
    process, total = worker.within(10.0, adds, 1, 2)
    assert total == 3 and process != os.getpid() and worker.within(10.0, adds, 3, 4) == (process, 7)
    worker.dismiss()
    assert not psutil.pid_exists(process) and worker.within(10.0, adds, 3, 4)[0] != process


def test_a_compiled_step_is_ended_and_what_was_known_is_kept():
    spins(0)  # compiled here, kept for the process
    start = time.monotonic()
    with pytest.raises(
        pf.OutOfTime, match=r"part 'the long part' had used 0\.\d+ CPU seconds.*budget is 0\.2 CPU"
    ) as caught:
        worker.within(0.2, busy, 10**15)
    assert caught.value.known == {"first": "done"} and time.monotonic() - start < 60
    assert worker.within(10.0, adds, 1, 2)[1] == 3  # by another process


def test_work_that_waits_without_computing_is_ended(monkeypatch):
    monkeypatch.setattr(worker, "ASLEEP", 0.3)
    with pytest.raises(pf.OutOfTime, match="had not computed for"):
        worker.within(10.0, sleeps, 1000)


def test_errors_travel_back_and_a_dead_process_is_no_answer(capfd):
    with pytest.raises(ZeroDivisionError) as caught:
        worker.within(10.0, fails, 3)
    assert "in fails" in str(caught.value.__cause__)
    with pytest.raises(RuntimeError, match=r"exit code 7 in the part 'last words'.*Run it without budget="):
        worker.within(10.0, dies, 7)
    assert worker.within(10.0, prints, "hello") == "" and capfd.readouterr() == ("", "hello\n")


def test_a_run_without_time_is_a_row_and_the_others_are_as_ever(tmp_path):
    methods = {"greedy": Greedy(FOUR_STEPS[1]), "modest": Greedy(0.0)}
    study = brief(methods=methods, sweep={"dt": FOUR_STEPS[:2]})
    table = study.run(budget=0.3, store=tmp_path, progress=False)
    assert [row["status"] for row in table] == ["ok", "out of time", "ok", "ok"]
    assert "'run' had used" in table[1]["why"] and [row["steps"] for row in table[2:]] == [4.0, 8.0]
    plain = brief(methods={"modest": Greedy(0.0)}, sweep={"dt": FOUR_STEPS[:2]}).run()
    assert [row["error"] for row in table[2:]] == [row["error"] for row in plain]
    for row in [*table[2:], *plain]:
        assert 0 <= row["cpu_seconds"] < 0.3 and 20 < row["memory"] < 2e4
    # what had no time is asked again with another budget, what had time is not
    assert study.run(budget=0.3, store=tmp_path).reused == 4
    monkey = brief(methods={"greedy": Greedy(-1.0), "modest": Greedy(0.0)}, sweep={"dt": FOUR_STEPS[:2]})
    assert monkey.run(store=tmp_path).reused == 2


def test_what_can_only_take_longer_than_a_run_without_time_is_not_tried(tmp_path):
    """A step of 1/8 has no time: neither it with the second seed nor 1/16 is tried, but 1/4 with both seeds."""
    methods = {"ending": Ending(1 / 8)}
    study = brief(methods=methods, sweep={"dt": FOUR_STEPS[:3]}, seeds=[4, 3])
    table = study.run(budget=30.0, coarse_first=True, store=tmp_path)
    assert [(row["dt"], row["seed"]) for row in table if row["status"] == "ok"] == [(1 / 4, 4), (1 / 4, 3)]
    ended, *others = [row for row in table if row["status"] == "out of time"]
    assert (ended["dt"], ended["seed"]) == (1 / 8, 4) and "The step had no time" in ended["why"]
    for row in others:
        words = f"dt = {row['dt']:g} and seed {row['seed']} was not tried, because the one with dt = 0.125 and seed 4"
        assert words in row["why"] and "budget is 30 CPU" in row["why"]
    again = study.run(budget=30.0, coarse_first=True, store=tmp_path)
    assert again.reused == 3 and [row["why"] for row in again] == [row["why"] for row in table]
    # what was not tried is no answer, and without coarse_first all are tried
    plain = brief(methods=methods, sweep={"dt": FOUR_STEPS[1:3]}, seeds=[3]).run(store=tmp_path)
    assert plain.reused == 0 and [row["status"] for row in plain] == ["out of time", "ok"]


def test_the_time_of_a_comparison_is_counted_apart(tmp_path):
    table = brief(metrics={"slow": busy_distance}, sweep={"dt": FOUR_STEPS[:1]}).run(budget=0.3)
    assert table[0]["status"] == "out of time" and "'comparison with the truth'" in table[0]["why"]
    assert table[0]["steps"] == 4 and table[0]["seconds"] >= 0 and table[0]["floor_how"].startswith("out of time: ")


def busy_distance(approximation, truth, *, rng=None):
    spins(10**15)
