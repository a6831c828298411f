"""DualLaw: exact on the line, and elsewhere exact or NotAvailable."""

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow import checks
from pdeflow.energies.potentials import Quadratic
from pdeflow.neural import DualLaw
from pdeflow.neural.dual_jko.basis import Basis
from pdeflow.neural.dual_jko.law import Reference


def plane(**more):
    """exp(-|x|²/2 - x_1²/2 - 0.3 x_2) with V = |x|²/2: the Gaussian with variances 1/2, 1 and mean (0, -0.3)."""
    basis = Basis(np.zeros(2), np.eye(2), np.empty((0, 2)), 1.0)
    weights = np.array([0.0, 0.3, 0.5, 0.0, 0.0])
    return DualLaw(Quadratic(np.eye(2)), 1.0, basis, weights, Reference(np.zeros(2), np.eye(2)), **more)


def line():
    """exp(-x²/2) by V alone, with a bump of height 0.7 taken away."""
    basis = Basis(np.zeros(1), np.eye(1), np.array([[0.5]]), 0.6)
    return DualLaw(Quadratic(1.0), 1.0, basis, np.array([0.0, 0.0, 0.7]), np.linspace(-9.0, 9.0, 145))


GAUSSIAN = pf.laws.Gaussian([0.0, -0.3], np.diag([0.5, 1.0]))


def test_the_line_answers_everything_consistently():
    checks.law(line(), rng=np.random.default_rng(0))
    assert line().log_mass.stderr == 0.0


def test_the_plane_answers_exactly_or_not_at_all():
    law = plane()
    x = np.random.default_rng(0).standard_normal((5, 2))
    constant = law.log_unnormalised(x) - GAUSSIAN.log_density(x)
    assert np.ptp(constant) < 1e-13 and np.allclose(law.score(x), GAUSSIAN.score(x), atol=1e-13)
    for ask in (law.mean, law.cov, lambda: law.log_density(x), lambda: law.sample(3, np.random.default_rng(0))):
        with pytest.raises(pf.NotAvailable, match=r"importance_sample|normalised"):
            ask()
    assert law.answers() == ["score"] and repr(law).endswith("log_mass=unknown)")
    with pytest.raises(pf.NotAvailable, match=r"ask normalised\(n, rng\)"):
        pf.metrics.sym_kl(law, GAUSSIAN, rng=np.random.default_rng(0))


def test_estimates_come_by_name_and_with_their_errors():
    rng = np.random.default_rng(1)
    truth = float((plane().log_unnormalised(np.zeros((1, 2))) - GAUSSIAN.log_density(np.zeros((1, 2))))[0])
    gaps = []
    for _ in range(40):
        mass = plane().normalised(2000, rng).log_mass
        gaps.append((mass.value - truth) / mass.stderr)
    # forty standard normal numbers: their deviation is 1 ± 0.11, their mean 0 ± 0.16
    assert 0.6 < np.std(gaps) < 1.5 and abs(np.mean(gaps)) < 0.6
    cloud = plane().importance_sample(40_000, rng)
    assert np.allclose(cloud.mean(), GAUSSIAN.mean(), atol=0.03) and np.allclose(cloud.cov(), GAUSSIAN.cov(), atol=0.05)
    assert plane().normalised(100, rng).log_density(np.zeros((1, 2))).shape == (1,)


def test_a_likelihood_multiplies_the_density():
    prior = line()

    def log_likelihood(x):
        return -0.5 * (1.0 - x[:, 0]) ** 2 / 0.2

    after, log_evidence = pf.laws.reweighting(prior, log_likelihood)
    x = np.linspace(-1, 2, 7)[:, None]
    assert np.ptp(after.log_density(x) - prior.log_density(x) - log_likelihood(x)) < 1e-12
    evidence = prior.mean_of(lambda y: np.exp(log_likelihood(y))).value
    assert log_evidence == pytest.approx(np.log(evidence), abs=1e-9)
    assert isinstance(after, DualLaw) and "score" not in after.answers()
    checks.law(after, rng=np.random.default_rng(0))


def test_a_likelihood_beyond_the_region_is_refused():
    near = pf.laws.reweighted(line(), pf.laws.GaussianLikelihood([11.0], 1.0))
    # V and f leave N(0, 1) there, whose posterior is N(5.5, 1/2); the bump at 0.5 is gone at 5 deviations
    assert near.mean()[0] == pytest.approx(5.5, abs=1e-6)
    with pytest.raises(pf.BadInput, match=r"last panel at an end of .-9, 9."):
        pf.laws.reweighted(line(), pf.laws.GaussianLikelihood([20.0], 1.0))


def test_a_likelihood_in_the_plane_needs_no_sampler():
    after, log_evidence = pf.laws.reweighting(plane(), lambda x: -(x[:, 1] ** 2))
    x = np.random.default_rng(0).standard_normal((5, 2))
    truth = pf.laws.Gaussian([0.0, -0.1], np.diag([0.5, 1 / 3]))
    assert np.ptp(after.log_unnormalised(x) - truth.log_density(x)) < 1e-13 and log_evidence is None


def test_draws_that_miss_the_law_are_refused():
    """A likelihood five deviations away and a hundredth as wide: one draw has all the weight, and no error to tell."""
    law = plane()
    far = pf.laws.reweighted(law, pf.laws.GaussianLikelihood([5.0, 5.0], 1e-4))
    for ask in (far.normalised, far.importance_sample):
        with pytest.raises(pf.NotConverged, match=r"are worth 1\.0 draws"):
            ask(1000, np.random.default_rng(0))
    nothing = pf.laws.reweighted(law, lambda x: np.full(len(x), -np.inf))
    with pytest.raises(pf.BadInput, match="zero at all 1000 draws"):
        nothing.normalised(1000, np.random.default_rng(0))
