"""Exact JKO sequences: each iterate is the minimiser it claims to be, and the sequence converges with the constants
known."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import minimize

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.interactions import LogRepulsion, QuadraticAttraction
from pdeflow.energies.internal import Entropy, Power
from pdeflow.energies.potentials import DoubleWell, Quadratic
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, Semicircle, Uniform
from pdeflow.problems.exact_jko import barenblatt_jko_scale, gaussian_jko_step


def random_spd(rng, d):
    a = rng.normal(size=(d, d))
    return a @ a.T + 0.1 * np.eye(d)


@pytest.mark.parametrize("d", [1, 2, 5, 12])
@pytest.mark.parametrize("attraction", [0.0, 0.7])
@pytest.mark.parametrize("dt", [1e-3, 0.1, 10.0])
def test_gaussian_step_satisfies_the_optimality_condition(d, attraction, dt, rng):
    """K S K - 2cK + c² S⁻¹ = Σ_k and the mean's equation, for matrices that do not commute [docs/math.md 4.1]."""
    a, cov, center, mean, temperature = (
        random_spd(rng, d),
        random_spd(rng, d),
        rng.normal(size=d),
        rng.normal(size=d),
        0.6,
    )
    new_mean, s = gaussian_jko_step(mean, cov, a, center, temperature, dt, attraction)
    k, c = np.eye(d) * (1 + dt * attraction) + dt * a, dt * temperature
    terms = k @ s @ k, 2 * c * k, c * c * np.linalg.inv(s), cov
    size = max(np.max(np.abs(term)) for term in terms)
    assert np.max(np.abs(terms[0] - terms[1] + terms[2] - terms[3])) < 1e-12 * size
    assert np.allclose((new_mean - mean) / dt + a @ (new_mean - center), 0, atol=1e-12 * max(1, 1 / dt) * 10)
    # the "+" root: K - c S⁻¹ is the optimal map back, so it must be positive definite
    assert np.linalg.eigvalsh(k - c * np.linalg.inv(s))[0] > 0


def bures_squared(m, s, mean, cov):
    root = np.real(sqrtm(cov))
    return np.sum((m - mean) ** 2) + np.trace(s + cov) - 2 * np.trace(np.real(sqrtm(root @ s @ root)))


def test_gaussian_step_is_the_minimiser_over_gaussians():
    a, b = np.array([[1.5, 0.5], [0.5, 0.8]]), np.array([1.0, -0.5])
    mean, cov, dt, temperature = np.array([0.5, 1.0]), np.array([[2.0, 0.9], [0.9, 0.6]]), 0.2, 0.5
    energy = Energy(Quadratic(a, b), Entropy(temperature))

    def objective(z):
        root = np.array([[np.exp(z[2]), 0.0], [z[3], np.exp(z[4])]])
        law = Gaussian(z[:2], root @ root.T)
        return energy.evaluate(law).value + bures_squared(z[:2], law.cov(), mean, cov) / (2 * dt)

    new_mean, new_cov = gaussian_jko_step(mean, cov, a, b, temperature, dt)
    root = np.linalg.cholesky(new_cov)
    ours = np.array([*new_mean, np.log(root[0, 0]), root[1, 0], np.log(root[1, 1])])
    found = minimize(objective, np.array([0.0, 0.0, 0.3, 0.0, 0.0]), method="BFGS", options={"gtol": 1e-7})
    # a minimum is flat: values agree to round-off of the objective, arguments to the root of it
    assert objective(ours) <= found.fun + 1e-10
    assert np.allclose(found.x, ours, atol=2e-6)


@pytest.mark.parametrize("dt", [1e-4, 0.01, 1.0, 100.0])
@pytest.mark.parametrize(
    "d, m, confinement", [(1, 2.0, 0.0), (1, 2.0, 1.3), (5, 3.0, 0.0), (15, 2.0, 2.0), (100, 20.0, 0.0), (3, 1.01, 0.5)]
)
@pytest.mark.parametrize("scale", [1e-3, 0.7, 40.0])
def test_barenblatt_scale_solves_its_equation(dt, d, m, confinement, scale):
    beta = 1 / (d * (m - 1) + 2)
    root = barenblatt_jko_scale(scale, beta, 1.4, confinement, dt)
    right = dt * 1.4 * beta * np.exp((1 - 1 / beta) * np.log(root))
    # the residual relative to the slope: the root is right to round-off even where the power is steep
    slope = 1 + dt * confinement + (1 / beta - 1) * right / root
    assert abs((1 + dt * confinement) * root - right - scale) <= 1e-14 * slope * root + 1e-15 * scale


def sequence(problem, dt, steps):
    return pf.exact_jko(problem, dt=dt, times=dt * np.arange(steps + 1)).laws


