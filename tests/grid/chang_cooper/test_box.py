"""ChangCooper in the plane and in space: orders, Gibbs law, mass, sign, walls, threads, and what it refuses."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from plane_cases import SPIN, TURN, rotated_double_well
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import expm_multiply

import pdeflow as pf
from pdeflow.grid import ChangCooper, exponential, gibbs
from pdeflow.grid.chang_cooper import box
from pdeflow.grid.chang_cooper.rates import bernoulli
from pdeflow.grid.chang_cooper.uniformisation import exponential_of_box
from pdeflow.laws import AffineMap, Gaussian, GaussianMixture, GridLaw, Particles, Product, Uniform

WELL = rotated_double_well()
SMALL = {"lower": (-3.0, -3.5), "upper": (3.0, 3.5)}  # of the stationary law 3e-5 lie outside


def generator(state):
    """L of a state's grid as a sparse matrix, from the formula of the line applied along each axis."""
    values, rows = state.grid.values, []
    number = np.arange(values.size).reshape(values.shape)
    for k, edges in enumerate(state.grid.axes):
        rate = state.grid.temperature / (edges[1] - edges[0]) ** 2
        w = np.diff(values, axis=k) / state.grid.temperature
        low, high = (np.moveaxis(np.moveaxis(number, k, 0)[cut], 0, k) for cut in (slice(None, -1), slice(1, None)))
        for start, end, jump in ((low, high, rate * bernoulli(w)), (high, low, rate * bernoulli(-w))):
            rows += [(end.ravel(), start.ravel(), jump.ravel()), (start.ravel(), start.ravel(), -jump.ravel())]
    i, j, entries = (np.concatenate(part) for part in zip(*rows))
    return csr_matrix((entries, (i, j)), shape=(values.size, values.size))


def slopes(errors):
    return np.diff(np.log(errors)) / np.log(0.5)


def test_exponential_is_the_matrix_exponential():
    for problem, cells in ((WELL, 24), (rotated_double_well(3, temperature=0.7), 10)):
        method = ChangCooper(cells=cells, lower=-3.0, upper=3.0)
        state = method.init(problem, None)
        flow = exponential(problem, method, [0.02, 0.05]) if cells == 24 else None
        if flow is None:  # ten cells do not resolve this law, which is no matter here
            mass, error = exponential_of_box(state.grid, 0.05, state.mass)
        else:
            mass, error = flow.final.mass, flow.stats["error"]
        true = expm_multiply(0.05 * generator(state), state.mass.ravel())
        # the bound, and 1e-12 for scipy's own error
        assert np.abs(mass.ravel() - true).sum() < error + 1e-12
        assert error < 1e-12 and mass.min() >= 0


@pytest.mark.parametrize("order, tolerance, size", [(1, 0.05, 7e-3), (2, 0.1, 3e-5)])
def test_order_in_time(order, tolerance, size):
    """Against the scheme's own limit exp(tL) on the same cells, in directions that do not commute."""
    limit = exponential(WELL, ChangCooper(cells=48, **SMALL), [0.5]).final.mass
    method = ChangCooper(cells=48, time_order=order, **SMALL)
    errors = [
        np.abs(pf.solve(WELL, method, dt=0.5 / n, times=[0.5]).final.mass - limit).sum() for n in (12, 24, 48, 96)
    ]
    assert slopes(errors)[1:] == pytest.approx([order] * 2, abs=tolerance)
    assert errors[-1] < size


def test_order_in_space_against_a_gaussian_that_is_no_product():
    problem = pf.problems.ou(dim=2, matrix=[[2.0, 0.7], [0.7, 1.0]], initial=Gaussian([1.0, 0.5], 0.2 * np.eye(2)))
    errors = []
    for cells in (32, 64, 128):
        law = exponential(problem, ChangCooper(cells=cells, lower=(-4.5, -6.0), upper=(4.5, 6.0)), [0.25]).final
        errors.append(pf.metrics.l1(law, problem.exact(0.25)).value)
    assert slopes(errors) == pytest.approx([2.0, 2.0], abs=0.1)
    assert errors[-1] < 3e-3


