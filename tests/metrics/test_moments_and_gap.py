"""Moment errors, the energy gap, bad input of every metric, and what the folder imports."""

import subprocess
import sys

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import fingerprint, metrics
from pdeflow.laws import Gaussian, GridLaw, Law, Particles, Product, Semicircle

NAMES = ["w2", "sliced_w2", "bures", "kl", "sym_kl", "l1", "l2", "mean_error", "cov_error"]
ENERGY = pf.Energy(potential=pf.potentials.Quadratic(np.eye(1), np.zeros(1)), internal=pf.Entropy(1.0))
ALL = {**{name: getattr(metrics, name) for name in NAMES}, "energy_gap": metrics.energy_gap(ENERGY)}


def test_moment_errors_are_euclidean_and_frobenius():
    a, b = Gaussian([0, 0], [[2, 0.5], [0.5, 1]]), Gaussian([3, 4], [[1, 0], [0, 1]])
    assert metrics.mean_error(a, b).value == 5.0
    assert metrics.cov_error(a, b).value == pytest.approx(np.sqrt(1 + 2 * 0.25), rel=1e-15)
    assert metrics.mean_error(a, b).stderr == metrics.cov_error(a, b).stderr == 0.0


@pytest.mark.parametrize("moment", ["mean_error", "cov_error"])
def test_sampling_error_of_a_cloud(moment):
    """Root mean square over 300 clouds equals the stated standard error: known to 4 % there, 4 of these allowed."""
    law, rng = Gaussian([0, 1], [[2, 0.5], [0.5, 1]]), np.random.default_rng(0)
    estimates = [getattr(metrics, moment)(Particles(law.sample(400, rng)), law) for _ in range(300)]
    truth = np.sqrt(np.mean([e.value**2 for e in estimates]))
    assert np.mean([e.stderr for e in estimates]) == pytest.approx(truth, rel=0.16)
    assert "400 independent draws" in estimates[0].how
    repeated = Particles(np.repeat(law.sample(10, rng), 2, axis=0), np.tile([0.1, 0.0], 10))
    single = Particles(repeated.x[::2])
    assert getattr(metrics, moment)(repeated, law).stderr == pytest.approx(
        getattr(metrics, moment)(single, law).stderr, rel=1e-12
    )


def test_sampling_errors_by_hand():
    # y = ±1: E y⁴ = 1 = Σ², so the variance is known without error; y in {-1, 3} at 3/4, 1/4: E y⁴ = 21, Σ = 3
    even, skew = Particles([-1.0, 1, -1, 1]), Particles([-1.0, -1, -1, 3])
    assert metrics.cov_error(even, Gaussian(0, 1)).stderr == 0
    assert metrics.cov_error(skew, Gaussian(0, 1)).stderr == pytest.approx(np.sqrt((21 - 9) / 4), rel=1e-14)
    assert metrics.mean_error(skew, Gaussian(0, 1)).stderr == pytest.approx(np.sqrt(3 / 4), rel=1e-14)
    # two clouds: both errors count
    for pair in ((even, skew), (skew, even)):
        assert metrics.mean_error(*pair).stderr == pytest.approx(np.sqrt(1 / 4 + 3 / 4), rel=1e-14)
        assert metrics.cov_error(*pair).stderr == pytest.approx(np.sqrt(0 + 12 / 4), rel=1e-14)


def test_floors_of_euclidean_distances_add_in_squares():
    squares = {name for name in NAMES if getattr(ALL[name], "floor_adds", "sum") == "squares"}
    assert squares == {"w2", "sliced_w2", "bures", "l2", "mean_error", "cov_error"}
    assert getattr(ALL["energy_gap"], "floor_adds", "sum") == "sum"


class OnlyDraws(Law):
    dim = 2

    def sample(self, n, rng):
        return rng.standard_normal((n, 2))


def test_laws_without_moments_are_sampled_only_with_leave(rng):
    for name in ("mean_error", "cov_error", "bures"):
        with pytest.raises(pf.NotAvailable, match="rng"):
            ALL[name](OnlyDraws(), Gaussian([0, 0], 1.0))
        estimate = ALL[name](OnlyDraws(), Gaussian([1, 0], 1.0), rng=rng, n=10_000)
        assert "Monte Carlo, n = 10000" in estimate.how
        # truth 1, 0 and 1; the sampling error is 0.01 to 0.02
        assert estimate.value == pytest.approx(0.0 if name == "cov_error" else 1.0, abs=0.08)


