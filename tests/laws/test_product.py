"""Products of independent laws."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Barenblatt, Gaussian, Particles, Product, Ring, Semicircle, Uniform

LAW = Product([Gaussian([0.0, 1.0], [[1.0, 0.5], [0.5, 1.0]]), Semicircle(1.0)])


def test_blocks_add_up():
    x = np.array([[0.3, 0.7, 0.2]])
    assert LAW.log_density(x) == LAW.laws[0].log_density(x[:, :2]) + LAW.laws[1].log_density(x[:, 2:])
    assert LAW.entropy() == pytest.approx(LAW.laws[0].entropy() + LAW.laws[1].entropy(), rel=1e-15)
    assert LAW.cov()[2, 2] == 0.25 and not LAW.cov()[:2, 2].any()


def test_the_weighted_score_has_the_density_of_the_whole():
    x = np.array([[0.3, 0.7, 0.2], [1.0, 1.0, -0.9]])
    plain, weighted = LAW.score(x), LAW.score(x, 0.8)
    assert np.allclose(weighted, plain * np.exp(0.8 * LAW.log_density(x))[:, None], rtol=1e-13)


def test_what_a_part_does_not_know_the_product_does_not_know():
    partial = Product([Gaussian(0.0, 1.0), Particles([1.0, 2.0])])
    assert "log_density" not in partial.answers() and partial.has_density() is False
    assert partial.finite_dissipation() is None and Product([Uniform(0.0, 1.0)] * 2).finite_dissipation() is False
    with pytest.raises(pf.NotAvailable):
        partial.log_density(np.zeros((1, 2)))
    assert LAW.as_gaussian() is None and Product(LAW.laws[:1] * 2).as_gaussian().dim == 4


def test_a_product_of_one_law_is_that_law():
    for law in (Barenblatt(1, 2.0, 1.0), Semicircle(2.0), Uniform(0.0, 1.0), Particles([1.0, 2.0]), Ring(1.0)):
        alone = Product([law])
        assert alone.as_barenblatt() is law.as_barenblatt() and alone.as_semicircle() is law.as_semicircle()
        assert repr(alone.scale_family()) == repr(law.scale_family())
        assert repr(alone.linear_pieces()) == repr(law.linear_pieces()) and repr(alone.atoms()) == repr(law.atoms())


def test_masses_need_every_block():
    axes = np.array([-1.0, 0.0, 1.0]), np.array([-1.0, 1.0]), np.array([0.0, 0.5])
    assert LAW.cell_masses(axes) is None  # the tilted Gaussian takes quadrature
    exact = Product([Gaussian([0.0, 1.0], 1.0), Semicircle(1.0)]).cell_masses(axes)
    assert exact.mass.shape == (2, 1, 1) and exact.mass.sum() + exact.outside == pytest.approx(1, abs=1e-14)
