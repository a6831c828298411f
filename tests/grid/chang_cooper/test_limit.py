"""The reference numbers of the literature's 1-D problems, from the Chang-Cooper matrix and Richardson extrapolation."""

from dataclasses import replace
from itertools import pairwise
from math import factorial

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import ChangCooper, exponential, gibbs, richardson, spectrum

ON_7 = ChangCooper(cells=700, lower=-7.0, upper=7.0)

# reference_numbers.json: st_<scale>_KL_d30_t<t>, st_<scale>_mean_t1.8, _var_t1.8, _gap, _lam2, with the digits that
# docs/math.md states
KL = {
    3 / 50: {
        0.3: 49.8202292516,
        0.6: 27.3457692293,
        0.9: 15.9606905699,
        1.2: 10.5168889609,
        1.5: 7.97007346255,
        1.8: 6.77986477927,
        20: 2.85772882374,
    },
    1 / 50: {0.3: 23.2757270027, 1.2: 5.88669176276, 5: 0.288207896267, 20: 0.0217139381646},
}
MOMENTS = {3 / 50: (-0.389816466762, 6.67111662246), 1 / 50: (-0.169999476814, None)}
SPECTRA = {3 / 50: (0.0214276680578, 1.60932372539), 1 / 50: (0.0850324183534, 0.831201036327)}


def kl_in_30_dimensions(law, target):
    full = law.mass > 0
    return 30 * np.sum(law.mass[full] * np.log(law.mass[full] / target.mass[full]))


@pytest.mark.parametrize("scale", KL)
def test_styblinski_tang_relative_entropy(scale):
    def values(problem, method):
        flow, target = exponential(problem, method, sorted(KL[scale])), gibbs(problem, method)
        return [kl_in_30_dimensions(law, target) for law in flow.laws]

    found, correction = richardson(values, pf.problems.styblinski_tang(1, scale), ON_7)
    for t, value in zip(sorted(KL[scale]), found):
        assert abs(value - KL[scale][t]) <= (1e-8 if t < 5 else 1e-6), t
    assert correction.max() < 1e-8


@pytest.mark.parametrize("scale", KL)
def test_styblinski_tang_moments(scale):
    def values(problem, method):
        law = exponential(problem, method, [1.8]).final
        return [law.mean()[0], law.cov()[0, 0]]

    found, _ = richardson(values, pf.problems.styblinski_tang(1, scale), ON_7)
    for value, true in zip(found, MOMENTS[scale]):
        assert true is None or value == pytest.approx(true, rel=1e-9)


@pytest.mark.parametrize("scale", SPECTRA)
def test_styblinski_tang_spectrum(scale):
    found, _ = richardson(lambda p, m: spectrum(p, m, 3), pf.problems.styblinski_tang(1, scale), ON_7)
    assert abs(found[0]) < 1e-10  # round-off of |L| = 4T/h² = 1.6e5 times 2e-16, amplified by Richardson
    assert found[1:] == pytest.approx(SPECTRA[scale], rel=5e-9)


def test_spectrum_of_ou_is_the_integers_times_the_rate():
    problem = pf.problems.ou(matrix=1.7, temperature=0.6)
    found, _ = richardson(lambda p, m: spectrum(p, m, 4), problem, ChangCooper(cells=400, lower=-5.5, upper=5.5))
    assert found == pytest.approx(1.7 * np.arange(4), abs=1e-8)


