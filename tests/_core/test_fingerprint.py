"""Fingerprints: equal questions share them, different ones do not."""

import contextlib
import importlib.util
import inspect
import json
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.fingerprint import canonical, describe, sha256
from pdeflow.energies.potentials import FromFunction
from pdeflow.laws import Gaussian, GridLaw, Particles
from pdeflow.problems.registry import rebuild

CATALOGUE = {
    "ou": pf.problems.ou(),
    "ou-matrix": pf.problems.ou(dim=2, matrix=np.array([[1.5, 0.5], [0.5, 0.8]]), center=[1.0, -0.5]),
    "ou-seed": pf.problems.ou(dim=3, seed=7),
    "ou-mokrov": pf.problems.ou(dim=3, seed=7, ensemble="mokrov"),
    "heat": pf.problems.heat(2, horizon=0.1),
    "mixture_ou": pf.problems.mixture_ou(),
    "mixture_target": pf.problems.mixture_target(2, 5, 5.0, seed=np.int64(4)),
    "double_well": pf.problems.double_well(temperature=1 / 3),
    "styblinski_tang": pf.problems.styblinski_tang(3, 1 / 50),
    "porous_medium": pf.problems.porous_medium(2, 2.4, 0.1, 0.5),
    "mckean_vlasov_ou": pf.problems.mckean_vlasov_ou(),
    "newtonian_1d": pf.problems.newtonian_1d(pf.laws.GaussianMixture([0.5, 0.5], [-1.0, 1.0], 0.1)),
    "log_repulsion": pf.problems.log_repulsion(),
    "ring_aggregation": pf.problems.ring_aggregation(),
    "aggregation_diffusion": pf.problems.aggregation_diffusion(mass=9.0),
}


@pytest.mark.parametrize("problem", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_catalogue_entries_come_back_from_json_with_the_same_print(problem):
    again = rebuild(problem.name, json.loads(json.dumps(problem.params)))
    assert sha256(again) == sha256(problem) and again.params == problem.params
    assert np.array_equal(
        again.initial.sample(4, np.random.default_rng(0)), problem.initial.sample(4, np.random.default_rng(0))
    )
    if problem.exact is not None:
        assert np.array_equal(again.exact(0.01).mean(), problem.exact(0.01).mean())


def test_different_questions_have_different_prints():
    problems = [
        *CATALOGUE.values(),
        replace(CATALOGUE["ou"], horizon=2.0),
        replace(CATALOGUE["ou"], initial=Gaussian(0, 1)),
    ]
    assert len({sha256(problem) for problem in problems}) == len(problems)
    close = [pf.problems.ou(temperature=t) for t in (1.0, np.nextafter(1.0, 2.0))]
    assert sha256(close[0]) != sha256(close[1])
    big = np.arange(100.0)
    other = big.copy()
    other[57] += 1e-13
    assert sha256(Particles(big)) != sha256(Particles(other)) and sha256(Particles(big)) == sha256(
        Particles(big.copy())
    )
    assert sha256(big) != sha256(big.reshape(10, 10))
    assert sha256(GridLaw(np.array([0.0, 1, 2]), [0.5, 0.5])) != sha256(GridLaw(np.array([0.0, 1, 3]), [0.5, 0.5]))


def make(factor):
    return FromFunction(lambda x: factor * np.sum(x**2, axis=1), dim=1)


def test_functions_count_by_their_code_their_closure_and_their_arguments():
    assert sha256(make(1.0)) == sha256(make(1.0)) != sha256(make(2.0))

    def plain(x):
        return x**2

    def doubled(x):
        return 2 * x**2

    def with_default(x, a=1):
        return x

    prints = [sha256(f) for f in (plain, doubled, with_default, partial(plain, 1), partial(plain, 2), np.sin, np.cos)]
    assert len(set(prints)) == len(prints)
    # typed at a prompt: no source on file, but the code still tells them apart
    square, cube = eval("lambda x: x**2"), eval("lambda x: x**3")
    assert sha256(square) != sha256(cube) and sha256(square) == sha256(eval("lambda x: x**2"))


SCHEME = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Mine:
    size: int = 3

    def step(self, x):
        return x {sign} 1
"""


def scheme(tmp_path, name, sign):
    (tmp_path / f"{name}.py").write_text(SCHEME.format(sign=sign))
    spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.Mine


def test_a_users_dataclass_counts_with_its_code(tmp_path):
    plus, minus = scheme(tmp_path, "scheme_plus", "+"), scheme(tmp_path, "scheme_minus", "-")
    assert describe(plus())["state"] == {"size": 3} and describe(plus())["object"]["class"] == "Mine"
    assert sha256(plus()) != sha256(minus()) and sha256(plus()) == sha256(plus()) != sha256(plus(4))
    assert describe(pf.potentials.DoubleWell()).keys() == {"pdeflow", "parameters"}


def test_plain_data():
    assert canonical({"b": 1, "a": [1.5, None, True]}) == '{"dict":[["b",1],["a",[1.5,null,true]]]}'
    assert canonical(np.float64(0.1)) != canonical(0.1) == "0.1" and canonical(float("nan")) == '{"float":"nan"}'
    different = [1, 1.0, True, "1", b"1", (1,), [1], {1}, frozenset([1]), {1: 1}, {"1": 1}, 1 + 0j, 0.0, -0.0, 2**70]
    different += [{"a": 1, "b": 2}, {"b": 2, "a": 1}]  # a loop over it follows its order
    different += [np.int64(1), np.float64(1), np.float32(1), np.arange(3), np.arange(3.0), np.arange(3).reshape(3, 1)]
    assert len({sha256(thing) for thing in different}) == len(different)
    assert sha256({"b", "a", "c"}) == sha256({"c", "b", "a"}) and len(sha256(1)) == 64
    assert sha256(np.ones((2, 3), order="F")) == sha256(np.ones((2, 3)))


def test_numbers_of_a_built_in_count_by_value():
    assert sha256(pf.problems.ou(temperature=1)) == sha256(pf.problems.ou(temperature=np.float64(1.0)))
    assert sha256(pf.problems.ou(center=-0.0)) == sha256(pf.problems.ou(center=0))
    assert (
        sha256(pf.problems.double_well(barrier=1))
        == sha256(pf.problems.double_well())
        != sha256(pf.problems.double_well(barrier=2))
    )


def test_a_ufunc_counts_by_its_name_whoever_has_looked_at_it():
    first = pf.fingerprint.sha256({"f": np.exp})
    with contextlib.suppress(TypeError, ValueError):  # an older numpy has no signature of a ufunc
        inspect.signature(np.exp)
    assert pf.fingerprint.sha256({"f": np.exp}) == first != pf.fingerprint.sha256({"f": np.log})


def nested(depth, wrap):
    thing = 1
    for _ in range(depth):
        thing = wrap(thing)
    return thing


class Holder:
    def __init__(self, held):
        self.held = held


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: {1: x}, Holder, lambda x: partial(print, x)])
@pytest.mark.parametrize("depth", [2_000, 20_000])
def test_what_is_nested_too_deeply_is_refused(wrap, depth):
    with pytest.raises(pf.BadInput, match="nested too deeply"):
        sha256(nested(depth, wrap))
