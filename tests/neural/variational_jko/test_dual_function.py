"""The variational formulas: equality for the exact test function, a lower bound for any other; constants and signs."""

import numpy as np
import pytest
from neural.variational_jko.parts import line
from neural.variational_jko.propositions import kl_bound, power_bound

import pdeflow as pf
from pdeflow.energies.internal import Entropy, Power
from pdeflow.laws import Barenblatt, Gaussian
from pdeflow.neural.variational_jko.dual_function import Profile, TestFamily, TestFunction
from pdeflow.neural.variational_jko.nested_balls import NestedBalls

P, Q, MU = Gaussian(0.3, 0.64), Gaussian(-0.2, 1.21), Gaussian(0.5, 1.5)


def kl_of(log_h, shift=0.0):
    """The bound of KL(P‖Q) by h with reference μ, all by quadrature; shift : log Z of an unnormalised target."""
    x, w = line(-12, 12)
    at = x[:, None]
    p, mu = np.exp(P.log_density(at)) * w, np.exp(MU.log_density(at)) * w
    return kl_bound(log_h(at), MU.log_density(at) - Q.log_density(at) - shift, np.exp(log_h(at)), p, mu)


def test_the_exact_ratio_gives_the_divergence_and_an_unnormalised_target_shifts_it():
    exact = lambda x: P.log_density(x) - MU.log_density(x)  # noqa: E731
    assert kl_of(exact) == pytest.approx(0.18622232616, abs=1e-10)  # docs/math.md, fdiv_KL
    assert kl_of(exact, shift=1.7) == pytest.approx(0.18622232616 - 1.7, abs=1e-10)


@pytest.mark.parametrize("size", [-0.5, -0.1, 0.1, 0.5])
@pytest.mark.parametrize("shape", [np.sin, np.cos, np.ones_like])
def test_any_other_test_function_gives_less(size, shape):
    gap = 0.18622232616 - kl_of(lambda x: P.log_density(x) - MU.log_density(x) + size * shape(x[:, 0]))
    assert gap > 0.2 * size**2 * 0.05  # the loss is quadratic in the error of log h: ½ E_P e² and more
    assert gap < 2 * size**2


@pytest.mark.parametrize("m", [2.0, 3.0, 1.5])
@pytest.mark.parametrize("size", [0.0, -0.3, 0.3])
def test_the_power_energy_from_a_reference_that_is_uniform(m, size):
    law = Barenblatt(1, m, 0.3)
    half = 1.4 * law.radius
    x, w = line(-law.radius, law.radius)  # the rest of the box has h = 0
    ratio = 2 * half * np.exp(law.log_density(x[:, None])) * (1 + size * np.cos(3 * x))
    at_law = np.exp(law.log_density(x[:, None])) * w
    bound = power_bound(ratio, ratio, m, 2 * half, at_law / at_law.sum(), w / (2 * half))
    exact = law.power_integral(m) / (m - 1)
    if size == 0:
        # m = 3 has square roots at the edge, which 400 nodes integrate to 1e-6
        assert bound == pytest.approx(exact, rel=1e-6 if m == 3 else 1e-10)
    else:
        assert exact - 2 * exact * size**2 * m < bound < exact - 0.05 * exact * size**2


@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("m", [2.0, 3.0])
def test_the_profile_has_covariance_one(dim, m):
    profile = Profile(dim, m)
    r, w = line(0, profile.radius)
    area = 2 if dim == 1 else 4 * np.pi
    shell = area * r ** (dim - 1) * w
    density = (profile.peak * (1 - r**2 / profile.radius**2)) ** (1 / (m - 1))
    assert shell @ density == pytest.approx(1, abs=1e-6)
    assert shell @ (density * r**2) == pytest.approx(dim, rel=1e-6)
    assert shell @ density**m == pytest.approx(profile.power_integral, rel=1e-6)


