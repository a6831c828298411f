"""What errors are held against: the cost of the representation, and of which methods and truths it is known."""

import numpy as np
from cheap_schemes import Moments, moment_distance
from study_cases import Cloud, small

import pdeflow as pf
from pdeflow.laws import Particles


def test_floor_is_averaged_over_draws_of_a_random_method_and_single_for_a_deterministic_one():
    table = small(methods={"cloud": Cloud(), "euler": Moments()}, sweep={"dt": [0.25, 0.5]}, seeds=range(3)).run()
    cloud, euler = ([row for row in table if row["method"] == name] for name in ("cloud", "euler"))
    assert len({row["floor"] for row in cloud}) == 1 and cloud[0]["floor_how"].startswith("mean of 8 draws")
    assert 0.02 < cloud[0]["floor"] < 0.2  # about (σ²/n + 2σ⁴/n)^½ = 0.08 at n = 400
    assert {row["floor_how"] for row in euler} == {"deterministic"}
    assert len({row["error"] for row in cloud}) == 6 and len({row["error"] for row in euler}) == 2


class Growing(Cloud):
    """A cloud of 25/dt particles."""

    def init(self, problem, rng, *, dt):
        return Cloud(particles=round(25 / dt)).init(problem, rng)


def test_floor_of_a_method_whose_start_depends_on_the_step_is_measured_for_each_step():
    study = small(methods={"cloud": Growing()}, sweep={"dt": [0.25, 1 / 256]}, times=[0.25], seeds=range(2))
    table = study.run()
    coarse, fine = ({row["floor"] for row in table if row["dt"] == dt} for dt in (0.25, 1 / 256))
    assert len(coarse) == len(fine) == 1
    assert 3 < coarse.pop() / fine.pop() < 20  # 64 times the particles: the floor of a mean is an eighth


def test_floor_is_nan_and_says_why_where_the_method_cannot_start_at_the_truth():
    times = [0.5]
    truth = pf.Trajectory(times, [Particles(np.linspace(-1, 1, 9)[:, None])])
    (row,) = small(sweep={"dt": [0.25]}, times=times, against=truth).run()
    assert row["status"] == "ok" and np.isnan(row["floor"]) and row["floor_how"].startswith("unsupported: ")


def test_a_quantity_has_no_floor():
    (row,) = small(methods={"euler": Moments()}, metrics={"mass": pf.metrics.mass_error}, sweep={"dt": [0.25]}).run()
    assert row["error"] == 0 and np.isnan(row["floor"]) and "has no floor" in row["floor_how"]


def test_a_wrong_sign_is_seen_in_any_unit():
    """A distance in units of 1e-9 is -1e-11 here; round-off of it would be 1e-20."""
    table = small(metrics={"signed": lambda a, b: -1e-9 * moment_distance(a, b)}).run()
    assert {row["status"] for row in table} == {"bad input"} and "at least 0" in table[0]["why"]


def test_what_round_off_leaves_below_zero_is_no_wrong_sign():
    """A relative entropy as the difference of two sums of size one."""
    table = small(metrics={"rounded": lambda a, b: moment_distance(a, b) ** 2 - 1e-14}, times=[0.0, 1.0]).run()
    assert {row["status"] for row in table} == {"ok"}


def test_cells_that_do_not_nest_in_those_of_the_truth_have_the_floor_of_cut_cells():
    box = {"lower": -4.0, "upper": 6.0, "time_order": 2}
    truth = pf.solve(pf.problems.ou(), pf.grid.ChangCooper(cells=120, **box), dt=1 / 64)
    methods = {f"{cells}": pf.grid.ChangCooper(cells=cells, **box) for cells in (60, 70)}
    table = small(methods=methods, sweep={"dt": [1 / 32]}, metrics={"l1": pf.metrics.l1}, against=truth).run()
    nested, cut = table
    assert nested["floor"] < 1e-13 and np.isnan(nested["null"]) and nested["floor_how"] == "deterministic"
    assert 1e-4 < cut["floor"] == cut["null"] < cut["error"] and "null level" in cut["floor_how"]
