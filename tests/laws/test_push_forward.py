"""PushForward: densities, inversion with its certificate, paths, and keeping it."""

import numpy as np
import pytest
from neural.random_maps import random_map
from scipy.special import ndtr

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
    # as far from the identity as JKO steps are: no error is below the condition of the composite times round-off
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
        "sample": lambda: moved.sample(3, rng),
        "log_density": lambda: moved.log_density(np.zeros((3, dim))),
        "score": lambda: moved.score(np.zeros((3, dim))),
        "mean": moved.mean,
        "cov": moved.cov,
        "quantile": lambda: moved.quantile([0.3]),
        "cdf": lambda: moved.cdf([0.3]),
        "entropy": moved.entropy,
        "power_integral": lambda: moved.power_integral(2.0),
    }
    for question, ask in asked.items():
        if question in moved.answers():
            ask()
        else:
            with pytest.raises(pf.NotAvailable):
                ask()


TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
SKEW = np.array([[2.0, 0.5], [-1.0, 0.25]])


def rotated(law):
    return pf.laws.PushForward(law, [pf.laws.AffineMap(TURN)])


def test_a_rotated_law_answers_what_the_law_answers(rng):
    base = pf.laws.Barenblatt(2, 2.0, 0.1, center=[1.0, 0.0])
    law = rotated(base)
    assert law.answers() == base.answers()
    x = base.sample(50, rng)
    np.testing.assert_allclose(law.log_density(x @ TURN.T), base.log_density(x), atol=1e-12)
    np.testing.assert_allclose(law.score(x @ TURN.T), base.score(x) @ TURN.T, atol=1e-9)
    np.testing.assert_allclose(law.mean(), TURN @ base.mean(), atol=1e-15)
    np.testing.assert_allclose(law.cov(), TURN @ base.cov() @ TURN.T, atol=1e-15)
    assert law.power_integral(2.0) == pytest.approx(base.power_integral(2.0), rel=1e-13)
    assert law.has_density() is True and law.support() is None and law.finite_dissipation(1.0) is True


class ToLevels(pf.laws.Map):
    """x -> Φ(x), which makes the uniform law of the standard Gaussian."""

    dim, increasing = 1, True

    def __call__(self, x):
        return ndtr(x)

    def with_log_det(self, x):
        return ndtr(x), -(x[:, 0] ** 2) / 2 - np.log(2 * np.pi) / 2

    def with_score(self, x, start, weight):
        y, volume = self.with_log_det(x)
        return y, volume, (start + weight[:, None] * x) * np.exp(-volume)[:, None]


def test_the_dissipation_of_a_base_law_says_nothing_behind_a_map_that_bends():
    base = pf.laws.Gaussian(0.0, 1.0)
    bent = pf.laws.PushForward(base, [ToLevels()])
    _, log_density = bent.sample_with_log_density(100, np.random.default_rng(0))
    np.testing.assert_allclose(log_density, 0, atol=1e-14)  # it is Uniform(0, 1), whose dissipation is infinite
    assert pf.laws.Uniform(0.0, 1.0).finite_dissipation() is False and base.finite_dissipation() is True
    assert bent.finite_dissipation() is None


def test_entropy_and_power_integral_follow_the_volume():
    law = pf.laws.PushForward(pf.laws.Uniform([0, 0], [1, 2]), [pf.laws.AffineMap(3 * SKEW)] * 2)
    assert law.entropy() == pytest.approx(np.log(2) + 2 * np.log(9 * np.linalg.det(SKEW)), rel=1e-14)
    law = pf.laws.PushForward(pf.laws.Uniform(0.0, 1.0), [pf.laws.AffineMap([[4.0]])])
    assert law.entropy() == pytest.approx(np.log(4)) and law.power_integral(3.0) == pytest.approx(1 / 16)
    with pytest.raises(pf.NotAvailable, match="affine maps only"):
        pf.laws.PushForward(pf.laws.Gaussian([0.0, 0.0], 1.0), [random_map(2)]).entropy()


def test_affine_maps_of_gaussians_are_gaussian():
    base = pf.laws.Gaussian([1.0, -1.0], [[1.0, 0.2], [0.2, 0.5]])
    law = pf.laws.PushForward(base, [pf.laws.AffineMap(SKEW, [0.0, 1.0]), pf.laws.AffineMap(TURN)])
    single = law.as_gaussian()
    np.testing.assert_allclose(single.mean(), law.mean(), atol=1e-14)
    np.testing.assert_allclose(single.cov(), law.cov(), atol=1e-14)
    mixture = pf.laws.GaussianMixture([0.3, 0.7], [[0.0, 0.0], [2.0, 1.0]], 0.5)
    weights, parts = rotated(mixture).gaussian_components()
    assert rotated(mixture).as_gaussian() is None and weights.tolist() == [0.3, 0.7]
    np.testing.assert_allclose(parts[1].mean(), TURN @ [2.0, 1.0], atol=1e-15)
    bent = pf.laws.PushForward(base, [random_map(2)])
    assert bent.as_gaussian() is None and bent.gaussian_components() is None and bent.scale_family() is None


