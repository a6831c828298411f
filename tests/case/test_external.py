"""External: programs in C, awk and Python as methods; what goes wrong is a typed row."""

import pickle
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf

OU = pf.problems.ou()
CLEAN = {"PATH": "/usr/bin:/bin"}
SAID = "# {dt} {time}"  # a command must depend on the step


def study(methods, **more):
    chosen = {"metrics": {"mean": pf.metrics.mean_error}, "sweep": {"dt": [1 / 2, 1 / 4, 1 / 8]}, **more}
    return pf.Study(OU, methods, **chosen)


def test_a_program_in_c_is_judged_like_a_method(c_program):
    mine = pf.External(["./em", "{dt}", "{time}", "{seed}", "5000"], answer="samples", folder=c_program.parent)
    table = study({"c": mine}, seeds=range(4)).run(progress=False)
    assert {row["status"] for row in table} == {"ok"} and all(0.002 < row["floor"] < 0.03 for row in table)
    for row in table:  # the mean of explicit Euler is 2 (1 - dt)^(1/dt), up to the noise of 5000 draws
        assert abs(row["error"] - 2 * (np.exp(-1) - (1 - row["dt"]) ** (1 / row["dt"]))) < 5 * row["stderr"]
    assert table.orders("mean", expected=1.0)[0]["verdict"] != "fail"
    again = study({"c": mine}, sweep={"dt": [1 / 2]}, seeds=range(4)).run(progress=False)
    assert [row["error"] for row in again] == [row["error"] for row in table if row["dt"] == 1 / 2]


@pytest.mark.skipif(shutil.which("awk") is None, reason="no awk here")
def test_awk_in_a_clean_environment_and_foreign_braces_stay():
    code = 'BEGIN { n = 200; t = {time}; for (i = 0; i <= n; i++) { print i / n "," t * i / n } } # {dt}'
    method = pf.External(["awk", code], answer="quantiles", environment=CLEAN)
    flow = pf.solve(OU, method, dt=0.25, times=[0.5, 1.0])
    assert [law.mean()[0] for law in flow.laws] == pytest.approx([0.25, 0.5]) and flow.at(1.0).cov()[
        0, 0
    ] == pytest.approx(1 / 12)


PYTHON = """import os, sys
dt, time, steps, seed, out = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
assert set(os.environ) <= {"PATH", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
open(out, "w").write(f"mean,cov1\\n{dt * steps + seed},{time}")
"""


def test_another_interpreter_writes_moments_to_the_file_that_it_is_given():
    words = [sys.executable, "-I", "-S", "-c", PYTHON, "{dt}", "{time}", "{steps}", "{seed}", "{out}"]
    law = pf.solve(OU, pf.External(words, answer="moments", environment=CLEAN), dt=1 / 3, seed=5, times=[2.0]).final
    assert law.mean()[0] == 7 and law.cov()[0, 0] == 2
    with pytest.raises(pf.NotAvailable, match="Moments has no quantile function"):
        pf.metrics.w2(law, OU.exact(1.0))  # moments alone are no Gaussian
    assert pf.metrics.bures(law, pf.laws.Gaussian(7.0, 2.0)).value < 1e-12


