"""solve: the only time loop. Times, seeds, divergence, duck typing, history, and the errors of the method's
constructor."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, Particles


@dataclass(frozen=True)
class Walk(pf.Method):
    """A cloud that takes seeded steps; counts how it was called."""

    particles: int = 5
    spread: float = 1.0

    def init(self, problem, rng):
        return problem.initial.sample(self.particles, rng)

    def step(self, problem, state, dt, rng):
        return state + self.spread * np.sqrt(dt) * rng.standard_normal(state.shape)

    def law(self, state):
        return Particles(state)

    def report(self, state):
        return {"largest": float(np.abs(state).max())}


@dataclass(frozen=True)
class FusedWalk(Walk):
    def advance(self, problem, state, dt, steps, rng):
        self.strides.append(steps)
        return super().advance(problem, state, dt, steps, rng)

    strides = []  # noqa: RUF012 (shared on purpose: the test reads it)


PROBLEM = pf.problems.ou()


def test_default_time_is_the_horizon_and_stats_are_there():
    flow = pf.solve(PROBLEM, Walk(), dt=0.25)
    assert flow.times.tolist() == [1.0] and flow.stats["steps"] == 4
    assert 0 <= flow.stats["first_call_seconds"] <= flow.stats["seconds"]
    assert [entry["step"] for entry in flow.history] == [1, 2, 3, 4]
    assert [entry["time"] for entry in flow.history] == [0.25, 0.5, 0.75, 1.0] and flow.history[0]["largest"] > 0


@pytest.mark.parametrize(
    "dt, times, steps",
    [
        (0.1, [0.3], 3),
        (0.1, [0.0, 0.1, 0.3, 0.7], 7),
        (1 / 3, [1.0, 2.0], 6),
        (0.001, [0.3, 10.0], 10_000),
        (0.1, 0.3, 3),
        (0.05, np.arange(1, 9) * 0.05, 8),
        (0.1, [1.5], 15),
        (7e-5, [7e-5 * 333], 333),
    ],
)
def test_multiples_of_dt_are_recognised_in_floating_point(dt, times, steps):
    flow = pf.solve(PROBLEM, Walk(particles=2), dt=dt, times=times)
    assert flow.stats["steps"] == steps and np.array_equal(flow.times, np.atleast_1d(times))
    for t in np.atleast_1d(times):
        assert flow.at(t) is flow.laws[int(np.argmin(abs(flow.times - t)))]


@pytest.mark.parametrize(
    "dt, times, message",
    [
        (0.1, [0.25], r"no multiple of dt = 0\.1.*Save at 0\.2, or use dt"),
        (0.3, None, r"time 1\.0 is no multiple"),
        (0.1, [0.3 + 1e-7], "no multiple"),
        (0.1, [-0.1], ">= 0"),
        (0.1, [0.2, 0.1], "increase"),
        (0.1, [0.1, 0.1], "increase"),
        (0.1, [], "at least one"),
        (0.1, [np.nan], "nan"),
        (0.1, [0.05], "use dt = 0.05"),
        (0.0, [1.0], "dt is 0"),
        (-0.1, [1.0], "dt is -0.1"),
        (np.nan, [1.0], "dt is nan"),
        (np.inf, [1.0], "dt is inf"),
        ("fast", [1.0], "dt is 'fast'"),
    ],
)
def test_bad_times(dt, times, message):
    with pytest.raises(pf.BadInput, match=message):
        pf.solve(PROBLEM, Walk(), dt=dt, times=times)


def test_same_seed_same_bits():
    one, two, other = (pf.solve(PROBLEM, Walk(), dt=0.1, seed=seed).final.x for seed in (3, 3, 4))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert np.array_equal(pf.solve(PROBLEM, Walk(), dt=0.1).final.x, pf.solve(PROBLEM, Walk(), dt=0.1, seed=0).final.x)
    for seed in (-1, 1.5, None, "a"):
        with pytest.raises(pf.BadInput, match="seed is"):
            pf.solve(PROBLEM, Walk(), dt=0.1, seed=seed)


def test_a_seed_sequence_is_not_used_up():
    class Spawning(Walk):
        def init(self, problem, rng):
            return rng.spawn(1)[0].standard_normal((3, 1))

    seed = np.random.SeedSequence(5, spawn_key=(2,))
    one, two = (pf.solve(PROBLEM, Spawning(), dt=0.5, seed=seed).final.x for _ in range(2))
    assert np.array_equal(one, two) and seed.n_children_spawned == 0


def test_saving_more_times_changes_nothing():
    many = pf.solve(PROBLEM, Walk(), dt=0.1, times=[0.2, 0.5, 1.0])
    assert np.array_equal(many.final.x, pf.solve(PROBLEM, Walk(), dt=0.1).final.x)
    assert np.array_equal(many.at(0.5).x, pf.solve(PROBLEM, Walk(), dt=0.1, times=[0.5]).final.x)


def test_fused_methods_get_all_steps_between_saved_times_at_once():
    FusedWalk.strides.clear()
    flow = pf.solve(PROBLEM, FusedWalk(), dt=0.1, times=[0.3, 1.0])
    assert FusedWalk.strides == [1, 2, 7]  # the first alone: it may compile
    assert np.array_equal(flow.final.x, pf.solve(PROBLEM, Walk(), dt=0.1).final.x)
    assert [entry["step"] for entry in flow.history] == [1, 3, 10]
    FusedWalk.strides.clear()
    pf.solve(PROBLEM, FusedWalk(), dt=0.1, on_step=lambda *_: None)
    assert FusedWalk.strides == []


def test_on_step_sees_every_step():
    seen = []
    flow = pf.solve(
        PROBLEM, Walk(), dt=0.1, times=[0.4], on_step=lambda step, time, law: seen.append((step, time, law))
    )
    assert [step for step, *_ in seen] == [1, 2, 3, 4] and seen[2][1] == pytest.approx(0.3, rel=1e-15)
    assert np.array_equal(seen[-1][2].x, flow.final.x)


def test_anything_with_three_verbs_is_a_method():
    decay = SimpleNamespace(
        init=lambda problem, rng: problem.initial.mean(),
        step=lambda problem, state, dt, rng: state * (1 - dt),
        law=lambda state: Gaussian(state, 1.0),
    )
    flow = pf.solve(PROBLEM, decay, dt=0.5, times=[0.0, 1.0])
    assert flow.final.mean()[0] == 0.5 and flow.at(0.0).mean()[0] == 2.0 and flow.history == []
    for bad, message in [
        (SimpleNamespace(init=decay.init, step=decay.step), "without law"),
        (Walk, "a class"),
        (None, "without init, step, law"),
    ]:
        with pytest.raises(pf.BadInput, match=message):
            pf.solve(PROBLEM, bad, dt=0.5)
    with pytest.raises(pf.BadInput, match="Problem"):
        pf.solve(decay, PROBLEM, dt=0.5)


class Forgetful(Walk):
    """Returns something else than it should from one of its verbs."""

    def __init__(self, verb, answer=None):
        self.verb, self.answer = verb, answer

    def init(self, problem, rng):
        return None if self.verb == "init" else rng.standard_normal((4, 1))

    def step(self, problem, state, dt, rng):
        return None if self.verb == "step" else state

    def law(self, state):
        return self.answer if self.verb == "law" else Particles(state)


class ForgetfulCall(Forgetful):
    def advance(self, problem, state, dt, steps, rng):
        return None


class ForgetfulReport(Forgetful):
    def report(self, state):
        return None


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Forgetful("init"), "^init of Forgetful.* returned None, not the state"),
        (ForgetfulReport(""), "^report of ForgetfulReport.* returned None"),
        (Forgetful("step"), "^step of Forgetful.* returned None"),
        (ForgetfulCall(""), "^advance of Forgetful.* returned None"),
        (Forgetful("law"), "^law of Forgetful.* returned None, of type NoneType. It must be a pdeflow Law"),
        (Forgetful("law", np.zeros((4, 1))), r"^law of .* returned array.*ndarray.* Particles\(x\) for points"),
        (Forgetful("law", Particles(np.zeros((4, 2)))), r"dim 2, .*The problem has dim 1.*points \(n, 1\)"),
    ],
)
def test_a_verb_that_returns_something_else_is_named(method, words):
    for extra in ({}, {"times": [0.0, 1.0]}, {"on_step": lambda step, time, law: None}):
        if not (isinstance(method, ForgetfulCall) and "on_step" in extra):
            with pytest.raises(pf.BadInput, match=words):
                pf.solve(PROBLEM, method, dt=0.5, **extra)


@pytest.mark.parametrize(
    "wrap",
    [lambda x: x, lambda x: (1, x), lambda x: [np.zeros(2), x], lambda x: {"x": x, "n": 3}, lambda x: Holder(x)],
    ids=["array", "tuple", "list", "dict", "dataclass"],
)
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_the_first_state_that_is_not_finite_ends_the_run(wrap, poison):
    def step(problem, state, dt, rng):
        step.calls += 1
        return wrap(np.array([0.0, poison if step.calls == 3 else 1.0]))

    step.calls = 0
    method = SimpleNamespace(init=lambda *_: wrap(np.zeros(2)), step=step, law=lambda state: Gaussian(0, 1))
    with pytest.raises(pf.Diverged, match=r"entry \[1\] after step 3 \(t = 0\.3\)") as failure:
        pf.solve(PROBLEM, method, dt=0.1)
    assert failure.value.step == 3 and failure.value.entry == (1,) and step.calls == 3


@dataclass
class Holder:
    x: np.ndarray


def test_field_names_are_checked_with_the_nearest():
    with pytest.raises(
        pf.UnknownField, match=r"Walk has no field 'particle'\. It has: particles, spread\. Did you mean 'particles'"
    ):
        Walk(particle=3)
    with pytest.raises(TypeError):
        Walk(particle=3)
    with pytest.raises(pf.UnknownField):
        replace(Walk(), spred=2.0)
    with pytest.raises(pf.BadInput, match="argument 3"):
        Walk(1, 2.0, 3)
    assert Walk(7).particles == 7 and replace(Walk(), spread=2.0).spread == 2.0
    assert Walk() == Walk() and hash(Walk()) == hash(Walk()) and repr(Walk()) == "Walk(particles=5, spread=1.0)"


def test_the_base_class_promises_nothing():
    bare = pf.Method()
    for call in (lambda: bare.init(PROBLEM, None), lambda: bare.step(PROBLEM, None, 0.1, None), lambda: bare.law(None)):
        with pytest.raises(NotImplementedError):
            call()
    assert bare.report(None) == {}
    with pytest.raises(pf.NotAvailable, match="no exact discrete sequence"):
        bare.exact_sequence(PROBLEM, dt=0.1, times=[0.1])


def test_no_bar_where_there_is_no_terminal(capfd):
    pf.solve(PROBLEM, Walk(), dt=0.25, progress=True)
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_passes_through():
    def step(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pf.solve(PROBLEM, SimpleNamespace(init=lambda *_: 0, step=step, law=lambda s: Gaussian(0, 1)), dt=0.5)


def test_a_subclass_without_a_verb_is_refused_before_it_runs():
    class Half(pf.Method):
        def init(self, problem, rng):
            return problem.initial

        def law(self, state):
            return state

    with pytest.raises(pf.BadInput, match="without step"):
        pf.solve(pf.problems.ou(), Half(), dt=0.5)


class Whole:
    """A method with the verb run: it draws the exact law at each time, with a bias dt."""

    def __init__(self, dim=1):
        self.dim = dim

    def run(self, problem, dt, times, seed):
        rng = np.random.default_rng(seed)
        laws = [problem.exact(time) for time in times]
        return [Particles(law.sample(4000, rng)[:, [0] * self.dim] + dt) for law in laws]

    def represent(self, law, answer, rng):
        return Particles(law.sample(len(answer.x), rng))


def test_a_method_may_run_as_a_whole():
    one, two, other = (pf.solve(PROBLEM, Whole(), dt=0.25, times=[0.5, 1.0], seed=seed) for seed in (3, 3, 4))
    assert one == two and one != other and one.stats["steps"] == 4
    with pytest.raises(pf.BadInput, match=r"law of dim 2.*problem has dim 1"):
        pf.solve(PROBLEM, Whole(dim=2), dt=0.25)
    with pytest.raises(pf.BadInput, match="runs as a whole"):
        pf.solve(PROBLEM, Whole(), dt=0.25, on_step=print)
    with pytest.raises(pf.BadInput, match="no multiple of dt"):
        pf.solve(PROBLEM, Whole(), dt=0.3, times=[0.5])
    with pytest.raises(pf.BadInput, match="SeedSequence"):
        pf.solve(PROBLEM, Whole(), dt=0.25, seed=np.random.SeedSequence(1))


def test_the_three_verbs_come_before_run():
    class Both(Walk):
        def run(self, problem, dt, times, seed):
            raise ZeroDivisionError

    assert pf.solve(PROBLEM, Both(), dt=0.25).stats["steps"] == 4


class Clocked:
    """A user's method whose number of particles depends on dt, and whose drift on time: dX = cos(t) dt."""

    def init(self, problem, rng, *, dt):
        return problem.initial.sample(round(1 / dt), rng)

    def step(self, problem, state, dt, rng, *, time):
        return state + np.sin(time + dt) - np.sin(time)

    def law(self, state):
        return Particles(state)


