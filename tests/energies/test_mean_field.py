"""The mean field of a cloud: every fast path against the sum over all pairs, and against closed forms."""

import numba
import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from pdeflow.energies.mean_field import mean_energy, mean_force, moment_field

KERNELS = {
    "(4, 2)": PowerLaw(4.0, 2.0),
    "(2, 1)": PowerLaw(2.0, 1.0),
    "(4, 1)": PowerLaw(4.0, 1.0),
    "(3, 2)": PowerLaw(3.0, 2.0),
    "(2, 0)": PowerLaw(2.0, 0.0),
    "(3, -0.5)": PowerLaw(3.0, -0.5),
    "(0, -1)": PowerLaw(0.0, -1.0),
    "quadratic": QuadraticAttraction(1.7),
    "log": LogRepulsion(1.3, 0.4),
    "gaussian": GaussianAttraction(0.8, 1.4),
}
every = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())


class Mine:
    """A user's kernel: W = |z|² log(1 + |z|²), with no knowledge of pdeflow."""

    def value(self, z):
        r2 = (z * z).sum(axis=-1)
        return r2 * np.log1p(r2)

    def grad(self, z):
        assert np.all((z * z).sum(axis=-1) > 0)  # nobody asks for the force of a particle on itself
        r2 = (z * z).sum(axis=-1)[:, None]
        return 2 * z * (np.log1p(r2) + r2 / (1 + r2))


def all_pairs_force(kernel, x, at, weights=None):
    z = at[:, None, :] - x[None, :, :]
    gradient = kernel.grad(z.reshape(-1, x.shape[1])).reshape(z.shape)
    return gradient.sum(axis=1) / len(x) if weights is None else np.einsum("j,ijk->ik", weights, gradient)


def all_pairs_energy(kernel, x, weights):
    total = 0.0
    for i in range(len(x)):
        others = np.arange(len(x)) != i if getattr(kernel, "singular", False) else np.ones(len(x), bool)
        total += 0.5 * weights[i] * (kernel.value(x[i] - x[others]) @ weights[others])
    return total


@every
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_force_is_the_sum_over_all_pairs(kernel, dim, rng):
    x = rng.normal(size=(300, dim)) + 0.7  # three blocks, the last one not full
    x[7] = x[20]  # coincident points exert no force on each other
    scale = np.abs(all_pairs_force(kernel, x, x)).max()
    assert np.abs(mean_force(kernel, x) - all_pairs_force(kernel, x, x)).max() < 1e-13 * scale
    at = np.concatenate([rng.normal(size=(50, dim)), x[:3]])
    assert np.abs(mean_force(kernel, x, at) - all_pairs_force(kernel, x, at)).max() < 1e-13 * scale
    weights = rng.random(300) / 200  # their sum is not one
    exact = all_pairs_force(kernel, x, at, weights)
    assert np.abs(mean_force(kernel, x, at, weights=weights) - exact).max() < 1e-13 * scale


@every
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_energy_is_the_sum_over_all_pairs(kernel, dim, rng):
    x, weights = rng.normal(size=(200, dim)) - 0.4, rng.random(200)
    weights[3] = 0.0
    exact = all_pairs_energy(kernel, x, weights)  # weights need not sum to one
    assert mean_energy(kernel, x, weights) == pytest.approx(exact, rel=1e-13)
    even = all_pairs_energy(kernel, x, np.full(200, 1 / 200))
    assert mean_energy(kernel, x) == pytest.approx(even, rel=1e-13)
    assert pf.Energy(interaction=kernel).evaluate(pf.laws.Particles(x)).value == pytest.approx(even, rel=1e-13)


@every
def test_the_force_is_the_gradient_of_the_energy(kernel, rng):
    """n ∂E/∂x_i = (∇W*ρ)(x_i): so the ½ of the energy and the force belong together."""
    x, h = rng.normal(size=(12, 2)), 1e-5
    force = mean_force(kernel, x)
    for i, k in ((0, 0), (5, 1)):
        step = np.zeros_like(x)
        step[i, k] = h
        slope = len(x) * (mean_energy(kernel, x + step) - mean_energy(kernel, x - step)) / (2 * h)
        assert slope == pytest.approx(force[i, k], abs=2e-8 * (1 + np.abs(force).max()))  # h² of the differences