def test_the_push_forward_of_a_cloud_is_a_cloud(rng):
    cloud = pf.laws.Particles(rng.standard_normal((5, 2)), [0.1, 0.2, 0.3, 0.4, 0.0])
    move = random_map(2)
    law, moved = pf.laws.PushForward(cloud, [move]), cloud.pushed(move)
    points, weights = law.atoms()
    assert isinstance(moved, pf.laws.Particles) and (points == moved.x).all() and (weights == moved.weights).all()
    assert law.has_density() is False
    assert law.mean_of(lambda x: x[:, 0]).value == pytest.approx(moved.mean()[0], rel=1e-14)


def test_boxes_stretches_blocks_and_lines_of_affine_maps(rng):
    base = pf.laws.Product([pf.laws.Uniform(-1.0, 1.0), pf.laws.Gaussian(0.0, 2.0)])
    law = pf.laws.PushForward(base, [pf.laws.AffineMap(np.diag([2.0, -1.0]), [1.0, 0.0])])
    low, high = law.support()
    assert low.tolist() == [-1.0, -np.inf] and high.tolist() == [3.0, np.inf]
    first, second = law.blocks([1, 1])
    assert first.quantile(np.array([0.0, 1.0])).tolist() == [-1.0, 3.0] and second.as_gaussian().cov() == 2.0
    assert rotated(base).blocks([1, 1]) is None
    ball = pf.laws.Barenblatt(2, 2.0, 0.1)
    family, center, spread = pf.laws.PushForward(ball, [pf.laws.AffineMap(3 * np.eye(2), [1.0, 0.0])]).scale_family()
    mine = ball.scale_family()
    assert family == mine[0] and center.tolist() == [1.0, 0.0] and spread == pytest.approx(3 * mine[2])
    direction = np.array([0.6, 0.8])
    line = pf.laws.PushForward(
        pf.laws.Gaussian([1.0, 2.0], [[1.0, 0.3], [0.3, 2.0]]), [pf.laws.AffineMap(SKEW, [1.0, 1.0])]
    )
    shadow = line.projected(direction)
    assert shadow.mean()[0] == pytest.approx(direction @ line.mean(), rel=1e-13)
    assert shadow.cov()[0, 0] == pytest.approx(direction @ line.cov() @ direction, rel=1e-13)


def test_one_more_map_is_appended_and_neighbours_compose(rng):
    base, x = pf.laws.Uniform([0.0, 0.0], [1.0, 1.0]), rng.standard_normal((4, 2))
    maps = [pf.laws.AffineMap(SKEW), pf.laws.AffineMap(TURN, [1.0, 0.0]), random_map(2), pf.laws.AffineMap(TURN)]
    law = pf.laws.PushForward(base)
    for move in maps:
        law = law.pushed(move)
    assert law.maps == tuple(maps) and law.base is base
    whole = law.composed()
    assert len(whole.maps) == 3 and whole.maps[1] is maps[2]
    np.testing.assert_allclose(whole.push(x), law.push(x), rtol=1e-13, atol=1e-13)


def test_a_decreasing_affine_map_of_the_line_has_moments_and_no_quantiles():
    law = pf.laws.PushForward(pf.laws.Uniform(0.0, 1.0), [pf.laws.AffineMap([[-2.0]], [1.0])])
    assert law.mean() == pytest.approx([0.0]) and "quantile" not in law.answers()
    low, high = law.support()
    assert low == -1.0 and high == 1.0


class Exponential(pf.laws.Map):
    """A user's map of the line onto a half-line."""

    dim, increasing = 1, True

    def __call__(self, x):
        return np.exp(x)

    def with_log_det(self, x):
        return np.exp(x), x[:, 0]

    def invert(self, y):
        return np.log(y), pf.laws.Certificate(0.0, 0, len(y))


def test_a_map_that_does_not_reach_infinity_ends_where_it_ends():
    law = pf.laws.PushForward(pf.laws.Gaussian(0.0, 0.25), [Exponential()])
    assert law.quantile([0.0, 0.5, 1.0]).tolist() == [0.0, 1.0, np.inf]
    low, high = law.support()
    assert low == 0.0 and high == np.inf
    assert law.mean()[0] == pytest.approx(np.exp(0.125), rel=1e-9)
    assert law.cdf(np.array([1.0])) == pytest.approx([0.5])
    wide = pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [random_map(1)])
    assert wide.quantile([0.0, 1.0]).tolist() == [-np.inf, np.inf]


def test_a_single_map_must_be_in_a_sequence():
    with pytest.raises(pf.BadInput, match=r"maps is the single map AffineMap.* It must be a sequence"):
        pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), pf.laws.AffineMap(np.eye(1), np.zeros(1)))