def test_energy_gap_is_the_absolute_difference():
    # F(N(m, s²)) = (m² + s²)/2 - ½ log(2πe s²)
    gap = metrics.energy_gap(ENERGY)
    expected = (4 + 1) / 2 - (1 + 9) / 2 + np.log(3)
    a, b = Gaussian(2, 1), Gaussian(1, 9)
    assert expected < 0
    assert gap(a, b).value == gap(b, a).value == pytest.approx(-expected, rel=1e-12)
    assert gap(a, b).metric == "energy_gap" and gap(a, b).stderr == 0.0


def test_energy_gap_combines_standard_errors(rng):
    energy = pf.Energy(potential=pf.potentials.FromFunction(lambda x: (x**4).sum(axis=1), dim=2))
    a, b = Gaussian([0, 0], 1.0), Gaussian([1, 0], 1.0)
    estimate = metrics.energy_gap(energy)(a, b, rng=rng, n=20_000)
    # E (1+z)⁴ - E z⁴ = 6 + 1
    assert abs(estimate.value - 7) < 4 * estimate.stderr and "Monte Carlo, n = 20000" in estimate.how
    one_by_one = np.random.default_rng(3)
    parts = [energy.evaluate(law, rng=one_by_one, n=500).stderr for law in (a, b)]
    both = metrics.energy_gap(energy)(a, b, rng=np.random.default_rng(3), n=500)
    assert min(parts) > 0 and both.stderr == pytest.approx(np.hypot(*parts), rel=1e-14)
    with pytest.raises(pf.NotAvailable, match="rng"):
        metrics.energy_gap(energy)(a, b)


def test_energy_gap_hashes_by_its_energy():
    same = [metrics.energy_gap(pf.Energy(internal=pf.Entropy(1.0))) for _ in range(2)]
    other = metrics.energy_gap(pf.Energy(internal=pf.Entropy(2.0)))
    assert fingerprint.sha256(same[0]) == fingerprint.sha256(same[1]) != fingerprint.sha256(other)
    assert same[0] == same[1] != other
    with pytest.raises(pf.BadInput, match="Energy"):
        metrics.energy_gap(lambda law: 0.0)


@pytest.mark.parametrize("name", ALL)
def test_bad_input(name):
    metric, law = ALL[name], Gaussian(0, 1)
    for pair in ((law, np.zeros(3)), (np.zeros(3), law), (law, None)):
        with pytest.raises(pf.BadInput, match=r"(?s)ndarray|NoneType"):
            metric(*pair)
    with pytest.raises(pf.BadInput, match="dim 1 and 2"):
        metric(law, Gaussian([0, 0], 1.0))
    with pytest.raises(pf.BadInput, match="default_rng"):
        metric(law, law, rng=7)


@pytest.mark.parametrize("name", ALL)
def test_every_metric_is_zero_on_one_law_and_positive_on_two(name):
    metric, edges = ALL[name], np.linspace(-8, 8, 81)
    grid = GridLaw(edges, np.diff(Gaussian(0, 1).cdf(edges)))
    for law in (Gaussian(0, 1), grid, Product([Gaussian(0, 1)]), *([Semicircle(1.0)] if name != "energy_gap" else [])):
        estimate = metric(law, law)
        assert 0 <= estimate.value <= 1e-12 and estimate.metric == name and estimate.stderr == 0
    assert metric(Gaussian(0.5, 1), Gaussian(0, 4)).value > 0.1


def test_names_and_light_import():
    assert set(metrics.__all__) >= {*NAMES, "energy_gap"}
    with pytest.raises(AttributeError, match="w2"):
        metrics.w3  # noqa: B018
    code = (
        "import sys, pdeflow as pf; m = pf.metrics; [getattr(m, n) for n in m.__all__]; "
        "m.w2(pf.laws.Gaussian(0, 1), pf.laws.Uniform(0, 1)); "
        "sys.exit(', '.join({'ot', 'numba', 'pandas', 'torch', 'matplotlib', 'h5py'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