def test_filtering_reference():
    """docs/math.md 11: prediction by exp(tL), correction by pointwise multiplication with N(y; x, 1)."""
    observations = (0.5, -0.3, 0.8, 1.2, -0.4, 0.1, 0.9, -1.1, 0.3)
    potential = pf.potentials.FromFunction(lambda x: np.sin(2 * np.pi * x[:, 0]) / np.pi + x[:, 0] ** 2 / 4)
    problem = pf.Problem(pf.Energy(potential, pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 5.0, name="filter")

    def values(problem, method):
        evidence = 0.0
        for y in observations:
            law = exponential(problem, method, [0.5]).final
            joint = law.mass * np.exp(-((y - law.centers[0]) ** 2) / 2) / np.sqrt(2 * np.pi)
            evidence += np.log(joint.sum())
            problem = replace(problem, initial=pf.laws.GridLaw(law.axes, joint / joint.sum()))
        return [exponential(problem, method, [0.5]).final.entropy(), evidence]

    found, _ = richardson(values, problem, ChangCooper(cells=800, lower=-8.0, upper=8.0))
    # reference_numbers.json: filt_entropy, filt_logevid; 1e-9 is what docs/math.md states for both
    assert found == pytest.approx([1.43119699345, -13.1524109684], abs=1e-9)


def test_exponential_is_the_matrix_exponential():
    from scipy.linalg import expm

    problem, method = pf.problems.double_well(), ChangCooper(cells=40, lower=-2.5, upper=2.5)
    state = method.init(problem, None)
    up, down = state.grid.up, state.grid.down
    generator = np.diag(up, -1) + np.diag(down, 1) - np.diag(np.append(up, 0)) - np.diag(np.append(0, down))
    flow = exponential(problem, method, [0.0, 0.01, 1.0, 50.0])
    for t, law in zip(flow.times, flow.laws):
        np.testing.assert_allclose(law.mass, expm(t * generator) @ state.mass, atol=1e-12)


def test_the_emptiest_cells_of_the_exponential_have_a_small_relative_error():
    """Against (Σ_k (A/2¹²)ᵏ/k!)^(2¹²), A = tL + s I without a negative entry, so that nothing is subtracted."""
    problem, method, t = (
        pf.problems.ou(matrix=2.0, center=0.5, temperature=0.1, initial=pf.laws.Gaussian(0.0, 0.1)),
        ChangCooper(100, -3.0, 4.0),
        1.0,
    )
    state = method.init(problem, None)
    up, down = state.grid.up, state.grid.down
    out = np.append(up, 0) + np.append(0, down)
    shift, squarings = t * out.max(), 12
    positive = (t * (np.diag(up, -1) + np.diag(down, 1) - np.diag(out)) + shift * np.eye(100)) / 2**squarings
    power = np.exp(-shift / 2**squarings) * sum(
        np.linalg.matrix_power(positive, k) / float(factorial(k)) for k in range(12)
    )
    for _ in range(squarings):
        power = power @ power
    mass = exponential(problem, method, [t]).final.mass
    # the twelve squarings double a relative error of 1e-16 twelve times; the sum over the jumps loses as much
    np.testing.assert_allclose(mass, power @ state.mass, rtol=1e-9, atol=0)
    assert 0 < mass.min() < 1e-30


def test_implicit_euler_has_a_finite_relative_entropy_to_the_exponential():
    """Its tails are exponential: where the contour left half of the emptiest cells at or below zero, it was inf."""
    problem, method = pf.problems.heat(), ChangCooper(800)
    truth = exponential(problem, method, [1.0]).final
    errors = [pf.metrics.kl(pf.solve(problem, method, dt=dt).final, truth).value for dt in (1 / 8, 1 / 16, 1 / 32)]
    # quadratic in an error of order one, whose constants docs do not state: 1.0 of the ratio 4 is left to higher terms
    assert all(abs(coarse / fine - 4) < 1.0 for coarse, fine in pairwise(errors)), errors
    assert errors[-1] == pytest.approx(3.47e-5, rel=0.02)


def test_refusals():
    problem = pf.problems.ou()
    with pytest.raises(pf.BadInput, match="even"):
        exponential(problem, ChangCooper(), nodes=31)
    with pytest.raises(pf.BadInput, match=">= 0"):
        exponential(problem, ChangCooper(), [-1.0, 1.0])
    with pytest.raises(pf.BadInput, match="Ask for 1 to 10"):
        spectrum(problem, ChangCooper(cells=10), 11)
    with pytest.raises(pf.BadInput, match="Set lower= and upper="):
        richardson(lambda p, m: 0.0, problem, ChangCooper())
