"""What a block costs."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from pdeflow._core import costs
from pdeflow._core.costs import Costs


def test_cpu_seconds_are_those_of_the_process_and_its_children():
    with Costs() as spent:
        start = time.process_time()
        while time.process_time() < start + 0.05:
            pass
    assert 0.05 <= spent.cpu_seconds < 0.5
    with Costs() as slept:
        time.sleep(0.05)
    assert slept.cpu_seconds < 0.05
    with Costs() as spawned:
        subprocess.run([sys.executable, "-c", "sum(i * i for i in range(10**6))"], check=True)
    assert spawned.cpu_seconds >= 0.02


def test_the_peak_is_that_of_the_block():
    with Costs() as large:
        held = np.ones(10_000_000)  # 80 MB
    del held
    with Costs() as small:
        pass
    assert 60 < large.memory - small.memory < 100 or (sys.platform != "linux" and np.isnan(small.memory))


def test_an_older_peak_that_cannot_be_forgotten_is_no_answer(monkeypatch):
    monkeypatch.setattr(costs, "_forget_peak", lambda: False)
    with Costs() as spent:
        pass
    assert np.isnan(spent.memory) and spent.cpu_seconds >= 0


def test_blocks_of_two_threads_at_once_have_no_costs_of_their_own():
    inside, over = threading.Event(), threading.Event()

    def block():
        with Costs() as spent:
            inside.set()
            over.wait(10)
        found.append(spent)

    found = []
    thread = threading.Thread(target=block)
    thread.start()
    inside.wait(10)
    with Costs() as mine:
        over.set()
        thread.join()
    assert np.isnan([mine.cpu_seconds, mine.memory, found[0].cpu_seconds]).all()
    with Costs() as alone:
        pass
    assert alone.cpu_seconds == pytest.approx(0, abs=0.05)
