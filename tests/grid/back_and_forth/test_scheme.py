"""BackAndForthJKO against closed JKO sequences, QuantileJKO and its own certificate."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy, Power
from pdeflow.energies.potentials import Potential, Quadratic
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, GridLaw, Uniform

OU = pf.problems.ou(initial=Gaussian(1.0, 0.25), temperature=0.5)
PLANE = pf.problems.porous_medium(2, 2.0, 0.1, 0.5)
Method = pf.grid.BackAndForthJKO


def relative_spread(law, truth):
    return abs(np.trace(law.cov()) / np.trace(truth.cov()) - 1)


def test_gaussian_steps_on_the_line_are_of_order_two_in_the_cells():
    truth = pf.exact_jko(OU, dt=0.125, times=[0.5]).final
    errors = []
    for cells in (100, 200):
        flow = pf.solve(OU, Method(cells=cells, tolerance=1e-8), dt=0.125, times=[0.5])
        errors.append(relative_spread(flow.final, truth))
        assert all(step["relative_gap"] <= 1e-8 and abs(step["mass_error"]) < 1e-14 for step in flow.history)
    assert errors[0] < 4e-3  # measured 3.6e-3: 100 cells on a domain of 15 deviations
    assert 3.3 < errors[0] / errors[1] < 4.7


def test_barenblatt_steps_in_the_plane():
    flow = pf.solve(PLANE, Method(cells=96, lower=-1.3, upper=1.3), dt=0.02, times=[0.04])
    truth = pf.exact_jko(PLANE, dt=0.02, times=[0.04]).final
    assert relative_spread(flow.final, truth) < 2e-3  # measured 7e-4 at 128 cells on a wider box; order 2
    assert pf.metrics.l1(flow.final, truth).value < 2e-3
    assert 0 < flow.history[0]["iterations"] < 20 and flow.history[-1]["energy"] < flow.history[0]["energy"]


def test_a_gaussian_that_turns_in_the_plane():
    matrix = np.array([[1.0, 0.4], [0.4, 0.6]])
    start = Gaussian([1.0, 0.0], np.diag([0.3, 0.5]))
    problem = pf.problems.ou(2, matrix, temperature=0.5, initial=start)
    flow = pf.solve(problem, Method(cells=64, lower=-4.5, upper=5.0), dt=0.1, times=[0.2])
    truth = pf.exact_jko(problem, dt=0.1, times=[0.2]).final
    assert np.abs(flow.final.mean() - truth.mean()).max() < 1e-3
    assert np.abs(flow.final.cov() - truth.cov()).max() < 5e-3  # h²/12 = 1.8e-3 stands in it
    assert truth.cov()[0, 1] < -0.02


def test_the_distance_and_the_energy_are_those_of_the_exact_step():
    flow = pf.solve(PLANE, Method(cells=96, lower=-1.3, upper=1.3), dt=0.02, times=[0.02])
    truth = pf.exact_jko(PLANE, dt=0.02, times=[0.0, 0.02])
    moved = pf.metrics.w2(*truth.laws).value
    assert flow.history[0]["distance"] == pytest.approx(moved, rel=0.01)
    assert flow.history[0]["energy"] == pytest.approx(truth.final.energy(), rel=2e-3)


def test_no_locking_where_a_step_moves_mass_by_less_than_a_cell():
    """docs/math.md 6.1: a program over couplings of 100 cells is 20.8 % off here."""
    problem = pf.problems.porous_medium()
    truth = pf.exact_jko(problem, dt=0.001, times=[0.02]).final
    flow = pf.solve(problem, Method(cells=100, lower=-0.8, upper=0.8), dt=0.001, times=[0.02])
    assert relative_spread(flow.final, truth) < 0.01


def test_gibbs_stays_to_the_gap():
    method = Method(cells=150, lower=-4.0, upper=4.0)
    edges = np.linspace(-4, 4, 151)
    centers = (edges[1:] + edges[:-1]) / 2
    weight = np.exp(-(centers**2) / 2 / 0.5)
    law = GridLaw(edges, weight / weight.sum())
    final = pf.solve(replace(OU, initial=law), method, dt=0.5, times=[1.0]).final
    # the gap is a relative entropy at least, so that l1 <= √(2 gap/T) = 2e-3
    assert pf.metrics.l1(final, law).value < 2e-3


class Channel(Potential):
    """A wall at x = 0 with a gap at |y| < 0.4, beside which V pulls to the right."""

    dim = 2

    def value(self, x):
        wall = (np.abs(x[:, 0]) < 0.3) & (np.abs(x[:, 1]) > 0.4)
        return np.where(wall, np.inf, 0.5 * ((x - [0.8, 0.0]) ** 2).sum(1))


def test_obstacles_hold_no_mass():
    problem = pf.Problem(Energy(Channel(), Power(2.0)), Barenblatt(2, 2.0, 0.006, [-0.85, 0.0]), 1.0)
    method = Method(cells=(64, 30), lower=(-1.8, -1.0), upper=(1.4, 1.0), tolerance=1e-4)
    law = pf.solve(problem, method, dt=0.005, times=[0.05]).final
    x, y = np.meshgrid(*law.centers, indexing="ij")
    assert law.mass[(np.abs(x) < 0.3) & (np.abs(y) > 0.4)].sum() == 0
    assert law.mass[x > -0.3].sum() > 0.02 and abs(law.mass_error) < 1e-12  # some has come into the channel
    assert np.allclose(law.mass, law.mass[:, ::-1], atol=1e-5)  # the problem is symmetric, and steps end at the gap


def test_threads_change_no_bit():
    import numba

    method, bits = Method(cells=48, lower=-1.3, upper=1.3), []
    threads = numba.get_num_threads()
    try:
        for number in (1, threads):
            numba.set_num_threads(number)
            bits.append(pf.solve(PLANE, method, dt=0.02, times=[0.02]).final.mass)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(*bits)


@pytest.mark.parametrize("initial", [Uniform(-0.5, 1.5), GaussianMixture([0.3, 0.7], [-1.0, 1.0], [0.04, 0.1])])
def test_jumps_and_separate_parts_on_the_line(initial):
    problem = replace(OU, initial=initial)
    mine = pf.solve(problem, Method(cells=400), dt=0.25, times=[0.25]).final
    other = pf.solve(problem, pf.grid.QuantileJKO(800), dt=0.25, times=[0.25]).final
    assert pf.metrics.w2(mine, other).value < 4e-3  # a cell is 0.03 wide; quantiles smear jumps and gaps


def test_the_gap_that_is_not_reached_is_an_error():
    with pytest.raises(pf.NotConverged, match="gap") as failure:
        pf.solve(PLANE, Method(cells=32, lower=-1.3, upper=1.3, iterations=1), dt=0.02, times=[0.02])
    assert failure.value.facts["relative_gap"] > 1e-6


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (pf.problems.ring_aggregation(), "no internal energy"),
        (pf.Problem(Energy(Quadratic(1.0)), Gaussian(0.0, 1.0), 1.0), "no internal energy"),
        (pf.Problem(Energy(None, Power(0.5)), Gaussian(0.0, 1.0), 1.0), "fast diffusion"),
        (pf.problems.porous_medium(3, 2.0, 0.1, 0.5), "dim 3"),
    ],
)
def test_what_the_dual_does_not_have_is_refused(problem, words):
    with pytest.raises(pf.Unsupported, match=words):
        Method(cells=20, lower=-2.0, upper=2.0).init(problem, None)


def test_domains():
    drift = replace(PLANE, energy=Energy(Quadratic(np.eye(2)), Power(2.0)))
    with pytest.raises(pf.BadInput, match="Pass lower= and upper="):
        Method(cells=20).init(drift, None)
    radius = Barenblatt(2, 2.0, 0.1).radius + Barenblatt(2, 2.0, PLANE.horizon).radius
    assert Method(cells=20).init(PLANE, None).edges[1][-1] == pytest.approx(radius)
    with pytest.raises(pf.BadInput, match="too small"):
        Method(cells=20, lower=-0.5, upper=2.0).init(PLANE, None)
    with pytest.raises(pf.BadInput, match="tuples of one length"):
        Method(cells=(20, 30), lower=(-1.0, -1.0, -1.0))
    law = pf.solve(PLANE, Method(cells=32, lower=-1.3, upper=1.3), dt=0.02, times=[0.02]).final
    again = Method(cells=32).init(replace(PLANE, initial=law), None)
    assert np.array_equal(again.mass, law.mass)
    with pytest.raises(pf.BadInput, match="outermost cells"):
        pf.solve(PLANE, Method(cells=64, lower=-1.02, upper=1.02), dt=0.02, times=[0.1])


def test_sums_of_energies_agree_with_quantiles():
    problem = pf.Problem(Energy(Quadratic(1.0), Entropy(0.3) + Power(2.0, 0.2)), Gaussian(0.5, 0.3), 1.0)
    method = Method(cells=100, lower=-4.0, upper=4.0)
    mine = pf.solve(problem, method, dt=0.1, times=[0.3]).final
    other = pf.solve(problem, pf.grid.QuantileJKO(200), dt=0.1, times=[0.3]).final
    assert pf.metrics.w2(mine, other).value < 5e-3  # a cell is 0.08 wide, and both are of order 2


def test_exact_sequence_is_that_of_jko():
    mine = Method().exact_sequence(PLANE, dt=0.02, times=[0.1]).final
    assert mine.radius == pf.exact_jko(PLANE, dt=0.02, times=[0.1]).final.radius
    assert isinstance(mine, Barenblatt)


def test_an_interaction_is_taken_at_the_law_before_a_step():
    """From a Gaussian the law is known: first order in dt, and its energy that of the law."""
    problem = pf.problems.mckean_vlasov_ou(initial=Gaussian([1.0, 0.0], 0.3), horizon=0.5)
    errors = []
    for dt in (1 / 8, 1 / 16):
        run = pf.solve(problem, Method(48, -3.0, 4.0, tolerance=1e-5), dt=dt)
        errors.append(pf.metrics.l1(run.final, pf.exact(problem, [0.5]).final).value)
    # order 0.90 measured, 0.91 with a hundredth of the gap: the error of the grid is a tenth of that of the step
    assert 0.85 < np.log2(errors[0] / errors[1]) < 1.1 and errors[1] < 0.08
    # F of the law by pairs of its cells; the scheme takes W at centres averaged over cells, h² apart
    assert run.history[-1]["energy"] == pytest.approx(float(problem.energy.evaluate(run.final)), abs=2e-3)
    assert np.all(np.diff([row["energy"] for row in run.history]) < 0)
    assert not Method().takes_jko_steps(problem)
    with pytest.raises(pf.NotAvailable, match="law before a step"):
        Method().exact_sequence(problem, dt=0.1, times=[0.1])
    with pytest.raises(pf.BadInput, match="How far it carries mass"):
        Method(lower=-3.0).init(problem, None)


def test_steps_go_on_where_masses_in_the_tail_are_round_off():
    """A well with V = 340 T at the edge: after one step the logarithms of masses there are noise, no heights."""
    wells = [
        pf.problems.double_well(initial=Gaussian(1.0, 1 / 16), horizon=1.0),
        pf.problems.ou(matrix=2.0, temperature=0.5, center=[0.0], initial=Gaussian(0.5, 0.25)),
    ]
    well = pf.problems.rotated(pf.problems.separable(wells), [[0.8, -0.6], [0.6, 0.8]])
    problem = pf.Problem(well.energy, well.initial, 1.0)
    run = pf.solve(problem, Method(100, -3.75, 3.75, tolerance=1e-4), dt=1 / 256, times=[3 / 256])
    # without the heights of the step before the second step took a minute, and found no end
    assert max(row["iterations"] for row in run.history) <= 4


class Beyond(Potential):
    """V = stiffness |x|²/2 where x_1 > 0, and a wall at x_1 = 0."""

    def __init__(self, dim, stiffness):
        self.dim, self.stiffness = dim, stiffness

    def value(self, x):
        return np.where(x[:, 0] < 0, np.inf, 0.5 * self.stiffness * (x**2).sum(1))


def test_a_wall_on_the_line_reflects():
    """Twice the right half of a centred Gaussian flows as the right half of that of the whole line, step by step."""
    truth = pf.exact_jko(replace(OU, initial=Gaussian(0.0, 0.3)), dt=0.1, times=[0.2]).final
    errors = []
    for cells in (60, 120):
        edges = np.linspace(-4 / cells * 5, 4.0, cells + 6)  # five cells behind the wall
        start, exact = (np.diff(np.maximum(2 * law.cdf(edges) - 1, 0.0)) for law in (Gaussian(0.0, 0.3), truth))
        problem = pf.Problem(Energy(Beyond(1, 1.0), Entropy(0.5)), GridLaw(edges, start / start.sum()), 1.0)
        run = pf.solve(problem, Method(cells=cells + 5, tolerance=1e-9), dt=0.1, times=[0.2])
        assert run.final.mass[:5].sum() == 0 and abs(run.final.mass_error) < 1e-14
        errors.append(np.abs(run.final.mass - exact).sum())
    # measured 1.9e-4 and 5.2e-5: order 1.9, as the limited slopes of the old law act at the wall
    assert errors[0] < 3e-4 and 3.0 < errors[0] / errors[1] < 4.7


class Hole(Potential):
    """V = (x - center)²/2 but for an obstacle at |x| < 0.3."""

    dim = 1

    def __init__(self, center):
        self.center = center

    def value(self, x):
        return np.where(np.abs(x[:, 0]) < 0.3, np.inf, 0.5 * (x[:, 0] - self.center) ** 2)


def test_long_steps_on_the_line_go_through_an_obstacle_where_that_pays():
    """For dt -> ∞ a step ends in the Gibbs law of the open cells, as near as 1/dt; all mass starts on one side."""
    edges = np.linspace(-3.2, 3.2, 61)
    x = (edges[1:] + edges[:-1]) / 2
    start = np.where(x > -0.3, 0.0, np.exp(-((x + 1) ** 2) / 0.4))
    gibbs = np.where(np.abs(x) < 0.3, 0.0, np.exp(-((x - 0.5) ** 2)))
    problem = pf.Problem(Energy(Hole(0.5), Entropy(0.5)), GridLaw(edges, start / start.sum()), 1.0)
    away = []
    for dt in (1e3, 1e4):
        run = pf.solve(problem, Method(cells=60), dt=dt, times=[dt])
        away.append(np.abs(run.final.mass - gibbs / gibbs.sum()).sum())
        assert run.final.mass[np.abs(x) < 0.3].sum() == 0 and abs(run.final.mass_error) < 1e-14
    assert away[1] < 2.5e-4 and away[0] / away[1] == pytest.approx(10, rel=0.05)  # 1.9e-3 and 1.9e-4 measured


@pytest.mark.parametrize("dt", [0.05, 1.0])
def test_an_obstacle_in_the_middle_of_an_even_problem_is_a_wall(dt):
    """No mass goes through it, and each half is that of a problem with one side alone, to the gap."""
    edges = np.linspace(-3.0, 3.0, 61)
    x = (edges[1:] + edges[:-1]) / 2
    start = np.where(np.abs(x) < 0.3, 0.0, np.exp(-((np.abs(x) - 1) ** 2) / 0.4))
    both = pf.Problem(Energy(Hole(0.0), Power(2.0)), GridLaw(edges, start / start.sum()), 1.0)
    half = np.where(x < 0, 0.0, 2 * start / start.sum())
    one = pf.Problem(Energy(Hole(0.0), Power(2.0, 0.5)), GridLaw(edges[30:], half[30:]), 1.0)
    method = Method(cells=60, tolerance=1e-7)
    whole = pf.solve(both, method, dt=dt, times=[dt]).final.mass
    side = pf.solve(one, replace(method, cells=30), dt=dt, times=[dt]).final.mass
    # the ascents take the same steps; measured 5e-15 and 5e-8. Gaps of 1e-7 of the objective alone allow 1e-3
    assert np.abs(2 * whole[30:] - side).sum() < 1e-6 and whole[30:].sum() == pytest.approx(0.5, abs=1e-14)


def test_a_wall_in_the_plane_reflects_porous_medium():
    """Half a Barenblatt profile against a wall is the whole one with half the coefficient, at twice the density."""
    whole, half = np.linspace(-1.3, 1.3, 49), np.linspace(-4 * 2.6 / 48, 1.3, 29)  # four rows of cells behind the wall
    start = np.zeros((28, 48))
    start[4:] = 2 * PLANE.initial.cell_masses((whole, whole)).mass[24:]
    problem = pf.Problem(
        Energy(Beyond(2, 0.0), Power(2.0, 0.5)), GridLaw((half, whole), start / start.sum()), PLANE.horizon
    )
    run = pf.solve(problem, Method(cells=(28, 48)), dt=0.02, times=[0.04])
    exact = 2 * pf.exact_jko(PLANE, dt=0.02, times=[0.04]).final.cell_masses((whole, whole)).mass[24:]
    assert run.final.mass[:4].sum() == 0 and abs(run.final.mass_error) < 1e-12
    assert np.abs(run.final.mass[4:] - exact).sum() < 1.5e-3  # measured 9.6e-4; 5.3e-4 at 96 cells
    assert all(row["relative_gap"] <= 1e-6 for row in run.history)  # the certificate is that of the problem with wall


def test_a_steep_well_conserves_mass_where_cells_reach_beyond_the_grid():
    """dt V'' = 1 and tails at the edge of the grid: lines between Laguerre cells lie outside there."""
    energy = Energy(Quadratic(20 * np.eye(2)), Entropy(1.0))
    problem = pf.Problem(energy, Gaussian([0.3, 0.2], np.eye(2) / 20), 1.0)
    run = pf.solve(problem, Method(48, -1.5, 1.5), dt=0.05, times=[0.05])
    truth = pf.problems.ou(2, 20 * np.eye(2), center=[0.0, 0.0], initial=problem.initial)
    truth = pf.exact_jko(truth, dt=0.05, times=[0.05]).final
    assert abs(run.final.mass_error) < 1e-14 and run.final.mass.min() > -1e-12
    assert np.abs(run.final.mean() - truth.mean()).max() < 1e-4
    # measured 8.9e-4 (4e-4 at 64 cells), of which 6.5e-4 is the variance of a cell on both axes
    assert np.trace(run.final.cov()) == pytest.approx(np.trace(truth.cov()), abs=1.2e-3)


def test_a_far_jump_in_the_plane_is_certified_or_refused():
    """The law leaves its place by more than its width in a step; its mean goes to that over 1 + dt, for any U."""
    problem = pf.Problem(Energy(Quadratic(np.eye(2)), Power(2.0)), Barenblatt(2, 2.0, 0.02, [1.0, 0.3]), 1.0)
    method = Method(48, -3.2, 3.2, tolerance=1e-3, iterations=10)
    run = pf.solve(problem, method, dt=0.5, times=[0.5])
    assert run.history[-1]["relative_gap"] <= 1e-3 and abs(run.final.mass_error) < 1e-12
    assert np.abs(run.final.mean() - np.array([1.0, 0.3]) / 1.5).max() < 1e-3  # 3e-4 measured; the gap allows 0.02
    with pytest.raises(pf.NotConverged, match="smaller dt"):
        pf.solve(problem, replace(method, cells=12, iterations=3), dt=100.0, times=[100.0])
