"""A repr has at most 1,000 characters and a message 2,000, whatever is inside.

From: chainer/chainer#5885 (a message with a whole array in it) and pandas-dev/pandas#12872 (a repr without a bound).
"""

import dataclasses

import numpy as np
import pytest

import pdeflow as pf

RNG = np.random.default_rng(0)
WIDE = pf.laws.GaussianMixture(np.full(10, 0.1), RNG.standard_normal((10, 60)), 1.0)
NAME = "n" * 50_000
PROBLEM = pf.problems.ou()


class Loud:
    dim = 1

    def __repr__(self):
        return "loud" * 10_000

    def value(self, x):
        return (x**2).sum(-1)

    def grad(self, x):
        return 2 * x


def big_table():
    row = dict.fromkeys(("error", "stderr", "floor", "time_error", "seconds", "first_call_seconds", "truth_error"), 1.0)
    row |= {
        **dict.fromkeys(("null", "cpu_seconds", "memory", "steps"), np.nan),
        "status": "ok",
        "why": NAME,
        "how": "",
        "floor_how": "",
        "method": '<b>&"',
        "metric": "w2",
        "problem": "p",
    }
    return pf.Table([{**row, "seed": i, "time": 1.0, "dt": 0.1} for i in range(500)], "dt")


OBJECTS = {
    "gaussian": lambda: pf.laws.Gaussian(np.zeros(100), 1.0),
    "mixture": lambda: WIDE,
    "product": lambda: pf.laws.Product([pf.laws.Gaussian(0.0, 1.0)] * 500),
    "product of products": lambda: pf.laws.Product([pf.laws.Product([WIDE] * 5)] * 5),
    "pushed": lambda: pf.laws.PushForward(WIDE, [pf.laws.AffineMap(np.eye(60))] * 40),
    "map": lambda: pf.laws.AffineMap(np.eye(100)),
    "quadratic": lambda: pf.potentials.Quadratic(np.eye(100)),
    "mixture potential": lambda: pf.potentials.MixturePotential(WIDE),
    "energy": lambda: pf.Energy(Loud(), pf.Entropy(1.0)),
    "problem": lambda: dataclasses.replace(PROBLEM, name=NAME, params={f"k{i}": NAME for i in range(99)}),
    "trajectory": lambda: pf.Trajectory(np.arange(500.0), [WIDE] * 500, {"note": NAME, "times": list(range(999))}),
    "table": big_table,
    "order": lambda: pf.fit_order(np.geomspace(1, 0.01, 900), np.geomspace(1, 0.01, 900)),
    "claim": lambda: pf.Claim(NAME, NAME, 1.0, 0.1, NAME),
    "estimate": lambda: pf.Estimate(1.0, 0.0, NAME, NAME),
    "study": lambda: pf.Study([PROBLEM] * 20, {NAME: pf.grid.ChangCooper(50)}, {"dt": [0.1]}, pf.metrics.w2),
    "sum of internal energies": lambda: sum((pf.Power(2.0 + i) for i in range(200)), pf.Entropy(1.0)),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_no_repr_is_longer_than_a_thousand_characters(kind):
    assert 5 < len(repr(OBJECTS[kind]())) <= 1_000


LIST = list(range(100_000))
ERRORS = {
    "no closed energy": lambda: pf.Energy(pf.potentials.StyblinskiTang(60)).evaluate(WIDE),
    "no such law": lambda: pf.Problem(pf.Energy(Loud()), LIST, 1.0),
    "no such energy": lambda: pf.Problem(LIST, WIDE, 1.0),
    "no exact flow": lambda: pf.exact(dataclasses.replace(PROBLEM, name=NAME, exact=None)),
    "no such problem": lambda: pf.solve(NAME, pf.grid.ChangCooper(50), dt=0.1),
    "no such method": lambda: pf.solve(PROBLEM, LIST, dt=0.1),
    "no such step": lambda: pf.solve(PROBLEM, pf.grid.ChangCooper(50), dt=LIST),
    "times that fall": lambda: pf.exact(PROBLEM, np.arange(5000.0)[::-1]),
    "a time that is not kept": lambda: pf.Trajectory(np.arange(5000.0), [WIDE] * 5000).at(0.5),
    "no such metric": lambda: big_table().orders(NAME),
    "no such truth": lambda: pf.Study(PROBLEM, pf.grid.ChangCooper(50), {"dt": [0.1]}, pf.metrics.w2, against=LIST),
    "no such law of a product": lambda: pf.laws.Product([LIST]),
    "no such count": lambda: pf.particle.EulerMaruyama(LIST),
    "no such integer": lambda: pf.potentials.StyblinskiTang(-(10**5000)),
    "no such path": lambda: pf.reference.load(NAME),
    "no such claim": lambda: big_table().claims([NAME] * 100),
    "an error of the errors": lambda: (_ for _ in ()).throw(pf.BadInput(NAME)),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_no_message_is_longer_than_two_thousand_characters(kind):
    with pytest.raises(pf.PdeflowError) as caught:
        ERRORS[kind]()
    assert 5 < len(str(caught.value)) <= 2_000


def test_short_numbers_can_be_read_back():
    law = pf.laws.Gaussian([0.1, 1 / 3], [[2.0, 0.3], [0.3, 1.0]])
    assert eval(repr(law), {"Gaussian": pf.laws.Gaussian}).spec() == law.spec()
    assert repr(pf.Trajectory([0.5], [pf.laws.Gaussian(0.0, 1.0)])).startswith(
        "Trajectory(times=array([0.5]), laws=(Ga"
    )


def test_tables_and_trajectories_are_html_in_a_notebook_with_their_names_escaped():
    for thing in (big_table(), OBJECTS["trajectory"]()):
        html = thing._repr_html_()
        assert html.startswith("<table>") and len(html) < 100_000
    html = big_table()._repr_html_()
    assert "&lt;b&gt;&amp;&quot;" in html and "<b>" not in html and "450 more rows" in html