def test_a_separable_problem_is_the_product_of_the_line():
    """The directions commute, and each takes the sub-steps of the line: equal to round-off, on the same cells."""
    line, other = pf.problems.double_well(), pf.problems.ou(temperature=0.5)
    potentials = line.energy.potential, other.energy.potential
    both = pf.potentials.FromFunction(lambda x: potentials[0].value(x[:, :1]) + potentials[1].value(x[:, 1:]), dim=2)
    problem = pf.Problem(pf.Energy(both, pf.Entropy(0.5)), Product([line.initial, other.initial]), 0.5, name="both")
    x, y = (
        pf.solve(part, ChangCooper(cells=n, lower=-a, upper=a), dt=0.05).at(0.5).mass
        for part, n, a in ((replace(line, horizon=0.5), 90, 4.0), (replace(other, horizon=0.5), 101, 8.0))
    )
    method = ChangCooper(cells=(90, 101), lower=(-4.0, -8.0), upper=(4.0, 8.0))
    law = pf.solve(problem, method, dt=0.05).final
    np.testing.assert_allclose(law.mass, np.outer(x, y), atol=1e-15)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("order", [1, 2])
def test_the_gibbs_law_is_fixed_and_mass_is_kept(dim, order):
    """V/T up to some hundreds, rotated: 1e-11 of the sum over the cells after twenty steps of any length."""
    problem = rotated_double_well(dim, temperature=0.5)
    method = ChangCooper(cells=48 if dim == 2 else 36, time_order=order)
    law = gibbs(problem, method)
    start = method.init(replace(problem, initial=law), None)
    for dt in (1e-3, 0.3, 100.0):
        state = method.advance(problem, start, dt, 20, None)
        assert np.abs(state.mass - law.mass).sum() < 1e-11
        assert abs(state.mass.sum() - 1) < 1e-12
    wild = pf.potentials.FromFunction(lambda x: 40 * np.sin(3 * x[:, 0] * x[:, 1]) + 20 * np.sum(x**2, axis=1), dim=dim)
    energy = pf.Energy(wild, pf.Entropy(0.5))
    initial = Gaussian(np.full(dim, 0.3), 0.05 * np.eye(dim))
    state = method.init(pf.Problem(energy, initial, 1.0, name="wild"), None)
    weight = np.exp(-(state.grid.values - state.grid.values.min()) / 0.5)
    assert weight.min() < 1e-20
    before = replace(state, mass=weight / weight.sum(), half_mass=None, steps=1)
    after = box.advanced(before, order, 0.1, 5)
    assert np.abs(after.mass - before.mass).sum() < 1e-11


def test_no_cell_is_negative_with_time_order_1():
    """From a single full cell, under V with differences of thousands T between neighbours, for every dt."""
    for dim, cells in ((2, 33), (3, 12)):
        problem = rotated_double_well(dim, temperature=0.01, gain=3.0)
        method = ChangCooper(cells=cells, lower=-2.0, upper=2.0)
        state = method.init(problem, None)
        mass = np.zeros_like(state.mass)
        mass[(3,) * dim] = 1.0
        state = replace(state, mass=mass, half_mass=None, least=0.0)
        for dt in (1e-6, 1e-2, 1e3):
            after = method.advance(problem, state, dt, 7, None)
            assert after.mass.min() >= 0 and after.least >= 0
            assert abs(after.mass.sum() - 1) < 1e-12
            assert after.mass[(3,) * dim] < 1


def test_the_bits_depend_on_neither_threads_nor_calls():
    for dim, cells in ((2, (70, 45)), (3, (20, 17, 13))):
        problem = rotated_double_well(dim)
        method = ChangCooper(cells=cells, lower=-4.0, upper=4.0, time_order=2)
        state = method.init(problem, None)
        together = method.advance(problem, state, 0.05, 5, None)
        before = numba.get_num_threads()
        try:
            numba.set_num_threads(1)
            single = state
            for _ in range(5):
                single = method.step(problem, single, 0.05, None)
        finally:
            numba.set_num_threads(before)
        assert np.array_equal(together.mass, single.mass) and together.least == single.least
        assert together.steps == single.steps == 5


def test_visits():
    """Neighbouring sub-steps along an axis are one visit; two Euler steps are symmetric, and so is a Strang step."""
    assert box.euler_visits(2, 0, 3, 0.1) == [(0, 0.1, 1), (1, 0.1, 2), (0, 0.1, 2), (1, 0.1, 1)]
    assert box.euler_visits(2, 1, 1, 0.1) == [(1, 0.1, 1), (0, 0.1, 1)]
    assert box.strang_visits(2, 2, 0.2) == [(0, 0.1, 1), (1, 0.2, 1), (0, 0.1, 2), (1, 0.2, 1), (0, 0.1, 1)]
    assert box.strang_visits(3, 1, 0.2) == [(0, 0.1, 1), (1, 0.1, 1), (2, 0.2, 1), (1, 0.1, 1), (0, 0.1, 1)]


