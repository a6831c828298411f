"""Boxes: how far laws reach, what automatic boxes hold, faces and walls, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from plane_cases import SPIN, TURN, rotated_double_well

import pdeflow as pf
from pdeflow.grid import box_domain as boxes
from pdeflow.laws import Gaussian, Law
from pdeflow.laws.cell_integrals import cell_masses


@pytest.mark.parametrize("dim", [2, 3])
def test_the_automatic_box_holds_start_and_stationary_law(dim):
    problem = rotated_double_well(dim, temperature=0.7)
    region = boxes.choose_region(problem, 0.7, (None,) * dim, (None,) * dim)
    start = boxes.start_range(problem.initial)
    assert (region.lower <= start[0]).all() and (region.upper >= start[1]).all()
    # {V < 34 T} in turned coordinates: |v| < √(34 T), |u| < √(1 + √(34 T)), and its box along the axes
    rng, turn = np.random.default_rng(0), TURN if dim == 2 else SPIN
    y = rng.uniform(-6, 6, (400_000, dim))
    x = y[(y[:, 0] ** 2 - 1) ** 2 + np.sum(y[:, 1:] ** 2, axis=1) < 32 * 0.7] @ turn.T
    assert (region.lower < x.min(axis=0)).all() and (region.upper > x.max(axis=0)).all()
    assert (region.upper - region.lower < 1.35 * (x.max(axis=0) - x.min(axis=0)) + 0.5).all()
    assert region.stationary_tail < 1e-12


@pytest.mark.parametrize("value", [lambda x: -np.sum(x**2, axis=1), lambda x: x[:, 0] ** 2])
def test_without_a_stationary_law_there_is_no_automatic_box(value):
    energy = pf.Energy(pf.potentials.FromFunction(value, dim=2), pf.Entropy(1.0))
    problem = pf.Problem(energy, Gaussian([0.0, 0.0], np.eye(2)), 1.0, name="free")
    with pytest.raises(pf.BadInput, match="does not decay"):
        boxes.choose_region(problem, 1.0, (None, None), (None, None))
    assert np.isnan(boxes.choose_region(problem, 1.0, (-9.0, -9.0), (9.0, 9.0)).stationary_tail)


def test_the_box_holds_a_well_that_is_empty_in_the_end():
    """The start runs into a well whose bottom lies 60 T above the other: mass waits there for longer than any run."""

    def value(x):
        return 50 * ((x[:, 0] ** 2 - 1) ** 2 / 4 + 0.15 * x[:, 0]) + 2 * x[:, 1] ** 2 + 2 * x[:, 0] * x[:, 1]

    potential = pf.potentials.FromFunction(value, dim=2)
    start = Gaussian([1.6, 1.0], 0.01 * np.eye(2))
    problem = pf.Problem(pf.Energy(potential, pf.Entropy(0.25)), start, 1.0, name="tilted")
    region = boxes.choose_region(problem, 0.25, (None, None), (None, None))
    x = np.stack(np.meshgrid(np.linspace(0.5, 1.5, 301), np.linspace(-1.5, 1.5, 301), indexing="ij"), -1).reshape(-1, 2)
    well = value(x).min()
    assert (well - value(np.array([[-1.0, 0.5]]))[0]) / 0.25 > 55
    near = x[value(x) < well + 30 * 0.25]
    assert (region.lower < near.min(axis=0)).all() and (region.upper > near.max(axis=0)).all()


def test_stationary_mass_outside_a_given_box():
    problem = pf.problems.ou(dim=2, matrix=[[2.0, 0.7], [0.7, 1.0]], initial=Gaussian([0.0, 0.0], 0.1 * np.eye(2)))
    with pytest.raises(pf.BadInput, match="stationary law") as caught:
        boxes.choose_region(problem, 1.0, (-1.5, None), (1.5, None))
    deviation = np.sqrt(np.linalg.inv([[2.0, 0.7], [0.7, 1.0]])[0, 0])
    # midpoints of slabs: a few percent
    assert caught.value.outside == pytest.approx(2 * Gaussian(0.0, 1.0).cdf(-1.5 / deviation), rel=0.05)
    region = boxes.choose_region(problem, 1.0, (-4.0, None), (4.0, None))
    assert (region.lower[0], region.upper[0]) == (-4.0, 4.0) and 1e-9 < region.stationary_tail < 1e-3
    slope = pf.potentials.FromFunction(lambda x: x[:, 0] ** 2, dim=2)
    flat = replace(problem, energy=pf.Energy(slope, pf.Entropy(1.0)), exact=None)
    assert np.isnan(boxes.choose_region(flat, 1.0, (-4.0, -4.0), (4.0, 4.0)).stationary_tail)


def test_faces_are_open_where_v_does_not_rise_outwards():
    axes = np.linspace(-1, 1, 11), np.linspace(-2, 2, 13)
    centers = [(axis[1:] + axis[:-1]) / 2 for axis in axes]

    def faces(value):
        potential = pf.potentials.FromFunction(value, dim=2)
        return boxes.open_faces(potential, 1.0, axes, boxes.grid_values(potential, centers))

    assert faces(lambda x: np.sum(x**2, axis=1)) == {}
    assert set(faces(lambda x: x[:, 0] ** 2)) == {(1, 0), (1, -1)}  # flat is open too
    partly = faces(lambda x: x[:, 0] * x[:, 1] + 10 * x[:, 1] ** 2)
    assert set(partly) == {(0, 0), (0, -1)} and partly[0, 0].sum() == partly[0, -1].sum() == 6
    walled = faces(lambda x: np.where(np.abs(x[:, 1]) < 2, -x[:, 0], np.inf))
    assert set(walled) == {(0, -1)}
    mass = np.full((10, 12), 1 / 120)
    with pytest.raises(pf.BadInput, match="upper face of axis 0") as caught:
        boxes.refuse_piled_up_faces(walled, mass, axes, "in the end")
    assert caught.value.mass == pytest.approx(0.1)
    boxes.refuse_piled_up_faces({}, mass, axes, "in the end")


def test_mass_outside_goes_to_the_rim_and_is_told():
    axes = np.linspace(-2, 2, 21), np.linspace(-2, 2, 21)
    law = Gaussian([0.0, 0.0], [[0.5, 0.2], [0.2, 0.4]])
    mass, outside = boxes.start_masses(law, axes)
    assert outside > 1e-4 and mass.sum() == pytest.approx(1, abs=1e-9)
    with pytest.raises(pf.BadInput, match="initial law"):
        boxes.refuse_start_outside("initial law", outside, np.array([-2.0, -2.0]), np.array([2.0, 2.0]))
    inner = (slice(1, -1), slice(1, -1))
    assert np.array_equal(mass[inner], cell_masses(law, axes).mass[inner])


class Unknown(Law):
    """A law in the plane that knows its draws and nothing else."""

    dim = 2

    def sample(self, n, rng):
        return rng.random((n, 2))


def test_laws_that_do_not_say_enough():
    problem = rotated_double_well(initial=Unknown())
    with pytest.raises(pf.BadInput, match="How far"):
        boxes.choose_region(problem, 1.0, (None, None), (None, None))
    with pytest.raises(pf.Unsupported, match="log_density"):
        boxes.start_masses(Unknown(), (np.linspace(0, 1, 5),) * 2)


@pytest.mark.parametrize(
    "value, words",
    [
        (lambda x: x[:, :1], "shape"),
        (lambda x: np.full(len(x), np.nan), "nan"),
        (lambda x: np.full(len(x), -np.inf), "-inf"),
        (lambda x: np.full(len(x), np.inf), "walls"),
    ],
)
def test_bad_potentials_are_named(value, words):
    class Plain:
        dim = 2

        def value(self, x):
            return value(x)

    problem = rotated_double_well()
    for potential in (Plain(), pf.potentials.FromFunction(value, dim=2)):
        with pytest.raises(pf.BadInput, match=words):
            energy = pf.Energy(potential, pf.Entropy(1.0))
            boxes.choose_region(replace(problem, energy=energy), 1.0, (None, None), (None, None))
