"""from_refinement: the error bar covers the error, and an order that is not seen is not used."""

import dataclasses

import numpy as np
import pytest

import pdeflow as pf

TIMES = [0.25, 0.5]


@pytest.mark.parametrize("time_order", [1, 2])
@pytest.mark.parametrize("extrapolate", [True, False])
@pytest.mark.parametrize("build", [pf.problems.ou, pf.problems.mixture_ou])
def test_the_error_bar_covers_the_error(build, extrapolate, time_order):
    problem = build()
    method = pf.grid.ChangCooper(time_order=time_order)
    dt = {1: 1 / 256, 2: 1 / 32}[time_order]  # of order one, larger ones leave -2e-9 in the tails of the limit
    truth = pf.from_refinement(problem, method, dt, 200, times=TIMES, order=float(time_order), extrapolate=extrapolate)
    exact = pf.exact(problem, TIMES)
    errors = [pf.metrics.l1(law, other).value for law, other in zip(truth.laws, exact.laws, strict=True)]
    for error, bar in zip(errors, truth.stats["errors"], strict=True):
        # without extrapolation the bar is 2^p - 1 times the error but for the next term of its series, per cents here
        assert error <= (1.0 if extrapolate else 1.1) * bar
        assert bar <= (400 if extrapolate else 3.5) * error  # and it is no idle bound
        if not extrapolate:  # three times the error for order two, which leaves room for fronts
            assert bar >= 0.9 * (2**time_order - 1) * error
    finest = pf.solve(problem, dataclasses.replace(method, cells=800), dt=dt / 4, times=TIMES)
    plain = [pf.metrics.l1(law, other).value for law, other in zip(finest.laws, exact.laws, strict=True)]
    if extrapolate:  # the cells are 200, and their masses much better than those of 800 cells
        assert truth.final.grid_axes()[0].size == 201 and max(errors) < max(plain) / 6
    else:
        np.testing.assert_array_equal(truth.final.mass, finest.final.mass)


def test_a_study_takes_the_error_bar_for_that_of_its_truth():
    problem = pf.problems.double_well()
    truth = pf.from_refinement(problem, pf.grid.ChangCooper(time_order=2), 1 / 32, 200, times=[0.5])
    table = pf.Study(
        problem,
        {"chang-cooper": pf.grid.ChangCooper(cells=200)},
        sweep={"dt": [1 / 4, 1 / 8]},
        metrics={"l1": pf.metrics.l1},
        times=[0.5],
        against=truth,
    ).run(progress=False)
    assert {row["truth_error"] for row in table} == {truth.stats["error"].value}
    assert 0 < truth.stats["error"].value < 1e-4


def test_the_start_has_no_error_but_round_off():
    truth = pf.from_refinement(pf.problems.ou(), pf.grid.ChangCooper(time_order=2), 1 / 32, 200, times=[0, 0.5])
    assert truth.stats["errors"][0] <= 1e-12 and np.isnan(truth.stats["observed_orders"][0])


def test_an_order_that_is_not_seen_is_refused():
    with pytest.raises(pf.NotConverged, match="where 2 is expected") as caught:
        pf.from_refinement(pf.problems.ou(), pf.grid.ChangCooper(), 1 / 32, 200, times=TIMES)
    assert abs(caught.value.observed - 1) < 0.1


def test_methods_that_have_no_cells_are_refused_before_any_run():
    for method in (pf.particle.EulerMaruyama(), pf.grid.QuantileJKO(points=100)):
        with pytest.raises(pf.BadInput, match="has no field `cells` to refine"):
            pf.from_refinement(pf.problems.ou(), method, 1 / 32, 200)
    with pytest.raises(pf.BadInput, match="no multiple of dt"):
        pf.from_refinement(pf.problems.ou(), pf.grid.ChangCooper(), 1 / 32, 200, times=[0.3])


def test_problems_whose_laws_have_no_cells_are_refused_before_any_run():
    hat = pf.problems.mexican_hat(5)
    with pytest.raises(
        pf.BadInput, match=r"dim 5 and runs by its 1 part.*no grid in dim 5.*structure.parts\[0\].*radius.*pf.finer"
    ):
        pf.from_refinement(hat, pf.grid.ChangCooper(time_order=2), 1 / 256, 50)
    with pytest.raises(pf.BadInput, match=r"axes= has 1 axes\. The problem has dim 2"):
        pf.from_refinement(pf.problems.mexican_hat(2), pf.grid.ChangCooper(), 1 / 64, 50, axes=[[0.0, 1.0]])
    radius = pf.from_refinement(hat.structure.parts[0], pf.grid.ChangCooper(time_order=2), 1 / 256, 50)  # as is said
    assert radius.stats["error"].value < 1e-6
    axes = [np.linspace(-4.0, 6.0, 5)] * 3
    method = pf.grid.ChangCooper(time_order=2, lower=-4.0, upper=6.0)
    cube = pf.from_refinement(pf.problems.separable([pf.problems.ou()] * 3), method, 1 / 16, 40, axes=axes)
    assert cube.final.dim == 3


