"""ParametricMap: its inverse, what it says of itself, and files."""

import numpy as np
import pytest
from neural.parametric_cases import CASES, drawn

import pdeflow as pf
from pdeflow.neural import Affine, Convex, Coordinatewise, DeepResidual, NeuralODE, Planar
from pdeflow.neural.maps.parametric import ParametricMap, build

every = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every
def test_inverse(case):
    family, theta, z = drawn(*case, size=0.05, n=200)
    if isinstance(family.kind, NeuralODE):
        with pytest.raises(pf.NotAvailable, match="not certified"):
            ParametricMap(family, theta.numpy()).invert(z.numpy())
        return
    move = ParametricMap(family, theta.numpy())
    x, certificate = move.invert(move(z.numpy()))
    np.testing.assert_allclose(x, z, atol=1e-10)
    assert certificate.points == 200 and certificate.residual < 1e-13


@every
def test_kept_as_arrays_and_read_back(case):
    family, theta, z = drawn(*case)
    law = pf.laws.PushForward(pf.laws.Gaussian(np.zeros(family.dim), 1.0), [ParametricMap(family, theta.numpy())])
    again = pf.laws.PushForward.from_data(*law.to_data())
    np.testing.assert_array_equal(again.push(z.numpy()), law.push(z.numpy()))
    facts, arrays = law.to_data()
    for broken in ({"kind": "spiral"}, {"depth": 3}):
        with pytest.raises(pf.BadInput, match="architecture"):
            pf.laws.PushForward.from_data({**facts, "maps": [{**facts["maps"][0], **broken}]}, arrays)
    with pytest.raises(pf.BadInput, match="theta"):
        pf.laws.PushForward.from_data(facts, {**arrays, "map0000.theta": np.zeros(2)})


@every
def test_the_words_of_the_first_edition_name_the_kind_in_files(case):
    family, theta, _ = drawn(*case)
    data, arrays = ParametricMap(family, theta.numpy()).to_data()
    settings = {key: value for key, value in data.items() if key not in ("map", "kind")}
    assert data["map"] == "ParametricMap" and set(settings) <= {"layers", "width", "affine"}
    assert ParametricMap.from_data(family.dim, data, arrays).family.kind == family.kind
    with pytest.raises(pf.BadInput, match="architecture"):
        ParametricMap.from_data(family.dim, {**data, "steps": 3}, arrays)
    with pytest.raises(pf.BadInput, match="not those of this map"):
        ParametricMap.from_data(family.dim, data, {**arrays, "spare": np.ones(3)})


def test_an_affine_map_knows_its_matrix_and_shift():
    family, theta, z = drawn(Affine(), 3)
    move, x = ParametricMap(family, theta.numpy()), z.numpy()
    assert move.affine
    np.testing.assert_allclose(move(x), x @ move.matrix.T + move.shift, rtol=1e-12, atol=1e-12)
    for kind in (Planar(2), Coordinatewise(4)):
        family, theta, _ = drawn(kind, 2)
        assert not ParametricMap(family, theta.numpy()).affine


def test_on_the_line_only_maps_that_are_known_to_increase_say_so():
    for kind, wanted in ((Affine(), True), (Planar(2), True), (Coordinatewise(4), True), (NeuralODE(1, 2), False)):
        family, theta, _ = drawn(kind, 1, size=0.01)
        assert ParametricMap(family, theta.numpy()).increasing is wanted
    family, theta, _ = drawn(Planar(2), 2)
    assert not ParametricMap(family, theta.numpy()).increasing
    turned = build(Affine(), np.zeros(1), np.eye(1))
    assert not ParametricMap(turned, np.array([0.0, -1.0])).increasing


@pytest.mark.parametrize("kind", ["planar", Convex(), DeepResidual(), None])
def test_what_is_no_parametric_kind_is_refused(kind):
    with pytest.raises(pf.BadInput, match=r"map is .*Planar\(\.\.\.\)"):
        build(kind, np.zeros(1), np.eye(1))


def test_the_score_is_carried_as_differences_of_the_density_say(rng):
    family, theta, z = drawn(Planar(3), 2)
    base = pf.laws.Gaussian(family.center.numpy(), family.root.numpy() @ family.root.numpy().T)
    move, x, step = ParametricMap(family, theta.numpy()), z.numpy(), 1e-5
    law = pf.laws.PushForward(base, [move])
    start = -np.linalg.solve(base.cov(), (x - base.mean()).T).T
    y, volume, score = move.with_score(x, start, np.ones(len(x)))
    np.testing.assert_array_equal(y, move(x))
    np.testing.assert_allclose(volume, move.with_log_det(x)[1], atol=1e-14)
    wanted = np.stack(
        [(law.log_density(y + step * e) - law.log_density(y - step * e)) / (2 * step) for e in np.eye(2)], axis=1
    )
    np.testing.assert_allclose(score, wanted, rtol=1e-5, atol=1e-5)
