"""EulerMaruyama: each step against numpy, its laws against the exact recursion, its bits against threads and splits."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.potentials import DoubleWell, FromFunction, MixturePotential, Quadratic, StyblinskiTang
from pdeflow.laws import Gaussian, GaussianMixture
from pdeflow.particle import EulerMaruyama
from pdeflow.particle.euler_maruyama.noise import normals
from pdeflow.problems.aggregation import quartic_second_moment

MATRIX = np.array(
    [[2.0, 0.6, 0.1, 0, 0.2], [0.6, 1, 0, 0.1, 0], [0.1, 0, 1.5, 0, 0], [0, 0.1, 0, 1, 0.3], [0.2, 0, 0, 0.3, 0.8]]
)
MIXTURE = GaussianMixture([0.3, 0.7], [[1.0, 0.0], [-1.0, 0.5]], [[[1, 0.2], [0.2, 0.5]], [[0.4, 0], [0, 0.9]]])


class Cubic:
    """A user's potential by duck typing."""

    dim = 2

    def value(self, x):
        return np.sum(np.abs(x) ** 3, axis=1) / 3

    def grad(self, x):
        return x * np.abs(x)


class Singular:
    """A user's kernel by duck typing: W = -log|z|. Its gradient must not be asked at z = 0, a pair of a particle with itself."""

    def value(self, z):
        return -np.log(np.sum(z * z, axis=1)) / 2

    def grad(self, z):
        return -z / np.sum(z * z, axis=1)[:, None]


POTENTIALS = {
    "none": (None, 2), "quadratic": (Quadratic(MATRIX, np.arange(5.0)), 5), "double well": (DoubleWell(0.7, 2), 2),
    "styblinski-tang": (StyblinskiTang(3), 3), "mixture": (MixturePotential(MIXTURE, 0.8), 2), "duck": (Cubic(), 2),
    "function": (FromFunction(lambda x: np.sum(x**4, axis=1), lambda x: 4 * x**3, dim=1), 1),
}  # fmt: skip
KERNELS = {
    "attraction": pf.interactions.QuadraticAttraction(1.3), "(4, 2)": pf.interactions.PowerLaw(4, 2),
    "(3, 1)": pf.interactions.PowerLaw(3, 1), "(2.5, 0)": pf.interactions.PowerLaw(2.5, 0),
    "log": pf.interactions.LogRepulsion(0.9, 0.4), "gaussian": pf.interactions.GaussianAttraction(1.1, 0.8), "duck": Singular(),
}  # fmt: skip


def problem_of(potential=None, kernel=None, dim=2, temperature=0.6):
    internal = None if temperature is None else pf.Entropy(temperature)
    energy = pf.Energy(potential, internal, kernel)
    return pf.Problem(energy, Gaussian(np.linspace(0.5, 1, dim), 0.5), 1.0, name="test")


def one_step_by_hand(problem, state, dt):
    x, energy, drift = state.x, problem.energy, 0.0
    if energy.potential is not None:
        drift = drift + energy.potential.grad(x)
    if energy.interaction is not None:
        i, j = np.nonzero(~np.eye(len(x), dtype=bool))
        drift = drift + energy.interaction.grad(x[i] - x[j]).reshape(len(x), -1, x.shape[1]).sum(axis=1) / len(x)
    noise = normals(state.key, state.increments, 1, *x.shape)[0]
    temperature = 0.0 if energy.internal is None else energy.internal.temperature
    return x - dt * drift + np.sqrt(2 * temperature * dt) * noise


@pytest.mark.parametrize("temperature", [0.6, None])
@pytest.mark.parametrize(
    "potential, kernel",
    [
        *((name, None) for name in POTENTIALS if name != "none"),
        *(("none", name) for name in KERNELS),
        *[("mixture", "log"), ("duck", "(4, 2)"), ("double well", "duck")],
    ],
)
def test_a_step_is_the_scheme(potential, kernel, temperature, rng):
    """Two steps against numpy: 300 particles, no multiple of a block. Round-off of sums of a few hundred terms: 1e-12."""
    part, dim = POTENTIALS[potential]
    problem, method = problem_of(part, KERNELS.get(kernel), dim, temperature), EulerMaruyama(300)
    first = method.init(problem, rng)
    state = method.step(problem, first, 0.03, rng)
    np.testing.assert_allclose(state.x, one_step_by_hand(problem, first, 0.03), rtol=1e-12, atol=1e-12)
    again = method.step(problem, state, 0.05, rng)
    np.testing.assert_allclose(again.x, one_step_by_hand(problem, state, 0.05), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [None, "attraction", "(4, 2)", "log"])