STARTS = {
    "correlated": Gaussian([0.5, 0.0], [[0.3, 0.2], [0.2, 0.3]]),
    "mixture": GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [1.0, 1.0]], [0.2 * np.eye(2), [[0.3, 0.1], [0.1, 0.2]]]),
    "box": Uniform([-0.5, 0.0], [0.5, 0.4]),
    "rotated product": Product([pf.problems.double_well().initial, Gaussian(0.0, 0.3)]).pushed(
        AffineMap(TURN, np.zeros(2))
    ),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_start_is_the_law_in_cells_of_an_automatic_box(name):
    law = STARTS[name]
    problem = rotated_double_well(initial=law)
    flow = pf.solve(problem, ChangCooper(cells=96), dt=0.05, times=[0.0, 0.1])
    start = flow.at(0.0)
    assert abs(start.mass_error) < 1e-9 and flow.history[-1]["tail_mass"] < 1e-9
    width = np.array([axis[1] - axis[0] for axis in start.axes])
    # each cell has its mass exactly, which moves the mean by less than a cell and adds at most h²/12 and a cell's skew
    assert np.abs(start.mean() - law.mean()).max() < 0.02 and np.abs(start.cov() - law.cov()).max() < width.max() ** 2


def test_a_grid_law_of_its_own_cells_passes_unchanged():
    axes = np.linspace(-3.0, 3.0, 41), np.linspace(-3.5, 3.5, 41)
    mass = np.random.default_rng(0).random((40, 40))
    law = GridLaw(axes, mass / mass.sum())
    problem = rotated_double_well(initial=law)
    for method in (ChangCooper(cells=40), ChangCooper(cells=40, **SMALL)):
        assert np.array_equal(method.law(method.init(problem, None)).mass, law.mass)
    cloud = Particles(np.random.default_rng(1).normal(0.0, 0.5, (500, 2)))
    state = ChangCooper(cells=40, **SMALL).init(replace(problem, initial=cloud), None)
    assert state.mass.sum() == pytest.approx(1, abs=1e-14) and np.allclose(state.mass * 500, np.rint(state.mass * 500))


def test_walls_of_any_shape():
    """Heat in a disc and in a square tends to the uniform law: walls are found, and cells beyond them closed."""
    start = Uniform([-0.3, -0.3], [0.3, 0.3])
    for inside, variance, tolerance in (
        (lambda x: np.sum(x**2, axis=1) <= 1, 1 / 4, 5e-3),  # the rim is cut to whole cells: order 1
        (lambda x: np.abs(x).max(axis=1) <= 1, 1 / 3, 1e-9),
    ):
        walls = pf.potentials.FromFunction(lambda x, inside=inside: np.where(inside(x), 0.0, np.inf), dim=2)
        problem = pf.Problem(pf.Energy(walls, pf.Entropy(1.0)), start, 20.0, name="walls")
        law = pf.solve(problem, ChangCooper(cells=60), dt=0.5).final
        assert np.array(law.axes)[:, [0, -1]] == pytest.approx(np.array([[-1, 1], [-1, 1]]), abs=1e-12)
        assert law.cov() == pytest.approx(variance * np.eye(2), abs=tolerance)
        x = np.stack(np.meshgrid(*law.centers, indexing="ij"), axis=-1).reshape(-1, 2)
        assert law.mass.ravel()[~inside(x)].sum() == 0


def test_heat_grows_inside_its_automatic_box():
    problem = pf.problems.heat(dim=2)
    law = pf.solve(problem, ChangCooper(cells=96, time_order=2), dt=problem.horizon / 32).final
    truth = problem.exact(problem.horizon)
    assert pf.metrics.l1(law, truth).value < 2e-2
    assert law.cov() == pytest.approx(truth.cov(), rel=2e-2, abs=1e-12)
    with pytest.raises(pf.BadInput, match="heat flow"):
        ChangCooper(lower=-2.0, upper=2.0).init(problem, None)


def test_a_rotated_problem_is_solved_by_its_parts_and_on_the_grid():
    """Two schemes for one law: the parts on the line, turned, and the plane, where nothing shows the structure."""
    parts = [pf.problems.double_well(horizon=0.5), pf.problems.ou(temperature=0.5, horizon=0.5)]
    whole = pf.problems.rotated(pf.problems.separable(parts), TURN)
    lines = pf.solve(whole, ChangCooper(cells=800, time_order=2), dt=1 / 32).final
    stripped = pf.Problem(whole.energy, whole.initial, whole.horizon)
    errors = []
    for cells in (80, 160):
        law = pf.solve(stripped, ChangCooper(cells=cells, time_order=2, lower=-4.5, upper=4.5), dt=1 / 32).final
        errors.append(pf.metrics.l1(law, lines).value)
    # the square of the cell, and what both steps of 1/32 leave in common
    assert errors[1] < 8e-3 and errors[0] / errors[1] == pytest.approx(4, abs=0.8)


