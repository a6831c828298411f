"""Every kind of map through the same properties, those of the house and one that a user wrote from public names."""

import functools
import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.neural.variational_jko.forward_step import forward_map

FILES = Path(__file__).resolve().parents[1] / "data" / "first_edition" / "files.zip"
QUESTIONS = ("with_log_det", "invert", "with_score", "to_data")


@pf.laws.register_map("contract.Shear")
class Shear(pf.laws.Map):
    """(x, y) -> (x + bend sin y, y)."""

    def __init__(self, bend):
        self.dim, self.bend = 2, bend

    def __call__(self, x):
        return x + self.bend * np.sin(x[:, 1:]) * [1, 0]

    def with_log_det(self, x):
        return self(x), np.zeros(len(x))

    def invert(self, y):
        return y - self.bend * np.sin(y[:, 1:]) * [1, 0], pf.laws.Certificate(0.0, 0, len(y))

    def to_data(self):
        return {"map": "contract.Shear", "bend": self.bend}, {}

    @classmethod
    def from_data(cls, dim, data, arrays):
        return cls(data["bend"])


KEPT = [  # every kind that files of the first edition hold, by the file: the last map of its law
    "affine_2d",
    "convex_1d",
    "convex_2d",
    "convex_rank_pieces_sharp_2d",
    "convex_signed_2d",
    "coordinatewise_1d",
    "coordinatewise_2d",
    "linear_1d",
    "ode_1d",
    "ode_2d",
    "planar_1d",
    "planar_2d",
    "residual_1d",
    "residual_2d",
    "residual_alone_2d",
    "residual_map_1d",
    "residual_map_2d",
]
MADE = {
    "rotation": lambda: pf.laws.AffineMap([[0.6, -0.8], [0.8, 0.6]]),
    "decreasing": lambda: pf.laws.AffineMap([[-1.5]], [0.25]),
    "forward": lambda: forward_map(
        pf.potentials.DoubleWell(1.0, 2), None, np.random.default_rng(0).standard_normal((50, 2)), 0.05
    ),
    "foreign": lambda: Shear(0.7),
}
every = pytest.mark.parametrize("name", [*KEPT, *MADE])


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """name -> the map, made once."""
    folder = tmp_path_factory.mktemp("flows")
    with zipfile.ZipFile(FILES) as archive:
        archive.extractall(folder)

    @functools.cache
    def make(name):
        return MADE[name]() if name in MADE else pf.reference.load_flow(folder / f"flow_{name}.h5").maps[-1]

    return make


def points_of(move, n=12, seed=5):
    return np.random.default_rng(seed).standard_normal((n, move.dim))


def ask(move, question, x):
    arguments = {"with_log_det": (x,), "invert": (x,), "with_score": (x, x, np.ones(len(x))), "to_data": ()}
    return getattr(move, question)(*arguments[question])


@every
def test_a_map_moves_points_one_by_one_and_leaves_them_alone(name, maps):
    move = maps(name)
    x = points_of(move)
    before = x.copy()
    y = move(x)
    assert isinstance(move, pf.laws.Map) and y.shape == x.shape and y.dtype == x.dtype and (x == before).all()
    np.testing.assert_allclose(np.concatenate([move(x[i : i + 1]) for i in range(len(x))]), y, rtol=1e-12, atol=1e-12)
    assert move.numbers_a_point() >= 1 and move.astype(x.dtype).dim == move.dim


@every
def test_what_a_map_lacks_it_does_not_answer_and_says_why(name, maps):
    move = maps(name)
    for question in QUESTIONS:
        why = move.lacks(question)
        if why is None:
            ask(move, question, points_of(move))
        else:
            with pytest.raises(pf.NotAvailable) as caught:
                ask(move, question, points_of(move))
            assert why in str(caught.value) and type(move).__name__ in str(caught.value)
    assert move.lacks("nothing that maps are asked") is None


@every
def test_the_log_determinant_is_that_of_differences(name, maps):
    move = maps(name)
    if move.lacks("with_log_det") is not None:
        return
    x, step = points_of(move), 1e-6
    y, volume = move.with_log_det(x)
    np.testing.assert_allclose(y, move(x), rtol=1e-13, atol=1e-13)
    columns = [(move(x + step * e) - move(x - step * e)) / (2 * step) for e in np.eye(move.dim)]
    np.testing.assert_allclose(volume, np.linalg.slogdet(np.stack(columns, axis=2))[1], rtol=0, atol=1e-7)
    if move.affine:
        np.testing.assert_allclose(y, x @ move.matrix.T + move.shift, atol=1e-13)


