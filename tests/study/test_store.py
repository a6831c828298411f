"""The store of a study: resume after a kill, damage, bad places, two writers."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import slow_study
from cheap_schemes import Moments, moment_distance
from slow_study import bits

import pdeflow as pf
from pdeflow._core.errors import BadInput
from pdeflow._core.files import temporary_name
from pdeflow.study import engine
from pdeflow.study.store import Store, decode, encode


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EIO], ids=["forbidden", "broken disk"])
def test_a_run_that_the_system_does_not_give_is_an_error_of_the_store(reason, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(BadInput, match=f"{os.strerror(reason)}.*choose another store") as found:
        Store(tmp_path).load("0" * 64)
    assert found.value.errno == reason


def begin(store, jobs):
    return subprocess.Popen(
        [sys.executable, slow_study.__file__, str(store), str(jobs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def whole(store):
    return sorted(path.name for path in Path(store).glob("*.json"))


def test_ten_kills_at_random_moments_leave_a_study_that_finishes_with_the_same_table(tmp_path, rng, monkeypatch):
    store, log = tmp_path / "store", tmp_path / "log"
    killer = begin(store, 0)
    for kills, delay in enumerate(rng.uniform(0.0, 0.15, 10)):  # a run sleeps 8 to 32 ms, the 24 runs 450 ms
        before = whole(store)
        killer.stdin.write(b"go\n")
        killer.stdin.flush()
        victim = int(killer.stdout.readline())
        time.sleep(delay)
        give_up = time.monotonic() + 30
        while kills == 9 and not whole(store) and time.monotonic() < give_up:
            time.sleep(0.001)  # a disk with much to do may have let no run finish yet
        with contextlib.suppress(ProcessLookupError):  # it may have finished
            os.kill(victim, signal.SIGKILL)
        assert killer.stdout.readline() == b"gone\n"
        assert set(before) <= set(whole(store))
    killer.communicate(timeout=30)
    done = whole(store)
    assert 0 < len(done)
    monkeypatch.setenv("SLEEPY_LOG", str(log))
    resumed = slow_study.study().run(store=store)
    steps = [float(line) for line in log.read_text().split()] if log.exists() else []
    redone = sum(steps.count(dt) * dt for dt in (1 / 2, 1 / 4, 1 / 8))  # each run covers one unit of time
    assert redone == 24 - len(done)
    assert len(whole(store)) == 24 and len(list(store.iterdir())) == 24  # no stray temporary file
    assert bits(resumed) == bits(slow_study.study().run())


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_is_whole(tmp_path, jobs):
    process = begin(tmp_path, jobs)
    while len(whole(tmp_path)) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert 2 <= len(whole(tmp_path)) < 24
    assert all(path.suffix == ".json" for path in tmp_path.iterdir())
    assert all(Store(tmp_path).load(path.stem) is not None for path in tmp_path.glob("*.json"))


@pytest.fixture
def small():
    return pf.Study(
        pf.problems.ou(),
        {"euler": Moments(), "bad": Moments(theta=-40.0)},
        {"dt": [1 / 2, 1 / 3, 1 / 4]},
        {"moments": moment_distance},
        times=[0.5, 1.0],
    )


def counted(monkeypatch):
    """The runs that are performed from now on; the scheme itself must stay as it is, or it is another question."""
    calls, perform = [], engine.perform
    monkeypatch.setattr(engine, "perform", lambda run: calls.append(run) or perform(run))
    return calls


def test_a_second_run_redoes_nothing_and_gives_the_same_bits_and_clocks(tmp_path, small, monkeypatch):
    first = small.run(store=tmp_path)
    calls = counted(monkeypatch)
    second = small.run(store=tmp_path)
    assert not calls
    assert [encode(row) for row in first] == [encode(row) for row in second]
    assert {row["status"] for row in first} == {"ok", "bad input"}  # failed runs are whole, too


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "null",
        lambda text: "[]",
        lambda text: text.replace("0x1.", "0x0.", 1),
        lambda text: "\x00" + text,
        lambda text: text.replace("ok", "OK"),
    ],
)
def test_damaged_files_are_redone(tmp_path, small, damage):
    table = small.run(store=tmp_path)
    victim = next(path for path in sorted(tmp_path.glob("*.json")) if '"ok"' in path.read_text())
    text = victim.read_text()
    victim.write_text(damage(text))
    assert Store(tmp_path).load(victim.stem) is None
    assert bits(small.run(store=tmp_path)) == bits(table)
    assert Store(tmp_path).load(victim.stem) is not None


def test_a_file_under_another_name_is_not_believed(tmp_path, small):
    small.run(store=tmp_path)
    one, other = sorted(tmp_path.glob("*.json"))[:2]
    one.write_bytes(other.read_bytes())
    assert Store(tmp_path).load(one.stem) is None


def test_another_question_has_another_name(tmp_path):
    def names(**changes):
        arguments = {
            "problems": pf.problems.ou(),
            "methods": {"m": Moments()},
            "sweep": {"dt": [0.25]},
            "metrics": {"d": moment_distance},
            **changes,
        }
        study = pf.Study(**arguments)
        return {pf.fingerprint.sha256(study.question(*case)) for case in study.cases()}

    variants = [
        {},
        {"problems": pf.problems.ou(temperature=2.0)},
        {"methods": {"m": Moments(theta=0.5)}},
        {"sweep": {"dt": [0.125]}},
        {"metrics": {"d": lambda a, b: 0.0}},
        {"metrics": {"e": moment_distance}},
        {"seeds": [1]},
        {"times": [0.5]},
        {"against": pf.exact_jko},
        {"against": pf.finer(Moments(), 0.01)},
    ]
    found = [names(**changes) for changes in variants]
    assert len(set.union(*found)) == len(variants)
    assert names() == names()
    truth = pf.solve(pf.problems.ou(), Moments(), dt=0.25)
    again = pf.solve(pf.problems.ou(), Moments(), dt=0.25)  # other clocks, same truth
    assert names(against=truth) == names(against=again)


@pytest.mark.parametrize("place", ["file", "below a file"])
def test_a_store_that_is_no_folder_is_refused_before_any_work(tmp_path, small, place, monkeypatch):
    (tmp_path / "file").write_text("mine")
    calls = counted(monkeypatch)
    with pytest.raises(BadInput, match="must be a folder that can be written"):
        small.run(store=tmp_path / "file" if place == "file" else tmp_path / "file" / "store")
    assert not calls and (tmp_path / "file").read_text() == "mine"


def test_no_right_to_write_is_refused_before_any_work(tmp_path, small, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "write_text", refuse)  # the rights themselves do not bind root, who may run the tests
    with pytest.raises(BadInput, match="Permission denied"):
        small.run(store=tmp_path)


def test_a_full_disk_is_a_typed_error_and_leaves_whole_files_only(tmp_path, small, monkeypatch):
    calls, sync = [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 5:  # the third file: every file before it was synced, and its folder
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space left"):
        small.run(store=tmp_path)
    assert len(whole(tmp_path)) == 2 == len(list(tmp_path.iterdir()))
    monkeypatch.undo()
    assert bits(small.run(store=tmp_path)) == bits(small.run())


def test_leftovers_of_dead_writers_go_and_those_of_living_ones_stay(tmp_path, small):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = Store(tmp_path)
    mine = temporary_name(store.path("a" * 64))
    theirs = Path(str(mine).replace(f".{os.getpid()}.", f".{dead.pid}."))
    for path in (mine, theirs):
        path.write_text("half")
    small.run(store=tmp_path)
    assert mine.exists() and not theirs.exists()


def test_two_writers_at_once_are_safe(tmp_path):
    writers = [begin(tmp_path, 1), begin(tmp_path, 1)]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(whole(tmp_path)) == 24 == len(list(tmp_path.iterdir()))
    assert bits(slow_study.study().run(store=tmp_path)) == bits(slow_study.study().run())


def test_every_float_comes_back_to_the_bit(rng):
    values = [0.1, -0.0, 5e-324, 1e308, float("inf"), float("nan"), *rng.standard_normal(50)]
    back = decode(json.loads(json.dumps(encode(values))))
    assert np.array(back).tobytes() == np.array(values).tobytes()
