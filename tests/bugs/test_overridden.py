"""What a user overrides is what runs: no fused loop, closed form or compiled code of the parent answers in its place.

No public thread; tried on the first edition: a subclass's `step` was passed by.
"""

import dataclasses

import numpy as np
import pytest

import pdeflow as pf

OU = pf.problems.ou()


@dataclasses.dataclass(frozen=True)
class Halved(pf.particle.EulerMaruyama):
    """A step of half the length."""

    def step(self, problem, state, dt, rng):
        return super().step(problem, state, dt / 2, rng)


class HalvedSteps:
    """The same as a mixin."""

    def step(self, problem, state, dt, rng):
        return super().step(problem, state, dt / 2, rng)


@dataclasses.dataclass(frozen=True)
class HalvedGrid(HalvedSteps, pf.grid.ChangCooper):
    """A grid scheme with the mixin."""


class Wrapper:
    """Passes on all but `step`."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def step(self, problem, state, dt, rng):
        return self.inner.step(problem, state, dt / 2, rng)


def mean(method):
    return pf.solve(OU, method, dt=1 / 16, times=[0.5]).final.mean()[0]


def test_a_step_of_a_subclass_a_mixin_or_a_wrapper_is_called():
    grid, half = pf.grid.ChangCooper(cells=200), 2 * (1 + 1 / 32) ** -8.0
    assert mean(grid) == pytest.approx(2 * (1 + 1 / 16) ** -8.0, rel=1e-3)
    assert mean(HalvedGrid(cells=200)) == pytest.approx(half, rel=1e-3)
    assert mean(Wrapper(grid)) == pytest.approx(half, rel=1e-3)
    assert mean(Halved(20_000)) == pytest.approx(2 * (1 - 1 / 32) ** 8.0, abs=0.05)


def test_a_step_put_on_the_object_or_on_the_class_is_called(monkeypatch):
    calls = []
    method, own = pf.grid.ChangCooper(cells=50), pf.grid.ChangCooper.step

    def counted(*arguments):
        calls.append(1)
        return own(*arguments[-5:]) if len(arguments) == 5 else own(method, *arguments)

    object.__setattr__(method, "step", counted)
    pf.solve(OU, method, dt=1 / 8, times=[1.0])
    assert len(calls) == 8
    monkeypatch.setattr(pf.grid.ChangCooper, "step", counted)
    pf.solve(OU, pf.grid.ChangCooper(cells=50), dt=1 / 8, times=[1.0])
    assert len(calls) == 16


def test_an_inherited_exact_sequence_is_not_that_of_other_steps():
    with pytest.raises(pf.NotAvailable, match="exact_sequence"):
        Halved().exact_sequence(OU, dt=1 / 8, times=[1.0])


class Quartic(pf.potentials.Quadratic):
    """Not quadratic, whatever its name."""

    def value(self, x):
        return (x**4).sum(-1) / 4

    def grad(self, x):
        return x**3

    def hessian(self, x):
        return 3 * x[:, :, None] ** 2


QUARTIC = pf.potentials.FromFunction(lambda x: (x**4).sum(-1) / 4, lambda x: x**3)


def test_a_potential_that_overrides_its_gradient_is_no_closed_form():
    law = pf.laws.Gaussian(0.3, 0.25)
    truth = pf.Energy(QUARTIC).evaluate(law).value
    patched = pf.potentials.Quadratic(1.0)
    patched.value, patched.grad = QUARTIC.value, QUARTIC.grad
    patched.hessian = lambda x: 3 * x[:, :, None] ** 2
    for potential in (Quartic(1.0), patched):
        assert pf.Energy(potential).evaluate(law).value == pytest.approx(truth, rel=1e-9)
        mine = pf.Problem(energy=pf.Energy(potential, pf.Entropy(1.0)), initial=law, horizon=0.5)
        theirs = dataclasses.replace(mine, energy=pf.Energy(QUARTIC, pf.Entropy(1.0)))
        for method in (pf.grid.QuantileJKO(points=50), pf.particle.EulerMaruyama(100)):
            mean, truth_mean = (pf.solve(p, method, dt=0.125).final.mean()[0] for p in (mine, theirs))
            assert mean == pytest.approx(truth_mean, rel=1e-8)
        with pytest.raises(pf.NotAvailable):
            pf.exact_jko(mine, dt=0.25, times=[0.5])
        with pytest.raises(pf.NotAvailable):
            pf.particle.EulerMaruyama().exact_sequence(mine, dt=0.25, times=[0.5])


class Stiffer(pf.interactions.QuadraticAttraction):
    """Twice the parent."""

    def value(self, z):
        return 2 * super().value(z)

    def grad(self, z):
        return 2 * super().grad(z)


def test_a_kernel_that_overrides_its_gradient_is_no_closed_form():
    law = pf.laws.Gaussian(0.0, 1.0)
    one, two = (
        pf.Problem(energy=pf.Energy(internal=pf.Entropy(1.0), interaction=kernel), initial=law, horizon=0.5)
        for kernel in (Stiffer(1.0), pf.interactions.QuadraticAttraction(2.0))
    )
    method = pf.grid.QuantileJKO(points=40)
    mine, theirs = (pf.solve(p, method, dt=0.25).final.cov()[0, 0] for p in (one, two))
    assert mine == pytest.approx(theirs, rel=1e-7)
    with pytest.raises(pf.NotAvailable):
        pf.exact_jko(one, dt=0.25, times=[0.5])


class Porous(pf.Entropy):
    """U = r², in the clothes of an entropy."""

    def value(self, r):
        return np.asarray(r, dtype=float) ** 2

    def pressure(self, r):
        return np.asarray(r, dtype=float) ** 2


def test_an_internal_energy_that_overrides_its_value_is_no_closed_form():
    law, power = pf.laws.Gaussian(0.0, 1.0), pf.Power(2.0)
    assert pf.Energy(internal=Porous()).evaluate(law).value == pytest.approx(
        pf.Energy(internal=power).evaluate(law).value, rel=1e-8
    )
    r = np.array([0.3, 2.0])
    assert np.allclose(Porous().derivative(r), power.derivative(r), rtol=1e-12)
    mine, theirs = (pf.Problem(energy=pf.Energy(internal=u), initial=law, horizon=0.5) for u in (Porous(), power))
    ours, truth = (pf.solve(p, pf.grid.QuantileJKO(points=40), dt=0.25).final.cov()[0, 0] for p in (mine, theirs))
    assert ours == pytest.approx(truth, rel=1e-7)
    with pytest.raises(pf.Unsupported):
        pf.solve(mine, pf.grid.ChangCooper(50), dt=0.25)


class Wide(pf.laws.Gaussian):
    """N(0, 4), in the clothes of N(0, 1)."""

    def log_density(self, x):
        return super().log_density(np.asarray(x) / 2) - np.log(2)

    def quantile(self, u):
        return 2 * super().quantile(u)

    def cdf(self, x):
        return super().cdf(np.asarray(x) / 2)

    def cov(self):
        return 4 * super().cov()


def test_a_law_that_overrides_its_density_is_no_closed_form():
    wide, wider = Wide(0.0, 1.0), pf.laws.Gaussian(0.0, 4.0)
    energy = pf.Energy(internal=pf.Entropy(1.0))
    assert energy.evaluate(wide).value == pytest.approx(energy.evaluate(wider).value, rel=1e-8)
    assert pf.metrics.kl(wide, wider).value == pytest.approx(0.0, abs=1e-9)
