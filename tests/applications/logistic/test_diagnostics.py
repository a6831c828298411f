"""R-hat and effective draws on chains whose autocorrelation is known."""

import numpy as np
import pytest
from scipy.signal import lfilter

import pdeflow as pf
from pdeflow.applications.logistic import effective_draws, r_hat


def autoregressive(phi, chains, draws, rng):
    """Stationary chains x_t = φ x_{t-1} + √(1 - φ²) noise."""
    noise = rng.standard_normal((chains, draws + 500)) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=1)[:, 500:, None]


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.6, 0.9])
def test_effective_draws_of_autoregressive_chains(phi, rng):
    """n (1 - φ)/(1 + φ) in closed form; estimates scatter by some percent."""
    chains = autoregressive(phi, 4, 5000, rng)
    expected = 20_000 * (1 - phi) / (1 + phi)
    assert effective_draws(chains)[0] == pytest.approx(expected, rel=0.12)
    assert r_hat(chains)[0] < 1.01


def test_r_hat_sees_places_scales_and_drifts(rng):
    one = autoregressive(0.3, 4, 1000, rng)
    assert r_hat(one)[0] < 1.01
    moved = one.copy()
    moved[0] += 1.0
    wide = one.copy()
    wide[0] *= 3.0  # the same place: the folded ranks see it
    drift = one + np.linspace(-1, 1, 1000)[:, None]  # every chain alike: the halves see it
    for chains in (moved, wide, drift):
        assert r_hat(chains)[0] > 1.05
    both = np.concatenate([one, moved], axis=2)
    assert r_hat(both).tolist() == [r_hat(one)[0], r_hat(moved)[0]]
    assert r_hat(np.exp(3 * moved)) == pytest.approx(r_hat(moved), abs=0.02)  # ranks know no heavy tails


def test_chains_that_are_none_are_refused():
    for chains in (np.zeros((1, 100, 2)), np.zeros((4, 5, 2)), np.full((4, 10, 1), np.nan)):
        with pytest.raises(pf.BadInput, match="at least 2 chains"):
            r_hat(chains)
    with pytest.raises(pf.BadInput, match="Coordinate 1 is the same"):
        r_hat(np.stack([np.arange(80.0).reshape(4, 20), np.ones((4, 20))], axis=-1))
