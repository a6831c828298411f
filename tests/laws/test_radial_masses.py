"""Masses of radial laws of the plane in cells, against closed forms, draws and a grid that knows no radius."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import GridLaw, Quantiles, Radial

DISC = Radial(GridLaw(np.array([0.0, 1.0]), [1.0]), 2)
SPOKES = Radial(Quantiles(np.array([0.0, 1.0]), np.array([0.0, 1.0])), 2)  # density 1/(2π r) in the disc


def mass(law, x, y):
    return law.cell_masses((np.array(x, dtype=float), np.array(y, dtype=float))).mass


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.999])
def test_segments_of_a_disc(cut):
    segment = (np.arccos(cut) - cut * np.sqrt(1 - cut**2)) / np.pi
    for found in (mass(DISC, [cut, 1.2], [-1, 1.5]), mass(DISC, [-1, 1], [-2, -cut])):
        assert found[0, 0] == pytest.approx(segment, rel=1e-11)  # of 2e-5 at the third cut: no digits are lost


def test_squares_at_the_origin():
    assert mass(DISC, [-0.5, 0.5], [-0.5, 0.5])[0, 0] == pytest.approx(1 / np.pi, rel=1e-14)
    for low in (0.0, -0.5):  # a cell with the origin at its corner, and one around it
        share = np.arcsinh(1) / np.pi * (0.5 if low == 0 else 2.0)
        assert mass(SPOKES, [low, 0.5], [low, 0.5])[0, 0] == pytest.approx(share, rel=1e-14)


@pytest.mark.parametrize("kind", ["shells", "quantiles with an atom"])
def test_all_cells_against_draws(kind):
    rng = np.random.default_rng(1)
    if kind == "shells":
        law = Radial(GridLaw(np.sort(rng.random(9)) * 2, np.full(8, 1 / 8)), 2)
    else:
        radii = np.concatenate((np.sort(rng.random(20)), [1.1, 1.1, 1.5]))
        law = Radial(Quantiles(radii, np.linspace(0, 1, 23)), 2)
    edges = np.linspace(-2.2, 2.2, 24)
    found = law.cell_masses((edges, edges))
    n = 200_000
    x = law.sample(n, rng)
    drawn = np.histogram2d(x[:, 0], x[:, 1], [edges, edges])[0] / n
    # 529 cells: five standard errors of each
    assert np.all(np.abs(drawn - found.mass) <= 5 * np.sqrt(found.mass / n) + 1e-12)
    assert found.mass.sum() == pytest.approx(1, abs=1e-14) and found.mass.min() == 0 and abs(found.outside) < 1e-14


def test_masses_in_a_tail_and_in_a_hole_keep_their_digits():
    """Two shells far apart in mass: beyond the disc of mass one lies 1e-40, and beside it in a hole the other way."""
    faint = Radial(GridLaw(np.array([0.0, 1.0, 2.0]), [1.0, 1e-40]), 2)
    ring = Radial(GridLaw(np.array([0.0, 1.0, 2.0]), [1e-40, 1.0]), 2)
    assert mass(faint, [1.1, 1.2], [0, 0.1])[0, 0] == pytest.approx(1e-40 * 0.01 / (3 * np.pi), rel=1e-12)
    assert mass(ring, [0.1, 0.2], [-0.1, 0])[0, 0] == pytest.approx(1e-40 * 0.01 / np.pi, rel=1e-12)


def test_a_radial_run_and_a_grid_of_the_plane_agree_to_the_square_of_a_cell():
    """The same problem by its radius, and without its structure in the plane; l1 and KL were refused as quadrature."""
    hat = pf.problems.mexican_hat(2, horizon=0.25)
    law = pf.solve(hat, pf.grid.ChangCooper(cells=800, time_order=2), dt=1 / 128).final
    plain = pf.Problem(hat.energy, hat.initial, hat.horizon)
    l1, kl = [], []
    for cells in (40, 80):
        flat = pf.solve(plain, pf.grid.ChangCooper(cells, -2.8, 2.8, time_order=2), dt=1 / 64).final
        l1.append(pf.metrics.l1(flat, law).value)
        kl.append((pf.metrics.kl(flat, law).value, pf.metrics.kl(law, flat).value))
    assert np.log2(l1[0] / l1[1]) == pytest.approx(2, abs=0.15) and l1[1] < 4e-3
    assert np.log2(kl[0][0] / kl[1][0]) == pytest.approx(4, abs=0.4)
    assert kl[1][0] == pytest.approx(kl[1][1], rel=0.1) and kl[1][0] < 4e-5
    assert np.abs(flat.cov() - law.cov()).max() < 2e-3 and pf.metrics.mean_error(flat, law).value < 1e-12
