"""A law that a user wrote, from public names only, goes through everything that a built-in one goes through.

What needs a question that the law does not answer says which one.
"""

from types import MappingProxyType

import numpy as np
import pytest

import pdeflow as pf


class Laplace(pf.laws.Law):
    """Independent Laplace coordinates with the density exp(-|x|/scale)/(2 scale)."""

    def __init__(self, scale, dim=1):
        self.scale, self.dim = scale, dim

    def sample(self, n, rng):
        return rng.laplace(scale=self.scale, size=(n, self.dim))

    def log_density(self, x):
        _, d = x.shape  # written to the contract: a vector of points is an error
        assert d == self.dim
        return -np.abs(x).sum(axis=1) / self.scale - d * np.log(2 * self.scale)

    def mean(self):
        return np.zeros(self.dim)

    def cov(self):
        return 2 * self.scale**2 * np.eye(self.dim)


class LaplaceLine(Laplace):
    """The same on the line, with what the errors below ask for."""

    def quantile(self, u):
        return np.sign(u - 0.5) * -self.scale * np.log1p(-2 * np.abs(u - 0.5) * (1 - 1e-16))

    def cdf(self, x):
        return np.where(x < 0, 0.5 * np.exp(-np.abs(x) / self.scale), 1 - 0.5 * np.exp(-np.abs(x) / self.scale))

    def score(self, x, power=0.0):
        return -np.sign(x) / self.scale * np.exp(power * self.log_density(x))[:, None]


LINE, FULL, PLANE = Laplace(0.7), LaplaceLine(0.7), Laplace(0.7, dim=2)
EDGES = np.linspace(-4.0, 4.0, 41)
CELLS = np.full(40, 1 / 40)
OTHERS = MappingProxyType(
    {
        1: {
            "gaussian": pf.laws.Gaussian(0.0, 1.0),
            "of its kind": Laplace(0.9),
            "grid": pf.laws.GridLaw(EDGES, CELLS),
            "product": pf.laws.Product([pf.laws.Uniform(-1.0, 2.0)]),
        },
        2: {
            "gaussian": pf.laws.Gaussian([0.0, 0.0], [[1.0, 0.3], [0.3, 0.5]]),
            "of its kind": Laplace(0.9, dim=2),
            "grid": pf.laws.GridLaw((EDGES, EDGES), np.outer(CELLS, CELLS)),
            "product": pf.laws.Product([pf.laws.Gaussian(0.0, 1.0)] * 2),
        },
    }
)
DENSITY = ("kl", "sym_kl", "l1", "l2")
MOMENTS = ("bures", "mean_error", "cov_error")
TRANSPORT = ("w2", "sliced_w2")
every_other = pytest.mark.parametrize("other", OTHERS[1])


@every_other
@pytest.mark.parametrize("metric", DENSITY + MOMENTS)
@pytest.mark.parametrize("law", [LINE, FULL, PLANE], ids=["line", "line, full", "plane"])
def test_metrics_of_densities_and_moments(law, metric, other):
    truth, compare = OTHERS[law.dim][other], getattr(pf.metrics, metric)
    for pair in ((law, truth), (truth, law)):
        estimate = compare(*pair, rng=np.random.default_rng(3), n=2000)
        assert estimate.value >= 0 and (np.isfinite(estimate.value) or "empty" in estimate.how)
        if metric in MOMENTS or other == "grid":
            assert compare(*pair) == compare(*pair, rng=np.random.default_rng(4))  # without draws


@every_other
def test_transport(other):
    for metric in TRANSPORT:
        compare = getattr(pf.metrics, metric)
        with pytest.raises(pf.NotAvailable, match="quantile"):
            compare(LINE, OTHERS[1][other], rng=np.random.default_rng(3))
        if other != "of its kind":
            assert "draws" not in compare(FULL, OTHERS[1][other]).how
        plane = compare(PLANE, OTHERS[2][other], rng=np.random.default_rng(3), n=400)
        assert plane.value > 0 and "draws of Laplace" in plane.how


def test_metrics_without_draws_name_what_quadrature_needs():
    for metric in DENSITY:
        with pytest.raises(pf.NotAvailable, match=r"rng=.*'quantile' of Laplace"):
            getattr(pf.metrics, metric)(LINE, OTHERS[1]["gaussian"])
        with pytest.raises(pf.NotAvailable, match="rng="):
            getattr(pf.metrics, metric)(PLANE, OTHERS[2]["gaussian"])


def test_the_full_law_on_the_line_is_compared_without_draws():
    gaussian, narrow = OTHERS[1]["gaussian"], LaplaceLine(0.5)
    assert pf.metrics.w2(FULL, narrow).value == pytest.approx(0.2 * np.sqrt(2), rel=1e-9)
    assert pf.metrics.kl(narrow, FULL).value == pytest.approx(np.log(0.7 / 0.5) + 0.5 / 0.7 - 1, rel=1e-8)
    for metric in DENSITY:
        drawn = getattr(pf.metrics, metric)(LINE, gaussian, rng=np.random.default_rng(5))
        assert abs(getattr(pf.metrics, metric)(FULL, gaussian).value - drawn.value) <= 5 * drawn.stderr
    crossing = np.log(0.7 / 0.5) / (1 / 0.5 - 1 / 0.7)  # where the two densities are equal
    l1 = 2 * (np.exp(-crossing / 0.7) - np.exp(-crossing / 0.5))
    assert pf.metrics.l1(FULL, narrow).value == pytest.approx(l1, rel=1e-6)


def quartic(x):
    return (x**4).sum(-1)


