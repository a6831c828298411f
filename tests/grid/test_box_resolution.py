"""Whether cells resolve a law in more dimensions: the same questions as on the line, asked in every direction."""

import numpy as np
import pytest
from scipy.stats import norm

import pdeflow as pf
from pdeflow.grid import box_resolution as boxes
from pdeflow.grid import resolution


def gaussian(deviation, cells=60, center=0.3):
    return np.diff(norm.cdf((np.arange(cells + 1) - cells / 2 - center) / deviation))


def ridge(width, length=12.0, cells=60, center=0.2):
    """Cell centres' densities of a Gaussian along the diagonal, of these deviations across and along, in cells."""
    x = np.arange(cells) + 0.5 - cells / 2 - center
    u, v = (x[:, None] + x) / np.sqrt(2), (x[:, None] - x) / np.sqrt(2)
    mass = np.exp(-((u / length) ** 2) / 2 - (v / width) ** 2 / 2)
    return mass / mass.sum()


def test_a_product_is_judged_as_its_parts_on_the_line():
    parts = gaussian(5.0), gaussian(8.0, 80)
    moved = gaussian(5.0, center=0.9), gaussian(8.5, 80)
    mass = np.multiply.outer(*parts)
    coarse = np.multiply.outer(*[resolution.halved(part, False) for part in moved])
    line = [resolution.grid_changes(part, resolution.halved(other, False)) for part, other in zip(parts, moved)]
    changes = boxes.grid_changes(mass, coarse)
    assert changes["mean"] == pytest.approx(np.hypot(line[0]["mean"], line[1]["mean"]), rel=1e-9)
    assert changes["variance"] == pytest.approx(max(part["variance"] for part in line), rel=1e-9)
    assert max(part["level"] for part in line) <= changes["level"] <= sum(part["level"] for part in line)
    for part in parts:  # in one dimension the formulas are those of the line
        other = resolution.halved(gaussian(5.5, len(part)), False)
        mine, true = boxes.grid_changes(part, other), resolution.grid_changes(part, other)
        assert mine == pytest.approx(true, rel=1e-12)


@pytest.mark.parametrize("shape", [(12, 14), (13, 9), (7, 8, 9)])
@pytest.mark.parametrize("on_cells", [False, True])
def test_half_as_many_cells_hold_the_same_mass_and_mean(shape, on_cells):
    inner = np.random.default_rng(0).random(tuple(n - 6 for n in shape))
    mass = np.pad(inner / inner.sum(), 3)  # the mean is kept where the outermost cells are empty
    half = resolution.halved(mass, on_cells)
    assert half.shape == tuple(n // 2 for n in shape) and half.sum() == pytest.approx(1, abs=1e-14)
    line = np.random.default_rng(1).dirichlet(np.ones(13))
    np.testing.assert_allclose(resolution.halved(line, on_cells), _halved_line(line, on_cells), atol=1e-15)
    if on_cells:
        for k, n in enumerate(shape):
            axis = tuple(j for j in range(len(shape)) if j != k)
            ratio = n / (n // 2)
            mean = half.sum(axis=axis) @ (ratio * (np.arange(n // 2) + 0.5))
            assert mean == pytest.approx(mass.sum(axis=axis) @ (np.arange(n) + 0.5), rel=1e-13)


def _halved_line(mass, on_cells):
    """On the line alone: the distribution function at every other edge, and the move that keeps the mean."""
    n = len(mass)
    wide = np.diff(np.interp(np.linspace(0, n, n // 2 + 1), np.arange(n + 1), np.append(0.0, np.cumsum(mass))))
    if not on_cells:
        return wide
    ratio = n / len(wide)
    off = mass @ (np.arange(n) + 0.5) - ratio * wide @ (np.arange(len(wide)) + 0.5)
    moved = np.concatenate([[0.0], off / (2 * ratio) * (wide[1:] + wide[:-1]), [0.0]])
    return wide - np.diff(moved)


def test_narrow_lines_are_found_in_any_direction():
    assert boxes.fullest_share(np.multiply.outer(gaussian(5.0), gaussian(0.4, center=0.5))) > 0.7
    assert boxes.fullest_share(np.multiply.outer(gaussian(5.0), gaussian(5.0))) == pytest.approx(0.0797, rel=1e-2)
    assert boxes.fullest_share(ridge(3.0)) < 0.12
    thin = ridge(0.3)
    for k in range(2):  # the marginals are wide
        assert resolution.quarter_in_cells(thin.sum(axis=k)) > 4
    assert boxes.fullest_share(thin) > 0.85
    edges = (np.linspace(-1, 1, 61),) * 2
    with pytest.raises(pf.BadInput, match="too narrow") as caught:
        boxes.refuse_unresolved(thin, None, edges, "after step 3")
    assert caught.value.cells == 120
    # a fifth of the mass may be narrow, a third may not
    wide = np.multiply.outer(gaussian(6.0), gaussian(6.0))
    boxes.refuse_unresolved(0.8 * wide + 0.2 * _point(), None, edges, "now")
    with pytest.raises(pf.BadInput, match="too narrow"):
        boxes.refuse_unresolved(0.6 * wide + 0.4 * _point(), None, edges, "now")


def _point():
    mass = np.zeros((60, 60))
    mass[2, 3] = 1.0
    return mass


def test_changes_across_a_ridge_count_in_its_own_deviations():
    fine, other = ridge(2.0), ridge(2.4, center=0.0)
    coarse = other.reshape(30, 2, 30, 2).sum(axis=(1, 3))
    changes = boxes.grid_changes(fine, coarse)
    # the variance across the ridge, 2² and h²/12 of the cells, grows by 1.76; along it nothing changes
    assert changes["variance"] == pytest.approx(1.76 / (4 + 1 / 12), rel=1e-2)
    edges = (np.linspace(-1, 1, 61),) * 2
    with pytest.raises(pf.BadInput, match="half as many") as caught:
        boxes.refuse_unresolved(fine, coarse, edges, "after step 3")
    assert caught.value.variance == changes["variance"]
    boxes.refuse_unresolved(fine, fine.reshape(30, 2, 30, 2).sum(axis=(1, 3)), edges, "after step 3")
    assert np.isnan(boxes.grid_change(fine, None))
