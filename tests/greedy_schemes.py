"""Work for other processes, which import it by name: work that computes, waits, fails and dies."""

import os
import sys
import time
from dataclasses import dataclass

import numba
from cheap_schemes import Moments

import pdeflow as pf


@numba.njit(cache=True)
def spins(n):
    """Work in a compiled loop that nothing can interrupt from inside."""
    total = 0
    for i in range(n):
        total = (total * 3 + i) % 1_000_003
    return total


def adds(a, b, *, tell):
    tell("sum", None)
    return os.getpid(), a + b


def busy(n, *, tell):
    tell("the short part", None)
    tell("the long part", {"first": "done"})
    return spins(n)


def sleeps(seconds, *, tell):
    tell("sleep", None)
    time.sleep(seconds)


def fails(value, *, tell):
    tell("division", None)
    return value / 0


def dies(code, *, tell):
    tell("last words", None)
    os._exit(code)


def prints(text, *, tell):
    tell("talk", None)
    print(text, flush=True)
    return sys.stdin.read()


@dataclass(frozen=True)
class Greedy(Moments):
    """Moments, but steps of one length never end."""

    never: float = 0.0

    def __init__(self, never):
        super().__init__()
        object.__setattr__(self, "never", never)

    def step(self, problem, state, dt, rng):
        if dt == self.never:
            self.meets_it()
        return super().step(problem, state, dt, rng)

    def meets_it(self):
        spins(10**15)


@dataclass(frozen=True, init=False)
class Ending(Greedy):
    """Moments, but steps of one length end as those that are out of time do, at once."""

    def meets_it(self):
        raise pf.OutOfTime("The step had no time. It needs some. Give it more.")
