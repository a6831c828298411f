"""The convolution with a kernel: averages over cells, the transform against the plain sum, the rate of repulsion."""

from dataclasses import dataclass

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.convolution import Convolution, cell_averages, stiffness

H = 0.3


@dataclass(frozen=True)
class OfDistance(pf.interactions.Interaction):
    """W(z) = |z|^power."""

    power: float

    def value(self, z):
        with np.errstate(divide="ignore"):
            return (z * z).sum(-1) ** (self.power / 2)


def test_averages_over_cells_are_those_of_kinks_and_singularities():
    line = [np.arange(-2, 3)]
    # |z| over (-h/2, h/2) is h/4 in the mean, and h|k| elsewhere; the square root is (h/2)^(1/2)/(3/2) at zero
    assert np.allclose(
        cell_averages(OfDistance(1.0), line, np.array([H])), H * np.array([2, 1, 0.25, 1, 2]), atol=1e-14
    )
    assert np.isclose(cell_averages(OfDistance(0.5), line, np.array([H]))[2], (H / 2) ** 0.5 / 1.5, rtol=1e-13)
    log = cell_averages(pf.interactions.PowerLaw(2.0, 0.0), line, np.array([H]))
    z = np.array([0.5, 1.5]) * H
    beside = np.diff(z**3 / 6 - z * np.log(z) + z)[0] / H
    # 8 nodes next to the logarithm: 2e-9
    assert np.allclose(log[2:4], [H**2 / 24 - np.log(H / 2) + 1, beside], rtol=1e-8)
    # ∫ log|z| over the unit square around zero is (π - log 4 - 6)/4
    plane = cell_averages(pf.interactions.LogRepulsion(1e-300, 1.0), [np.array([0])] * 2, np.array([1.0, 1.0]))
    assert np.isclose(plane[0, 0], -(np.pi - np.log(4) - 6) / 4, rtol=1e-12)


@pytest.mark.parametrize("power", [-1.0, -1.5])
def test_a_singularity_that_has_no_average_is_refused(power):
    with pytest.raises(pf.BadInput, match="integrable"):
        cell_averages(OfDistance(power), [np.array([0])], np.array([H]))


@pytest.mark.parametrize("shape", [(9,), (6, 5), (4, 3, 5)])
def test_the_transform_is_the_plain_sum(shape):
    kernel, widths = pf.interactions.GaussianAttraction(2.0, 0.7), np.array([0.2, 0.3, 0.25])[: len(shape)]
    mass = np.random.default_rng(0).random(shape)
    table = cell_averages(kernel, [np.arange(1 - n, n) for n in shape], widths)
    plain = np.zeros(shape)
    for i in np.ndindex(shape):
        for j in np.ndindex(shape):
            plain[i] += table[tuple(np.subtract(i, j) + np.array(shape) - 1)] * mass[j]
    assert np.allclose(Convolution(kernel, shape, widths)(mass), plain, atol=1e-14)


def test_the_rate_of_repulsion_is_that_of_the_matrix():
    n, widths = 40, np.array([0.1])
    kernel = pf.interactions.LogRepulsion(1e-300, 1.0)
    convolution = Convolution(kernel, (n,), widths)
    matrix = np.stack([convolution(row) for row in np.eye(n)])
    gradient = np.diff(np.eye(n), axis=0) / 0.1
    exact = np.linalg.eigvals(gradient.T @ gradient @ matrix).real.max() * 0.1
    # forty steps of Lanczos' method on forty numbers
    assert np.isclose(stiffness(convolution, widths), exact, rtol=1e-6)
    for attraction in (pf.interactions.QuadraticAttraction(1.0), pf.interactions.GaussianAttraction(1.0)):
        # what attracts drives nothing apart: some 1e-12 of the fastest rate of the grid is round-off
        assert stiffness(Convolution(attraction, (n, 7), np.array([0.1, 0.1])), np.array([0.1, 0.1])) < 1e-8
