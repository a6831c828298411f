"""Programs: output, limits and endings; `test_external` has the rows that they become."""

import shutil
import sys
from pathlib import Path

import pytest

import pdeflow as pf
from pdeflow.case import program
from pdeflow.case.program import run_program

HERE = Path(__file__).parent


def run(words, **more):
    return run_program(words, **{"time_limit": 20.0, "folder": HERE, "environment": None, **more})


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell here")
def test_output_is_taken_whole_and_no_shell_reads_the_words():
    echo = shutil.which("printf")
    assert run([echo, "%s", "$HOME; `ls` *\n"]) == b"$HOME; `ls` *\n"
    assert run(
        [shutil.which("sh"), "-c", "cat; pwd; echo $WHO"], environment={"WHO": "me", "PATH": "/bin:/usr/bin"}
    ) == (
        f"{HERE}\nme\n".encode()  # nothing comes on its standard input
    )


def test_what_cannot_be_started_is_bad_input():
    with pytest.raises(pf.BadInput, match="cannot be started"):
        run([str(HERE / "conftest.py")])  # a file without the right to run


def test_a_flood_is_stopped_and_stderr_is_kept_short(monkeypatch):
    monkeypatch.setattr(program, "LARGEST_OUTPUT", 10_000)
    with pytest.raises(pf.ProgramFailed, match="wrote more than 10000 bytes"):
        run([sys.executable, "-S", "-c", "while True: print('x' * 1000, flush=True)"])
    code = "import sys; sys.stderr.write('a' * 9000 + 'the end'); sys.exit(3)"
    with pytest.raises(pf.ProgramFailed, match=r"exit code 3.*the end") as caught:
        run([sys.executable, "-S", "-c", code])
    assert len(str(caught.value)) < 1500 and caught.value.exit_code == 3


def test_the_time_limit_names_what_was_said_last():
    code = "import sys, time; print('step 7', file=sys.stderr, flush=True); time.sleep(60)"
    with pytest.raises(pf.OutOfTime, match=r"after 0.5 s.*step 7"):
        run([sys.executable, "-S", "-c", code], time_limit=0.5)
