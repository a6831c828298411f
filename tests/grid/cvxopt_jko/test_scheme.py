"""CvxoptJKO against the exact JKO sequences and its own promises, and what it refuses."""

import numpy as np
import pytest
from cvxopt_jko_cases import JKO, PROBLEMS, drift, one_step, stated

import pdeflow as pf


class NoCdf(pf.laws.Law):
    dim = 1


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_step_keeps_mass_sign_and_energy_law(name):
    problem, dt, fields = PROBLEMS[name]
    method = JKO(cells=40, **fields)
    state = method.init(problem, None)
    centers = (state.grid.edges[1:] + state.grid.edges[:-1]) / 2
    last = None
    for number in range(1, 4):
        state = method.step(problem, state, dt, None)
        facts = method.report(state)
        assert facts["status"] == "optimal" and state.steps == number
        assert abs(state.mass.sum() - 1) < 1e-13 and state.mass.min() >= 0
        assert 0 <= facts["relative_gap"] < 1e-9 and facts["kkt_residual"] < 1e-6
        assert abs(facts["marginal_correction"]) < 1e-7
        # primal = energy + W2²/(2 dt) with W2 at most the spread of the grid
        assert facts["primal_objective"] == pytest.approx(
            facts["energy"] + facts["distance"] ** 2 / (2 * dt), abs=1e-12
        )
        assert facts["displacement_in_cells"] == pytest.approx(facts["distance"] / (centers[1] - centers[0]), rel=1e-12)
        if last is not None:  # the old law is a candidate of transport cost 0; tolerance: the certified gap
            assert facts["primal_objective"] <= last + 1e-9 * max(1, abs(last))
        last = facts["energy"]
    law = method.law(state)
    if (
        problem.energy.potential is None and problem.energy.interaction is None
    ):  # V is taken at centres, GridLaw integrates it
        assert problem.energy.evaluate(law).value == pytest.approx(last, rel=1e-12)


def test_locking_table():
    """docs/math.md 6.1: sqrt(M2) of the grid solution against the exact JKO iterate, 100 cells, Barenblatt m = 2."""
    problem = pf.problems.porous_medium(1, 2.0, 0.002, 0.02)
    run = pf.solve(problem, JKO(cells=100, lower=-0.8, upper=0.8), dt=0.001, times=[0.02])
    truth = pf.exact_jko(problem, dt=0.001, times=[0.02]).final
    law = run.final
    root = np.sqrt(law.mass @ law.centers[0] ** 2)  # masses at the centres, as the program sees them
    assert root / np.sqrt(truth.second_moment) - 1 == pytest.approx(-0.208, abs=0.001)  # the table's digits
    assert min(row["displacement_in_cells"] for row in run.history) < 1  # what the report warns of


@pytest.mark.parametrize(
    ("problem", "dt", "fields"),
    [
        (pf.problems.porous_medium(1, 2.0, 0.002, 0.02), 0.01, {}),
        (pf.problems.ou(), 0.5, {"lower": -4.0, "upper": 5.0}),
        (pf.problems.log_repulsion(0.1, 1.0, pf.laws.Semicircle(1.0), 0.5), 0.5, {"lower": -2.3, "upper": 2.3}),
    ],
    ids=["barenblatt", "gaussian", "semicircle"],
)
def test_one_step_converges_to_the_exact_jko_iterate(problem, dt, fields):
    truth = pf.exact_jko(problem, dt=dt, times=[dt]).final
    gaps = []
    for cells in (30, 90):
        law = pf.solve(problem, JKO(cells=cells, **fields), dt=dt, times=[dt]).final
        cdf = truth.cdf(law.axes[0])
        gaps.append(np.abs(np.cumsum(law.mass) - cdf[1:]).max())
    # the transport of cell centres is exact to O(δ²/displacement²): three times finer gains at least a factor 3
    assert gaps[1] < gaps[0] / 3 and gaps[1] < 6e-3


def test_sequence_agrees_with_the_quantile_scheme():
    problem = pf.problems.double_well(
        horizon=0.4
    )  # no closed form: an independent discretisation of the same JKO sequence
    ours = pf.solve(problem, JKO(cells=100, lower=-2.5, upper=2.5), dt=0.2, times=[0.4]).final
    theirs = pf.solve(problem, pf.grid.QuantileJKO(points=400), dt=0.2, times=[0.4]).final
    levels = (np.arange(2000) + 0.5) / 2000
    gap = np.sqrt(np.mean((ours.quantile(levels) - theirs.quantile(levels)) ** 2))
    assert gap < 0.01  # a fifth of the cell width 0.05