def test_infinite_energies_are_infinite():
    x = np.zeros((2, 2))
    for kernel in KERNELS.values():
        value = mean_energy(kernel, x)
        assert np.isposinf(value) == kernel.singular and not np.isnan(value)
        if kernel.singular:  # a point without mass is no point
            assert mean_energy(kernel, x, [1.0, 0.0]) == 0.0


def test_a_users_kernel_goes_the_numpy_way(rng, monkeypatch):
    x = rng.normal(size=(90, 2))
    at = rng.normal(size=(40, 2))
    kernel = Mine()
    force, energy = mean_force(kernel, x), mean_energy(kernel, x)
    monkeypatch.setattr(pf.mean_field, "PAIRS_AT_ONCE", 500)  # many blocks of rows
    assert np.allclose(mean_force(kernel, x), force, rtol=1e-14, atol=0)
    assert np.allclose(mean_force(kernel, x, at), all_pairs_force(kernel, x, at), rtol=1e-13)
    weights = rng.random(90)
    exact = all_pairs_force(kernel, x, at, weights)
    assert np.allclose(mean_force(kernel, x, at, weights=weights), exact, rtol=1e-12)
    assert mean_energy(kernel, x) == pytest.approx(energy, rel=1e-14)
    assert energy == pytest.approx(all_pairs_energy(kernel, x, np.full(90, 1 / 90)), rel=1e-13)

    class Overridden(QuadraticAttraction):
        def grad(self, z):
            return 3 * z

    assert np.allclose(mean_force(Overridden(), x), 3 * (x - x.mean(axis=0)), atol=1e-14)


@pytest.mark.parametrize(
    "kernel", [KERNELS["(4, 2)"], KERNELS["gaussian"], KERNELS["log"]], ids=["moments", "gaussian", "log"]
)
def test_the_same_bits_for_every_number_of_threads(kernel, rng):
    x = rng.normal(size=(1500, 2))
    before, answers = numba.get_num_threads(), []
    try:
        for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
            numba.set_num_threads(threads)
            answers.append((mean_force(kernel, x), mean_energy(kernel, x)))
    finally:
        numba.set_num_threads(before)
    for force, energy in answers[1:]:
        assert np.array_equal(force, answers[0][0]) and energy == answers[0][1]


def test_closed_forms_in_the_limit_of_a_fine_cloud():
    """The uniform law on [-1, 1] rests under x²/2 - |x|, and n points at their ranks: energy -1/6 (1 - 1/n²)."""
    n = 1000
    line = ((2 * np.arange(n) + 1) / n - 1)[:, None]
    assert np.abs(mean_force(PowerLaw(2.0, 1.0), line)).max() < 1e-14
    assert mean_energy(PowerLaw(2.0, 1.0), line) == pytest.approx(-(1 - 1 / n**2) / 6, rel=1e-13)
    angle = 2 * np.pi * np.arange(7) / 7
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) / np.sqrt(3)
    assert np.abs(mean_force(PowerLaw(4.0, 2.0), ring)).max() < 1e-15
    assert mean_energy(PowerLaw(4.0, 2.0), ring) == pytest.approx(-1 / 12, rel=1e-14)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: mean_force(PowerLaw(), [[0.0, np.nan]]), r"x\[0, 1\] is nan"),
        (lambda: mean_force(PowerLaw(), np.zeros((0, 2))), "n >= 1"),
        (lambda: mean_force(PowerLaw(), np.zeros((3, 2)), np.zeros((3, 3))), "dimension 2"),
        (lambda: mean_energy(PowerLaw(), np.zeros((3, 2)), [0.5, 0.5]), "3 points and 2 weights"),
    ],
)
def test_bad_clouds(call, message):
    with pytest.raises(pf.BadInput, match=message):
        call()


def test_moments_stand_for_the_cloud(rng):
    """The force of the (4, 2) kernel by moments, kept without the cloud, conserves the centre of mass to round-off."""
    x, at = rng.normal(size=(300, 3)) + 2.0, rng.normal(size=(20, 3))
    field = moment_field(PowerLaw(4.0, 2.0), x)
    assert np.array_equal(field(at), mean_force(PowerLaw(4.0, 2.0), x, at))
    assert np.abs(field(x).sum(axis=0)).max() < 1e-10
    assert moment_field(PowerLaw(3.0, 2.0), x) is None and moment_field(Mine(), x) is None
