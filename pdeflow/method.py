"""Method: what a scheme is; solve: the only time loop."""

import time as clock
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ._core.errors import BadInput, Diverged, NotAvailable, Unsupported
from ._core.overriding import speaks_for, takes_keyword
from ._core.progress import ProgressBar
from ._core.shapes import Values
from ._core.short_text import shown
from ._core.threads import one_thread
from ._core.validate import called_with, count, flag, known_arguments, positive
from ._core.value import Value
from .by_parts import ByParts, by_parts
from .energies.gradient_probe import refuse_foreign_gradients
from .laws import Law
from .problems.problem import Problem
from .trajectory import Trajectory, time_grid

CALLS = {"init": ("problem", "rng"), "step": ("problem", "state", "dt", "rng"), "law": ("state",)}
VERBS = tuple(CALLS)


class Method(Value):
    """Base class of every scheme. Subclasses are frozen dataclasses of discretisation parameters.

    A scheme never owns the time loop, a clock, a file or a plot. `solve` duck-types: a user's object with `init`,
    `step` and `law` is a method; `advance` and `report` are optional. An unknown field raises `UnknownField` with the
    nearest valid one.

    Notes
    -----
    Two keywords are optional, and `solve` passes each to a method whose signature has it:

    - init(problem, rng, *, dt), for a scheme whose grid depends on the step: the length of the steps that follow;
    - step(problem, state, dt, rng, *, time) and advance(problem, state, dt, steps, rng, *, time), for a potential
      V(t, x): the time at which the call begins, 0 for the first.

    The signature is that of the function which answers: a subclass that overrides a verb says anew what it takes. A
    function that takes any keyword (``**options``) is one that hands it on: what it wraps (functools.wraps), the class
    above it or the methods in the fields of the object decide. Where one of `step` and `advance` takes `time` and the
    other does not, single steps are taken.

    What cannot be stepped from outside, such as a program in another language, has one verb in place of the three:
    run(problem, dt, times, seed) -> one law per time, with `seed` a whole number. A study measures its floor by
    represent(law, answer, rng), which puts `law` into the representation of an `answer` of `run` at the same time.

    Attributes
    ----------
    treats_parts : bool
        Whether `solve` runs the method on the parts of a problem that is made of simpler ones (`problems.rotated`,
        `separable`, `radial`) and returns the law that they make together. False by default: the problem is solved as
        it stands. True suits a method whose step for the parts is its step for the whole, such as one of JKO or one
        that is exact in time, in the dimensions that it treats.
    follows_flow : bool
        Whether its laws are near those of the problem's flow at the same times. True by default; False for one that
        only ends where the flow does, such as `SVGD`, which `applications.Filter` refuses.
    """

    treats_parts: ClassVar[bool] = False
    follows_flow: ClassVar[bool] = True

    def init(self, problem: Problem, rng: np.random.Generator) -> Any:
        """The state that represents `problem.initial`.

        Parameters
        ----------
        problem : Problem
            What is solved.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        object
            An array, or a tuple, list, dict or dataclass of arrays and whatever the scheme prepared.

        Raises
        ------
        Unsupported
            If the scheme cannot treat the problem.
        """
        raise NotImplementedError

    def step(self, problem: Problem, state: Any, dt: float, rng: np.random.Generator) -> Any:
        """The state one step of length dt later; the state that came in is left as it is.

        Parameters
        ----------
        problem : Problem
            What is solved.
        state : object
            What `init` or the last step returned.
        dt : float
            Length of the step in units of time, > 0.
        rng : numpy.random.Generator
            The only source of randomness.
        """
        raise NotImplementedError

    def advance(
        self,
        problem: Problem,
        state: Any,
        dt: float,
        steps: int,
        rng: np.random.Generator,
        *,
        time: float | None = None,
    ) -> Any:
        """The state `steps` steps of length dt later. Override it where many steps fuse into one call.

        `time` is that at which the first step begins. This loop hands it on to a `step` that takes it.
        """
        begin = time if takes_time(self, "step") else None
        for k in range(steps):
            now = {} if begin is None else {"time": begin + k * dt}
            state = self.step(problem, state, dt, rng, **now)
        return state

    def law(self, state: Any) -> Law:
        """The law that a state stands for."""
        raise NotImplementedError

    def exact_sequence(self, problem: Problem, *, dt: float, times: ArrayLike | None) -> Trajectory:
        """What this time discretisation gives with no other error, where that is closed: it splits a study's error.

        JKO schemes return `exact_jko(problem, dt=dt, times=times)`.

        Raises
        ------
        NotAvailable
            Where no such sequence is known, which is the default.
        """
        raise NotAvailable(
            f"{type(self).__name__} has no exact discrete sequence. A method can give one by exact_sequence. "
            "Without it the study reports the whole error, and not how much of it is due to time."
        )

    def takes_jko_steps(self, problem: Problem) -> bool:
        """Whether each step is one of JKO for this problem, but for errors in space, of samples and optimisation.

        Then a study takes `jko_sequence` for the exact discrete sequence where `exact_sequence` has no closed form.
        """
        return False

    def report(self, state: Any) -> Mapping[str, Any]:
        """Residuals, reasons, energies of the last step, by name."""
        return {}


