"""The explicit scheme: its fluxes cell by cell, both limits of the step, mass, positivity and energy."""

import numpy as np
import pytest
from volume_cases import alone_on_lines, cells_whose_energy_rises

import pdeflow as pf
from pdeflow.grid.finite_volume.cells import Cells
from pdeflow.grid.finite_volume.explicit import explicit_step, rates, stable_step


def cells_of(shape, internal, seed=0, scale=1.0):
    widths = np.array([0.2, 0.3, 0.25])[: len(shape)]
    edges = tuple(width * np.arange(n + 1) for n, width in zip(shape, widths))
    return Cells(edges, widths, scale * np.random.default_rng(seed).random(shape), internal, None, 0.0, False)


def plain_rate(density, potential, width):
    """dρ/dt on one line, written out as in the paper."""
    n, rate = len(density), np.zeros(len(density))
    slope = np.empty(n)
    for j in range(n):
        right = density[min(j + 1, n - 1)] - density[j] if j + 1 < n else density[j] - density[j - 1]
        left = density[j] - density[max(j - 1, 0)] if j > 0 else right
        slope[j] = (right + left) / 2
        if density[j] - abs(slope[j]) / 2 < 0:
            options = np.array([2 * right, (right + left) / 2, 2 * left])
            inner = 0 < j < n - 1
            slope[j] = 0.0
            if inner and (options > 0).all():
                slope[j] = options.min()
            if inner and (options < 0).all():
                slope[j] = options.max()
    for j in range(n - 1):
        u = -(potential[j + 1] - potential[j]) / width
        flux = max(u, 0) * (density[j] + slope[j] / 2) + min(u, 0) * (density[j + 1] - slope[j + 1] / 2)
        rate[j] -= flux / width
        rate[j + 1] += flux / width
    return rate


@pytest.mark.parametrize("shape", [(30,), (12, 9), (6, 5, 7)])
def test_fluxes_are_those_of_the_paper_on_every_line(shape):
    cells = cells_of(shape, pf.Power(2.0, 0.5))
    density = np.random.default_rng(3).random(shape) ** 3  # steep, so that the limiter has work
    density[density < 0.1] = 0.0
    at = cells.evaluate(density)
    found, limit = rates(cells, density, at, alone_on_lines)
    plain, whole = np.zeros(shape), at.field + at.slope
    fastest = []
    for axis, width in enumerate(cells.widths):
        lines = np.moveaxis(plain, axis, -1)
        for where in np.ndindex(lines.shape[:-1]):
            parts = (np.moveaxis(part, axis, -1)[where] for part in (density, whole))
            lines[where] += plain_rate(*parts, width)
        fastest.append(np.abs(np.diff(whole, axis=axis)).max() / width**2)
    assert np.allclose(found, plain, atol=1e-12)
    assert np.isclose(limit, 1 / (2 * len(shape) * max(fastest)), rtol=1e-12)
    # the longest step that the limit allows: no cell below round-off
    assert (density + limit * found).min() > -1e-16


def test_the_flux_into_an_empty_cell_is_finite_and_no_step_vanishes():
    cells = Cells((np.arange(7.0),), np.ones(1), np.zeros(6), pf.Entropy(0.5), None, 0.0, True)
    density = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    rate, limit = rates(cells, density, cells.evaluate(density), alone_on_lines)
    # twice the difference of the pressures T ρ, times the share 3/4 that the reconstruction leaves at the face
    assert np.allclose(rate, [0.0, 0.75, -0.75, -0.75, 0.75, 0.0])
    assert limit == 0.5


def test_the_two_limits():
    cells = cells_of((8, 6), pf.Power(3.0, 0.4))
    density = np.random.default_rng(0).random((8, 6))
    fastest = 0.4 * 3 * density.max() ** 2
    assert np.isclose(stable_step(cells, density), 1 / (4 * fastest * (1 / 0.2**2 + 1 / 0.3**2)))
    still = Cells(cells.edges, cells.widths, cells.values, None, None, 2.0, False)
    assert np.isclose(stable_step(still, density), 1 / (2.0 * density.max()))  # of repulsion alone


def test_a_step_keeps_mass_and_sign_and_lowers_the_energy_whatever_its_length():
    for internal, capped in ((pf.Entropy(0.3), True), (pf.Power(2.0), False), (None, False)):
        cells = cells_of((20, 15), internal, scale=2.0)
        cells = Cells(cells.edges, cells.widths, cells.values, internal, None, 0.0, capped)
        density = np.zeros((20, 15))
        density[5:12, 4:9] = 1.0
        found = explicit_step(cells, density, cells.evaluate(density), 0.5, alone_on_lines)
        assert found.taken > 1
        assert abs(found.density.sum() / density.sum() - 1) < 1e-14
        assert found.density.min() >= 0.0
        assert found.evaluation.energy < cells.evaluate(density).energy - 0.01


def test_a_step_without_hope_says_so():
    cells = cells_whose_energy_rises()
    density = np.full(8, 1 / 8)
    with pytest.raises(pf.Diverged, match="No substep"):
        explicit_step(cells, density, cells.evaluate(density), 0.1, alone_on_lines)