def test_exact_sequence_is_that_of_jko():
    problem = pf.problems.ou()
    ours = JKO().exact_sequence(problem, dt=0.1, times=[0.2]).final
    assert ours.cov() == pytest.approx(pf.exact_jko(problem, dt=0.1, times=[0.2]).final.cov(), rel=1e-14)


def test_a_cell_that_holds_nothing_stays_a_legitimate_start():
    method, state = one_step(stated(pf.Energy(drift(), pf.Entropy()), pf.laws.Uniform(1.0, 1.2)), 0.1, 30)
    start = method.init(stated(pf.Energy(drift(), pf.Entropy()), pf.laws.Uniform(1.0, 1.2)), None)
    assert (start.mass == 0).sum() > 25 and state.mass.min() > 0


@pytest.mark.parametrize(
    ("problem", "fields", "error", "words"),
    [
        (pf.problems.ou(dim=2), {}, pf.Unsupported, "dim 2"),
        (stated(pf.Energy(internal=pf.Power(0.5)), pf.laws.Gaussian(0.0, 1.0)), {}, pf.Unsupported, "fast diffusion"),
        (pf.problems.mckean_vlasov_ou(), {"lower": -4.0, "upper": 5.0}, pf.Unsupported, "smallest eigenvalue -"),
        (pf.problems.log_repulsion(), {"lower": -4.0, "upper": 4.0}, pf.Unsupported, "smallest eigenvalue -"),
        (pf.problems.log_repulsion(), {}, pf.BadInput, "Pass both ends"),
        (
            stated(pf.Energy(interaction=pf.interactions.PowerLaw(2.0, -1.5)), pf.laws.Uniform(0.0, 1.0)),
            {"lower": -1.0, "upper": 2.0},
            pf.Unsupported,
            "does not exist",
        ),
        (pf.problems.porous_medium(), {"lower": -0.1, "upper": 0.1}, pf.BadInput, "too small"),
        (
            stated(pf.Energy(pf.potentials.FromFunction(lambda x: x[:, 0])), pf.laws.Uniform(0.0, 1.0)),
            {},
            pf.BadInput,
            "no automatic domain",
        ),
        (
            stated(
                pf.Energy(pf.potentials.FromFunction(lambda x: np.where(x[:, 0] > 0.5, np.nan, 0.0))),
                pf.laws.Uniform(0.0, 1.0),
            ),
            {},
            pf.BadInput,
            "at x = ",
        ),
        (stated(pf.Energy(drift()), NoCdf()), {"lower": -6.0, "upper": 6.0}, pf.Unsupported, "cdf"),
    ],
)
def test_problems_that_it_refuses(problem, fields, error, words):
    with pytest.raises(error, match=words):
        JKO(cells=20, **fields).init(problem, None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cells": 2}, "cells"),
        ({"lower": np.nan}, "lower"),
        ({"lower": 1.0, "upper": 0.0}, "below upper"),
        ({"kkt": "struktured"}, "structured"),
        ({"cell": 100}, "cells"),
    ],
)
def test_fields_that_make_no_sense(fields, words):
    with pytest.raises(pf.BadInput, match=words):
        JKO(**fields)


class Cosh(pf.InternalEnergy):
    """A user's internal energy without and, below, with a second derivative."""

    def value(self, r):
        return 2 * np.sinh(r / 2) ** 2

    def pressure(self, r):
        return r * np.sinh(r) - 2 * np.sinh(r / 2) ** 2


class CoshWithCurvature(Cosh):
    def second_derivative(self, r):
        return np.cosh(r)


def test_a_users_internal_energy():
    ends = {"lower": -2.5, "upper": 2.5}
    problem = stated(pf.Energy(drift(), Cosh()), pf.laws.Gaussian(0.5, 0.1))
    with pytest.raises(pf.Unsupported, match=r"Newton steps.*second_derivative.*Or use QuantileJKO"):
        JKO(cells=20, **ends).init(problem, None)
    problem = stated(pf.Energy(drift(), CoshWithCurvature()), problem.initial)
    with pytest.raises(pf.BadInput, match=r"no known bound.*Pass both ends"):
        JKO(cells=20).init(problem, None)
    ours = pf.solve(problem, JKO(cells=90, **ends), dt=0.2, times=[0.4]).final
    theirs = pf.solve(problem, pf.grid.QuantileJKO(300), dt=0.2, times=[0.4]).final
    levels = (np.arange(2000) + 0.5) / 2000
    assert np.sqrt(np.mean((ours.quantile(levels) - theirs.quantile(levels)) ** 2)) < 0.012  # a fifth of a cell
