"""Factors of drift and diffusion: measured without error on exact moments, and what they are taken for."""

import numpy as np
import pytest

from pdeflow.case.factors import Factors, Observed, diagnose

MODEL = Factors(rate=1.25, center=0.5, temperature=0.6, offset=1.5, variance=0.2)
TIMES, STEPS = np.array([0.4, 0.8]), [0.05, 0.025, 0.0125]


def moments(drift, diffusion, number=None):
    """The exact moments with the drift and the diffusion off by factors."""
    strength = drift * MODEL.rate
    mean = MODEL.center + MODEL.offset * np.exp(-strength * TIMES)
    grown = TIMES if strength == 0 else -np.expm1(-2 * strength * TIMES) / (2 * strength)
    variance = MODEL.variance * np.exp(-2 * strength * TIMES) + 2 * diffusion * MODEL.temperature * grown
    return Observed(mean[None], variance[None], number)


@pytest.mark.parametrize(("drift", "diffusion"), [(1.0, 1.0), (-1.0, 1.0), (0.5, 2.0), (0.0, 1.0), (3.0, 0.1)])
def test_factors_of_exact_moments_are_found(drift, diffusion):
    seen = moments(drift, diffusion)
    assert MODEL.drift(seen.mean[0], TIMES) == pytest.approx([drift] * 2, abs=1e-12)
    assert MODEL.diffusion(seen.variance[0], TIMES, drift) == pytest.approx([diffusion] * 2, abs=1e-6)


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ([(1, 1)] * 3, []),
        ([(1.2, 0.8)] * 3, []),  # off by less than a quarter
        ([(1 + d, 1 - 3 * d) for d in STEPS], []),  # errors of order one
        ([(-1, 1)] * 3, ["sign of the gradient"]),
        ([(1, 2)] * 3, ["temperature off by 2?"]),
        ([(1.7, 1.7)] * 3, ["time runs 1.7 times"]),
        ([(1, 20 * d) for d in STEPS], ["noise left out"]),  # the coarse runs below have none
        ([(1, 0.05 / d) for d in STEPS], ["does not get smaller with dt"]),
        ([(0.05 / d, 1) for d in STEPS], ["scaled by dt^-1"]),
        ([(2, 1.5)] * 3, ["drift is twice", "1.5 times the right one"]),
    ],
)
def test_what_factors_are_taken_for(factors, words):
    runs = [moments(drift, diffusion) for drift, diffusion in factors]
    found = [one for one, _ in diagnose(MODEL, runs, TIMES, STEPS, lambda: [moments(1, 0)] * 3)]
    assert len(found) == len(words) and all(word in one for word, one in zip(words, found, strict=True)), found


def test_few_particles_accuse_nobody():
    noisy = moments(1.4, 1.4, number=20)
    assert diagnose(MODEL, [noisy] * 3, TIMES, STEPS, lambda: [noisy] * 3) == []
    many = moments(1.4, 1.4, number=20_000)
    assert len(diagnose(MODEL, [many] * 3, TIMES, STEPS, lambda: [many] * 3)) == 1