@known_arguments
def solve(
    problem: Problem,
    method: Any,
    *,
    dt: float,
    times: ArrayLike | None = None,
    seed: int | np.random.SeedSequence = 0,
    progress: bool = False,
    on_step: Callable[[int, float, Law], object] | None = None,
) -> Trajectory:
    """Run a method on a problem with a fixed step and keep the laws at some times.

    Parameters
    ----------
    problem : Problem
        What is solved.
    method : Method
        How it is solved: a `Method`, or any object with `init`, `step` and `law`, or with `run` alone.
    dt : float
        Length of a step in units of time, > 0.
    times : array_like, optional
        Increasing multiples of dt (judged to 1e-9 relative), >= 0, shape (k,). They may pass the horizon, which alone
        is the default.
    seed : int or SeedSequence
        The same seed gives the same bits, on any number of cores: BLAS works with one thread meanwhile.
    progress : bool
        Whether to show how far it is: a bar or a line, on stderr every ten seconds where there is no terminal.
    on_step : callable, optional
        Called as on_step(step, time, law) after every step; it forces single steps where a method fuses them.

    Returns
    -------
    Trajectory
        The laws at `times`. Its `stats` hold `seconds` (of the whole run), `first_call_seconds` (initial state and
        first step, with compilation and factorisation) and `steps`; its `history` holds one report per step or fused
        call.

    Raises
    ------
    BadInput
        For a problem, method, dt, times or seed that makes no sense, for a method whose init or step returns None or
        whose law is none, and where the gradient of V or W is not that of its values at a quarter of 16 points of the
        initial law (at kinks and where values are noisy there is no verdict).
    Unsupported
        By the method, for a problem that it cannot treat; and for a potential that depends on time and a method whose
        `step` takes no `time`.
    Diverged
        At the first state that is not finite.
    """
    require_problem_and_method(problem, method)
    dt = positive(dt, "dt")
    grid, marks = time_grid((problem.horizon,) if times is None else times, dt)
    if runs_whole(method):
        return _run_whole(problem, method, dt, grid, seed, on_step)
    rng, method = np.random.default_rng(_seed(seed)), by_parts(problem, method)
    fused = on_step is None and _fuses(method)
    move, verb = _mover(problem, method, fused), "advance" if fused else "step"
    reports, history, first, done = hasattr(method, "report"), [], None, 0
    bar = ProgressBar(flag(progress, "progress"), marks[-1], type(method).__name__)
    start = clock.perf_counter()
    with one_thread(), bar:
        state = initial_state(problem, method, rng, dt=dt)
        refuse_foreign_gradients(problem.energy.at(0.0), problem.initial)
        laws = [_law(problem, method, method.law(state))] if marks[0] == 0 else []
        for stride, done in _strides(marks, fused):
            state = _returned(method, verb, move(state, dt, stride, (done - stride) * dt, rng))
            first = clock.perf_counter() - start if first is None else first
            _check_finite(state, done, dt)
            if reports:
                history.append({"step": done, "time": done * dt, **_returned(method, "report", method.report(state))})
            if on_step is not None:
                on_step(done, done * dt, _law(problem, method, method.law(state)))
            bar.update(done, history[-1].get("loss") if history else None)
            if done == marks[len(laws)]:
                laws.append(_law(problem, method, method.law(state)))
    seconds = clock.perf_counter() - start
    stats = {"seconds": seconds, "first_call_seconds": seconds if first is None else first, "steps": done}
    return Trajectory(grid, laws, stats, history, problem=problem)


