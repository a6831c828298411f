"""Masses of spherical shells against the Gaussian that they are cells of, and against their own definition."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws.shells import Shells


def gaussian_shells(dim, cells, scale=0.5):
    edges = np.linspace(0.0, scale * (np.sqrt(dim) + 8), cells + 1)
    mass = np.diff(pf.laws.Chi(dim, scale).cdf(edges))
    return pf.laws.Radial(pf.laws.GridLaw(edges, mass / mass.sum()), dim), Shells(edges, mass / mass.sum(), dim)


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_answers_come_near_those_of_the_gaussian_in_second_order(dim):
    same = pf.laws.Gaussian(np.zeros(dim), 0.25)
    errors = {"entropy": [], "cov": [], "power": []}
    for cells in (400, 800):
        law, _ = gaussian_shells(dim, cells)
        errors["entropy"].append(abs(law.entropy() - same.entropy()))
        errors["cov"].append(abs(law.cov()[0, 0] - 0.25))
        errors["power"].append(abs(law.power_integral(1.1) / same.power_integral(1.1) - 1))
    for coarse, fine in errors.values():
        assert fine < 3e-3 and coarse / fine == pytest.approx(4, rel=0.1)


def test_the_density_at_the_origin_is_that_of_the_ball_there():
    law, shells = gaussian_shells(2, 400)
    radius = shells.edges[1]
    at = law.log_density(np.array([[0.0, 0.0], [radius / 2, 0.0], [0.99 * radius, 0.0]]))
    np.testing.assert_allclose(at, np.log(shells.mass[0] / (np.pi * radius**2)), rtol=1e-12)
    exact = pf.laws.Gaussian(np.zeros(2), 0.25).log_density(np.zeros((1, 2)))[0]
    assert at[0] == pytest.approx(exact, abs=1e-3)  # (cell/deviation)²/4
    assert law.log_density(np.array([[shells.edges[-1] * 1.01, 0.0]]))[0] == -np.inf


@pytest.mark.parametrize("dim", [2, 5])
def test_draws_are_even_in_each_shell(dim):
    shells = Shells(np.array([0.0, 0.5, 2.0]), np.array([0.25, 0.75]), dim)
    law = pf.laws.Radial(pf.laws.GridLaw(shells.edges, shells.mass), dim)
    r = np.linalg.norm(law.sample(200_000, np.random.default_rng(0)), axis=1)
    inner, outer = r[r < 0.5], r[r >= 0.5]
    level = np.concatenate([(inner / 0.5) ** dim, (outer**dim - 0.5**dim) / (2.0**dim - 0.5**dim)])
    # even on [0, 1], whatever the shell: mean 1/2 and second moment 1/3, to four standard errors
    assert abs(level.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / len(r)) and abs(
        (level**2).mean() - 1 / 3
    ) < 4 * 0.3 / np.sqrt(len(r))
    assert np.mean(r**2) == pytest.approx(shells.second_moment(), rel=5e-3)
    assert len(inner) / len(r) == pytest.approx(0.25, abs=4e-3)


def test_entropy_and_powers_are_those_of_the_constant_densities():
    shells = Shells(np.array([0.0, 1.0, 2.0]), np.array([0.4, 0.6]), 3)
    volume = 4 / 3 * np.pi * np.array([1.0, 7.0])
    density = shells.mass / volume
    assert shells.entropy() == pytest.approx(-float(shells.mass @ np.log(density)), rel=1e-13)
    assert shells.power_integral(2.0) == pytest.approx(float(density**2 @ volume), rel=1e-13)
    r = np.linspace(0, 2, 200_001)
    f = np.where(r < 1, density[0], density[1]) * 4 * np.pi * r**2
    assert shells.second_moment() == pytest.approx(float(np.trapezoid(f * r**2, r)), rel=1e-4)