def test_the_quadratic_test_function_is_exact_on_gaussians_and_barenblatt_profiles(rng):
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    gauss = Gaussian([1.0, -1.0], cov)
    test = TestFunction(Entropy(0.7), gauss.mean(), np.linalg.cholesky(cov), ())
    x = rng.standard_normal((50, 2))
    np.testing.assert_allclose(test.log_density(x), gauss.log_density(x), atol=1e-12)
    np.testing.assert_allclose(test.ratio(x), 1, atol=1e-12)
    np.testing.assert_allclose(test.score(x), -np.linalg.solve(cov, (x - gauss.mean()).T).T, atol=1e-12)
    assert test.at_reference(rng, 10) == (0.0, 0.0)
    law = Barenblatt(3, 2.0, 0.2, center=[1.0, 0.0, 0.0])
    root = np.linalg.cholesky(law.cov())
    radius = 1.3 * Profile(3, 2.0).radius
    test = TestFunction(Power(2.0, 1.5), law.mean(), root, (), NestedBalls(3, radius, radius))
    x = law.sample(50, rng)
    np.testing.assert_allclose(test.log_density(x), law.log_density(x), atol=1e-11)
    np.testing.assert_allclose(test.ratio(x), test.volume * np.exp(law.log_density(x)), rtol=1e-11)
    assert test.volume == pytest.approx((1.3 * law.radius) ** 3 * 4 / 3 * np.pi, rel=1e-12)
    # E_P m/(m-1) c g - ∫ c g^(m/(m-1)) = c ∫ρ²/(m-1)
    r, w = line(0, law.radius)
    density = np.exp(law.log_density(law.center + r[:, None] * np.array([[1.0, 0, 0]])))
    first = (4 * np.pi * r**2 * w * density) @ test.at_law(law.center + r[:, None] * np.array([[1.0, 0, 0]]))
    assert first - test.at_reference(rng, 10)[0] == pytest.approx(1.5 * law.power_integral(2.0), rel=1e-10)


def test_the_network_enters_bound_and_score_consistently(rng):
    """A network that is a constant e: log h + e loses e^e - 1 - e; the power density g₀(q + e) by quadrature."""
    constant = ((np.zeros((1, 4)), np.zeros(4)), (np.zeros((4, 1)), np.array([0.3])))
    test = TestFunction(Entropy(2.0), np.zeros(1), np.eye(1), constant)
    assert test.at_reference(rng, 100)[0] == pytest.approx(2 * np.expm1(0.3), rel=1e-12)
    test = TestFunction(Power(2.0), np.zeros(1), np.eye(1), constant, NestedBalls(1, 4.0, 4.0))
    profile = Profile(1, 2.0)
    x, w = line(-4, 4)
    exact = w @ (profile.peak * np.maximum(1.3 - x**2 / profile.radius**2, 0)) ** 2
    value, spread = test.at_reference(rng, 200_000)
    assert abs(value - exact) < 4 * spread < 0.01 * exact
    bent = ((rng.standard_normal((2, 5)), rng.standard_normal(5)), (rng.standard_normal((5, 1)), np.zeros(1)))
    test = TestFunction(Entropy(1.0), np.array([0.5, 0.0]), np.array([[1.2, 0.0], [0.3, 0.8]]), bent)
    x, step = rng.standard_normal((20, 2)), 1e-6
    slope = [(test.log_density(x + step * e) - test.log_density(x - step * e)) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(test.score(x), np.stack(slope, axis=1), atol=1e-8)  # central differences at 1e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda: kl_bound([0.0], [0.0], [-1.0]),
        lambda: power_bound([1.0], [-1.0], 2.0, 1.0),
        lambda: power_bound([-1.0], [1.0], 2.0, 1.0),
    ],
)
def test_negative_test_functions_are_refused(make):
    with pytest.raises(pf.BadInput, match="negative"):
        make()


