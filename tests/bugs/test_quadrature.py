"""Integrals over laws are right to 1e-8, or a typed error: the quadrature knows where a law lives."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, GaussianMixture, GridLaw, Law

BATTERY = Path(__file__).resolve().parents[2] / "validation" / "batteries" / "mixtures.py"


@pytest.mark.parametrize("gap", [1e2, 1e4, 1e6])
def test_modes_far_apart_all_count(gap):
    """scipy/scipy#7204, #11571, #17443: a narrow peak on a long interval is missed without a word."""
    p, q = (GaussianMixture([w, 1 - w], [-gap, gap], 1.0) for w in (0.5, 0.3))
    assert pf.metrics.l1(p, q).value == pytest.approx(0.4, rel=1e-10)
    assert pf.metrics.l2(p, q).value == pytest.approx(np.sqrt(0.08 / (2 * np.sqrt(np.pi))), rel=1e-10)
    five = [GaussianMixture(w, gap * np.arange(5), 1e-6) for w in ([0.2] * 5, [0.3, 0.1, 0.3, 0.1, 0.2])]
    assert pf.metrics.l1(*five).value == pytest.approx(0.4, rel=1e-10)


def tent(width):
    return pf.potentials.FromFunction(lambda x: np.maximum(0, 1 - np.abs(x - 0.3) / width).sum(1))


def test_a_narrow_feature_of_a_potential_counts():
    """scipy/scipy#15990, #10305: a narrow feature is missed, with an error estimate of 0."""
    law, height = Gaussian(0.0, 1.0), np.exp(-0.045) / np.sqrt(2 * np.pi)
    assert pf.Energy(tent(1e-3)).evaluate(law).value == pytest.approx(1e-3 * height, rel=1e-6)  # of order width²
    for width in (3e-3, 1e-3):
        well = pf.potentials.FromFunction(lambda x, s=width: -np.exp(-(((x - 0.3) / s) ** 2) / 2).sum(1))
        both = 1 + width**2
        exact = -width * np.exp(-0.045 / both) / np.sqrt(both)
        assert pf.Energy(well).evaluate(law).value == pytest.approx(exact, rel=1e-9)


def test_a_feature_between_the_points_of_a_grid_counts():
    """scipy/scipy#15990 again, for a law of few cells."""
    law = GridLaw(np.array([-1.0, 0.0, 1.0]), [0.5, 0.5])
    assert pf.Energy(tent(2e-3)).evaluate(law).value == pytest.approx(1e-3, rel=1e-8)


def test_what_has_no_mean_ends_with_an_error_and_not_with_all_memory():
    """scipy/scipy#10305: noise cannot be integrated to the accuracy that is promised."""
    noise = pf.potentials.FromFunction(lambda x: (np.sin(1e15 * x) + 1.0).sum(1))
    with pytest.raises(pf.NotConverged, match="accepted"):
        pf.Energy(noise).evaluate(Gaussian(0.0, 1.0))


class Unnormalised(Law):
    """N(0, 1) whose log density forgets its constant."""

    dim = 1

    def sample(self, n, rng):
        return rng.standard_normal((n, 1))

    def log_density(self, x):
        return -(x[:, 0] ** 2) / 2

    def quantile(self, u):
        return Gaussian(0.0, 1.0).quantile(u)

    def cdf(self, x):
        return Gaussian(0.0, 1.0).cdf(x)


@pytest.mark.parametrize("metric", ["kl", "l1", "l2"])
def test_a_density_that_does_not_integrate_to_one_is_refused(metric):
    """No public thread; found beside scipy/scipy#15990: a log density without its constant gave a kl of -0.919."""
    for pair in ((Unnormalised(), Gaussian(0.0, 1.0)), (Gaussian(0.0, 1.0), Unnormalised())):
        with pytest.raises(pf.BadInput, match="integrates to"):
            getattr(pf.metrics, metric)(*pair)


def test_numpy_faults_that_raise_change_no_answer():
    """numpy/numpy#20891, choderalab/perses#184: an exponential underflows under np.seterr(all="raise")."""
    apart = GaussianMixture([0.5, 0.5], [-60.0, 60.0], 0.01)
    others = [Gaussian(0.0, 1.0), apart, pf.laws.Barenblatt(1, 2.0, 1.0), pf.laws.Uniform(0.0, 1.0)]
    others += [pf.laws.Semicircle(1.0), pf.laws.Quantiles([0.0, 1.0, 3.0], [0.0, 0.5, 1.0])]
    others += [GridLaw(np.linspace(-70.0, 70.0, 50), np.full(49, 1 / 49)), pf.laws.Product([apart])]
    metrics = ("kl", "l1", "l2", "bures")

    def answers():
        found = [pf.metrics.w2(a, apart).value for a in others[5:6]]  # each is dear
        for a in others:
            found += [getattr(pf.metrics, name)(a, apart).value for name in metrics]
            for part in (pf.Entropy(1.0), pf.Power(2.0), pf.Power(3.0)):
                found.append(pf.Energy(internal=part).evaluate(a).value)
            found.append(pf.Energy(interaction=pf.interactions.PowerLaw(2.0, 1.0)).evaluate(a).value)
            well = pf.potentials.FromFunction(lambda x: np.exp(-np.minimum(x * x, 700.0)).sum(1))
            found.append(pf.Energy(well).evaluate(a).value)
        return found

    plain = answers()
    with np.errstate(all="raise"):
        assert answers() == plain


def test_units_change_no_digit_that_has_none():
    """cvxpy/cvxpy#681: a tolerance that is absolute where the problem has a scale."""
    answers = []
    for unit in (1e-9, 1.0, 1e9):
        p = GaussianMixture([0.4, 0.6], np.array([-1.0, 2.0]) * unit, np.array([0.3, 0.01]) * unit**2)
        q = pf.laws.Barenblatt.of_scale(1, 2.0, unit)
        kl, l1, l2 = pf.metrics.kl(q, p).value, pf.metrics.l1(p, q).value, pf.metrics.l2(p, q).value
        answers.append([kl, l1, l2 * unit**0.5, pf.Energy(internal=pf.Power(2.0)).evaluate(p).value * unit])
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-10)
    np.testing.assert_allclose(answers[2], answers[1], rtol=1e-10)


@pytest.mark.skipif(not BATTERY.exists(), reason="the battery lies in the repository, not in the package")
@pytest.mark.parametrize("seed", [3])
def test_random_mixtures_are_right_to_1e_8(seed):
    """scipy/scipy#17443 and its like: a seeded sample of validation/batteries/mixtures.py."""
    spec = importlib.util.spec_from_file_location("mixtures", BATTERY)
    battery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(battery)
    for name, ask, truth in battery.questions(*battery.pair(seed)):
        assert ask().value == pytest.approx(truth(), rel=1e-8), name