def test_bits_do_not_depend_on_saved_times(kernel):
    problem = problem_of(Quadratic(MATRIX[:3, :3], 0.2), KERNELS.get(kernel), 3)
    method = EulerMaruyama(1000)
    often = pf.solve(problem, method, dt=0.01, times=[0.01, 0.02, 0.07, 0.2], seed=3)
    once = pf.solve(problem, method, dt=0.01, times=[0.2], seed=3)
    single = pf.solve(problem, method, dt=0.01, times=[0.2], seed=3, on_step=lambda *_: None)
    np.testing.assert_array_equal(often.final.x, once.final.x)
    np.testing.assert_array_equal(single.final.x, once.final.x)
    assert np.any(pf.solve(problem, method, dt=0.01, times=[0.2], seed=4).final.x != once.final.x)


PROGRAM = """
import hashlib, numba, numpy as np, pdeflow as pf
assert numba.get_num_threads() == {threads}
digest = hashlib.sha256()
for problem, n, dt in [
    (pf.problems.ou(dim=5, seed=1), 3001, 0.01), (pf.problems.mckean_vlasov_ou(), 3001, 0.01),
    (pf.problems.ring_aggregation(dim=2), 1500, 0.02), (pf.problems.log_repulsion(), 700, 0.01),
]:
    digest.update(pf.solve(problem, pf.particle.EulerMaruyama(n), dt=dt, times=[30 * dt], seed=5).final.x.tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_threads():
    answers = set()
    for threads in (1, 2, 4):
        environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(threads=threads)], env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        answers.add(run.stdout)
    assert len(answers) == 1


def test_coupled_runs_follow_one_brownian_path():
    """With no drift the path itself is left: every dt ends at the same point, up to the rounding of the sum."""
    problem = pf.problems.heat(2)
    ends = [
        pf.solve(problem, EulerMaruyama(400, brownian_step=1 / 64), dt=dt, times=[1.0], seed=2).final.x
        for dt in (1 / 64, 1 / 16, 1 / 2)
    ]
    np.testing.assert_allclose(ends[1:], [ends[0]] * 2, rtol=0, atol=1e-13)
    free = pf.solve(problem, EulerMaruyama(400), dt=1 / 64, times=[1.0], seed=2).final.x
    np.testing.assert_array_equal(free, ends[0])


def standard_errors(cloud, law):
    """Errors of a cloud's mean and covariance in standard errors of a Gaussian sample of its size."""
    n, cov = len(cloud.x), law.cov()
    spread = np.sqrt(np.diag(cov))
    cov_spread = np.sqrt(np.outer(np.diag(cov), np.diag(cov)) + cov**2)
    mean_score = (cloud.mean() - law.mean()) / spread
    return np.sqrt(n) * np.concatenate([mean_score, ((cloud.cov() - cov) / cov_spread).ravel()])


@pytest.mark.parametrize(
    "problem",
    [
        pf.problems.ou(dim=3, matrix=MATRIX[:3, :3], initial=Gaussian([2.0, 0, 1], np.diag([0.2, 1, 2]))),
        pf.problems.mckean_vlasov_ou(initial=Gaussian([1.0, -1], [[0.3, 0.1], [0.1, 0.6]])),
        pf.problems.heat(2, 0.3),
    ],
    ids=lambda problem: problem.name,
)
def test_laws_are_those_of_the_exact_recursion(problem):
    """dt = 1/4, where the recursion is far from the flow: more than 4 standard errors would show (n = 40 000)."""
    method = EulerMaruyama(40_000)
    run, laws = (
        pf.solve(problem, method, dt=0.25, times=[0.25, 2.0], seed=8),
        method.exact_sequence(problem, dt=0.25, times=[0.25, 2.0]),
    )
    for t in (0.25, 2.0):
        assert np.max(np.abs(standard_errors(run.at(t), laws.at(t)))) < 4
    if problem.name != "heat":
        assert np.max(np.abs(standard_errors(run.at(2.0), problem.exact(2.0)))) > 8  # the test can tell the two


def test_exact_recursion_in_one_dimension():
    """m_k = b + (1 - ha)^k (m - b) and the biased stationary variance T / (a (1 - ah/2)) [docs/math.md 4.3]."""
    a, b, temperature, h = 1.5, 0.3, 0.7, 0.2
    problem = pf.problems.ou(matrix=a, center=b, temperature=temperature)
    laws = EulerMaruyama().exact_sequence(problem, dt=h, times=[0.0, 0.6, 40.0])
    assert laws.at(0.0).cov()[0, 0] == pytest.approx(0.25, rel=1e-15)
    assert laws.at(0.6).mean()[0] == pytest.approx(b + (1 - h * a) ** 3 * (2 - b), rel=1e-14)
    assert laws.at(40.0).cov()[0, 0] == pytest.approx(temperature / (a * (1 - a * h / 2)), rel=1e-13)
    parts = EulerMaruyama().exact_sequence(pf.problems.mixture_ou(), dt=0.1, times=[0.2]).final
    alone = pf.problems.ou(matrix=1.2, center=0.4, initial=Gaussian(2.0, 0.36))
    second = EulerMaruyama().exact_sequence(alone, dt=0.1, times=[0.2]).final
    np.testing.assert_allclose(
        [parts.means[1, 0], parts.covs[1, 0, 0]], [second.mean()[0], second.cov()[0, 0]], rtol=1e-14
    )