@dataclass(frozen=True)
class ClockedWalk(Walk):
    """The same in one call; it writes down the times at which it was called."""

    called = []  # noqa: RUF012 (shared on purpose: the test reads it)

    def init(self, problem, rng, *, dt):
        return problem.initial.sample(round(1 / dt), rng)

    def step(self, problem, state, dt, rng, *, time):
        return self.advance(problem, state, dt, 1, rng, time=time)

    def advance(self, problem, state, dt, steps, rng, *, time):
        self.called.append((steps, round(time, 12)))
        return state + np.sin(time + steps * dt) - np.sin(time)


@dataclass(frozen=True)
class LateWalk(ClockedWalk):
    def step(self, problem, state, dt, rng):
        return state


@dataclass(frozen=True)
class DriftingWalk(FusedWalk):
    def advance(self, problem, state, dt, steps, rng):
        raise AssertionError("it knows no time, and step does")

    def step(self, problem, state, dt, rng, *, time):
        return state + np.sin(time + dt) - np.sin(time)


@pytest.mark.parametrize("method", [Clocked(), ClockedWalk(), DriftingWalk(particles=4)])
def test_solve_passes_dt_and_the_time_at_which_a_step_begins(method):
    """The sum of the steps is sin(t) to round-off only where each step gets its own time."""
    ClockedWalk.called.clear()
    flow = pf.solve(PROBLEM, method, dt=0.25, times=[0.0, 0.5, 2.0])
    start = flow.at(0.0).x
    assert start.shape == (4, 1)
    assert np.allclose(flow.at(0.5).x - start, np.sin(0.5), rtol=0, atol=1e-15)
    assert np.allclose(flow.final.x - start, np.sin(2.0), rtol=0, atol=1e-14)
    watched = pf.solve(PROBLEM, method, dt=0.25, times=[2.0], on_step=lambda *_: None)
    assert np.allclose(watched.final.x, flow.final.x, rtol=0, atol=1e-14)
    if isinstance(method, ClockedWalk):
        assert ClockedWalk.called[:3] == [(1, 0.0), (1, 0.25), (6, 0.5)]