def test_barenblatt_step_minimises_over_scales():
    problem = pf.problems.porous_medium(2, 2.4, 0.1, 1.0)
    dt, old, new = 0.05, *sequence(problem, 0.05, 1)
    scales = new.scale * (1 + np.linspace(-0.02, 0.02, 41))

    def objective(scale):
        law = Barenblatt.of_scale(2, 2.4, scale)
        # two profiles of one shape: W2 = |μ - μ_k| √M2(1)
        distance = abs(law.scale - old.scale) * np.sqrt(Barenblatt(2, 2.4, 1.0).second_moment)
        return law.energy() + distance**2 / (2 * dt)

    values = np.array([objective(scale) for scale in scales])
    assert np.argmin(values) == 20
    slope = (objective(new.scale * (1 + 1e-5)) - objective(new.scale * (1 - 1e-5))) / (2e-5 * new.scale)
    assert abs(slope) < 1e-8


def test_barenblatt_centre_follows_the_quadratic_well():
    initial = Barenblatt(2, 2.0, 0.3, center=[1.0, 2.0])
    energy = Energy(Quadratic(0.8 * np.eye(2), [0.5, 0.0]), Power(2.0, 0.9), QuadraticAttraction(0.4))
    law = sequence(pf.Problem(energy, initial, 1.0, name="x"), 0.1, 1)[1]
    assert np.allclose(law.center, (np.array([1.0, 2.0]) + 0.08 * np.array([0.5, 0.0])) / 1.08, rtol=1e-14)
    expected = barenblatt_jko_scale(initial.scale, initial.beta, 0.9, 1.2, 0.1)
    assert law.scale == pytest.approx(expected, rel=1e-13)


def test_newtonian_iterates_solve_the_optimality_condition():
    """(X_{k+1} - X_k)/dt + (X_{k+1} - mean) - (2s - 1) = 0 at every level."""
    problem, s, dt = (
        pf.problems.newtonian_1d(GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36])),
        np.linspace(0.01, 0.99, 9),
        0.2,
    )
    laws = sequence(problem, dt, 3)
    mean = problem.initial.mean()[0]
    for old, new in pairwise(laws):
        force = (new.quantile(s) - old.quantile(s)) / dt + (new.quantile(s) - mean) - (2 * s - 1)
        assert np.all(np.abs(force) < 1e-12)


def test_semicircle_iterates():
    problem = pf.problems.log_repulsion(1.3, 0.7, Semicircle(2.0, 0.5))
    old, new = sequence(problem, 0.1, 1)
    # in terms of the deviation R/2: (1 + dt a) σ - dt r/(2σ) = σ_k
    sigma = new.radius / 2
    assert (1 + 0.13) * sigma - 0.1 * 0.7 / (2 * sigma) == pytest.approx(old.radius / 2, rel=1e-14)
    assert new.center == 0.5

    def objective(
        radius,
    ):  # the energy of a semicircle is closed, W2 between semicircles is the difference of the deviations
        energy = Energy(interaction=LogRepulsion(1.3, 0.7)).evaluate(Semicircle(radius)).value
        return energy + (radius / 2 - old.radius / 2) ** 2 / 0.2

    slope = (objective(new.radius + 1e-5) - objective(new.radius - 1e-5)) / 2e-5
    assert abs(slope) < 1e-9


def w2_line(one, two):
    """W2 of 1-D Gaussians or of Barenblatts of one shape and centre: both differ by an affine map."""
    means = one.mean()[0] - two.mean()[0]
    return np.hypot(means, np.sqrt(one.cov()[0, 0]) - np.sqrt(two.cov()[0, 0]))


def test_leading_constant_on_ornstein_uhlenbeck():
    """σ_k - σ_t ≈ (dt/2) f_t ln(f_t/f_0), mean (dt/2) a² t (m_t - b) [docs/math.md 4.2]."""
    a, b, t = 1.5, 0.3, 0.9
    problem = pf.problems.ou(matrix=a, center=b, initial=Gaussian(2.0, 1.0))
    exact = problem.exact(t)
    sigma, mean = np.sqrt(exact.cov()[0, 0]), exact.mean()[0]

    def speed(s):
        return -a * s + 1 / s

    errors = []
    for steps in (300, 600, 1200):
        law = pf.exact_jko(problem, dt=t / steps, times=[t]).final
        errors.append([np.sqrt(law.cov()[0, 0]) - sigma, law.mean()[0] - mean])
    errors = np.array(errors) / (t / np.array([300, 600, 1200]))[:, None]
    expected = [0.5 * speed(sigma) * np.log(speed(sigma) / speed(1.0)), 0.5 * a * a * t * (mean - b)]
    assert np.allclose(errors[-1], expected, rtol=6e-3)  # the next term is of relative size dt a
    extrapolated = 2 * errors[-1] - errors[-2]
    assert np.allclose(extrapolated, expected, rtol=2e-5)