def test_weak_order_one_on_coupled_paths():
    """Mean and variance of the OU flow at t = 1. Coupling to a fine run of known bias removes the noise of the cloud:
    what is left is 4 standard errors of the coupled difference, a few per cent of the bias at the finest step.
    """
    problem, h = pf.problems.ou(), 1 / 256
    method, steps, flow = (
        EulerMaruyama(40_000, brownian_step=h),
        np.array([1 / 4, 1 / 8, 1 / 16, 1 / 32]),
        problem.exact(1.0),
    )
    fine = pf.solve(problem, method, dt=h, seed=1).final.x
    fine_law = method.exact_sequence(problem, dt=h, times=[1.0]).final
    mean_error, variance_error = [], []
    for dt in steps:
        x = pf.solve(problem, method, dt=dt, seed=1).final.x
        mean_error.append(np.mean(x - fine) + fine_law.mean()[0] - flow.mean()[0])
        variance_error.append(np.var(x) - np.var(fine) + fine_law.cov()[0, 0] - flow.cov()[0, 0])
        assert abs(
            np.mean(x - fine) - (method.exact_sequence(problem, dt=dt, times=[1.0]).final.mean() - fine_law.mean())[0]
        ) < (4 * np.std(x - fine) / 200)
    for error in (mean_error, variance_error):
        slope = np.polyfit(np.log(steps), np.log(np.abs(error)), 1)[0]
        assert slope == pytest.approx(1, abs=0.1)  # local orders of the recursion itself: 1.13 to 1.01 in the mean
    assert mean_error[-1] == pytest.approx(
        -np.exp(-1) * 2 * (1 / 32) / 2, rel=0.05
    )  # -h a² t m_t / 2 (docs/math.md 4.2, sign of Euler)


def test_aggregation_in_the_plane_keeps_its_moments():
    """PowerLaw(4, 2) from N(0, I/4): E|x|² against the radial characteristics, and the mean does not move."""
    problem = pf.problems.ring_aggregation()
    method = EulerMaruyama(20_000)
    start = method.init(problem, np.random.default_rng(np.random.SeedSequence(6)))
    cloud = pf.solve(problem, method, dt=1 / 64, times=[2.0], seed=6).final
    np.testing.assert_allclose(cloud.mean(), start.x.mean(axis=0), rtol=0, atol=1e-13)
    exact = quartic_second_moment(2, 0.25, [2.0])[0]
    # explicit Euler at 1/64 and the sampling of the start (about 1 % / √e) together stay below 0.004
    assert np.trace(cloud.cov()) == pytest.approx(exact, abs=0.004)


LIPSCHITZ = MixturePotential(GaussianMixture([1.0], [[0.0]], [1.0]))  # V = x²/2, but not known as such
BLOW_UPS = {
    "double well": (DoubleWell(1.0), 0.4, DoubleWell(1.0)),
    "the user's": (FromFunction(lambda x: np.sum((x * x - 1) ** 2, 1), lambda x: 4 * x * (x * x - 1)), 0.4, DoubleWell(1.0)),
    "linear growth": (LIPSCHITZ, 4.0, LIPSCHITZ),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOW_UPS)
def test_blow_up_names_step_and_particle(name):
    """The step and the particle reported are the first beyond 1e100: found here by single steps in numpy."""
    potential, dt, twin = BLOW_UPS[name]
    problem = problem_of(potential, dim=1, temperature=0.5)
    with pytest.raises(pf.Diverged, match="smaller dt") as caught:
        pf.solve(problem, EulerMaruyama(200), dt=dt, times=[1000 * dt], seed=1)
    method, rng = EulerMaruyama(200), np.random.default_rng(np.random.SeedSequence(1))
    state, step = method.init(problem, rng), 0
    with np.errstate(all="ignore"):
        while np.all(np.abs(state.x) <= 1e100):
            x = one_step_by_hand(replace(problem, energy=pf.Energy(twin, pf.Entropy(0.5))), state, dt)
            state, step = replace(state, x=x, increments=step + 1), step + 1
    assert caught.value.step == step
    assert caught.value.particle == int(np.argmax(~(np.abs(state.x[:, 0]) <= 1e100)))
    assert step > 200 or name != "linear growth"  # 3^210 = 1e100: without the limit the run would have come back finite


