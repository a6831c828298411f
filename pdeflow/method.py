"""Method: what a scheme is; solve: the only time loop."""

import inspect
import time as clock
from dataclasses import fields, is_dataclass

import numpy as np

from ._core.errors import BadInput, Diverged, NotAvailable, unknown_field
from ._core.progress import ProgressBar
from ._core.validate import count, positive
from .laws import Law
from .problems.problem import Problem
from .trajectory import Trajectory, time_grid


class MethodType(type):
    """Turns an unknown field name of a method, or of the settings in one, into an error that names the nearest valid one."""

    def __call__(cls, *args, **kwargs):
        if is_dataclass(cls):
            valid = [f.name for f in fields(cls) if f.init]
            for name in kwargs:
                if name not in valid:
                    raise unknown_field(cls.__name__, name, valid)
            if len(args) > len(valid):
                raise unknown_field(cls.__name__, f"(argument {len(args)})", valid)
        return super().__call__(*args, **kwargs)

    @property
    def __signature__(cls):
        """The fields of the dataclass, which the call above would hide from help() and editors."""
        parameters = list(inspect.signature(cls.__init__).parameters.values())
        return inspect.Signature(parameters[1:])


class Method(metaclass=MethodType):
    """Base class of every scheme. Subclasses are frozen dataclasses of discretisation parameters.

    A scheme never owns the time loop, a clock, a file or a plot. `solve` duck-types: a user's object with `init`,
    `step` and `law` is a method; `advance` and `report` are optional.
    """

    def init(self, problem: Problem, rng: np.random.Generator):
        """State that represents problem.initial. Raises `Unsupported` if the scheme cannot treat the problem."""
        raise NotImplementedError

    def step(self, problem: Problem, state, dt: float, rng: np.random.Generator):
        """State one step of length dt later."""
        raise NotImplementedError

    def advance(self, problem: Problem, state, dt: float, steps: int, rng: np.random.Generator):
        """State `steps` steps later. Override where many steps fuse into one call."""
        for _ in range(steps):
            state = self.step(problem, state, dt, rng)
        return state

    def law(self, state) -> Law:
        """The law that a state stands for."""
        raise NotImplementedError

    def exact_sequence(self, problem: Problem, *, dt: float, times) -> Trajectory:
        """What this time discretisation gives with no other error, where that is closed: it splits a study's error.

        JKO schemes return `exact_jko(problem, dt=dt, times=times)`. Raises `NotAvailable` by default.
        """
        raise NotAvailable(
            f"{type(self).__name__} has no exact discrete sequence on record. Its time error is not told apart."
        )

    def report(self, state) -> dict:
        """Residuals, reasons, energies of the last step."""
        return {}


def solve(problem, method, *, dt, times=None, seed=0, progress=False, on_step=None) -> Trajectory:
    """Run `method` on `problem` with fixed step dt and keep the laws at `times`.

    dt : > 0. times : increasing multiples of dt (judged to 1e-9 relative), >= 0, may pass the horizon; None means (horizon,).
    seed : int or SeedSequence; same seed, same bits. progress : a bar on stderr (only if that is a terminal).
    on_step : called as on_step(step, time, law) after every step; forces single steps.

    stats of the result: `seconds` (whole run), `first_call_seconds` (initial state and first step, where compilation
    and factorisation happen), `steps`. history: one report a step; a method that fuses steps reports once a fused call.

    Raises `BadInput` for dt, times or seed, `Unsupported` by the method, `Diverged` at the first non-finite state.
    """
    if not isinstance(problem, Problem):
        raise BadInput(f"problem is {problem!r}. It must be a Problem. Take one of pdeflow.problems or build your own.")
    missing = [verb for verb in ("init", "step", "law") if _undefined(method, verb)]
    if missing or isinstance(method, type):
        what = "a class" if isinstance(method, type) else f"without {', '.join(missing)}"
        raise BadInput(
            f"method is {method!r}, {what}. A method is an object with init, step and law. Create or complete it."
        )
    dt = positive(dt, "dt")
    times, marks = time_grid((problem.horizon,) if times is None else times, dt)
    rng = np.random.default_rng(_seed(seed))
    fused = (
        on_step is None and hasattr(method, "advance") and getattr(type(method), "advance", None) is not Method.advance
    )
    bar = ProgressBar(progress, marks[-1], type(method).__name__)
    start = clock.perf_counter()
    with bar:
        state = method.init(problem, rng)
        laws, history, done, first = [], [], 0, None
        for mark in marks:
            while done < mark:
                stride = (mark - done if first is not None else 1) if fused else 1
                state = (
                    method.advance(problem, state, dt, stride, rng) if fused else method.step(problem, state, dt, rng)
                )
                done += stride
                first = clock.perf_counter() - start if first is None else first
                _check_finite(state, done, dt)
                if hasattr(method, "report"):
                    history.append({"step": done, "time": done * dt, **method.report(state)})
                if on_step is not None:
                    on_step(done, done * dt, method.law(state))
                bar.update(done, history[-1].get("loss") if history else None)
            laws.append(method.law(state))
    seconds = clock.perf_counter() - start
    stats = {"seconds": seconds, "first_call_seconds": seconds if first is None else first, "steps": done}
    return Trajectory(times, laws, stats, history)


def _undefined(method, verb):
    return not callable(getattr(method, verb, None)) or getattr(type(method), verb, None) is getattr(Method, verb)


def _seed(seed):
    if isinstance(
        seed, np.random.SeedSequence
    ):  # a fresh copy: spawning from it must not change what it gives next time
        return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key, pool_size=seed.pool_size)
    return np.random.SeedSequence(count(seed, "seed", 0))


def _check_finite(state, step, dt):
    if isinstance(state, tuple | list):
        for part in state:
            _check_finite(part, step, dt)
    elif isinstance(state, dict):
        _check_finite(list(state.values()), step, dt)
    elif is_dataclass(state):
        _check_finite([getattr(state, f.name) for f in fields(state)], step, dt)
    elif isinstance(state, np.ndarray) and state.dtype.kind == "f" and not np.isfinite(state).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(state))[0])
        raise Diverged(
            f"The state is {state[where]} at entry {list(where)} after step {step} (t = {step * dt:.6g}). It must stay finite. Use a smaller dt than {dt:g}.",
            step=step, entry=where,
        )  # fmt: skip