@every
def test_the_certificate_of_an_inversion_holds(name, maps):
    move = maps(name)
    if move.lacks("invert") is not None:
        return
    y = 2 * points_of(move)
    x, certificate = move.invert(y)
    gap = np.linalg.norm(move(x) - y, axis=1)
    # the scale and the centre by which a map measures its residual are of order one here
    assert (gap <= 10 * (certificate.residual + 1e-15) * (1 + np.linalg.norm(y, axis=1))).all()
    assert certificate.residual < 1e-11 and certificate.points == len(y) and certificate.iterations >= 0
    np.testing.assert_allclose(move.invert(move(y))[0], y, rtol=0, atol=1e-7)


@every
def test_scores_are_carried_as_the_density_says(name, maps):
    move = maps(name)
    law = pf.laws.PushForward(pf.laws.Gaussian(np.zeros(move.dim), 1.0), [move])
    if "score" not in law.answers():
        return
    y, step = move(points_of(move)), 1e-5
    slopes = [(law.log_density(y + step * e) - law.log_density(y - step * e)) / (2 * step) for e in np.eye(move.dim)]
    np.testing.assert_allclose(law.score(y), np.stack(slopes, axis=1), rtol=1e-5, atol=1e-5)
    weighted = law.score(y) * np.exp(0.5 * law.log_density(y))[:, None]
    np.testing.assert_allclose(law.score(y, 0.5), weighted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dim", [1, 2])
def test_then_is_the_composition(dim, maps):
    moves = [maps(name) for name in (*KEPT, *MADE) if maps(name).dim == dim]
    for first, second in itertools.product(moves, moves):
        x, chain = points_of(first, 3), first.then(second)
        y = functools.reduce(lambda at, move: move(at), chain, x)
        np.testing.assert_allclose(y, second(first(x)), rtol=1e-12, atol=1e-12)
        assert len(chain) == (1 if first.affine and second.affine else 2)


@every
def test_a_file_keeps_a_map_to_the_bit(name, maps, tmp_path):
    move = maps(name)
    if move.lacks("to_data") is not None:
        return
    law = pf.laws.PushForward(pf.laws.Gaussian(np.zeros(move.dim), 1.0), [move])
    (again,) = pf.reference.load_flow(pf.reference.save_flow(tmp_path / "flow.h5", law)).maps
    x = points_of(move)
    assert type(again) is type(move) and (again(x) == move(x)).all()
    data, arrays = move.to_data()
    data_again, arrays_again = again.to_data()
    assert data_again == data and arrays_again.keys() == arrays.keys()
    assert all(np.array_equal(arrays_again[key], array) for key, array in arrays.items())


@every
def test_the_density_of_a_moved_law_integrates_to_one(name, maps):
    move = maps(name)
    law = pf.laws.PushForward(pf.laws.Gaussian(np.zeros(move.dim), 0.5), [move])
    if "log_density" not in law.answers():
        with pytest.raises(pf.NotAvailable):
            law.log_density(np.zeros((1, move.dim)))
        return
    sample = law.sample(20_000, np.random.default_rng(3))
    center, reach = sample.mean(axis=0), 1.5 * np.abs(sample - sample.mean(axis=0)).max(axis=0)
    count = 4001 if move.dim == 1 else 201
    axes = [np.linspace(c - r, c + r, count) for c, r in zip(center, reach)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, move.dim)
    mass = np.exp(law.log_density(nodes)).sum() * np.prod(2 * reach / (count - 1))  # trapezoids: the ends are empty
    assert mass == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("name", [name for name in KEPT if name.endswith("1d")])
def test_increasing_maps_of_the_line_reach_infinity(name, maps):
    law = pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [maps(name)])
    if "quantile" in law.answers():
        assert law.quantile([0.0, 1.0]).tolist() == [-np.inf, np.inf]
        assert (np.diff(law.quantile(np.linspace(0.01, 0.99, 99))) > 0).all()


def test_what_is_no_map_is_refused_with_what_to_inherit():
    with pytest.raises(pf.BadInput, match=r"must inherit pdeflow\.laws\.Map"):
        pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [np.tanh])
    with pytest.raises(pf.BadInput, match="lives in dimension 2 and the base law in dimension 1"):
        pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [Shear(1.0)])

    class Nowhere(pf.laws.Map):
        def __call__(self, x):
            return x

    with pytest.raises(pf.BadInput, match="Set dim = 1"):
        pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [Nowhere()])
    with pytest.raises(TypeError, match="abstract"):
        type("Empty", (pf.laws.Map,), {"dim": 1})()


def test_a_law_moved_by_a_users_map_is_judged_like_any_other(rng):
    law = pf.laws.PushForward(pf.laws.Gaussian([0.0, 0.0], 1.0), [Shear(0.5)])
    assert pf.metrics.kl(law, pf.laws.Gaussian([0.0, 0.0], 1.0), rng=rng).value > 0
    value = pf.Energy(pf.potentials.Quadratic(np.eye(2)), pf.Entropy()).evaluate(law, rng=rng).value
    assert np.isfinite(value)
