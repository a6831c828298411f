"""PWGF: exact recursions, orders in dt, the three energies, reports."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy
from pdeflow.energies.potentials import FromFunction
from pdeflow.laws import Gaussian
from pdeflow.neural import (
    PWGF,
    RK4,
    Adaptive,
    Affine,
    Convex,
    Coordinatewise,
    DeepResidual,
    Euler,
    Heun,
    Planar,
    Residual,
)
from pdeflow.neural.parameter_flow.base_points import draw_base_points

MATRIX, CENTER = np.array([[1.5, 0.5], [0.5, 0.8]]), np.array([1.0, -0.5])
START = Gaussian([2.0, 1.0], [[0.5, 0.2], [0.2, 0.4]])
OU = pf.problems.ou(dim=2, matrix=MATRIX, center=CENTER, temperature=0.7, initial=START)
AFFINE = PWGF(map=Affine(), integrator=Euler(), samples=50)


def recursion(dt, steps):
    """Explicit Euler for U' = -(AU - D U^-T), v' = -A(v - b) [docs/math.md 4.3]."""
    root, mean = np.linalg.cholesky(START.cov()), START.mean()
    for _ in range(steps):
        root, mean = root - dt * (MATRIX @ root - 0.7 * np.linalg.inv(root).T), mean - dt * MATRIX @ (mean - CENTER)
    return Gaussian(mean, root @ root.T)


@pytest.mark.parametrize("solver", ["dense", "lsmr", "minres"])
def test_affine_on_ou_is_the_explicit_euler_recursion(solver):
    law = pf.solve(OU, replace(AFFINE, solver=solver), dt=0.05, times=[0.5]).final
    wanted = recursion(0.05, 10)
    tolerance = 1e-12 if solver == "dense" else 1e-7  # the Krylov solvers stop at 1e-8
    np.testing.assert_allclose(law.mean(), wanted.mean(), atol=tolerance)
    np.testing.assert_allclose(law.cov(), wanted.cov(), atol=tolerance)


@pytest.mark.parametrize("integrator, order", [(Euler(), 1), (Heun(), 2), (RK4(), 4)])
def test_orders(integrator, order):
    steps = [1 / 8, 1 / 16, 1 / 32, 1 / 64]
    errors = [
        pf.metrics.w2(
            pf.solve(OU, replace(AFFINE, integrator=integrator), dt=dt, times=[0.5]).final, OU.exact(0.5)
        ).value
        for dt in steps
    ]
    local = np.log2(np.array(errors[:-1]) / errors[1:])
    assert abs(local[-1] - order) < 0.1
    assert errors[-1] < {1: 1e-2, 2: 1e-4, 4: 1e-8}[order]  # 8.8e-3, 8.2e-5 and 2.5e-9 seen


def test_the_ten_dimensional_quadratic_of_the_paper():
    """Σ = diag blocks ((5/8, -3/8), (-3/8, 5/8)), 1, ..., 1/4.

    W2 at t = 2 as docs/math.md 4.3 has it: first order, exact constants.
    """
    cov = np.eye(10)
    cov[:2, :2] = [[0.625, -0.375], [-0.375, 0.625]]
    cov[5, 5] = cov[8, 8] = cov[9, 9] = 0.25
    center = np.array([1, 1, 0, 0, 1, 2, 0, 0, 2, 3.0])
    problem = pf.problems.ou(
        dim=10, matrix=np.linalg.inv(cov), center=center, initial=Gaussian(np.zeros(10), 1.0), horizon=2.0
    )
    law = pf.solve(problem, replace(AFFINE, samples=100), dt=0.01).final
    assert abs(pf.metrics.w2(law, problem.exact(2.0)).value / 1.374e-3 - 1) < 1e-3  # as many digits as are known
    assert np.abs(law.mean() - problem.exact(2.0).mean()).max() < 0.005


@pytest.mark.parametrize(
    "options",
    [{"integrator": Adaptive()}, {"map": Planar(20, affine=False)}, {"map": Residual(6, 6)}],
    ids=str,
)
def test_maps_with_layers_follow_a_gaussian_flow(options):
    method = PWGF(**{"map": Planar(6), "samples": 1000, **options})
    law = pf.solve(OU, method, dt=0.1, times=[0.5]).final
    x = law.push(START.sample(40_000, np.random.default_rng(0)))
    wanted = OU.exact(0.5)
    # three standard errors of 40 000 draws, and of the adaptive steps 1e-3
    np.testing.assert_allclose(x.mean(0), wanted.mean(), atol=0.015)
    np.testing.assert_allclose(np.cov(x.T), wanted.cov(), atol=0.02)


def test_styblinski_tang_lowers_its_energy_at_every_step():
    problem = pf.problems.styblinski_tang(2, horizon=0.02)
    flow = pf.solve(problem, PWGF(map=Planar(12), samples=3000, integrator=Euler()), dt=0.005)
    start = -26 * 3 / 50 - (1 + np.log(2 * np.pi))  # ∫V dρ - entropy of N(0, I): exactly -26 c - log(2πe)
    energies = np.array([start] + [step["energy"] for step in flow.history])
    fall = np.diff(energies[1:])
    dissipation = np.array([step["dissipation"] for step in flow.history])
    assert (fall < 0).all() and abs(energies[1] - start) < 0.3
    # dF/dt = -dissipation: the trapezoidal rule over a step of explicit Euler errs by its length
    np.testing.assert_allclose(-fall / 0.005, (dissipation[1:] + dissipation[:-1]) / 2, rtol=0.05)
    last = flow.history[-1]
    assert 0 < last["delta0"] < 0.1 * last["dissipation"] and last["residual"] < 1e-5 and last["evaluations"] == 1


def test_two_modes_part_as_they_must():
    """Styblinski-Tang on the line, against the exact KL(t) of docs/math.md 8.3 (30 coordinates, halved down to one)."""
    problem = pf.problems.styblinski_tang(1)
    flow = pf.solve(problem, PWGF(map=Coordinatewise(), samples=2000), dt=0.1, times=[0.3, 0.9])
    z = np.linspace(-8, 8, 16001)[:, None]
    base = Gaussian(0.0, 1.0).log_density(z)
    for law, wanted in zip(flow.laws, (49.820229252, 15.960690570)):
        x, log_det = law.maps[-1].with_log_det(z)
        integrand = np.exp(base) * (base - log_det + problem.energy.potential.value(x) + np.log(172.5135609796))
        np.testing.assert_allclose(integrand.sum() * 1e-3, wanted / 30, rtol=0.005)  # 1e-3 seen
        x = law.sample(200, np.random.default_rng(0))
        np.testing.assert_allclose(law.quantile(law.cdf(x)), x, atol=1e-8)


@pytest.mark.parametrize("dim, m, start", [(1, 2.0, 0.1), (2, 2.4, 0.1), (5, 3.0, 1.0)])
@pytest.mark.parametrize("kind", [Affine(), Planar(3)])
def test_porous_medium_from_barenblatt_scales_exactly(dim, m, start, kind):
    """The velocity βx/t is linear, so the projection is exact.

    M2 grows as t^(2β) even at the edge, where the score is infinite.
    """
    problem = pf.problems.porous_medium(dim, m, start, 9 * start)
    method = PWGF(map=kind, samples=400, integrator=RK4(), damping=0.0)
    law = pf.solve(problem, method, dt=9 * start / 40).final
    x = problem.initial.sample(50, np.random.default_rng(0))
    np.testing.assert_allclose(law.push(x), x * 10**problem.initial.beta, rtol=2e-3)


def test_the_ring_keeps_its_centre_and_contracts_as_it_must():
    problem = pf.problems.ring_aggregation(initial=Gaussian([1.25, 1.25], 0.25), horizon=0.5)
    flow = pf.solve(problem, PWGF(map=Planar(12), samples=3000), dt=0.1)
    x = flow.final.push(draw_base_points(problem.initial, 20_000, np.random.default_rng(1), None).points.numpy())
    np.testing.assert_allclose(x.mean(0), 1.25, atol=3e-3)
    assert abs(((x - 1.25) ** 2).sum(1).mean() - 0.335057150501) < 0.01  # docs/math.md 2.1; 0.5 at the start


def test_sums_of_energies_and_the_factor_one_half():
    problem = pf.problems.mckean_vlasov_ou(initial=Gaussian([1.0, -1.0], 0.3), horizon=0.4)
    law = pf.solve(problem, PWGF(map=Affine(), integrator=RK4(), samples=100), dt=0.1).final
    truth = problem.exact(0.4)
    np.testing.assert_allclose(law.mean(), truth.mean(), atol=1e-5)
    np.testing.assert_allclose(law.cov(), truth.cov(), atol=1e-5)


@pytest.mark.parametrize("kind", [Planar(3), Coordinatewise(8)])
def test_the_units_of_length_do_not_matter(kind):
    """x -> cx turns V into c²V(x/c) and the temperature into c² times it.

    Θ, and the steps, must be the same. Damping and tolerance scale too.
    """
    runs = []
    for c in (1.0, 100.0):
        well = FromFunction(lambda x, c=c: c**2 * ((x / c) ** 4).sum(1), lambda x, c=c: 4 * c * (x / c) ** 3, dim=2)
        problem = pf.Problem(Energy(well, Entropy(0.5 * c**2)), Gaussian([c, 0.0], c**2 * 0.5), 0.1, name="well")
        method = PWGF(map=kind, samples=300, damping=1e-2)
        runs.append(pf.solve(problem, method, dt=0.05))
    x = np.random.default_rng(0).standard_normal((50, 2))
    np.testing.assert_allclose(runs[1].final.push(100 * x), 100 * runs[0].final.push(x), rtol=1e-6)
    assert runs[0].history[-1]["inner_steps"] == runs[1].history[-1]["inner_steps"]


def test_adaptive_steps_are_as_long_as_the_tolerance_allows():
    """For y' = -y the pair estimates its error as |y| h³(1 - h)/48, which is held at 0.9³ of the tolerance.

    The law's spread is 1 here.
    """
    shift = pf.problems.ou(initial=Gaussian(1.0, 1.0), horizon=0.9)
    tolerance = 1e-6
    flow = pf.solve(shift, replace(AFFINE, integrator=Adaptive(tolerance)), dt=0.9)
    steps = 3 * (1 - np.exp(-0.3)) * (48 * 0.9**3 * tolerance) ** (-1 / 3)  # ∫dt/h
    assert abs(flow.history[-1]["inner_steps"] / steps - 1) < 0.1
    assert abs(flow.final.mean()[0] - np.exp(-0.9)) < 20 * tolerance


@pytest.mark.parametrize(
    "bad",
    [
        {"map": "planar"},
        {"map": Planar},
        {"map": Convex()},
        {"map": DeepResidual()},
        {"samples": 1},
        {"solver": "cg"},
        {"integrator": "rk4"},
        {"integrator": RK4},
        {"damping": -1.0},
        {"damping": True},
    ],
    ids=str,
)
def test_fields_are_checked(bad):
    with pytest.raises(pf.BadInput, match=next(iter(bad))):
        PWGF(**bad)
