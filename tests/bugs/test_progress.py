"""Progress is seen where somebody looks, and never stands in the way of the work.

From: tqdm/tqdm#1593, keras-team/keras#8395 (stderr is None or has no isatty), tqdm/tqdm#1342 (bars in log files).
"""

import io
import sys
import time
import types

import cheap_schemes
import pytest

import pdeflow as pf
from pdeflow._core import progress


class Raising:
    def __init__(self, error):
        self.error = error

    def isatty(self):
        raise self.error

    write = flush = isatty


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS = {
    "none": lambda: None,
    "closed": closed,
    "without isatty": object,
    "raising": lambda: Raising(OSError("gone")),
    "broken pipe": lambda: Raising(BrokenPipeError()),
    "no encoding": lambda: io.TextIOWrapper(io.BytesIO(), encoding="ascii"),
}


class Contraction(cheap_schemes.Contraction):
    def step(self, problem, state, dt, rng):
        time.sleep(0.005)
        return super().step(problem, state, dt, rng)


def study(**how):
    return pf.Study(pf.problems.ou(), Contraction(), {"dt": [1 / 4, 1 / 8]}, pf.metrics.mean_error).run(**how)


@pytest.mark.parametrize("stream", STREAMS)
def test_no_stderr_stops_a_study_or_a_run(stream, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.01, raising=False)
    monkeypatch.setattr(sys, "stderr", STREAMS[stream]())
    assert len(study()) == 2
    assert pf.solve(pf.problems.ou(), Contraction(), dt=1 / 4, progress=True).final.mean()[0] > 0


def test_a_log_gets_a_line_now_and_then_and_silence_is_kept(monkeypatch):
    assert progress.EVERY == 10.0
    monkeypatch.setattr(progress, "EVERY", 0.01)
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    study()
    pf.solve(pf.problems.ou(), Contraction(), dt=1 / 16, progress=True)
    lines = log.getvalue().splitlines()
    assert 3 <= len(lines) and all(" of " in line and " after " in line for line in lines)
    assert {line.partition(":")[0] for line in lines} == {"study", "Contraction"}
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    study(progress=False)
    pf.solve(pf.problems.ou(), Contraction(), dt=1 / 16, progress=False)
    assert log.getvalue() == ""


def test_a_notebook_has_one_line_that_changes(monkeypatch):
    seen = []
    handle = types.SimpleNamespace(update=lambda data, raw: seen.append(data["text/plain"]))

    def display(data, raw, display_id):
        seen.append(data["text/plain"])
        return handle

    shell = types.SimpleNamespace(kernel=object())
    fake = types.SimpleNamespace(get_ipython=lambda: shell, display=types.SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    study()
    assert seen[0].startswith("study: 0 of 2") and seen[-1].startswith("study: 2 of 2")
    count = len(seen)
    study(progress=False)
    assert len(seen) == count


def test_a_word_is_no_answer_to_whether_progress_is_wanted():
    with pytest.raises(pf.BadInput, match="progress is 'no'"):
        study(progress="no")
