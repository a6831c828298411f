"""Residual maps and the affine maps that training leaves."""

import numpy as np
import pytest
from neural.variational_jko.parts import COV, moving

import pdeflow as pf
from pdeflow.laws import AffineMap, Gaussian, PushForward
from pdeflow.neural.maps.affine_residual import ResidualMap, affine_step

ROOT = np.array([[1.0, 0.2], [0.2, 0.5]])


def residual_map(rng, size=0.3):
    layers = tuple((size * rng.standard_normal((a, b)), size * rng.standard_normal(b)) for a, b in ((2, 4), (4, 2)))
    return ResidualMap(rng.standard_normal(2), ROOT, size * rng.standard_normal((2, 2)), rng.standard_normal(2), layers)


def test_zero_weights_are_the_identity(rng):
    move, x = residual_map(rng, 0.0), rng.standard_normal((5, 2))
    still = ResidualMap(move.center, ROOT, 0 * ROOT, np.zeros(2), move.layers)
    np.testing.assert_array_equal(still(x), x)


def test_the_map_is_its_formula(rng):
    move, x = residual_map(rng), rng.standard_normal((5, 2))
    u = np.linalg.solve(ROOT, (x - move.center).T).T
    (w1, b1), (w2, b2) = move.layers
    expected = x + (u @ move.matrix.T + move.shift + np.tanh(u @ w1 + b1) @ w2 + b2) @ ROOT
    np.testing.assert_allclose(move(x), expected, rtol=1e-13, atol=1e-13)
    assert move(x.astype(np.float32)).dtype == np.float32


def test_its_matrix_is_a_part_of_it_and_does_not_make_it_affine(rng):
    assert not residual_map(rng).affine


def test_what_it_lacks_it_says(rng):
    move = residual_map(rng)
    for question in ("with_log_det", "invert"):
        with pytest.raises(pf.NotAvailable, match=r"need not be invertible.*map=Convex\(\) or Affine\(\)"):
            getattr(move, question)(np.zeros((1, 2)))


def test_data_without_widths_are_refused(rng):
    data, arrays = residual_map(rng).to_data()
    assert data == {"map": "ResidualMap", "widths": [4]}
    with pytest.raises(pf.BadInput, match="must have widths"):
        ResidualMap.from_data(2, {"map": "ResidualMap", "widths": []}, arrays)
    with pytest.raises(pf.BadInput, match=r"'layer1\.weight' is of shape"):
        ResidualMap.from_data(2, data, {**arrays, "layer1.weight": np.zeros((3, 2))})


def test_a_step_that_arrives_at_a_singular_matrix_has_diverged():
    with pytest.raises(pf.Diverged, match=r"must be invertible.*smaller dt"):
        affine_step(np.ones((2, 2)), np.zeros(2))
    assert affine_step(2 * np.eye(2), np.ones(2)).affine


def test_an_affine_map_knows_volume_inverse_and_composition(rng):
    first, second = AffineMap(COV, [1.0, -1.0]), AffineMap([[0.0, -1.0], [2.0, 0.0]], [0.0, 3.0])
    x = rng.standard_normal((5, 2))
    (whole,) = first.then(second)
    y, volume = whole.with_log_det(x)
    np.testing.assert_allclose(y, second(first(x)), atol=1e-13)
    np.testing.assert_allclose(volume, np.log(2 * 1.75), atol=1e-13)
    back, certificate = whole.invert(y)
    np.testing.assert_allclose(back, x, atol=1e-13)
    assert certificate.residual < 1e-14 and certificate.points == 5
    assert AffineMap([[2.0]], [1.0]).increasing and not AffineMap([[-2.0]], [1.0]).increasing and not first.increasing
    with pytest.raises(pf.Diverged, match="invertible"):
        affine_step(np.ones((2, 2)), np.zeros(2))
    with pytest.raises(pf.BadInput, match="invertible"):
        AffineMap(np.ones((2, 2)))
    law = PushForward(Gaussian([0.0, 0.0], 1.0), (first,))
    np.testing.assert_allclose(law.log_density(x), Gaussian([1.0, -1.0], COV @ COV).log_density(x), atol=1e-12)
    law = PushForward(Gaussian([1.0, 0.0], 0.5), (first, second))
    np.testing.assert_allclose(law.mean(), second(first(np.array([[1.0, 0.0]])))[0], atol=1e-12)
    np.testing.assert_allclose(law.cov(), 0.5 * whole.matrix @ whole.matrix.T, atol=1e-12)


@pytest.mark.parametrize("kind", ["residual", "affine"])
def test_maps_are_kept_in_files(kind, rng, tmp_path):
    law = PushForward(Gaussian([0.0, 0.0], 1.0), (moving(kind).finished(),) * 2)
    path = pf.reference.save_flow(tmp_path / "flow.h5", law)
    again = pf.reference.load_flow(path)
    x = rng.standard_normal((5, 2))
    assert type(again.maps[1]) is type(law.maps[1]) and (again.push(x) == law.push(x)).all()
    architecture, arrays = law.to_data()
    arrays.pop("map0001.shift")
    with pytest.raises(pf.BadInput, match="'shift' is missing"):
        PushForward.from_data(architecture, arrays)


def test_a_residual_law_has_no_density_and_says_why(rng):
    law = PushForward(Gaussian([0.0, 0.0], 1.0), (moving("residual").finished(),))
    for ask in (lambda: law.log_density(np.zeros((1, 2))), lambda: law.sample_with_log_density(3, rng)):
        with pytest.raises(
            pf.NotAvailable, match=r"residual network need not be invertible.*map=Convex\(\) or Affine\(\)"
        ):
            ask()
    with pytest.raises(pf.BadInput, match="widths"):
        ResidualMap.from_data(2, {"map": "ResidualMap"}, {})