def test_leading_constant_on_barenblatt():
    """μ_k - t^β ≈ -(dt/2) β(1-β) t^(β-1) ln(t/t_0) [docs/math.md 1.1]."""
    problem, t0 = pf.problems.porous_medium(2, 2.4, 0.1, 0.5), 0.1
    beta, t = problem.initial.beta, t0 + 0.5
    quotients = [
        (pf.exact_jko(problem, dt=0.5 / n, times=[0.5]).final.scale - t**beta) / (0.5 / n) for n in (1000, 2000)
    ]
    expected = -0.5 * beta * (1 - beta) * t ** (beta - 1) * np.log(t / t0)
    assert quotients[-1] == pytest.approx(expected, rel=5e-3)
    assert 2 * quotients[1] - quotients[0] == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(
    "problem",
    [
        pf.problems.ou(),
        pf.problems.heat(1),
        pf.problems.mckean_vlasov_ou(),
        pf.problems.porous_medium(1, 3.0, 0.1, 0.5),
        pf.problems.log_repulsion(),
        pf.problems.newtonian_1d(),
    ],
    ids=lambda problem: problem.name,
)
def test_sequences_converge_to_the_flow_at_first_order(problem):
    t, sizes = 0.5, np.array([64, 128, 256, 512])
    exact, s = problem.exact(t), np.linspace(0.005, 0.995, 199)
    errors = []
    for n in sizes:
        law = pf.exact_jko(problem, dt=t / n, times=[t]).final
        errors.append(np.sqrt(np.mean((law.quantile(s) - exact.quantile(s)) ** 2)))
    orders = np.diff(np.log(errors)) / -np.log(2)
    assert np.all(np.abs(orders - 1) < 0.02) and abs(orders[-1] - 1) < 0.005
    assert errors[-1] < 2e-3


def test_fixed_points_are_exact():
    a = np.array([[1.5, 0.5], [0.5, 0.8]])
    mean, cov = gaussian_jko_step(np.array([1.0, 2.0]), 0.5 * np.linalg.inv(a), a, np.array([1.0, 2.0]), 0.5, 0.3)
    assert np.allclose(mean, [1.0, 2.0], rtol=1e-14) and np.allclose(cov, 0.5 * np.linalg.inv(a), rtol=1e-13)
    log = pf.problems.log_repulsion(1.0, 1.0, Semicircle(np.sqrt(2)))
    assert sequence(log, 0.7, 4)[-1].radius == pytest.approx(np.sqrt(2), rel=1e-14)


def test_times_select_iterates_of_the_same_sequence():
    problem = pf.problems.ou()
    dense = pf.exact_jko(problem, dt=0.1, times=np.arange(11) * 0.1)
    sparse = pf.exact_jko(problem, dt=0.1, times=[0.3, 1.0])
    assert np.array_equal(sparse.at(0.3).cov(), dense.at(0.3).cov()) and np.array_equal(
        sparse.final.mean(), dense.final.mean()
    )
    assert pf.exact_jko(problem, dt=0.1).times.tolist() == [1.0] and sparse.stats["steps"] == 10
    assert pf.exact_jko(problem, dt=0.1, times=[0.0]).final is problem.initial
    with pytest.raises(pf.BadInput, match="no multiple"):
        pf.exact_jko(problem, dt=0.1, times=[0.25])
    for dt in (0.0, -0.1, np.nan):
        with pytest.raises(pf.BadInput, match="dt is"):
            pf.exact_jko(problem, dt=dt)


@pytest.mark.parametrize(
    "problem",
    [
        pf.problems.double_well(),
        pf.problems.mixture_ou(),
        pf.problems.styblinski_tang(1),
        pf.problems.ring_aggregation(),
        pf.problems.log_repulsion(initial=Gaussian(0, 1)),
        pf.problems.aggregation_diffusion(),
        pf.problems.mixture_target(2, 3, 5.0),
        pf.Problem(Energy(internal=Power(3.0)), Barenblatt(1, 2.0, 1.0), 1.0, name="p"),
        pf.Problem(Energy(Quadratic(np.diag([1.0, 2.0])), Power(2.0)), Barenblatt(2, 2.0, 1.0), 1.0, name="p"),
        pf.Problem(Energy(DoubleWell(), Entropy()), Uniform(0, 1), 1.0, name="p"),
        pf.Problem(Energy(Quadratic(1.0), Power(2.0)), Gaussian(0, 1), 1.0, name="p"),
    ],
    ids=lambda problem: problem.name,
)
def test_elsewhere_it_says_what_is_closed(problem):
    with pytest.raises(pf.NotAvailable, match="Closed are"):
        pf.exact_jko(problem, dt=0.1, times=[0.1])
