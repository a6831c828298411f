"""Affine maps, certificates, and the names under which files keep maps."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core import fingerprint_first
from pdeflow.laws import AffineMap, Gaussian, Map, PushForward, register_map
from pdeflow.laws.maps import KINDS, certified, kept_array, map_from_data, recorded_name

TURN = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
SKEW = np.array([[2.0, 0.5], [-1.0, 0.25]])


class Doubling(Map):
    dim = 2

    def __call__(self, x):
        return 2 * x


def test_an_affine_map_has_a_zero_shift_by_default_and_keeps_its_own_arrays():
    matrix = np.array(SKEW)
    move = AffineMap(matrix)
    matrix[0, 0] = 99.0
    assert move.affine and move.dim == 2 and (move.matrix == SKEW).all() and (move.shift == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        move.matrix[0, 0] = 1.0


@pytest.mark.parametrize("matrix, shift", [(np.ones((2, 3)), None), (np.eye(2), [1.0]), (np.zeros((0, 0)), [])])
def test_shapes_that_do_not_fit_are_refused(matrix, shift):
    with pytest.raises(pf.BadInput, match="Match the dimension"):
        AffineMap(matrix, shift)


def test_a_singular_matrix_is_refused():
    with pytest.raises(pf.BadInput, match="must be invertible"):
        AffineMap(np.ones((2, 2)))


def test_increasing_is_said_of_the_line_alone():
    assert AffineMap([[2.0]]).increasing and not AffineMap([[-2.0]]).increasing and not AffineMap(np.eye(2)).increasing


def test_affine_maps_compose_to_one_and_others_stay_apart(rng):
    first, second, x = AffineMap(TURN, [1.0, 0.0]), AffineMap(SKEW, [0.0, 3.0]), rng.standard_normal((4, 2))
    (whole,) = first.then(second)
    np.testing.assert_allclose(whole(x), second(first(x)), atol=1e-14)
    assert len(first.then(Doubling())) == 2 and len(Doubling().then(first)) == 2
    flat = AffineMap(np.diag([1.0, 1e-11]))
    assert len(flat.then(flat)) == 2  # their product has no inverse in double precision


def test_an_inverse_in_single_precision_and_of_an_ill_conditioned_matrix(rng):
    y = rng.standard_normal((6, 2))
    back, certificate = AffineMap(SKEW, [1.0, 1.0]).invert(y.astype(np.float32))
    assert back.dtype == np.float32 and certificate.points == 6 and certificate.residual < 1e-6
    with pytest.raises(pf.NotConverged, match="at 6 of 6 points"):
        AffineMap(SKEW, [1.0, 1.0]).invert(y + 0.1, tolerance=-1.0)


def test_an_affine_map_carries_scores(rng):
    law, move, x = Gaussian([1.0, -1.0], SKEW @ SKEW.T), AffineMap(TURN, [0.3, 0.0]), rng.standard_normal((5, 2))
    moved, volume, score = move.with_score(x, law.score(x), np.ones(5))
    np.testing.assert_allclose(score, law.pushed(move).score(moved), atol=1e-12)
    np.testing.assert_allclose(volume, 0.0, atol=1e-15)


def test_certificates_are_given_for_small_residuals_alone():
    certificate = certified(np.array([1e-15, 3e-15]), 7, 1e-12)
    assert (certificate.residual, certificate.iterations, certificate.points) == (3e-15, 7, 2)
    with pytest.raises(pf.NotConverged, match="at 2 of 3 points") as caught:
        certified(np.array([0.0, 1.0, np.nan]), 7, 1e-12)
    assert caught.value.points == 2


def test_kinds_of_maps_are_recorded_under_the_names_of_the_first_edition():
    assert recorded_name(AffineMap) == "LinearMap" and recorded_name(Doubling) is None
    assert list(KINDS) == ["ConvexMap", "LinearMap", "ParametricMap", "ResidualMap"]
    again = map_from_data(2, *AffineMap(SKEW, [1.0, 2.0]).to_data())
    assert (again.matrix == SKEW).all() and (again.shift == [1.0, 2.0]).all()
    with pytest.raises(pf.BadInput, match=r"a 'Shear'\. Known are ConvexMap"):
        map_from_data(2, {"map": "Shear"}, {})


@pytest.mark.parametrize("name", [None, "", Map])
def test_a_kind_needs_a_name(name):
    with pytest.raises(pf.BadInput, match="must be a text"):
        register_map(name)


def test_a_kind_is_registered_once_under_a_free_name():
    kind = register_map("test_maps.Doubling")(Doubling)
    assert kind is Doubling and register_map("test_maps.Doubling")(Doubling) is Doubling
    assert recorded_name(Doubling) == "test_maps.Doubling"
    for name in ("test_maps.Doubling", "LinearMap"):
        with pytest.raises(pf.BadInput, match="is taken"):
            register_map(name)(type("Other", (Doubling,), {}))
    with pytest.raises(pf.BadInput, match=r"must be a class that inherits pdeflow\.laws\.Map"):
        register_map("test_maps.function")(np.tanh)
    with pytest.raises(pf.BadInput, match="has no from_data"):
        map_from_data(2, {"map": "test_maps.Doubling"}, {})


def test_arrays_of_files_are_taken_with_a_check():
    assert not kept_array({"a": np.ones(2)}, "a", 2).flags.writeable
    for arrays, words in (
        ({}, "missing"),
        ({"a": np.ones(3)}, r"shape \(3,\)"),
        ({"a": np.array([1.0, np.nan])}, "nan"),
    ):
        with pytest.raises(pf.BadInput, match=words):
            kept_array(arrays, "a", 2)


def test_the_fingerprint_of_an_affine_map_is_that_of_the_first_edition():
    law = PushForward(Gaussian(0.0, 1.0), [AffineMap([[2.0]], [1.0])])
    assert '{"matrix":[[2.0]],"shift":[1.0],"type":"LinearMap"}' in fingerprint_first.canonical(law)
