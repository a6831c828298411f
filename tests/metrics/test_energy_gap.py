"""The energy gap."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import fingerprint, metrics
from pdeflow.laws import Gaussian

ENERGY = pf.Energy(potential=pf.potentials.Quadratic(np.eye(1), np.zeros(1)), internal=pf.Entropy(1.0))


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


def test_breakpoints_name_a_feature_too_narrow_to_be_seen():
    """A tent of width 1e-7 at 0.3, of which N(0, 1) gives 1e-7 of its density there and Uniform(1, 2) nothing."""
    tent = pf.Energy(pf.potentials.FromFunction(lambda x: np.maximum(0, 1 - np.abs(x - 0.3) / 1e-7).sum(1)))
    laws, places = (pf.laws.Gaussian(0.0, 1.0), pf.laws.Uniform(1.0, 2.0)), [0.3 - 1e-7, 0.3, 0.3 + 1e-7]
    height = np.exp(-0.045) / np.sqrt(2 * np.pi)
    assert pf.metrics.energy_gap(tent)(*laws).value == 0.0  # as its docstring says
    named = pf.metrics.energy_gap(tent, breakpoints=places)
    assert named(*laws).value == pytest.approx(1e-7 * height, rel=1e-6)
    assert named == pf.metrics.energy_gap(tent, breakpoints=places) != pf.metrics.energy_gap(tent)
