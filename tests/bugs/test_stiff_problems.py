"""Exact laws of stiff problems exist, however much the spreads of their directions differ.

PythonOT/POT#708 and geomstats/geomstats#1442 report distances that are NaN or wrong for nearly singular covariances.
"""

import numpy as np
import pytest

import pdeflow as pf

OU = pf.problems.ou(dim=2, matrix=np.diag([1.0, 1e6]), temperature=1e-8, initial=pf.laws.Gaussian([2, 2], 0.25))
RATES = np.array([1.0, 30.0])
DESCENT = pf.Problem(
    pf.Energy(potential=pf.potentials.Quadratic(np.diag(RATES))), pf.laws.Gaussian([2, 2], 0.25), 1.0, name="descent"
)
TURN = np.array([[0.8, -0.6], [0.6, 0.8]])


def test_the_flow_of_rates_1_and_a_million_has_its_law():
    cov = OU.exact(1.0).cov()
    assert np.allclose(np.diag(cov), [0.25 * np.exp(-2) + 1e-8 * (1 - np.exp(-2)), 1e-14], rtol=1e-12, atol=0)
    wide = pf.laws.GaussianMixture([0.5, 0.5], [[2, 2], [1, 1]], 0.25)
    mixture = pf.problems.ou(dim=2, matrix=np.diag([1.0, 1e6]), temperature=1e-8, initial=wide).exact(1.0)
    assert np.allclose(mixture.covs[0], cov, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("basis", [np.eye(2), TURN])
def test_pure_descent_contracts_each_direction_at_its_own_rate(basis):
    potential = pf.potentials.Quadratic(basis @ np.diag(RATES) @ basis.T)
    start = pf.laws.Gaussian([0, 0], 0.25)
    problem = pf.Problem(pf.Energy(potential=potential), start, 1.0, name="descent")
    law = pf.exact_jko(problem, dt=1 / 64).final
    spreads = 0.5 * (1 + RATES / 64) ** -64.0
    assert np.isclose(law.entropy(), np.log(2 * np.pi * np.e) + np.log(spreads).sum(), rtol=1e-9)
    assert np.isclose(pf.metrics.w2(law, start).value, np.linalg.norm(0.5 - spreads), rtol=1e-12)
    r = (spreads / 0.5) ** 2
    assert np.isclose(pf.metrics.kl(law, start).value, np.sum(r - 1 - np.log(r)) / 2, rtol=1e-9)
    assert pf.metrics.kl(law, law).value == 0 and pf.metrics.w2(law, law).value < 1e-15


def test_exact_sequences_of_methods_do_not_fail_on_their_own_covariance():
    for method in (pf.particle.EulerMaruyama(10), pf.grid.QuantileJKO()):
        law = method.exact_sequence(DESCENT, dt=1 / 64, times=[1.0]).final
        factor = 1 - RATES / 64 if isinstance(method, pf.particle.EulerMaruyama) else 1 / (1 + RATES / 64)
        assert np.allclose(np.diag(law.cov()), 0.25 * factor**128, rtol=1e-11, atol=0)


def test_densities_of_such_laws_are_right():
    law = OU.exact(1.0)
    z = np.array([[0.3, -0.7]])
    spreads = np.sqrt(np.diag(law.cov()))
    x = law.mean() + z * spreads
    expected = -(z @ z.T)[0, 0] / 2 - np.log(2 * np.pi) - np.log(spreads).sum()
    assert np.isclose(law.log_density(x)[0], expected, rtol=1e-9)


def test_such_laws_are_read_as_they_were_written():
    law = OU.exact(1.0)
    from pdeflow.laws.fields import from_fields
    from pdeflow.laws.spec import from_spec

    kept = {name: array for name, (_, array) in law.fields().items()}
    for again in (from_spec(law.spec()), from_fields("Gaussian", kept)):
        assert np.array_equal(again.cov(), law.cov()) and np.isclose(again.entropy(), law.entropy(), rtol=1e-12)


def test_a_covariance_of_ones_own_that_is_nearly_singular_is_still_refused():
    with pytest.raises(pf.BadInput, match="cov is not positive definite"):
        pf.laws.Gaussian([0, 0], np.diag([1.0, 1e-14]))
