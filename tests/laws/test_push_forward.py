"""PushForward: densities, inversion with its certificate, paths, and keeping it."""

import numpy as np
import pytest
from neural.random_maps import random_map

import pdeflow as pf


def law(dim, maps=4, **shape):
    moves = [random_map(dim, seed=s, strength=0.3, **shape) for s in range(maps)]
    return pf.laws.PushForward(pf.laws.Gaussian(np.zeros(dim), 1.0), moves)


@pytest.mark.parametrize("dim, depth, rank, pieces", [(1, 1, 0, 1), (3, 1, 0, 1), (3, 2, 1, 1), (3, 1, 0, 4)])
def test_density_by_inversion_agrees_with_the_density_carried_on_the_way(dim, depth, rank, pieces, rng):
    moved = law(dim, depth=depth, rank=rank, pieces=pieces)
    x, carried = moved.sample_with_log_density(200, rng)
    # round-off of the inverse, about 1e-13, times the slope of the density (seen: 3e-12)
    np.testing.assert_allclose(moved.log_density(x), carried, rtol=0, atol=1e-10)
    if dim == 1:
        u = np.array([0.01, 0.3, 0.5, 0.9])
        np.testing.assert_allclose(moved.cdf(moved.quantile(u)), u, atol=1e-12)
    else:
        with pytest.raises(pf.NotAvailable, match="dim 3"):
            moved.mean()


def test_the_density_carried_on_the_way_integrates_to_one():
    moved = law(2, maps=2)
    side = np.linspace(-40, 40, 401)  # the mass outside is below 1e-6, the rule of midpoints far better
    x = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    assert np.exp(moved.log_density(x)).sum() * 0.2**2 == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("dtype, bar", [(np.float32, 1e-5), (np.float64, 1e-11)])
def test_round_trip_through_20_maps(dtype, bar, rng):
    # as far from the identity as JKO steps are: the condition of the composite, times round-off, is the least possible error
    moves = [random_map(4, width=16, depth=1 + s % 2, rank=s % 3, seed=s, strength=0.01, skew=0.05) for s in range(20)]
    moved = pf.laws.PushForward(pf.laws.Gaussian(np.zeros(4), 1.0), [move.astype(dtype) for move in moves])
    x = rng.standard_normal((500, 4)).astype(dtype)
    path = moved.path(x)
    back, certificate = moved.path_back(path[-1])
    assert path.shape == back.shape == (21, 500, 4) and back.dtype == dtype
    size = np.linalg.norm(x, axis=1).max()
    assert np.linalg.norm(back[0] - x, axis=1).max() / size < bar
    np.testing.assert_allclose(moved.pull(path[-1])[0], back[0])
    assert certificate.points == 500 and 0 < certificate.residual < 64 * np.finfo(dtype).eps
    assert 1 <= certificate.iterations < 30


def test_an_inversion_that_fails_is_an_error_not_the_last_iterate():
    with pytest.raises(pf.NotConverged, match="at 3 of 3 points: residual") as caught:
        random_map(2).invert(np.full((3, 2), 500.0), most=0)
    assert caught.value.points == 3 and caught.value.residual > 0.01


def test_a_law_survives_its_data_and_damaged_data_are_named(rng):
    moved = law(3, depth=2, rank=1, pieces=3, sharpness=4.0)
    architecture, arrays = moved.to_data()
    again = pf.laws.PushForward.from_data(architecture, arrays)
    x = rng.standard_normal((5, 3))
    assert (again.push(x) == moved.push(x)).all() and (again.log_density(x) == moved.log_density(x)).all()
    for name, wrong, words in [
        ("map0001.root", np.eye(2), r"'root' is of shape \(2, 2\)"),
        ("map0001.layer1.mixing", -arrays["map0001.layer1.mixing"], "not convex"),
        ("map0002.shift", np.full(3, np.nan), "nan"),
        ("map0003.layer0.sharpness", np.zeros(7), "must be positive"),
    ]:
        with pytest.raises(pf.BadInput, match=words):
            pf.laws.PushForward.from_data(architecture, {**arrays, name: wrong})
    with pytest.raises(pf.BadInput, match="missing"):
        pf.laws.PushForward.from_data(architecture, {})
    with pytest.raises(pf.BadInput, match="'maps'"):
        pf.laws.PushForward.from_data({"base": architecture["base"]}, arrays)


def test_a_file_of_before_there_were_pieces_still_opens(rng):
    moved = law(3)
    architecture, arrays = moved.to_data()
    for shape in architecture["maps"]:
        assert shape.pop("pieces") == 1
    assert not any("sharpness" in name for name in arrays)
    x = rng.standard_normal((5, 3))
    assert (pf.laws.PushForward.from_data(architecture, arrays).push(x) == moved.push(x)).all()


class Fold(pf.laws.Map):
    """A user's map that has neither volume nor inverse, and says why it has no density."""

    def __init__(self, dim):
        self.dim = dim

    def __call__(self, x):
        return np.abs(x)

    def lacks(self, question):
        return "It folds the plane." if question == "with_log_det" else super().lacks(question)


def test_a_law_answers_what_its_maps_answer(rng):
    base = pf.laws.Gaussian(np.zeros(2), 1.0)
    moved = pf.laws.PushForward(base, [random_map(2), Fold(2)])
    assert (moved.sample(10, rng) >= 0).all()
    for question in (lambda: moved.sample_with_log_density(3, rng), lambda: moved.log_density(np.ones((3, 2)))):
        with pytest.raises(pf.NotAvailable, match=r"Fold\. It folds the plane"):
            question()
    with pytest.raises(pf.NotAvailable, match=r"Fold\. It has no invert"):
        moved.pull(np.ones((3, 2)))
    with pytest.raises(pf.NotAvailable, match="need not increase"):
        pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [Fold(1)]).quantile(0.3)
    with pytest.raises(pf.NotAvailable, match="Only ConvexMap"):
        moved.to_data()
    with pytest.raises(pf.BadInput, match=r"a 'Shear'\. Known are ConvexMap"):
        pf.laws.PushForward.from_data({"base": base.spec(), "maps": [{"map": "Shear"}]}, {})


@pytest.mark.parametrize(
    "kind",
    [pf.neural.Planar(2), pf.neural.Residual(2), pf.neural.NeuralODE(2), pf.neural.Coordinatewise()],
    ids=lambda kind: type(kind).__name__,
)
@pytest.mark.parametrize("dim", [1, 2])
def test_a_law_claims_exactly_what_it_answers(kind, dim, rng):
    method = pf.neural.PWGF(map=kind, samples=200)
    moved = pf.solve(
        pf.problems.ou(dim=dim, initial=pf.laws.Gaussian(np.full(dim, 2.0), 0.25)), method, dt=0.1, times=[0.1]
    ).final
    asked = {
        "sample": lambda: moved.sample(3, rng), "log_density": lambda: moved.log_density(np.zeros((3, dim))), "mean": moved.mean,
        "cov": moved.cov, "quantile": lambda: moved.quantile([0.3]), "cdf": lambda: moved.cdf([0.3]),
    }  # fmt: skip
    for question, ask in asked.items():
        if question in moved.answers():
            ask()
        else:
            with pytest.raises(pf.NotAvailable):
                ask()
