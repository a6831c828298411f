"""Claims: what may be claimed, and how the worst verdict is found."""

from functools import partial

import numpy as np
import pytest
from cheap_schemes import Moments, small_study

import pdeflow as pf
from pdeflow._core.errors import BadInput

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]


small = partial(small_study, DTS)


@pytest.mark.parametrize(
    "fields",
    [("", "w2", 1, 0.1, "x"), ("m", "w2", "1", 0.1, "x"), ("m", "w2", 1, 0, "x"), ("m", "w2", np.nan, 0.1, "x")],
)
def test_a_claim_that_means_nothing_is_refused(fields):
    with pytest.raises(BadInput):
        pf.Claim(*fields)


@pytest.mark.parametrize(
    "kinds", [{}, {"order": 1, "at_least": 1}, {"at_least": np.inf}, {"at_least": "1"}, {"invariant": "mass"}]
)
def test_a_claim_makes_one_assertion_that_is_known(kinds):
    with pytest.raises(BadInput):
        pf.Claim("m", "w2", source="x", **kinds)


def test_a_better_scheme_does_not_fail_an_order_that_is_claimed_as_the_least():
    table = small(methods={"euler": Moments(), "trapezoidal": Moments(0.5), "exact": Flow()}).run()
    for method in ("euler", "trapezoidal", "exact"):
        found = table.claims(pf.Claim(method, "moments", at_least=1, source="x"))
        assert found.worst == "pass" and found.rows[0]["claimed"] == "at least 1", (method, found.rows[0]["why"])
    worse = table.claims(pf.Claim("euler", "moments", at_least=2, source="x"))
    assert worse.worst == "fail" and "not at least 2" in worse.rows[0]["why"]


class Flow:
    """The exact flow of moments."""

    def init(self, problem, rng):
        return problem, 0.0, problem.initial

    def step(self, problem, state, dt, rng):
        time = state[1] + dt
        return problem, time, pf.exact(problem, [time]).final

    def law(self, state):
        return state[2]


def spread(approximation, truth):
    return float(np.trace(np.atleast_2d(approximation.cov())))


def nothing(approximation, truth):
    return 0.0


def test_invariants_are_judged_in_every_run_and_time():
    study = small(
        methods={"euler": Moments()},
        metrics={"spread": spread, "nothing": nothing},
        times=[0.25, 0.5, 1.0],
        problems=[pf.problems.ou(temperature=0.1, initial=pf.laws.Gaussian(0.0, 4.0))],
    )
    table = study.run()

    def verdict(metric, invariant, tolerance=1e-12):
        found = table.claims(pf.Claim("euler", metric, invariant=invariant, tolerance=tolerance, source="x"))
        assert len(found.rows) == 1 and found.rows[0]["claimed"] == invariant
        return found.worst, found.rows[0]["why"]

    assert (
        verdict("nothing", "zero")[0] == verdict("nothing", "constant")[0] == verdict("spread", "falling")[0] == "pass"
    )
    word, why = verdict("spread", "constant")
    assert word == "fail" and "it changes by" in why and "at t = 1" in why
    assert verdict("spread", "zero")[0] == "fail" and verdict("spread", "zero", 4.0)[0] == "pass"
    once = small(methods={"euler": Moments()}, metrics={"spread": spread}).run()
    assert once.claims(pf.Claim("euler", "spread", invariant="falling", source="x")).worst == "inconclusive"


def test_claims_end_with_the_worst_verdict():
    table = small(methods={"euler": Moments(), "trapezoidal": Moments(0.5)}).run()
    good, bad = pf.Claim("euler", "moments", 1, 0.1, "x"), pf.Claim("trapezoidal", "moments", 1, 0.1, "x")
    assert (table.claims(good).worst, table.claims(good).exit_code) == ("pass", 0)
    assert (table.claims([good, bad]).worst, table.claims([bad]).exit_code) == ("fail", 1)
    table.claims([good]).assert_all()
    with pytest.raises(AssertionError, match="trapezoidal"):
        table.claims([good, bad]).assert_all()
    assert table.claims([bad]).to_dataframe()["verdict"].tolist() == ["fail"]