def test_a_step_without_the_time_is_not_spoken_for_by_a_call_that_has_it():
    flow = pf.solve(PROBLEM, LateWalk(), dt=0.25, times=[0.0, 1.0])
    assert (flow.final.x == flow.at(0.0).x).all()


def test_the_loop_of_the_base_class_hands_the_time_on():
    @dataclass(frozen=True)
    class Loop(pf.Method):
        def step(self, problem, state, dt, rng, *, time):
            return state + np.sin(time + dt) - np.sin(time)

    assert Loop().advance(PROBLEM, 0.0, 0.25, 4, None, time=1.0) == pytest.approx(np.sin(2.0) - np.sin(1.0), abs=1e-15)
    with pytest.raises(TypeError, match="time"):
        Loop().advance(PROBLEM, 0.0, 0.25, 4, None)
    assert Walk(spread=0.0).advance(PROBLEM, np.zeros(2), 0.25, 4, np.random.default_rng(0), time=1.0).tolist() == [
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("verb", "function", "words"),
    [
        ("init", lambda problem: problem, r"^init of .* takes \(problem\)\. It is called with \(problem, rng\)"),
        ("step", lambda problem, state, dt: state, r"^step of .*It is called with \(problem, state, dt, rng\)"),
        ("law", lambda: None, r"^law of .* takes \(\)\. It is called with \(state\)"),
        ("init", lambda problem, rng, *, seed: 1, r"takes \(problem, rng, \*, seed\)"),
        ("step", lambda problem, state, dt, rng, *, time, k: 1, r"called with \(problem, state, dt, rng, time=time\)"),
    ],
)
def test_a_verb_with_other_arguments_is_named_before_the_run(verb, function, words):
    verbs = {"init": lambda problem, rng: 1.0, "step": lambda *_: 1.0, "law": lambda _: Gaussian(0.0, 1.0)}
    with pytest.raises(pf.BadInput, match=words):
        pf.solve(PROBLEM, SimpleNamespace(**{**verbs, verb: function}), dt=0.5)
    clocked = lambda problem, state, dt, rng, *, time, more=1: state  # noqa: E731
    assert pf.solve(PROBLEM, SimpleNamespace(**{**verbs, "step": clocked}), dt=0.5).final.mean()[0] == 0.0


def test_what_holds_a_problem_is_not_one():
    with pytest.raises(pf.BadInput, match=r"Pass its problem\(\)\."):
        pf.solve(SimpleNamespace(problem=lambda: PROBLEM), Walk(), dt=0.5)