def _mover(problem: Problem, method: Any, fused: bool) -> Callable[..., Any]:
    """move(state, dt, steps, time, rng): `advance` or one `step`, with the time where it takes that.

    `Unsupported` where V depends on a time that the method does not take.
    """
    clocked, verb = takes_time(method, "advance" if fused else "step"), method.advance if fused else method.step
    if problem.energy.time_dependent and not clocked:
        raise Unsupported(
            f"{shown(method)} knows no time, and V = {shown(problem.energy.potential, 300)} depends on it. Methods "
            "whose step takes time= can follow it: ChangCooper, EulerMaruyama, your own. Take one."
        )

    def move(state: Any, dt: float, steps: int, time: float, rng: np.random.Generator) -> Any:
        now = {"time": time} if clocked else {}
        return verb(problem, state, dt, *((steps,) if fused else ()), rng, **now)

    return move


def initial_state(problem: Problem, method: Any, rng: np.random.Generator, *, dt: float) -> Any:
    """The state from which a method goes on in steps of dt; its `init` gets dt where its signature asks for it."""
    return _returned(method, "init", method.init(problem, rng, **({"dt": dt} if takes_step_length(method) else {})))


def _returned(method: Any, verb: str, state: Any) -> Any:
    """The state that `init`, `step` or `advance` returned, or `BadInput` where it returned nothing."""
    if state is None:
        raise BadInput(f"{verb} of {shown(method, 200)} returned None, not the state (report: a mapping). Return it.")
    return state


def _law(problem: Problem, method: Any, law: Any, verb: str = "law") -> Law:
    """What `law` or `run` gave, or `BadInput` for what is no law, or none of the dimension of the problem."""
    if not isinstance(law, Law):
        raise BadInput(
            f"{verb} of {shown(method, 200)} returned {shown(law, 300)}, of type {type(law).__name__}. It must be a "
            "pdeflow Law. Wrap it: Particles(x) for points (n, d), GridLaw(edges, mass) for masses of cells."
        )
    if law.dim != problem.dim:
        raise BadInput(
            f"{verb} of {shown(method, 200)} returned a law of dim {law.dim}, {shown(law, 300)}. The problem has "
            f"dim {problem.dim}. Return a law of that dimension, such as that of points (n, {problem.dim})."
        )
    return law


def takes_step_length(method: Any) -> bool:
    """Whether the state at the start depends on the step: `init` of the method takes `dt`."""
    return takes_keyword(method, "init", "dt", 2, Method)


def takes_time(method: Any, verb: str) -> bool:
    """Whether `step` or `advance` of a method takes the time at which it begins."""
    return takes_keyword(method, verb, "time", 4 if verb == "step" else 5, Method)


def require_problem_and_method(problem: Any, method: Any) -> None:
    """`BadInput` for what is no problem or no method."""
    if not isinstance(problem, Problem):
        its = "Pass its problem()." if callable(getattr(problem, "problem", None)) else "Take one of pdeflow.problems."
        raise BadInput(f"problem is {shown(problem)}. It must be a Problem, of yours or of the catalogue. {its}")
    missing = [verb for verb in VERBS if _undefined(method, verb)]
    if (missing and not runs_whole(method)) or isinstance(method, type):
        what = "a class" if isinstance(method, type) else f"without {', '.join(missing)}"
        raise BadInput(
            f"method is {shown(method)}, {what}. A method is an object with init, step and law. Create or complete it."
        )
    require_calls(method)