ENERGIES = {  # energy -> its value at (LINE, PLANE)
    "bowl": (lambda d: pf.Energy(pf.potentials.Quadratic(np.eye(d))), lambda d: 0.49 * d),
    "well": (lambda d: pf.Energy(pf.potentials.FromFunction(quartic, dim=d)), lambda d: 24 * 0.7**4 * d),
    "entropy": (lambda d: pf.Energy(internal=pf.Entropy()), lambda d: -d * (1 + np.log(1.4))),
    "power": (lambda d: pf.Energy(internal=pf.Power(2.0)), lambda d: (1 / 2.8) ** d),
    "attraction": (lambda d: pf.Energy(interaction=pf.interactions.QuadraticAttraction()), lambda d: 0.49 * 2 * d / 2),
}  # fmt: skip


@pytest.mark.parametrize("energy, value", ENERGIES.values(), ids=ENERGIES)
@pytest.mark.parametrize("law", [LINE, FULL, PLANE], ids=["line", "line, full", "plane"])
def test_energies(law, energy, value):
    energy = energy(law.dim)
    estimate = energy.evaluate(law, rng=np.random.default_rng(6))
    assert abs(estimate.value - value(law.dim)) <= 5 * estimate.stderr + 1e-7
    if estimate.stderr > 0:
        with pytest.raises(pf.NotAvailable, match="rng=.*quantile" if law.dim == 1 else "rng="):
            energy.evaluate(law)
    else:
        assert energy.evaluate(law) == estimate


def test_a_law_without_density_is_told_which_question_is_missing():
    class Sampled(pf.laws.Law):
        dim = 1

        def sample(self, n, rng):
            return rng.normal(size=(n, 1))

    law, rng = Sampled(), np.random.default_rng(0)
    for metric in DENSITY:
        with pytest.raises(pf.NotAvailable, match="log_density"):
            getattr(pf.metrics, metric)(law, OTHERS[1]["gaussian"], rng=rng)
    for metric in MOMENTS:
        assert "Monte Carlo" in getattr(pf.metrics, metric)(law, OTHERS[1]["gaussian"], rng=rng, n=500).how
    with pytest.raises(pf.NotAvailable, match="log_density"):
        pf.Energy(internal=pf.Entropy()).evaluate(law, rng=rng)
    with pytest.raises(pf.NotAvailable, match="cell masses"):
        pf.metrics.l1(law, OTHERS[1]["grid"], rng=rng)


def methods():
    neural = pytest.importorskip("pdeflow.neural")
    training = neural.Training(pool=64)
    return {
        "ChangCooper": pf.grid.ChangCooper(cells=60, lower=-6.0, upper=6.0),
        "CvxoptJKO": pf.grid.CvxoptJKO(cells=40, lower=-5.0, upper=5.0),
        "QuantileJKO": pf.grid.QuantileJKO(points=40),
        "EulerMaruyama": pf.particle.EulerMaruyama(particles=300),
        "ICNNJKO": neural.ICNNJKO(width=4, iterations=3, batch=32, training=training),
        "VariationalJKO": neural.VariationalJKO(outer=3, batch=32, training=training),
        "PWGF": neural.PWGF(map=neural.Affine(), samples=64),
    }


MISSING = {"ChangCooper": "cdf", "CvxoptJKO": "cdf", "QuantileJKO": "quantile", "PWGF": "score"}
ON_THE_LINE = ("CvxoptJKO", "QuantileJKO")


@pytest.mark.parametrize("name", [*MISSING, "EulerMaruyama", "ICNNJKO", "VariationalJKO"])
@pytest.mark.parametrize("law", [LINE, FULL, PLANE], ids=["line", "line, full", "plane"])
def test_methods_start_from_it_or_name_what_is_missing(law, name):
    method = methods()[name]
    problem = pf.Problem(pf.Energy(pf.potentials.Quadratic(np.eye(law.dim)), pf.Entropy(0.5)), law, 0.2)
    if law is PLANE and name in ON_THE_LINE:
        with pytest.raises(pf.Unsupported, match="dim 2"):
            pf.solve(problem, method, dt=0.1, times=[0.1])
    elif law is not FULL and name in MISSING and not (law is PLANE and name == "ChangCooper"):  # which takes densities
        with pytest.raises(pf.PdeflowError, match=MISSING[name]):
            pf.solve(problem, method, dt=0.1, times=[0.1])
    else:
        final = pf.solve(problem, method, dt=0.1, times=[0.1]).final
        assert final.dim == law.dim and np.all(np.isfinite(final.sample(5, np.random.default_rng(0))))


@pytest.mark.parametrize("law", [LINE, FULL, PLANE], ids=["line", "line, full", "plane"])
def test_a_file_holds_it_as_masses_or_samples_and_says_so(law, tmp_path):
    problem = pf.Problem(pf.Energy(pf.potentials.Quadratic(np.eye(law.dim)), pf.Entropy(0.5)), law, 0.2)
    trajectory = pf.Trajectory(np.array([0.0]), (law,))
    error = pf.Estimate(0.0, 0.0, "by hand", "w2")
    path = pf.reference.save(tmp_path / "mine.h5", problem, trajectory, error=error)
    stored = pf.reference.load(path)
    assert type(law).__name__ in stored.provenance["law_note"]
    kept = stored.trajectory.at(0.0)
    if law.dim == 1:
        assert pf.metrics.l1(law, kept).value < 1e-3
    else:
        assert np.linalg.norm(kept.cov() - law.cov()) < 0.2
    assert pf.reference.check(path) == []
