"""agreement: what it measures is told, and schemes of two equations, or a wrong cloud, do not agree."""

import numpy as np
import pytest

import pdeflow as pf

TIMES = [0.25, 0.5]
AXES = [np.linspace(-4.0, 6.0, 81)]
FUNCTIONS = {"x": lambda x: x[:, 0], "x²": lambda x: x[:, 0] ** 2}


def _refined(problem, method, **more):
    return pf.from_refinement(problem, method, 1 / 32, 160, times=TIMES, axes=AXES, **more)


@pytest.fixture(scope="module")
def runs():
    problem = pf.problems.ou()
    return {
        "ChangCooper": _refined(problem, pf.grid.ChangCooper(lower=-4, upper=6, time_order=2)),
        "FiniteVolume": _refined(problem, pf.grid.FiniteVolume(lower=-4, upper=6, stepping="implicit")),
    }


def test_two_schemes_of_one_equation_agree_and_so_do_particles(runs):
    cloud = pf.solve(pf.problems.ou(), pf.particle.EulerMaruyama(particles=20_000), dt=1 / 256, times=TIMES)
    found = pf.agreement(runs, clouds={"particles": cloud}, functions=FUNCTIONS)
    distance = found["l1 distance of ChangCooper and FiniteVolume"]
    bars = [found[f"error bar of {name}"] for name in runs]
    assert 0 < distance <= sum(bars) < 1e-2
    exact = pf.exact(pf.problems.ou(), TIMES)
    for run in runs.values():  # the bars are no idle ones, and hold
        error = max(pf.metrics.l1(law, truth).value for law, truth in zip(run.laws, exact.laws))
        assert error <= run.stats["error"].value
    for name, function in FUNCTIONS.items():
        gap = found[f"mean of {name} under particles less that under ChangCooper"]
        error = found[f"standard error of the mean of {name} under particles"]
        assert abs(gap) <= 4 * error
        off = []
        for truth, atoms in zip(exact.laws, cloud.laws):
            mean, square = truth.mean()[0], truth.cov()[0, 0] + truth.mean()[0] ** 2
            off.append(function(atoms.atoms()[0]).mean() - gap - {"x": mean, "x²": square}[name])
        # sums over centres are of fourth order: 1e-4 where the bare variance of a cell would be 1.3e-3
        assert min(np.abs(off)) < 1e-4


def test_another_equation_does_not_agree(runs):
    warmer = _refined(pf.problems.ou(temperature=1.02), pf.grid.ChangCooper(lower=-4, upper=6, time_order=2))
    with pytest.raises(pf.NotConverged, match="another equation") as caught:
        pf.agreement({"ChangCooper": runs["ChangCooper"], "warmer": warmer})
    assert caught.value.distance > 1e-3
    cloud = pf.solve(pf.problems.ou(center=[0.2]), pf.particle.EulerMaruyama(particles=20_000), dt=1 / 64, times=TIMES)
    with pytest.raises(pf.NotConverged, match="standard errors"):
        pf.agreement(runs, clouds={"particles": cloud}, functions=FUNCTIONS)


def test_what_cannot_be_compared_is_refused(runs):
    flow = runs["ChangCooper"]
    plain = pf.Trajectory(flow.times, flow.laws)
    other = pf.Trajectory(flow.times + 0.25, flow.laws, flow.stats)
    for given, words in (
        ({"a": flow}, "At least two runs"),
        ({"a": flow, "b": plain}, r"stats\['error'\]"),
        ({"a": flow, "b": other}, "same times"),
    ):
        with pytest.raises(pf.BadInput, match=words):
            pf.agreement(given)
    with pytest.raises(pf.NotAvailable, match="A cloud"):
        pf.agreement(runs, clouds={"grid": flow}, functions=FUNCTIONS)
    with pytest.raises(pf.BadInput, match="mapping of names"):
        pf.agreement(list(runs.values()))
    cloud = pf.solve(pf.problems.ou(), pf.particle.EulerMaruyama(particles=10), dt=1 / 4, times=TIMES)
    for wrong in (lambda x: x, lambda x: x[:, 0] * np.nan):  # (n, 1) for (n,), and no numbers
        with pytest.raises(pf.BadInput, match="must give"):
            pf.agreement(runs, clouds={"particles": cloud}, functions={"wrong": wrong})
    with pytest.raises(pf.BadInput, match="mean of a constant"):
        pf.agreement(runs, clouds={"particles": cloud}, functions={"mass": lambda x: np.ones(len(x))})


def test_laws_with_a_structure_are_refined_in_the_cells_that_are_asked():
    """The product of two lines, rotated: no grid, and held against a grid of the plane that knows no structure."""
    lines = [pf.problems.ou(center=[0.0], initial=pf.laws.Gaussian(m, 0.3)) for m in (0.5, -0.2)]
    whole = pf.problems.rotated(pf.problems.separable(lines), [[0.8, -0.6], [0.6, 0.8]])
    axes = [np.linspace(-7.0, 7.0, 57)] * 2
    method = pf.grid.ChangCooper(time_order=2)
    with pytest.raises(pf.BadInput, match="Pass axes="):
        pf.from_refinement(whole, method, 1 / 16, 200, times=TIMES)
    lifted = pf.from_refinement(whole, method, 1 / 16, 200, times=TIMES, axes=axes)
    exact = pf.exact(whole, TIMES)
    for law, truth, bar in zip(lifted.laws, exact.laws, lifted.stats["errors"]):
        assert pf.metrics.l1(law, truth).value <= bar < 1e-3
    with pytest.raises(pf.BadInput, match="lies inside a cell"):
        box = pf.grid.ChangCooper(lower=-7.0, upper=7.0, time_order=2)
        plain = pf.Problem(whole.energy, whole.initial, 1.0)
        pf.from_refinement(plain, box, 1 / 16, 50, times=TIMES, axes=axes)


def test_a_first_order_scheme_is_refined_with_a_quarter_of_the_step():
    """Backward Euler in time, order 2 in space: one power of the width where the step falls with its square."""
    method = pf.grid.ChangCooper(lower=-4, upper=6)
    found = _refined(pf.problems.ou(), method, dt_factor=4)
    assert np.all(np.abs(np.array(found.stats["observed_orders"]) - 2) < 0.1)
    exact = pf.exact(pf.problems.ou(), TIMES)
    for law, truth, bar in zip(found.laws, exact.laws, found.stats["errors"]):
        assert pf.metrics.l1(law, truth).value <= bar < 1e-2