def test_negative_masses_of_a_front_are_refused_and_the_finest_run_is_offered():
    """The last eighth of the box holds h² - 1/2048 of the mass: positive in three runs, negative in their limit."""

    @dataclasses.dataclass(frozen=True)
    class Front(pf.Method):
        cells: int = 4

        def init(self, problem, rng):
            return np.zeros(1)

        def step(self, problem, state, dt, rng):
            return state + dt

        def law(self, state):
            beyond = self.cells // 8
            last = 1 / self.cells**2 - 1 / 2048
            mass = np.append(
                np.full(self.cells - beyond, (1 - last) / (self.cells - beyond)), np.full(beyond, last / beyond)
            )
            return pf.laws.GridLaw(np.linspace(0, 1, self.cells + 1), mass)

    problem = pf.problems.ou()
    with pytest.raises(pf.NotConverged, match="extrapolate=False"):
        pf.from_refinement(problem, Front(), 1 / 4, 8, times=[0.5])
    assert pf.from_refinement(problem, Front(), 1 / 4, 8, times=[0.5], extrapolate=False).final.mass.size == 32


def test_the_error_bar_covers_orders_below_one():
    """Masses (1 ± n^(-0.85))/2 of two halves: beside order 1 the limit keeps 2 - 2^0.85 of the finest error."""

    @dataclasses.dataclass(frozen=True)
    class Slow(pf.Method):
        cells: int = 4

        def init(self, problem, rng):
            return 0.0

        def step(self, problem, state, dt, rng):
            return state + dt

        def law(self, state):
            half = 1 + self.cells**-0.85 * np.repeat([1.0, -1.0], self.cells // 2)
            return pf.laws.GridLaw(np.linspace(0, 1, self.cells + 1), half / self.cells)

    truth = pf.from_refinement(pf.problems.ou(), Slow(), 1 / 4, 8, times=[0.5], order=1.0)
    error = np.abs(truth.final.mass - 1 / 8).sum()
    assert error == pytest.approx((2 - 2**0.85) * 32**-0.85, rel=1e-9)
    assert error <= truth.stats["error"].value <= error + 1.1e-12  # of one power alone the bar is the error itself


def halves_off_by(errors):
    """A method whose laws on 8, 16 and 32 cells have masses (1 ± e)/2 of two halves, so that e is the error in l1."""

    @dataclasses.dataclass(frozen=True)
    class Halves(pf.Method):
        cells: int = 8

        def init(self, problem, rng):
            return 0.0

        def step(self, problem, state, dt, rng):
            return state + dt

        def law(self, state):
            error = errors[{8: 0, 16: 1, 32: 2}[self.cells]]
            half = 1 + error * np.repeat([1.0, -1.0], self.cells // 2)
            return pf.laws.GridLaw(np.linspace(0, 1, self.cells + 1), half / self.cells)

    return Halves()


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_the_error_bar_stays_above_the_error_where_the_order_seen_is_too_high(order):
    """Errors c_k 2^(-pk) with c_0 >= |c_1|, c_2 of any sign, and a last one that is no larger than the one before.

    Where errors are alike their difference is small: the orders seen are far above p.
    """
    rng, accepted = np.random.default_rng(0), []
    # stalled behind the expected fall, behind a faster one, and a sum of two powers that stays where it is
    cases = [(0.8, 0.8 * 2**-order, 0.999 * 0.8 * 2**-order), (0.8, 0.1, 0.0999), (-1 / 3, 1 / 6 + 1e-6, 1 / 6)]
    for _ in range(25):
        middle = rng.uniform(-1, 1) * 0.9 * 2**-order
        cases.append((0.9, middle, middle * rng.uniform(-1, 1)))
    for errors in cases:
        try:
            truth = pf.from_refinement(
                pf.problems.ou(), halves_off_by(errors), 1 / 2, 8, times=[0.5], order=order, extrapolate=False
            )
        except pf.NotConverged:
            continue
        accepted.append(truth.stats["observed_orders"][0])
        assert truth.stats["error"].value >= abs(errors[2]) * (1 - 1e-9)
    assert sum(seen > order + 0.25 for seen in accepted) >= 8 and max(accepted) > order + 5


def test_the_error_bar_of_an_order_that_is_seen_is_the_last_difference():
    """What an order above the expected one adds must not widen the error bars of those that are as expected."""
    for order in (1.0, 2.0):
        errors = [0.8 * 2.0 ** (-order * k) for k in range(3)]
        truth = pf.from_refinement(
            pf.problems.ou(), halves_off_by(errors), 1 / 2, 8, times=[0.5], order=order, extrapolate=False
        )
        assert truth.stats["error"].value == pytest.approx(errors[1] - errors[2], rel=1e-9)  # round-off of masses
