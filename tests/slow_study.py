"""A slow little study to be killed: `python slow_study.py STORE JOBS` runs it.

With 0 jobs, it starts a run for each line of stdin. Every start of a run adds a line to $SLEEPY_LOG.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cheap_schemes import Moments, moment_distance

import pdeflow as pf
from pdeflow.study.store import encode

# a shell that starts the tests in the background makes its children deaf to Ctrl-C
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Sleepy(Moments):
    """Notes each step of length dt and takes its time over it."""

    def step(self, problem, state, dt, rng):
        if log := os.environ.get("SLEEPY_LOG"):
            with open(log, "a") as file:
                file.write(f"{dt!r}\n")
        time.sleep(0.004)
        return super().step(problem, state, dt, rng)


def study():
    return pf.Study(
        pf.problems.ou(),
        {"sleepy": Sleepy(), "trapezoidal": Sleepy(theta=0.5)},
        {"dt": [1 / 2, 1 / 4, 1 / 8]},
        {"moments": moment_distance},
        seeds=range(4),
    )


TIMING = ("seconds", "first_call_seconds", "cpu_seconds", "memory")


def bits(table):
    """The table without its clocks, floats by their bits."""
    return [[encode(row[name]) for name in table.columns if name not in TIMING] for row in table]


if __name__ == "__main__":
    ready, store, jobs = study(), sys.argv[1], int(sys.argv[2])
    if jobs:
        ready.run(store=store, jobs=jobs)
    else:
        ready.run()  # loads what is loaded lazily
    for _ in sys.stdin if not jobs else ():  # each line starts a victim: a fork, which spares it the imports
        child = os.fork()
        if child == 0:
            ready.run(store=store)
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)
