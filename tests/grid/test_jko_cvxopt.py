"""CvxoptJKO: the program, its structured KKT solver, the independent check, and the exact JKO sequences as truth."""

import sys
from dataclasses import replace

import cvxopt
import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.cvxopt_jko import solver
from pdeflow.grid.cvxopt_jko.domain import kernel_matrix
from pdeflow.grid.cvxopt_jko.kkt import StructuredKKT, square_root
from pdeflow.grid.cvxopt_jko.program import Program

JKO = pf.grid.CvxoptJKO
REPULSION = pf.interactions.LogRepulsion(0.1)  # convex in the masses on domains shorter than 2√20


class NoCdf(pf.laws.Law):
    dim = 1


def drift(strength=1.0):
    return pf.potentials.Quadratic(strength)


def stated(energy, initial, horizon=0.5):
    return pf.Problem(energy, initial, horizon, name="test")


PROBLEMS = {
    "linear": (stated(pf.Energy(potential=drift()), pf.laws.Gaussian(2.0, 0.25)), 0.5, {}),
    "power 2": (pf.problems.porous_medium(1, 2.0, 0.002, 0.02), 0.01, {}),
    "power 2, drift": (stated(pf.Energy(drift(4.0), pf.Power(2.0)), pf.laws.Uniform(0.2, 1.0)), 0.1, {}),
    "power 3": (pf.problems.porous_medium(1, 3.0, 0.002, 0.02), 0.01, {}),
    "power 1.5": (pf.problems.porous_medium(1, 1.5, 0.002, 0.02), 0.01, {}),
    "entropy": (pf.problems.ou(), 0.25, {}),
    "double well": (pf.problems.double_well(), 0.1, {}),
    "interaction": (
        stated(pf.Energy(interaction=REPULSION), pf.laws.Semicircle(1.0)), 0.2, {"lower": -2.0, "upper": 2.0},
    ),
    "all three": (
        stated(pf.Energy(drift(), pf.Entropy(0.2), REPULSION), pf.laws.Gaussian(0.5, 0.04)), 0.1, {"lower": -3.0, "upper": 3.0},
    ),
}  # fmt: skip


def one_step(problem, dt, cells=26, **fields):
    method = JKO(cells=cells, **fields)
    state = method.step(problem, method.init(problem, None), dt, None)
    return method, state


@pytest.mark.parametrize("name", PROBLEMS)
def test_structured_equals_cvxopts_own_solver(name):
    problem, dt, fields = PROBLEMS[name]
    reports, masses = [], []
    for kkt in ("structured", "default"):
        method, state = one_step(problem, dt, 24, kkt=kkt, **fields)
        reports.append(method.report(state))
        masses.append(state.mass)
    # both optima are certified to 1e-12 of the objective's size or better; the bar of the issue is 1e-9
    assert reports[0]["primal_objective"] == pytest.approx(reports[1]["primal_objective"], rel=1e-9)
    # the objective is flat to second order, so masses agree to the root of the gap at worst
    assert np.abs(masses[0] - masses[1]).max() < 1e-6


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


def test_kkt_solver_against_a_dense_solve(rng):
    n, k = 7, 5
    p, d = rng.random(k) + 0.1, rng.random(n * k) + 0.2
    rows = np.kron(np.eye(n), p)
    sums = np.kron(np.ones(n), np.eye(k))
    root = rng.standard_normal((n, 4))
    for hessian in (None, rng.random(n) + 0.1, root @ root.T):
        h = np.zeros((n, n)) if hessian is None else np.diag(hessian) if hessian.ndim == 1 else hessian
        zero, i = np.zeros, np.eye(n * k)
        dense = np.block([
            [rows.T @ h @ rows, sums.T, -np.diag(1 / d)],
            [sums, zero((k, k)), zero((k, n * k))],
            [-i, zero((n * k, k)), -np.diag(d)],
        ])  # fmt: skip
        right = rng.standard_normal(len(dense))
        x, y, z = (part.copy() for part in np.split(right, [n * k, n * k + k]))
        StructuredKKT(p, n, square_root(hessian)).factor(d).solve(x, y, z)
        # condition number of the dense matrix is about 1e3
        assert np.abs(np.concatenate([x, y, z]) - np.linalg.solve(dense, right)).max() < 1e-11


def program(internal=None, kernel=None, n=9):
    x = np.linspace(-1, 1, n)
    old = np.exp(-8 * (x - 0.3) ** 2)
    return Program(x, x[1] - x[0], 0.1, old / old.sum(), x * x, internal, kernel)


@pytest.mark.parametrize("internal", [None, pf.Entropy(0.7), pf.Power(2.0, 0.3), pf.Power(3.0)])
@pytest.mark.parametrize("with_kernel", [False, True])
def test_certificate_bounds_every_coupling_and_every_multiplier(internal, with_kernel, rng):
    x = np.linspace(-1, 1, 9)
    kernel = -np.abs(x[:, None] - x) if with_kernel else None
    if with_kernel:
        centre = np.eye(9) - 1 / 9
        kernel = centre @ kernel @ centre
    task = program(internal, kernel)

    def objective(k):
        return np.sum(task.cost * k * task.mass) + task.energy(k @ task.mass + task.stay)

    plans = [rng.dirichlet(np.full(9, 0.3), len(task.mass)).T + 1e-9 for _ in range(12)]
    plans = [plan / plan.sum(0) for plan in plans]
    values = [objective(plan) for plan in plans]
    for plan, value in zip(plans, values):
        judged = task.certificate(plan, rng.standard_normal(len(task.mass)))
        # a feasible dual value lies below the objective of every coupling
        assert value - judged.gap <= min(values) + 1e-12
        assert judged.gap > 0 and judged.residual >= judged.gap - judged.fenchel - 1e-12


