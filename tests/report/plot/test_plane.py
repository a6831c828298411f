"""Laws in the plane: what the colours, dots and contours show is what the laws say."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import QuadMesh
from matplotlib.contour import ContourSet

import pdeflow as pf

EDGES = np.linspace(-3.0, 3.0, 61)


def flow():
    """Gaussians on a grid, moving to the right."""
    centers = (EDGES[1:] + EDGES[:-1]) / 2
    laws = []
    for shift in (0.0, 1.0):
        mass = np.exp(-((centers[:, None] - shift) ** 2) - 2 * centers**2)
        laws.append(pf.laws.GridLaw((EDGES, EDGES), mass / mass.sum()))
    return pf.Trajectory([0.0, 1.0], laws)


def of_kind(axes, kind):
    return [each for each in axes.get_children() if isinstance(each, kind)]


def test_cells_are_drawn_as_they_are_with_one_scale_of_colours():
    trajectory = flow()
    figure = pf.plot.density(trajectory)
    first, second, *bar = figure.axes
    assert len(bar) == 1 and [axes.get_title() for axes in (first, second)] == ["t = 0", "t = 1"]
    scales = set()
    for axes, law in zip((first, second), trajectory.laws, strict=True):
        (mesh,) = of_kind(axes, QuadMesh)
        np.testing.assert_array_equal(np.asarray(mesh.get_array()).T, law.density)  # x runs along the columns of a mesh
        scales.add(mesh.get_clim())
        low, high = axes.get_xlim()
        assert -3 <= low and high <= 3.3  # the tails, which hold less than a thousandth, may be cut
    assert scales == {(0.0, max(law.density.max() for law in trajectory.laws))}


def test_contours_of_the_truth_enclose_the_shares_that_are_named():
    truth = pf.laws.Gaussian([0.3, -0.2], [[1.0, 0.5], [0.5, 0.75]])
    figure = pf.plot.density(pf.Trajectory([0.0], [truth]), pf.Trajectory([0.0], [truth]))
    (contours,) = of_kind(figure.axes[0], ContourSet)
    heights = np.sort(contours.levels)[::-1]
    peak = float(np.exp(truth.log_density(truth.mean()[None])[0]))
    # {density > s peak} holds 1 - s of a Gaussian in the plane; a grid of 200² cells and 4 deviations: 3e-3
    np.testing.assert_allclose(1 - heights / peak, [0.5, 0.9, 0.99], atol=3e-3)


def test_points_are_drawn_as_points_on_the_axes_given():
    points = np.random.default_rng(0).standard_normal((50, 2))
    _, axes = pyplot.subplots(1, 2)
    cloud = pf.laws.Particles(points)
    assert pf.plot.density(pf.Trajectory([0.0, 1.0], [cloud, cloud]), ax=axes) is axes
    np.testing.assert_array_equal(axes[1].lines[0].get_xydata(), points)
    with pytest.raises(pf.BadInput, match="2 panels"):
        pf.plot.density(pf.Trajectory([0.0, 1.0], [cloud, cloud]), ax=axes[0])
    pyplot.close("all")