def test_finer_is_a_truth_in_the_plane():
    method = ChangCooper(cells=32, time_order=2, **SMALL)
    truth = pf.finer(method, 1 / 64)
    study = pf.Study([WELL], [method], {"dt": [1 / 8, 1 / 16]}, [pf.metrics.l1], times=[0.5], against=truth)
    table = study.run(progress=False)
    errors = [row["error"] for row in table.rows if row["metric"] == "l1"]
    assert len(errors) == 2 and 3 < errors[0] / errors[1] < 5


@pytest.mark.parametrize(
    "method, words",
    [
        (ChangCooper(cells=(20, 20, 20)), "cells has 3 entries"),
        (ChangCooper(lower=(-3.0,), upper=(3.0,)), "lower has 1 entries"),
        (ChangCooper(lower=-1.0, upper=1.0), "stationary law.*outside"),
        (ChangCooper(lower=(-6.0, 2.0), upper=6.0), "too small"),
    ],
)
def test_fields_that_do_not_fit(method, words):
    with pytest.raises(pf.BadInput, match=words):
        method.init(WELL, None)


@pytest.mark.parametrize(
    "fields", [{"cells": (20, 2)}, {"cells": ()}, {"lower": (1.0, 0.0), "upper": (2.0, 0.0)}, {"lower": (np.nan, 0.0)}]
)
def test_bad_fields(fields):
    with pytest.raises(pf.BadInput):
        ChangCooper(**fields)


def test_narrow_laws_are_refused_across_the_axes_too():
    """A ridge along the diagonal, thinner than a cell: its marginals are wide, and no flux can follow it."""
    ridge = pf.potentials.FromFunction(
        lambda x: 5e3 * (x[:, 0] - x[:, 1]) ** 2 + (x[:, 0] + x[:, 1] - 1) ** 2 / 2, dim=2
    )
    problem = pf.Problem(pf.Energy(ridge, pf.Entropy(1.0)), Gaussian([0.0, 0.0], 0.2 * np.eye(2)), 1.0, name="ridge")
    with pytest.raises(pf.BadInput, match=r"(cells on|narrow)"):
        pf.solve(problem, ChangCooper(cells=64), dt=0.25)


def test_mass_that_runs_out_of_the_box_is_refused():
    slope = pf.potentials.FromFunction(lambda x: -4 * x[:, 0] + x[:, 1] ** 2 / 2, dim=2)
    problem = pf.Problem(pf.Energy(slope, pf.Entropy(0.1)), Gaussian([0.0, 0.0], 0.1 * np.eye(2)), 1.0, name="slope")
    with pytest.raises(pf.BadInput, match="does not decay"):
        ChangCooper(cells=64).init(problem, None)
    with pytest.raises(pf.BadInput, match="upper face of axis 0"):
        pf.solve(problem, ChangCooper(cells=64, lower=-3.0, upper=3.0), dt=0.05)


def test_negative_cells_of_time_order_2_are_refused_with_the_cure():
    problem = rotated_double_well(temperature=0.05, gain=4.0)
    state = ChangCooper(cells=40, time_order=2).init(problem, None)
    with pytest.raises(pf.Diverged, match="time_order=1"):
        box.law(replace(state, mass=state.mass - 1e-11, steps=3))


def test_only_entropies_and_up_to_three_dimensions():
    with pytest.raises(pf.Unsupported, match="Entropy"):
        ChangCooper().init(pf.problems.porous_medium(2, 2.0, 0.1, 0.5), None)
    assert ChangCooper().cells_of(1) == (800,) and ChangCooper().cells_of(2) == (256, 256)
    assert ChangCooper(cells=(4, 5, 6)).cells_of(3) == (4, 5, 6)
    assert np.abs(SPIN @ SPIN.T - np.eye(3)).max() < 1e-14


@pytest.mark.parametrize("kind", [pf.grid.BackAndForthJKO, pf.grid.EntropicJKO, pf.grid.FiniteVolume])
def test_potentials_of_time_are_refused_by_other_grids_of_the_plane(kind):
    moving = pf.potentials.Moving(lambda t: pf.potentials.Quadratic(np.eye(2), [t, 0.0]), dim=2)
    problem = pf.Problem(pf.Energy(moving, pf.Entropy(1.0)), Gaussian([0.0, 0.0], np.eye(2)), 1.0, name="moving")
    more = {"regularisation": 0.1} if kind is pf.grid.EntropicJKO else {}
    with pytest.raises(pf.Unsupported, match="time"):
        pf.solve(problem, kind(cells=32, **SMALL, **more), dt=0.25)
