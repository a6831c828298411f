"""What affine maps make of vectors, boxes and Gaussians."""

import numpy as np

from pdeflow.laws import AffineMap, Gaussian
from pdeflow.laws.affine_images import affine_image, image_of_box, moved_gaussian, stretches_alike

SKEW = np.array([[2.0, 0.5], [-1.0, 0.25]])


def test_a_vector_goes_where_a_point_goes(rng):
    move, x = AffineMap(SKEW, [1.0, -2.0]), rng.standard_normal(2)
    np.testing.assert_allclose(affine_image(x, move), move(x[None])[0], atol=1e-15)


def test_a_gaussian_is_moved_by_the_composed_map():
    law, maps = Gaussian([1.0, 2.0], [[2.0, 0.3], [0.3, 1.0]]), [AffineMap(SKEW, [1.0, 0.0]), AffineMap(SKEW.T)]
    moved = moved_gaussian(law, maps)
    np.testing.assert_allclose(moved.mean(), SKEW.T @ (SKEW @ law.mean() + [1.0, 0.0]), atol=1e-13)
    np.testing.assert_allclose(moved.cov(), SKEW.T @ SKEW @ law.cov() @ SKEW.T @ SKEW, atol=1e-12)
    assert moved_gaussian(law, []) is law


def test_only_multiples_of_the_identity_stretch_alike():
    assert stretches_alike(AffineMap(3 * np.eye(2), [1.0, 1.0]))
    assert not stretches_alike(AffineMap(-np.eye(2))) and not stretches_alike(AffineMap(np.diag([1.0, 2.0])))


def test_a_box_is_known_where_axes_go_to_axes():
    low, high = np.array([-1.0, 0.0]), np.array([np.inf, 2.0])
    box = image_of_box(AffineMap([[0.0, 3.0], [-2.0, 0.0]], [1.0, 0.0]), low, high)
    assert box is not None
    np.testing.assert_array_equal(box, [[1.0, -np.inf], [7.0, 2.0]])
    assert image_of_box(AffineMap(SKEW), low, high) is None
