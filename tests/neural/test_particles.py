"""The particles of a neural step: even, in blocks with exact moments, held out."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Barenblatt, Gaussian
from pdeflow.neural.particles import draw, draw_evenly, held_out, matched, moments, require_thickness

COV = np.array([[2.0, 0.5], [0.5, 1.0]])


def test_blocks_are_even_on_the_line_and_have_the_moments_of_the_whole(rng):
    law = Barenblatt(1, 2.0, 0.1)
    x = draw_evenly(law, 1000, 100, rng)
    assert x.shape == (1000, 1)
    for block in x.reshape(10, 100):
        assert (np.floor(np.sort(law.cdf(block)) * 100) == np.arange(100)).all()
    for plane in (Barenblatt(2, 2.0, 0.1, center=[1.0, 0.0]), pf.laws.Uniform([0.0, 0.0], [1.0, 3.0])):
        center, cov = moments(draw_evenly(plane, 1000, 100, rng))
        np.testing.assert_allclose(center, plane.mean(), atol=1e-13)
        np.testing.assert_allclose(cov, plane.cov(), atol=1e-13)
    x = 1 + rng.standard_normal((400, 2)) @ COV
    center, cov = moments(x)
    blocks = matched(x, 100)
    for block in blocks:
        np.testing.assert_allclose(block.mean(axis=0), center, atol=1e-12)
        np.testing.assert_allclose(np.cov(block.T, bias=True), cov, atol=1e-12)
    few = rng.standard_normal((30, 2))
    assert (matched(few, 10).reshape(-1, 2) == few).all()  # moving so few points would deform them


def test_held_out_points_carry_their_log_density_where_there_is_one(rng):
    for law in (Gaussian([0.0, 1.0], COV), Barenblatt(2, 2.0, 1.0), pf.laws.Uniform(0.0, 1.0)):
        x, log_density = held_out(law, 64, 16, rng)
        np.testing.assert_allclose(log_density, law.log_density(x), atol=1e-12)
    assert held_out(pf.laws.Particles(np.arange(5.0)), 64, 16, rng)[1] is None


def test_blocks_of_the_pool_have_the_moments_of_the_law(rng):
    law = pf.laws.Gaussian([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]])
    blocks = draw(law, 1000, 100, rng).reshape(10, 100, 2)
    for block in blocks:
        np.testing.assert_allclose(block.mean(axis=0), law.mean(), atol=1e-13)
        np.testing.assert_allclose(np.cov(block.T, bias=True), law.cov(), atol=1e-12)
    assert draw(pf.laws.Uniform([0.0], [1.0]), 250, 100, rng).shape == (200, 1)


def test_a_law_that_single_precision_fills_with_round_off_is_refused():
    cov = np.array([[1.0, 0.0], [0.0, 1e-13]])
    with pytest.raises(pf.Unsupported, match=r"3.16e\+06 times as wide .*dtype='float64'"):
        require_thickness(cov, "float32")
    require_thickness(cov, "float64"), require_thickness(np.diag([1.0, 1e-10]), "float32")
    require_thickness(np.diag([1.0, 0.0]), "float32")  # no spread at all is another question