def test_a_start_beyond_every_limit_is_no_blow_up():
    problem = pf.problems.ou(initial=Gaussian(1e150, 1.0))
    assert pf.solve(problem, EulerMaruyama(5), dt=0.5, times=[1.0], seed=1).final.x == pytest.approx(2.5e149, rel=1e-9)


ATTRACTION = pf.interactions.QuadraticAttraction(1.5)


@pytest.mark.parametrize(
    "potential, kernel, rate",
    [
        (Quadratic(np.diag([0.5, 2.0])), None, 2.0),
        (Quadratic(np.diag([0.5, 2.0])), ATTRACTION, 3.5),
        (None, ATTRACTION, 1.5),
    ],
)
def test_a_linear_drift_is_refused_at_its_stability_bound(potential, kernel, rate):
    problem, bound = problem_of(potential, kernel), 2 / rate
    for dt in (bound, 1.5 * bound):
        with pytest.raises(
            pf.Diverged, match=rf"largest rate is {rate:g}.*dt below 2/{rate:g} = {bound:.6g}"
        ) as caught:
            pf.solve(problem, EulerMaruyama(50), dt=dt, times=[40 * dt], seed=1)
        assert caught.value.step == 2 and caught.value.bound == pytest.approx(bound, rel=1e-14)
        one = pf.solve(problem, EulerMaruyama(50), dt=dt, times=[dt], seed=1).final.x  # one step is what it is
        with pytest.raises(pf.Diverged):
            EulerMaruyama(50).advance(problem, EulerMaruyama(50).init(problem, np.random.default_rng(1)), dt, 2, None)
        assert np.isfinite(one).all()
    stable = pf.solve(problem, EulerMaruyama(50), dt=0.99 * bound, times=[0.99 * bound * 400], seed=1).final.x
    assert (
        np.max(np.abs(stable - stable.mean(axis=0))) < 100
    )  # stationary variance 2 T dt / (1 - 0.98²) = 15 T dt at most


def test_one_particle_feels_no_attraction():
    """Its own mean is itself: rate 0.5 of the potential alone, so that dt = 2 is stable beside attraction 9."""
    problem = problem_of(Quadratic(0.5 * np.eye(2)), pf.interactions.QuadraticAttraction(9.0), temperature=None)
    assert np.max(np.abs(pf.solve(problem, EulerMaruyama(1), dt=1.0, times=[40.0]).final.x)) < 1e-9


@pytest.mark.parametrize(
    "fields, error",
    [
        ({"particles": 0}, pf.BadInput), ({"particles": 2.5}, pf.BadInput), ({"particles": 2**33}, pf.BadInput),
        ({"brownian_step": 0.0}, pf.BadInput), ({"brownian_step": -1}, pf.BadInput), ({"particels": 5}, pf.UnknownField),
    ],
)  # fmt: skip
def test_bad_fields(fields, error):
    with pytest.raises(error, match=next(iter(fields))):
        EulerMaruyama(**fields)


def test_bad_problems():
    method = EulerMaruyama(50)
    with pytest.raises(pf.Unsupported, match="QuantileJKO"):
        pf.solve(pf.problems.porous_medium(), method, dt=0.001)
    with pytest.raises(pf.Unsupported, match="FromFunction"):
        pf.solve(problem_of(FromFunction(lambda x: x[:, 0] ** 2), dim=1), method, dt=0.1)
    with pytest.raises(pf.BadInput, match=r"dt = 0\.25,"):
        pf.solve(pf.problems.ou(), EulerMaruyama(50, brownian_step=0.125), dt=0.3, times=[0.3])
    pf.solve(pf.problems.ou(), EulerMaruyama(50, brownian_step=0.1), dt=0.3, times=[0.3])  # 0.3 / 0.1 in floating point
    with pytest.raises(pf.NotAvailable, match="finer run"):
        method.exact_sequence(pf.problems.double_well(), dt=0.1, times=[0.1])


@pytest.mark.parametrize("kind", ["function", "duck"])
def test_a_gradient_that_is_nan_names_the_point(kind):
    def grad(x):
        return np.where(x > 1.5, np.nan, x)

    potential = FromFunction(lambda x: np.sum(x * x, 1) / 2, grad)
    if kind == "duck":
        potential = type("Duck", (), {"dim": 1, "value": lambda self, x: x[:, 0], "grad": lambda self, x: grad(x)})()
    with pytest.raises(pf.BadInput, match=r"at x = \[1\.[5-9]|at x = \[[2-9]"):
        pf.solve(problem_of(potential, dim=1), EulerMaruyama(500), dt=0.1)
    with pytest.raises(pf.BadInput, match=r"at x = "):  # reached by the walk, not by the start
        pf.solve(
            replace(problem_of(potential, dim=1), initial=Gaussian(0.0, 1e-4)), EulerMaruyama(500), dt=0.1, times=[5.0]
        )
