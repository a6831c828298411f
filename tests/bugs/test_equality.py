"""`==` is a bool, equal things have one hash, and copies stay equal.

From: python-attrs/attrs#435 (`==` of classes that hold arrays) and joblib/joblib#1282.
"""

import copy
import functools
import pickle

import numpy as np
import pytest

import pdeflow as pf

EDGES = np.linspace(-1.0, 1.0, 41)


class Shifted:
    """No dataclass and no base class: a user's own potential."""

    dim = 1

    def __init__(self, shift):
        self.shift = np.full(20, shift)

    def value(self, x):
        return ((x - self.shift[0]) ** 2).sum(-1) / 2

    def grad(self, x):
        return x - self.shift[0]


def table(error=0.5):
    columns = ("method", "metric", "problem", "seed", "time", "dt")
    row = {**dict.fromkeys(columns, 1.0), "error": error, "stderr": np.nan, "floor": np.nan, "time_error": np.nan}
    row |= {
        **dict.fromkeys(("null", "cpu_seconds", "memory", "steps"), np.nan),
        "status": "ok",
        "why": "",
        "seconds": 1.0,
        "first_call_seconds": 1.0,
        "truth_error": 0.0,
        "how": "",
    }
    return pf.Table([{**row, "floor_how": ""}], "dt")


def own(shift):
    energy = pf.Energy(Shifted(shift), pf.Entropy(1.0))
    return pf.Problem("own" and energy, pf.laws.Gaussian(0.0, 1.0), 1.0)


# kind -> a builder of an object from a number: equal for one number, different for two
KINDS = {
    "problem": lambda c: pf.problems.ou(temperature=c),
    "own problem": own,
    "energy": lambda c: pf.Energy(pf.potentials.Quadratic(c), pf.Power(2.0)),
    "potential": lambda c: pf.potentials.Quadratic([[c, 0.0], [0.0, 1.0]]),
    "function": lambda c: pf.potentials.FromFunction(lambda x: c * (x**2).sum(-1)),
    "kernel": lambda c: pf.interactions.QuadraticAttraction(c),
    "gaussian": lambda c: pf.laws.Gaussian([c, 0.0], 1.0),
    "mixture": lambda c: pf.laws.GaussianMixture([0.5, 0.5], [-c, c], 1.0),
    "grid": lambda c: pf.laws.GridLaw(EDGES * c, np.full(40, 1 / 40)),
    "cloud": lambda c: pf.laws.Particles(np.arange(60.0) * c),
    "quantiles": lambda c: pf.laws.Quantiles([0.0, c, 2 * c], [0.0, 0.5, 1.0]),
    "product": lambda c: pf.laws.Product([pf.laws.Gaussian(c, 1.0), pf.laws.Particles(np.arange(40.0))]),
    "pushed": lambda c: pf.laws.PushForward(pf.laws.Ring(1.0), [pf.laws.AffineMap(np.eye(2) * c)]),
    "map": lambda c: pf.laws.AffineMap(np.eye(5) * c),
    "trajectory": lambda c: pf.Trajectory([0.5, 1.0], [pf.laws.Gaussian(c, 1.0)] * 2, {"steps": 2}),
    "table": lambda c: table(c),
    "order": lambda c: pf.fit_order([0.1, 0.05, 0.025], [c, c / 2, c / 4.1]),
    "study": lambda c: pf.Study(pf.problems.ou(), pf.grid.ChangCooper(50), {"dt": [0.5, c]}, pf.metrics.w2),
    "method": lambda c: pf.particle.EulerMaruyama(int(c * 1000)),
    "claim": lambda c: pf.Claim("a", "w2", c, 0.1, "me"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_equality_is_a_bool_and_the_hash_follows(kind):
    build = KINDS[kind]
    one, same, other = build(0.7), build(0.7), build(0.9)
    assert (one == same) is True and (one != same) is False and hash(one) == hash(same)
    assert (one == other) is False and (one == 3) is False and (one == np.arange(3.0)) is False
    assert {one: "kept"}[same] == "kept" and other not in {one: 1}
    assert copy.copy(one) == one and copy.deepcopy(one) == one
    if kind != "function":  # plain pickle takes no lambda
        assert pickle.loads(pickle.dumps(one)) == one


def test_a_problem_is_a_key_of_a_cache():
    calls = []

    @functools.lru_cache
    def solved(problem):
        calls.append(problem)
        return problem.horizon

    assert solved(pf.problems.ou()) == solved(pf.problems.ou()) == 1.0 and len(calls) == 1
    solved(pf.problems.ou(temperature=2.0))
    assert len(calls) == 2


def test_two_runs_with_one_seed_are_equal():
    class Walk:
        def init(self, problem, rng):
            return rng.standard_normal(50)

        def step(self, problem, state, dt, rng):
            return state + dt * rng.standard_normal(50)

        def law(self, state):
            return pf.laws.Particles(state)

    run = functools.partial(pf.solve, pf.problems.ou(), Walk(), dt=0.5)
    assert (run() == run()) is True and (run() == run(seed=1)) is False


def test_what_cannot_be_described_is_compared_field_by_field():
    class Odd(Shifted):
        __slots__ = ("handle",)

        def __init__(self, shift, handle):
            super().__init__(shift)
            self.handle = handle

    handle = open  # a builtin; whatever the fingerprint says of it, the answer is a bool
    problems = [
        pf.Problem(pf.Energy(Odd(1.0, handle), pf.Entropy(1.0)), pf.laws.Gaussian(0.0, 1.0), 1.0) for _ in range(2)
    ]
    assert isinstance(problems[0] == problems[1], bool) and problems[0] == problems[0]
