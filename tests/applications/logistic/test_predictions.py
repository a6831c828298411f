"""Accuracy and log-likelihood of predictions, and the Gaussian at the mode."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications.logistic import Posterior, laplace, predictions


def test_predictions_by_hand():
    draws = np.array([[0.0, 9.0], [np.log(3.0), 9.0]] * 16)  # chances of +1 at s = 1: 1/2 and 3/4
    found = predictions(draws, [[1.0], [-1.0], [2.0]], [1.0, 1.0, -1.0])
    chances = [5 / 8, 3 / 8, (1 / 2 + 1 / 10) / 2]
    assert found.accuracy.value == pytest.approx(1 / 3)
    assert found.log_likelihood.value == pytest.approx(np.mean(np.log(chances)), rel=1e-13)
    assert found.log_likelihood.stderr == pytest.approx(np.std(np.log(chances)) / np.sqrt(3), rel=1e-13)
    assert found.accuracy_of_draws == found.log_likelihood_of_draws == pytest.approx(0.0, abs=1e-12)  # batches agree


def test_the_error_of_a_finite_number_of_draws_is_what_it_is_between_clouds(rng):
    features, labels = rng.normal(size=(40, 2)), np.sign(rng.normal(size=40))
    found = [predictions(rng.normal(size=(320, 3)), features, labels) for _ in range(200)]
    scatter = np.std([one.log_likelihood.value for one in found])
    stated = np.mean([one.log_likelihood_of_draws for one in found])
    assert stated == pytest.approx(scatter, rel=0.2)  # the scatter of 200 is known to 5 %, the jackknife of 16 to 20 %


def test_laplace_is_exact_where_the_posterior_is_nearly_gaussian(rng):
    features = rng.normal(size=(4000, 2))
    labels = np.where(rng.random(4000) < 1 / (1 + np.exp(-features @ [1.0, -0.5])), 1.0, -1.0)
    posterior = Posterior(features, labels)
    law = laplace(posterior)
    assert np.max(np.abs(posterior.grad(law.mean()[None]))) < 1e-5
    assert np.allclose(law.cov() @ posterior.hessian(law.mean()[None])[0], np.eye(3), atol=1e-9)
    # the weights are known to 0.04 and the labels were drawn of (1, -1/2): 4 deviations
    assert np.all(np.abs(law.mean()[:2] - [1.0, -0.5]) < 4 * np.sqrt(np.diag(law.cov())[:2]))


def test_of_two_modes_laplace_takes_the_one_that_has_the_mass():
    """Few labels: near w = 0 there is a mode too, about which a tenth of the mass lies."""
    rng = np.random.default_rng(7)
    features = rng.normal(size=(60, 2))
    posterior = Posterior(features, np.where(features @ [2.0, -1.0] + rng.logistic(size=60) > 0, 1.0, -1.0))
    law = laplace(posterior)
    side = np.linspace(-4.0, 4.0, 201)  # eight deviations
    w = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    mass = np.exp(posterior.log_marginal(w) - np.max(posterior.log_marginal(w)))  # α integrated out: exact
    mass /= mass.sum()
    mean = mass @ w
    spread = np.sqrt(mass @ (w - mean) ** 2)
    # the mode of a law with a long tail is not its mean; the mode near 0 is 1.2 and more deviations away
    assert np.all(np.abs(law.mean()[:2] - mean) < 0.5 * spread)


def test_weights_that_follow_the_labels_are_found_where_both_centres_lead_to_zero():
    """A set drawn by seed 20, of which the mode near 0 has a seventh of the evidence of the other."""
    rng = np.random.default_rng(20)
    n, p = int(rng.integers(3, 60)), int(rng.integers(1, 5))
    features = rng.normal(size=(n, p)) * 10 ** rng.uniform(-1, 1)
    labels = np.where(features @ rng.normal(size=p) * rng.uniform(0, 3) + rng.logistic(size=n) > 0, 1.0, -1.0)
    law = laplace(Posterior(features, labels))
    assert np.allclose(law.mean(), [1.898284, -0.361424, 0.063444], atol=1e-5)  # the heavier end of 25 random starts


def test_the_modes_move_with_the_unit_of_the_features():
    """w in other units: the same two modes, a power of ten away; α has the unit of 1/w²."""
    rng = np.random.default_rng(7)
    features = rng.normal(size=(60, 2))
    labels = np.where(features @ [2.0, -1.0] + rng.logistic(size=60) > 0, 1.0, -1.0)
    one, other = laplace(Posterior(features, labels)), laplace(Posterior(1e3 * features, labels, rate=1e-8))
    assert np.allclose(1e3 * other.mean()[:2], one.mean()[:2], rtol=1e-6)
    assert other.mean()[2] - one.mean()[2] == pytest.approx(np.log(1e6), rel=1e-6)


def test_what_is_no_prediction_is_refused():
    with pytest.raises(pf.BadInput, match="at least 16"):
        predictions(np.zeros((3, 2)), [[1.0]], [1.0])
    with pytest.raises(pf.BadInput, match="one row of features"):
        predictions(np.zeros((20, 2)), [[1.0]], [1.0, 1.0])
    with pytest.raises(pf.BadInput, match=r"Each must be -1 or \+1"):
        predictions(np.zeros((20, 2)), [[1.0]], [0.0])
    with pytest.raises(pf.BadInput, match="draws"):
        predictions(np.full((32, 2), np.nan), [[1.0]], [1.0])


def test_certain_draws_that_are_wrong_have_a_log_likelihood():
    """log σ(-1000) = -1000 to round-off, though σ(-1000) is no double."""
    draws = np.column_stack([np.full(16, 1000.0), np.zeros(16)])
    found = predictions(draws, [[1.0], [1.0]], [-1.0, 1.0])
    assert found.log_likelihood.value == pytest.approx(-500.0, rel=1e-12)
    assert found.log_likelihood.stderr == pytest.approx(500 / np.sqrt(2), rel=1e-12)
    assert found.accuracy.value == 0.5 and found.log_likelihood_of_draws == pytest.approx(0.0, abs=1e-9)


def test_laplace_of_what_is_no_posterior_is_refused():
    with pytest.raises(pf.BadInput, match=r"'P' \(str\). It must be a logistic.Posterior"):
        laplace("P")  # pyright: ignore[reportArgumentType]


def test_labels_and_draws_of_another_kind_are_named():
    x = np.ones((20, 2))
    with pytest.raises(pf.BadInput, match=r"2 \* labels - 1"):
        predictions(np.ones((20, 3)), x, [0, 1] * 10)
    with pytest.raises(pf.BadInput, match=r"^Particles.* is a law\. .* law\.sample\(n, rng\)"):
        predictions(pf.laws.Particles(np.ones((20, 3))), x, [1, -1] * 10)
