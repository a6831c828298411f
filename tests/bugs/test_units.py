"""Verdicts and digits do not depend on the unit of length.

SciML/OrdinaryDiffEq.jl#1226 and #1059 report an absolute 1e-12 that spoils what is measured where numbers are small.
"""

import numpy as np
import pytest

import pdeflow as pf

STEPS = {"dt": [1 / 4, 1 / 8, 1 / 16, 1 / 32]}


def table(unit):
    """The Ornstein-Uhlenbeck process by quantile JKO with lengths in `unit`."""
    problem = pf.problems.ou(temperature=unit**2, initial=pf.laws.Gaussian(2 * unit, unit**2 / 4))
    gap = pf.metrics.energy_gap(problem.energy)
    metrics = {"cov": pf.metrics.cov_error, "mean": pf.metrics.mean_error, "w2": pf.metrics.w2, "gap": gap}
    return pf.Study(problem, {"jko": pf.grid.QuantileJKO(points=60)}, STEPS, metrics).run(progress=False)


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e9])
def test_verdicts_and_relative_errors_are_those_in_units_of_one(unit):
    ours, plain = table(unit), table(1.0)
    for metric, power in (("cov", 2), ("mean", 1), ("w2", 1), ("gap", 2)):
        assert ours.orders(metric, expected=1.0)[0]["verdict"] == plain.orders(metric, expected=1.0)[0]["verdict"]
        errors = [[row["error"] for row in run if row["metric"] == metric] for run in (ours, plain)]
        # Newton's method stops at 1e-10 of the forces
        assert np.allclose(errors[0], unit**power * np.array(errors[1]), rtol=1e-9, atol=1e-11 * unit**power)


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1.0])
def test_a_method_that_is_off_by_percents_is_not_exact(unit):
    claims = table(unit).claims(pf.Claim("jko", "cov", np.inf, 0.1, "a wrong claim"))
    assert claims.worst == "fail"


def test_errors_at_round_off_are_exact_in_small_units():
    unit = 1e-6
    problem = pf.problems.ou(temperature=unit**2, initial=pf.laws.Gaussian(2 * unit, unit**2 / 4))
    metrics = {"cov": pf.metrics.cov_error, "plain": lambda a, b: float(abs(a.cov()[0, 0] - b.cov()[0, 0]))}
    found = pf.Study(problem, {"exact": Exact(unit)}, STEPS, metrics).run(progress=False)
    for name in metrics:
        assert found.claims(pf.Claim("exact", name, np.inf, 0.1, "by construction")).worst == "pass"


class Exact:
    """The exact flow, with a variance that is off by two units in the last place."""

    def __init__(self, unit):
        self.unit = unit

    def init(self, problem, rng):
        return 0.0

    def step(self, problem, state, dt, rng):
        return state + dt

    def law(self, state):
        unit = self.unit
        mean, cov = 2 * np.exp(-state) * unit, (1 - 0.75 * np.exp(-2 * state)) * unit**2
        return pf.laws.Gaussian(mean, cov * (1 + 4e-16))


def test_errors_without_a_scale_that_fall_with_an_order_are_no_round_off():
    h = np.array([1 / 4, 1 / 8, 1 / 16, 1 / 32])
    assert pf.fit_order(h, 1e-13 * h, expected=1.0).verdict == "pass"
    assert pf.fit_order(h, [1e-16, 0.0, 2e-16, 1e-16], expected=1.0).verdict == "exact"


def test_round_off_of_large_numbers_is_round_off():
    h = np.array([1 / 4, 1 / 8, 1 / 16, 1 / 32])
    assert pf.fit_order(h, [2e-8, 5e-9, 1e-8, 3e-8], scale=1e6, expected=1.0).verdict == "exact"