def require_calls(method: Any) -> None:
    """`BadInput` where a verb of a method cannot be called with what it is given."""
    for verb, given in {"run": ("problem", "dt", "times", "seed")}.items() if runs_whole(method) else CALLS.items():
        extra = {"init": "dt", "step": "time"}.get(verb)
        named = [extra] if extra and takes_keyword(method, verb, extra, len(given), Method) else []
        called_with(getattr(method, verb), f"{verb} of {shown(method, 200)}", given, named)


def runs_whole(method: Any) -> bool:
    """Whether a method has the verb `run` in place of `init`, `step` and `law`."""
    return callable(getattr(method, "run", None)) and all(_undefined(method, verb) for verb in VERBS)


def _run_whole(problem: Problem, method: Any, dt: float, times: Values, seed: Any, on_step: Any) -> Trajectory:
    """The laws at `times` of a method that runs as a whole."""
    if on_step is not None:
        raise BadInput(
            f"on_step is given, and {shown(method)} runs as a whole. Only a method with init, step and law has steps "
            "to watch. Drop on_step=."
        )
    seed = count(seed, "seed", 0)  # a program outside takes a number
    start = clock.perf_counter()
    with one_thread():
        laws = method.run(problem, dt, times, seed)
    seconds = clock.perf_counter() - start
    stats = {"seconds": seconds, "first_call_seconds": seconds, "steps": round(times[-1] / dt)}
    flow = Trajectory(times, laws, stats, problem=problem)
    for law in flow.laws:
        _law(problem, method, law, "run")
    return flow


def _fuses(method: Any) -> bool:
    """Whether the method takes many steps in one call: its `advance` stands for its own `step`, and not for another's.

    A `step` that a subclass, a mixin, a wrapper, the object itself or a patch puts in place of the one that `advance`
    was written for is called, and so is one that takes the time where `advance` does not, or the other way round.
    """
    if isinstance(method, ByParts):
        return _fuses(method.method)
    return (
        hasattr(method, "advance")
        and getattr(type(method), "advance", None) is not Method.advance
        and speaks_for(method, "advance", ("step",))
        and takes_time(method, "advance") == takes_time(method, "step")
    )


def refuse_other_steps(method: Any, answer: str = "exact_sequence") -> None:
    """`NotAvailable` where an answer about the steps was written for other steps than those of the method."""
    if not speaks_for(method, answer, ("init", "step", "advance", "law")):
        raise NotAvailable(
            f"{type(method).__name__} overrides a part of the scheme whose exact discrete sequence it inherits. That "
            f"belongs to the steps that were replaced. Override {answer} too, with the answer of the new steps."
        )


def _strides(marks: list[int], fused: bool) -> Iterator[tuple[int, int]]:
    """(steps of a call, steps done after it) up to the last mark; a fused call ends at a mark, and the first is one
    step long."""
    done = 0
    for mark in marks:
        while done < mark:
            stride = mark - done if fused and done > 0 else 1
            done += stride
            yield stride, done


def _undefined(method: Any, verb: str) -> bool:
    return not callable(getattr(method, verb, None)) or getattr(type(method), verb, None) is getattr(Method, verb)


def _seed(seed: int | np.random.SeedSequence) -> np.random.SeedSequence:
    if isinstance(seed, np.random.SeedSequence):  # a fresh copy: spawning must not change what it gives next time
        return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key, pool_size=seed.pool_size)
    return np.random.SeedSequence(count(seed, "seed", 0))


def _check_finite(state: Any, step: int, dt: float) -> None:
    """`Diverged` where an array of the state has an entry that is not finite."""
    if isinstance(state, dict):
        _check_finite(list(state.values()), step, dt)
    elif isinstance(state, tuple | list) or is_dataclass(state):
        for part in [getattr(state, f.name) for f in fields(state)] if is_dataclass(state) else state:
            _check_finite(part, step, dt)
    elif isinstance(state, np.ndarray) and state.dtype.kind == "f" and not np.isfinite(state).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(state))[0])
        raise Diverged(
            f"The state is {state[where]} at entry {list(where)} after step {step} (t = {step * dt:.6g}). It must stay "
            f"finite. Use a smaller dt than {dt:g}.",
            step=step,
            entry=where,
        )