@pytest.mark.parametrize("outer", [1.0, 5.0])
def test_the_standard_error_of_the_reference_is_that_of_repeated_draws(outer):
    radius = 1.3 * Profile(2, 3.0).radius
    bent = ((np.array([[0.7], [-0.4]]), np.array([0.2])), (np.array([[0.3]]), np.array([0.1])))
    test = TestFunction(Power(3.0), np.zeros(2), np.eye(2), bent, NestedBalls(2, radius, outer * radius))
    rng = np.random.default_rng(5)
    values, errors = np.array([test.at_reference(rng, 1000) for _ in range(400)]).T
    assert errors.mean() / values.std() == pytest.approx(
        1.0, abs=0.15
    )  # 400 repeats tell 4 %; balls taken in turn vary a little less
    far = np.array([[1.01 * outer * radius, 0.0]])
    high = (bent[0], (bent[1][0], np.array([9.0 * outer**2])))  # a network that is positive there too
    test = TestFunction(Power(3.0), np.zeros(2), np.eye(2), high, NestedBalls(2, radius, outer * radius))
    assert test.ratio(0.99 * far) > 0
    assert test.ratio(far) == 0 and test.log_density(far) == -np.inf  # zero outside, or the bound is none
    with pytest.raises(pf.BadInput, match="larger batch"):
        NestedBalls(2, 1.0, 40.0).draw(rng, 3)


def test_an_entropy_and_powers_share_one_test_function(rng):
    """∫U(ρ) dx >= E_ρ U'(g) - ∫p(g) dx for every density g, with equality for g = ρ [docs/math.md 5]."""
    internal = Entropy(0.7) + Power(2.0, 1.5) + Power(3.0)
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    gauss = Gaussian([1.0, -1.0], cov)
    test = TestFunction(internal, gauss.mean(), np.linalg.cholesky(cov), ())
    taken, spread = test.at_reference(rng, 10)
    x, w = line(-14, 14)
    plane = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    density = np.exp(gauss.log_density(plane)) * np.outer(w, w).ravel()
    exact = pf.Energy(internal=internal).evaluate(gauss).value
    assert spread == 0 and density @ test.at_law(plane) - taken == pytest.approx(exact, rel=1e-10)
    # a network that is the constant e, on the line: both sides by quadrature
    law, e = Gaussian(0.0, 1.0), 0.3
    constant = ((np.zeros((1, 4)), np.zeros(4)), (np.zeros((4, 1)), np.array([e])))
    test = TestFunction(internal, np.zeros(1), np.eye(1), constant)
    rho = np.exp(law.log_density(x[:, None]))
    g = np.exp(e) * rho
    pressure = w @ (0.7 * (g - rho) + 1.5 * g**2 + g**3)
    value, spread = test.at_reference(rng, 200_000)
    assert abs(value - pressure) < 4 * spread < 0.01 * pressure
    bound = (w * rho) @ test.at_law(x[:, None]) - pressure
    assert bound < pf.Energy(internal=internal).evaluate(law).value - 0.01
    np.testing.assert_allclose(test.score(x[:, None])[:, 0], -x, atol=1e-12)


def test_what_has_no_test_functions_is_refused_with_the_cure():
    for internal, words in (
        (Power(0.5), "m > 1"),
        (Entropy() + Power(0.5), "m > 1"),
        (Power(2.0) + Power(3.0), "several powers without an entropy.*QuantileJKO"),
    ):
        with pytest.raises(pf.Unsupported, match=words):
            TestFamily(internal, 2)
    twice = TestFamily(Power(2.0) + Power(2.0, 0.5), 2)
    assert twice.powers == ((1.5, 2.0),) and twice.profile.m == 2.0
    assert TestFamily(Entropy(0.5) + Entropy(0.25), 1).temperature == 0.75


class Own(pf.energies.InternalEnergy):
    """T r log r by a user, who says what it is, or does not."""

    def __init__(self, said):
        self.said = said

    def terms(self):
        return ((0.7, 1.0),) if self.said else None

    def value(self, r):
        return 0.7 * r * np.log(r)

    def pressure(self, r):
        return 0.7 * r

    def conjugate(self, p):
        return 0.7 * np.exp(p / 0.7 - 1)


def test_an_internal_energy_of_a_users_own_is_taken_by_its_terms():
    assert TestFamily(Own(True), 2).temperature == 0.7
    with pytest.raises(pf.Unsupported, match=r"terms\(\)"):
        TestFamily(Own(False), 2)
