"""Breiman's artificial data: means, covariances and the errors of the rules that are known to be best."""

import numpy as np
import pytest
from scipy.stats import norm

import pdeflow as pf
from pdeflow.applications.logistic import ringnorm, twonorm, waveform


def test_twonorm_has_its_bayes_error_and_moments(rng):
    n = 40_000
    data = twonorm(n, rng)
    wrong = np.mean(np.sign(data.features.sum(axis=1)) != data.labels)
    assert abs(wrong - norm.cdf(-2)) < 5 * np.sqrt(norm.cdf(-2) / n)  # 5 standard errors, here and below
    centred = data.features - 2 / np.sqrt(20) * data.labels[:, None]
    assert np.abs(centred.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(np.cov(centred.T) - np.eye(20)).max() < 5 * np.sqrt(2 / n)


def test_ringnorm_is_a_wide_and_a_narrow_gaussian(rng):
    n = 40_000
    data = ringnorm(n, rng)
    wide, narrow = (data.features[data.labels == sign] for sign in (1, -1))
    assert abs(len(wide) - n / 2) < 5 * np.sqrt(n / 4)
    assert abs(wide.mean()) < 5 * 2 / np.sqrt(wide.size) and abs(wide.var() / 4 - 1) < 5 * np.sqrt(2 / wide.size)
    assert abs(narrow.mean() - 2 / np.sqrt(20)) < 5 / np.sqrt(narrow.size)
    assert abs(narrow.var() - 1) < 5 * np.sqrt(2 / narrow.size)


def test_waveform_mixes_two_of_three_waves(rng):
    n = 40_000
    data = waveform(n, rng)
    first = data.features[data.labels == 1]
    assert abs(len(first) - n / 3) < 5 * np.sqrt(n * 2 / 9)
    waves = [np.maximum(6 - np.abs(np.arange(1, 22) - place), 0) for place in (11, 15, 7)]
    mean, cov = (waves[0] + waves[1]) / 2, np.eye(21) + np.outer(waves[0] - waves[1], waves[0] - waves[1]) / 12
    spread = np.sqrt(np.diag(cov))
    assert np.all(np.abs(first.mean(axis=0) - mean) < 5 * spread / np.sqrt(len(first)))
    assert np.all(np.abs(np.cov(first.T) - cov) < 5 * 1.5 * np.outer(spread, spread) / np.sqrt(len(first)))
    rest = data.features[data.labels == -1].mean(axis=0)
    expected = (waves[0] + waves[1] + 2 * waves[2]) / 4
    assert np.all(np.abs(rest - expected) < 5 * 3 / np.sqrt(2 * n / 3))


@pytest.mark.parametrize("generator", [ringnorm, twonorm, waveform])
def test_no_points_are_refused(generator, rng):
    with pytest.raises(pf.BadInput, match=r"n is 0\. It must be an integer of at least 1"):
        generator(0, rng)