@pytest.mark.parametrize("internal", [pf.Entropy(0.7), pf.Power(2.0, 0.3), pf.Power(1.4), pf.Power(4.0)])
def test_internal_energies_are_consistent(internal, rng):
    cells = program(internal).cells
    q, e = rng.random(9) + 0.05, 1e-6
    assert cells.slope(q) == pytest.approx((cells.value(q + e) - cells.value(q - e)) / (2 * e), rel=1e-8)
    assert cells.curvature(q) == pytest.approx((cells.slope(q + e) - cells.slope(q - e)) / (2 * e), rel=1e-8)
    assert cells.secant(q, 2 * q) * q == pytest.approx(cells.slope(2 * q) - cells.slope(q), rel=1e-12)
    dual, mass = cells.conjugate(cells.slope(q))
    assert mass == pytest.approx(q, rel=1e-12)
    assert cells.value(q) + dual == pytest.approx(q * cells.slope(q), rel=1e-12)  # Fenchel's equality


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
    assert caught.value.step == 7 and {"status", "gap", "residual"} <= set(caught.value.facts)
    assert caught.value.facts["status"] == ("unknown" if change is unknown else "optimal")


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


def test_kernel_matrix_gives_the_energy_of_the_grid_law():
    n = 16
    matrix, linear, constant = kernel_matrix(pf.interactions.PowerLaw(2.0, 1.0), n, 2 / n)
    q = np.full(n, 1 / n)
    # reference_numbers.json: E_uniform_1d = -1/6, W = x²/2 - |x| on [-1, 1]; the cell means are exact
    assert 0.5 * q @ matrix @ q + linear @ q + constant == pytest.approx(-1 / 6, abs=1e-12)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12
    skew = np.arange(1.0, n + 1) / np.arange(1.0, n + 1).sum()
    law = pf.laws.GridLaw(np.linspace(-1, 1, n + 1), skew)
    values = law.quantile((np.arange(20000) + 0.5) / 20000)
    mean_distance = 2 * np.mean((2 * (np.arange(20000) + 0.5) / 20000 - 1) * values)
    exact = 0.5 * (law.cov()[0, 0] - mean_distance)
    assert 0.5 * skew @ matrix @ skew + linear @ skew + constant == pytest.approx(
        exact, abs=1e-8
    )  # midpoint rule in the level


@pytest.mark.parametrize(
    ("problem", "fields", "error", "words"),
    [
        (pf.problems.ou(dim=2), {}, pf.Unsupported, "dim 2"),
        (stated(pf.Energy(internal=pf.Power(0.5)), pf.laws.Gaussian(0.0, 1.0)), {}, pf.Unsupported, "fast diffusion"),
        (pf.problems.mckean_vlasov_ou(), {"lower": -4.0, "upper": 5.0}, pf.Unsupported, "smallest eigenvalue -"),
        (pf.problems.log_repulsion(), {"lower": -4.0, "upper": 4.0}, pf.Unsupported, "smallest eigenvalue -"),
        (pf.problems.log_repulsion(), {}, pf.BadInput, "Pass both ends"),
        (stated(pf.Energy(interaction=pf.interactions.PowerLaw(2.0, -1.5)), pf.laws.Uniform(0.0, 1.0)), {"lower": -1.0, "upper": 2.0}, pf.Unsupported, "does not exist"),
        (pf.problems.porous_medium(), {"lower": -0.1, "upper": 0.1}, pf.BadInput, "too small"),
        (stated(pf.Energy(pf.potentials.FromFunction(lambda x: x[:, 0])), pf.laws.Uniform(0.0, 1.0)), {}, pf.BadInput, "no automatic domain"),
        (stated(pf.Energy(pf.potentials.FromFunction(lambda x: np.where(x[:, 0] > 0.5, np.nan, 0.0))), pf.laws.Uniform(0.0, 1.0)), {}, pf.BadInput, "at x = "),
        (stated(pf.Energy(drift()), NoCdf()), {"lower": -6.0, "upper": 6.0}, pf.Unsupported, "cdf"),
    ],
)  # fmt: skip
def test_problems_that_it_refuses(problem, fields, error, words):
    with pytest.raises(error, match=words):
        JKO(cells=20, **fields).init(problem, None)


def test_mass_that_piles_up_at_the_end_is_an_error():
    problem = pf.problems.porous_medium(1, 2.0, 0.002, 0.1)
    method = JKO(cells=30, lower=-0.3, upper=0.3)  # holds the start (radius 0.26), not what follows
    with pytest.raises(pf.BadInput, match="end cells hold"):
        pf.solve(problem, method, dt=0.02, times=[0.1])


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


def test_automatic_domain_holds_the_profile_at_the_horizon():
    problem = pf.problems.porous_medium(1, 2.0, 0.002, 0.5)
    state = JKO(cells=50).init(problem, None)
    radius = problem.exact(0.5).radius
    assert radius < state.grid.edges[-1] < 2 * radius and state.grid.edges[0] == pytest.approx(
        -state.grid.edges[-1], rel=1e-12
    )
    assert state.grid.tail_mass == 0.0


def test_automatic_domain_holds_a_well_that_the_stationary_law_leaves_empty():
    # at temperature 0.05 the right well holds less than 1e-13 in the end, but all that starts right of 0.157 runs there first
    problem = stated(pf.Energy(pf.potentials.StyblinskiTang(1), pf.Entropy(0.05)), pf.laws.Uniform(-1.0, 0.5), 1.5)
    state = JKO(cells=30).init(problem, None)
    assert state.grid.edges[-1] > 2.7468  # docs/math.md 8.3: the right minimum
    assert sum(JKO(cells=30).step(problem, state, 0.5, None).facts["edge_mass"]) < 1e-9
