"""Figures of laws."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import plot


@pytest.mark.parametrize(
    "law",
    [
        pf.laws.Gaussian(0.0, 1.0),
        pf.laws.GridLaw(np.linspace(-3, 3, 61), np.full(60, 1 / 60)),
        pf.laws.Quantiles([0.0, 1.0, 1.0, 3.0], [0.0, 0.3, 0.5, 1.0]),
        pf.laws.Particles(np.linspace(-1, 1, 500)),
    ],
    ids=lambda law: type(law).__name__,
)
def test_densities_are_drawn_with_their_own_mass(law):
    figure = plot.density(
        pf.Trajectory([0.0], [law]), truth=pf.problems.ou() if isinstance(law, pf.laws.Gaussian) else None
    )
    x, y = figure.axes[0].lines[-1].get_xydata().T
    mass = np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)
    # the drawing covers all but 2e-6 of a Gaussian by trapezoids; an atom of mass 0.2 has no height to draw
    expected = 0.8 if isinstance(law, pf.laws.Quantiles) else 1.0
    assert mass == pytest.approx(expected, abs=2e-3)


def test_density_of_a_law_in_space_is_refused():
    with pytest.raises(pf.NotAvailable, match="dim 3"):
        plot.density(pf.Trajectory([0.0], [pf.laws.Gaussian([0.0, 0.0, 0.0], 1.0)]))


def test_projections_show_the_draws_of_two_coordinates(rng):
    law = pf.laws.Gaussian([0.0, 1.0, 2.0], np.eye(3))
    line = plot.projections(law, 50, rng=np.random.default_rng(3), axes=(0, 2)).axes[0].lines[0]
    assert np.array_equal(np.asarray(line.get_xydata()), law.sample(50, np.random.default_rng(3))[:, [0, 2]])
    with pytest.raises(pf.BadInput, match="the law has dim 3"):
        plot.projections(law, rng=rng, axes=(0, 3))
