"""Whatever CVXOPT answers, only a certified optimum passes."""

import sys
from dataclasses import replace

import cvxopt
import numpy as np
import pytest
from cvxopt_jko_cases import JKO, PROBLEMS, one_step

import pdeflow as pf
from pdeflow.grid.cvxopt_jko import solver


def spoil(monkeypatch, change):
    real = cvxopt.solvers.coneqp

    def false(*args, **kwargs):
        found = real(*args, **kwargs)
        change(found)
        return found

    monkeypatch.setattr(cvxopt.solvers, "coneqp", false)


def half_way(found):
    n = round(len(found["s"]) ** 0.5)
    found["s"][:] = 1.0 / n  # columns still sum to one: feasible, and far from optimal


def off_marginal(found):
    found["s"] *= 1.01


def empty(found):
    found["s"][0] = -1e-3


def unknown(found):
    found["status"] = "unknown"


@pytest.mark.parametrize("change", [off_marginal, empty, unknown, half_way])
@pytest.mark.parametrize("name", ["linear", "power 2", "entropy"])
def test_no_outcome_but_a_certified_optimum_passes(monkeypatch, change, name):
    problem, dt, _ = PROBLEMS[name]
    problem = replace(problem, initial=pf.laws.Gaussian(2.0, 0.25)) if name == "power 2" else problem
    method = JKO(cells=12, lower=-4.0, upper=5.0)  # every cell is a column, for half_way
    state = replace(method.init(problem, None), steps=6)
    state = replace(state, mass=np.full(12, 1 / 12))
    spoil(monkeypatch, change)
    with pytest.raises(pf.NotConverged, match="Step 7") as caught:
        method.step(problem, state, dt, None)
    assert caught.value.step == 7 and {"outcome", "gap", "residual"} <= set(caught.value.facts)
    assert caught.value.facts["outcome"] == ("unknown" if change is unknown else "optimal")
    assert caught.value.status == "not converged"  # the word of a study


def slightly_off(found):
    found["s"] *= 1 + 5e-8


def test_a_small_error_of_the_marginal_is_corrected_and_reported(monkeypatch):
    spoil(monkeypatch, slightly_off)
    method, state = one_step(*PROBLEMS["power 2"][:2])
    assert abs(state.mass.sum() - 1) < 1e-13
    assert method.report(state)["marginal_correction"] == pytest.approx(
        5e-8, rel=1e-3
    )  # CVXOPT's own error: about 1e-14


@pytest.mark.parametrize("bar", ["ALLOWED_GAP", "ALLOWED_RESIDUAL"])
def test_both_parts_of_the_check_are_asked(monkeypatch, bar):
    monkeypatch.setattr(solver, bar, 0.0)
    with pytest.raises(pf.NotConverged, match="independent check"):
        one_step(*PROBLEMS["power 2"][:2])


@pytest.mark.parametrize(
    "error", [ArithmeticError("singular KKT matrix"), ValueError("Rank(A) < p"), ZeroDivisionError()]
)
def test_exceptions_of_cvxopt_become_one_typed_error(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(cvxopt.solvers, "coneqp", fail)
    problem, dt, _ = PROBLEMS["power 2"]
    with pytest.raises(pf.NotConverged, match=type(error).__name__) as caught:
        one_step(problem, dt, 12)
    assert caught.value.step == 1 and np.isnan(caught.value.gap)


def test_options_travel_per_call(monkeypatch, capsys):
    monkeypatch.setitem(
        cvxopt.solvers.options, "maxiters", 1
    )  # a global setting of the user's, which must not reach us
    before = dict(cvxopt.solvers.options)
    one_step(*PROBLEMS["power 2"][:2], 20)
    assert cvxopt.solvers.options == before and capsys.readouterr().out == ""


def test_missing_cvxopt_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvxopt", None)
    with pytest.raises(pf.NotAvailable, match=r"pip install pdeflow\[cvxopt\]"):
        JKO().init(pf.problems.ou(), None)