BAD = {
    "hangs": (["sh", "-c", f"sleep 60 & sleep 60 {SAID}"], "samples", "out of time", "time_limit"),
    "crashes": (["sh", "-c", f"echo too bad >&2; exit 7 {SAID}"], "samples", "program failed", "exit code 7.*too bad"),
    "is killed": (["sh", "-c", f"kill -KILL $$ {SAID}"], "samples", "program failed", "SIGKILL"),
    "says nothing": (["true", SAID], "samples", "bad input", "0 answers"),
    "wrong shape": (["printf", f"1,2\\n3,4\\n{SAID}"], "samples", "bad input", r"line 1: 2 number\(s\)"),
    "no number": (["printf", f"1\\n1_0\\n{SAID}"], "samples", "bad input", "line 2.*'1_0' is no number"),
    "a NaN": (["printf", f"1\\n2\\nnan\\n{SAID}"], "samples", "diverged", "line 3.*nan"),
    "negative": (["printf", f"0 1 1.5\\n1 2 -0.5\\n{SAID}"], "masses", "bad input", "line 2: the mass is -0.5"),
    "half the mass": (["printf", f"0 1 0.25\\n1 2 0.25\\n{SAID}"], "masses", "bad input", "sum to 0.5"),
    "a gap": (["printf", f"0 1 0.5\\n1.5 2 0.5\\n{SAID}"], "masses", "bad input", "line 1.*without a gap"),
    "another step": (["printf", "# dt=9 time={time}\\n1\\n2\\n# {dt}"], "samples", "bad input", "asked for dt=0.5"),
    "no file": (["true", "{out}", SAID], "samples", "bad input", "was not written"),
    "other bytes": (["printf", f"\\377\\n{SAID}"], "samples", "bad input", "no UTF-8 text"),
}


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell here")
def test_a_program_that_hangs_crashes_or_lies_ends_as_a_typed_row():
    methods = {
        name: pf.External(words, answer=answer, time_limit=0.2 if name == "hangs" else 20.0)
        for name, (words, answer, *_) in BAD.items()
    }
    start = time.monotonic()
    rows = study(methods, sweep={"dt": [0.5]}).run(progress=False)
    assert time.monotonic() - start < 20  # and not the minute for which one of them sleeps
    for row in rows:
        _, _, status, words = BAD[row["method"]]
        assert row["status"] == status, row["why"]
        with pytest.raises(ValueError, match=words):
            raise ValueError(row["why"])


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked for in /proc")
def test_nothing_that_a_program_started_outlives_it():
    mark = "31.4159"  # the seconds of a sleep that nobody else asks for
    for code, limit in ((f"sleep {mark} & sleep {mark}", 0.2), (f"sleep {mark} & echo 1; echo 2", 20.0)):
        method = pf.External(["sh", "-c", f"{code} {SAID}"], answer="samples", time_limit=limit)
        try:
            assert pf.solve(OU, method, dt=1.0).final.atoms()[0].tolist() == [[1.0], [2.0]]
        except pf.OutOfTime:
            assert limit == 0.2
    for _ in range(100):  # the system may take a moment to bury what was ended
        left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in _read(path)]
        if not left:
            break
        time.sleep(0.05)
    assert not left


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_program_that_is_compiled_anew_is_another_method(tmp_path):
    program = tmp_path / "solver"
    for text in ("1\\n2", "1\\n4"):
        program.write_text(f"#!/bin/sh\nprintf '{text}\\n'")
        program.chmod(0o700)
        method = pf.External(["./solver", "{dt}", "{time}"], answer="samples", folder=tmp_path)
        table = study({"mine": method}, sweep={"dt": [1.0]}).run(store=tmp_path / "runs", progress=False)
        assert table.reused == 0 and table[0]["status"] == "ok"
    again = study({"mine": method}, sweep={"dt": [1.0]}).run(store=tmp_path / "runs", progress=False)
    assert again.reused == 1 and again[0]["error"] == table[0]["error"]
    data = tmp_path / "data.txt"
    data.write_text("1")
    one = pf.External(["./solver", "data.txt", "{dt}", "{time}"], answer="samples", folder=tmp_path)
    before = hash(one)
    data.write_text("2")
    assert hash(one) != before  # a file that the command names counts too


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"command": "./em {dt} {time}"}, "must be the list of the program"),
        ({"command": []}, "must be the list of the program"),
        ({"command": ["true", "{dt}"]}, "Two of"),
        ({"command": ["true", 1, "{dt}{time}"]}, "must be a text"),
        ({"command": ["./not_there", "{dt}{time}"]}, "is not there in"),
        ({"command": ["not_there_either", "{dt}{time}"]}, "on the search path"),
        ({"answer": "density"}, "'moments'"),
        ({"time_limit": 0}, "time_limit"),
        ({"folder": "not_a_folder"}, "folder that is there"),
        ({"environment": "PATH"}, "must map names"),
    ],
)
def test_fields_that_make_no_sense_are_refused(fields, words):
    with pytest.raises(pf.BadInput, match=words):
        pf.External(**{"command": ["true", "{dt}", "{time}"], "answer": "samples", **fields})


def test_settings_stand_in_the_command_and_are_swept_like_fields(c_program):
    with pytest.raises(pf.UnknownField, match=r"command has no \{times\}.*Did you mean 'time_limit'"):
        pf.External(["true", "{dt}{time}"], answer="samples", times=3)
    with pytest.raises(pf.BadInput, match="A setting is a number or a text"):
        pf.External(["true", "{dt}{time}{n}"], answer="samples", n=[1])
    command = ["./em", "{dt}", "{time}", "{seed}", "{particles}"]
    mine = pf.External(command, answer="samples", folder=c_program.parent, particles=50)
    assert mine.settings == {"particles": 50} and "particles=50" in repr(mine)
    assert mine != pf.External(command, answer="samples", folder=c_program.parent, particles=60)
    table = study({"c": mine}, sweep={"particles": [100, 3200]}, dt=0.25).run(progress=False)
    assert table[0]["floor"] > 3 * table[1]["floor"] > 0  # 1/sqrt(particles)
    both = pf.solve(OU, mine, dt=0.25).final, pf.solve(OU, mine, dt=0.25, seed=1).final
    assert [len(law.atoms()[0]) for law in both] == [50, 50] and both[0] != both[1]


def test_a_program_travels_to_a_worker(c_program):
    command = ["./em", "{dt}", "{time}", "{seed}", "{particles}"]
    mine = pf.External(command, answer="samples", folder=c_program.parent, particles=20)
    there = pickle.loads(pickle.dumps(mine))
    assert there == mine and pf.solve(OU, there, dt=0.5) == pf.solve(OU, mine, dt=0.5)
