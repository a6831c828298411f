"""Masses in Laguerre cells against a fine partition of the grid, for open grids and with obstacles."""

import numpy as np
import pytest

from pdeflow.grid.back_and_forth.laguerre import laguerre_masses


def masses(density, slopes, phi, free, rates, squares, dt, value=None):
    filled = [np.empty(density.shape) for _ in range(4)]
    value = np.empty((0, 0)) if value is None else value
    laguerre_masses(0, len(density), density, *slopes, phi, free, *rates, *squares, dt, *filled, value)
    return filled


def by_points(density, slopes, phi, free, squares, dt, fine):
    """Mass and cost at each open point, of points (fine an axis in each cell) that each go where it costs least."""
    n, m = density.shape
    i, j = np.indices((n, m))
    offset = (np.arange(fine) + 0.5) / fine - 0.5
    mass, cost = np.zeros(density.shape), np.zeros(density.shape)
    for a in range(n):
        for b in range(m):
            u, v = np.meshgrid(offset, offset, indexing="ij")
            share = (density[a, b] + slopes[0][a, b] * u + slopes[1][a, b] * v) / fine**2
            far = squares[0] * (a + u[..., None, None] - i) ** 2 + squares[1] * (b + v[..., None, None] - j) ** 2
            best = np.where(free, phi + far / (2 * dt), np.inf).reshape(fine, fine, -1).argmin(-1)
            np.add.at(mass.ravel(), best.ravel(), share.ravel())
            np.add.at(
                cost.ravel(),
                best.ravel(),
                (share * np.take_along_axis(far.reshape(fine, fine, -1), best[..., None], -1)[..., 0]).ravel(),
            )
    return mass, cost


@pytest.fixture
def case():
    rng = np.random.default_rng(1)
    n, m, dt, h = 7, 6, 0.3, (0.5, 0.4)
    density, squares = rng.random((n, m)), (h[0] ** 2, h[1] ** 2)
    slopes = density * rng.uniform(-1, 1, (n, m)), density * rng.uniform(-1, 1, (n, m))
    x, y = np.indices((n, m))
    phi = 0.4 * np.sin(0.7 * x * h[0] + 0.9 * y * h[1]) + 0.5 * x * h[0] * y * h[1] / (n * m * h[0] * h[1])
    return density, slopes, phi, (dt / squares[0], dt / squares[1]), squares, dt


def test_masses_and_costs_are_those_of_the_cheapest_points(case):
    density, slopes, phi, rates, squares, dt = case
    free = np.ones(phi.shape, dtype=bool)
    mass, cost, *_ = masses(density, slopes, phi, free, rates, squares, dt)
    fine_mass, fine_cost = by_points(density, slopes, phi, free, squares, dt, 60)
    assert mass.sum() == pytest.approx(density.sum(), rel=1e-14)
    # 60 points an axis place the edge of a cell to 1/120 of one: errors of about 1 % of a mass, far less of the mean
    assert np.abs(mass - fine_mass).max() < 0.015 and np.abs(cost - fine_cost).max() < 0.015
    assert np.abs(mass - density).max() > 0.1  # and mass has moved


def test_masses_are_the_gradient_of_the_dual_and_links_its_second_derivative(case):
    density, slopes, phi, rates, squares, dt = case
    slopes, free = (np.zeros_like(phi), np.zeros_like(phi)), np.ones(phi.shape, dtype=bool)
    density = np.full(phi.shape, 0.7)  # constant, so that corners and links are exact

    def dual(phi):
        mass, cost, links_x, _ = masses(density, slopes, phi, free, rates, squares, dt)
        return np.sum(phi * mass) + cost.sum() / (2 * dt), mass, links_x

    _, mass, links = dual(phi)
    step = 1e-4
    for place in ((3, 3), (0, 2), (6, 5)):
        up, down = phi.copy(), phi.copy()
        up[place] += step
        down[place] -= step
        (high, mass_up, _), (low, mass_down, _) = dual(up), dual(down)
        assert (high - low) / (2 * step) == pytest.approx(mass[place], abs=1e-7)  # differences of order step²
        if place[0] < 6:
            beside = place[0] + 1, place[1]
            change = (mass_up[beside] - mass_down[beside]) / (2 * step)
            assert change == pytest.approx(links[place], rel=1e-6)


def test_obstacles_take_no_mass_and_lose_none(case):
    density, slopes, phi, rates, squares, dt = case
    phi = 0.6 * phi
    free = np.ones(phi.shape, dtype=bool)
    free[3:5, 2:4] = False
    density = np.where(free, density, 0.0)
    slopes = tuple(np.where(free, slope, 0.0) for slope in slopes)
    mass, *_ = masses(density, slopes, phi, free, rates, squares, dt)
    assert mass.sum() == pytest.approx(density.sum(), rel=1e-14) and (mass[~free] == 0).all()
    fine_mass, _ = by_points(density, slopes, phi, free, squares, dt, 60)
    assert np.abs(mass - fine_mass).max() < 0.015  # as above; the diagonal at a corner is halved


def test_values_at_the_centres_are_the_c_transform(case):
    density, slopes, phi, rates, squares, dt = case
    free, value = np.ones(phi.shape, dtype=bool), np.full(phi.shape, np.inf)
    masses(density, slopes, phi, free, rates, squares, dt, value)
    i, j = np.indices(phi.shape)
    far = squares[0] * (i[..., None, None] - i) ** 2 + squares[1] * (j[..., None, None] - j) ** 2
    assert np.allclose(value, (phi + far / (2 * dt)).min(axis=(2, 3)), rtol=0, atol=1e-14)


def test_no_mass_is_lost_where_lines_between_cells_lie_beyond_the_grid(case):
    density, slopes, phi, rates, squares, dt = case
    x, y = np.indices(phi.shape)
    away = phi + 1.5 * x * squares[0] / dt + 0.8 * y * squares[1] / dt  # lines shifted by up to 1.5 cells
    mass, *_ = masses(density, slopes, away, np.ones(phi.shape, dtype=bool), rates, squares, dt)
    assert mass.sum() == pytest.approx(density.sum(), rel=1e-14)
