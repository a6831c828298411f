"""Seeded bugs: schemes, problems, truths and metrics with one thing wrong each.

The study's verdict on each must not be `pass`.
"""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cheap_schemes import Moments, moment_distance
from own_solvers import Cloud, Saved, Trapezoidal, cell_l1
from slips import CHANGES, GRID, JKO, LINEAR, MCKEAN, METRICS, Broken, Cells, GaussianJKO, OneStepMore, Swap, later

import pdeflow as pf
from pdeflow.laws import Gaussian

DTS = [1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128]
A = np.array([[2.0, 0.6], [0.6, 0.8]])
START = Gaussian([1.5, -1.0], [[0.5, -0.3], [-0.3, 0.9]])  # does not commute with A


def turned():
    return pf.problems.ou(dim=2, matrix=A, center=[0.5, 0.25], temperature=0.7, initial=START)


def verdict(method, claimed, problem=None, metric=moment_distance, against=pf.exact, **changes):
    arguments = {"sweep": {"dt": DTS}, **changes}
    study = pf.Study(
        turned() if problem is None else problem, {"m": method}, metrics={"d": metric}, against=against, **arguments
    )
    return study.run().claims([pf.Claim("m", "d", claimed, 0.1, "seeded bugs")])


# --- moments of linear flows ----------------------------------------------------------------------


@pytest.mark.parametrize(("theta", "order"), [(1.0, 1), (0.5, 2)])
def test_healthy_schemes_pass(theta, order):
    verdict(Broken(theta), order).assert_all()
    verdict(Broken(theta), order, pf.problems.mckean_vlasov_ou(attraction=0.7)).assert_all()


@pytest.mark.parametrize("theta", [1.0, 0.5])
@pytest.mark.parametrize("bug", LINEAR)
def test_slips_of_a_linear_scheme_are_caught(bug, theta):
    found = verdict(Broken(theta, bug), 2 if theta == 0.5 else 1)
    assert found.worst != "pass" and found.exit_code > 0


@pytest.mark.parametrize("bug", MCKEAN)
def test_slips_of_an_interaction_are_caught(bug):
    assert verdict(Broken(bug=bug), 1, pf.problems.mckean_vlasov_ou(attraction=0.7)).worst == "fail"


def test_a_lower_order_than_claimed_is_caught():
    assert verdict(Moments(0.0), 2).worst == "fail"  # explicit Euler sold as second order
    assert verdict(Moments(0.45), 2).worst != "pass"  # trapezoidal with a slightly wrong weight


def test_one_step_too_many_is_caught():
    assert verdict(OneStepMore(0.5), 2).worst == "fail"


# --- exact JKO steps: their own limit is known to round-off ---------------------------------------


def test_exact_jko_passes_both_questions():
    verdict(GaussianJKO(), 1).assert_all()
    verdict(GaussianJKO(), np.inf, against=pf.exact_jko).assert_all()


@pytest.mark.parametrize("bug", JKO)
def test_slips_of_a_jko_step_are_caught_against_its_own_sequence(bug):
    assert verdict(GaussianJKO(bug=bug), np.inf, against=pf.exact_jko).worst == "fail"


def test_time_error_explains_the_whole_error_of_an_exact_jko_step():
    study = pf.Study(turned(), {"m": GaussianJKO()}, {"dt": DTS}, {"d": moment_distance})
    for row in study.run().parts("d"):
        assert row["floor"] < 1e-14 and abs(row["rest"]) < 1e-12 < row["time_error"]


# --- problems, truths, metrics --------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES)
def test_another_problem_than_stated_is_caught(change):
    assert verdict(Swap(Moments(), CHANGES[change]), 1).worst == "fail"


def test_a_truth_shifted_in_time_is_caught():
    assert verdict(Moments(0.5), 2, against=later).worst == "fail"
    assert verdict(Moments(), 1, against=later).worst != "pass"


@pytest.mark.parametrize("name", METRICS)
def test_wrong_metrics_are_caught(name):
    assert verdict(Moments(), 1, metric=METRICS[name]).worst != "pass"


# --- a grid scheme: order in space, mass ----------------------------------------------------------


def grid(bug):
    problem = pf.problems.heat(dim=1, temperature=0.5, initial=Gaussian(0.2, 0.3))
    sweep = {"cells": [24, 36, 54, 80, 120]}
    return verdict(Cells(bug=bug), 2, problem, cell_l1, sweep=sweep, dt=1.0)


def test_a_healthy_grid_scheme_passes_at_order_two_in_space():
    grid("").assert_all()


@pytest.mark.parametrize("bug", GRID)
def test_slips_of_a_grid_scheme_are_caught(bug):
    assert grid(bug).worst == GRID[bug]


# --- a sample of the battery ----------------------------------------------------------------------

PATH = Path(__file__).resolve().parents[2] / "validation" / "batteries" / "seeded_bugs.py"
SPEC = importlib.util.spec_from_file_location("seeded_bugs_battery", PATH)
battery = importlib.util.module_from_spec(SPEC)
sys.modules["seeded_bugs_battery"] = battery  # where dataclasses look for it
SPEC.loader.exec_module(battery)
SAMPLE = [bug for bug in battery.new_bugs() if not isinstance(bug.wrong, Cloud)]


@pytest.mark.parametrize("bug", SAMPLE, ids=lambda bug: f"{bug.name}, {bug.study.claimed}")
def test_new_bugs_fail_and_what_is_correct_beside_them_passes(bug):
    name = battery.name_of(bug.study.metric)
    assert bug.study.verdicts(bug.wrong, 3)[name] == "fail"
    assert bug.study.verdicts(bug.right, 3)[name] == "pass"


@pytest.mark.parametrize("bug", ["half the noise variance", "the same numbers in pairs of steps"])
def test_wrong_noise_of_particles_fails(bug):
    study = replace(battery.COVARIANCE, beside=())
    assert study.verdicts(Cloud(bug, particles=5000), 0) == {"cov_error": "fail"}
    assert study.verdicts(Cloud(particles=5000), 0)["cov_error"] != "fail"


def test_seeds_that_change_nothing_are_no_noise():
    one, three = (
        pf.Study(turned(), {"m": Trapezoidal()}, {"dt": DTS}, {"d": moment_distance}, seeds=seeds).run()
        for seeds in ((0,), (0, 1, 2))
    )
    for field in ("slope", "lower", "upper", "verdict"):
        assert three.orders("d", expected=2)[0][field] == one.orders("d", expected=2)[0][field]
    assert all(row["stderr"] == 0 for row in three.work_precision("d"))


def test_a_law_saved_a_step_late_is_seen_by_its_size():
    found = verdict(Saved(1.0, "law of the step before"), 1)
    assert found.worst == "fail" and "the size is not" in found[0]["why"]
