"""The checks pass what is right and refuse, with the place, what is wrong."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.energies.potentials import FromFunction
from pdeflow.laws import Gaussian, GridLaw, Particles, Quantiles


def test_gradient_measures_and_names_the_worst_point(rng):
    x = np.array([[0.1, 0.2], [2.0, -1.0]])
    right = FromFunction(
        lambda x: np.sin(x[:, 0]) * x[:, 1], lambda x: np.stack([np.cos(x[:, 0]) * x[:, 1], np.sin(x[:, 0])], 1), dim=2
    )
    assert checks.gradient(right, x) < 1e-10
    half = FromFunction(right.value, lambda x: right.grad(x) * np.where(x[:, :1] > 1, 0.5, 1.0), dim=2)
    with pytest.raises(pf.BadInput, match=r"x = \[2.0, -1.0\]") as failure:
        checks.gradient(half, x)
    assert failure.value.error == pytest.approx(0.5 * np.sin(2.0), rel=1e-6)
    sign = FromFunction(right.value, lambda x: -right.grad(x), dim=2)
    with pytest.raises(pf.BadInput, match="signs"):
        checks.gradient(sign, x)


def test_gradient_checks_the_hessian_too(rng):
    class Bowl:
        dim = 1

        def value(self, x):
            return (x**4).sum(1)

        def grad(self, x):
            return 4 * x**3

        def hessian(self, x):
            return 6 * x[:, :, None] ** 2  # 12 is right

    with pytest.raises(pf.BadInput, match="hessian at x"):
        checks.gradient(Bowl(), np.array([[1.0], [0.0]]))
    Bowl.hessian = lambda self, x: 12 * x**2
    with pytest.raises(pf.BadInput, match="shape"):
        checks.gradient(Bowl(), np.array([[1.0], [0.0]]))


def test_matrices():
    assert checks.symmetry(np.eye(3)) == 0
    assert checks.semidefinite([[1.0, 1.0], [1.0, 1.0]]) == pytest.approx(0, abs=1e-15)
    with pytest.raises(pf.BadInput, match=r"A\[0, 1\] = 2 but A\[1, 0\] = 1"):
        checks.symmetry([[1.0, 2.0], [1.0, 1.0]])
    with pytest.raises(pf.BadInput, match="smallest eigenvalue is -1"):
        checks.semidefinite([[1.0, 2.0], [2.0, 1.0]])
    for bad in (np.ones((2, 3)), np.ones(3), [[np.nan]], np.empty((0, 0))):
        with pytest.raises(pf.BadInput):
            checks.semidefinite(bad)


def test_adjoint(rng):
    a = rng.normal(size=(4, 7))
    assert checks.adjoint(lambda u: a @ u, lambda v: a.T @ v, (4, 7), rng) < 1e-14
    with pytest.raises(pf.BadInput, match="not that of forward"):
        checks.adjoint(lambda u: a @ u, lambda v: 2 * a.T @ v, (4, 7), rng)
    with pytest.raises(pf.BadInput, match="shape"):
        checks.adjoint(lambda u: a @ u, lambda v: a @ v[: a.shape[1]] if len(v) > 6 else v, (4, 7), rng)


EDGES = np.linspace(0.0, 1.0, 3)


def test_mass_and_positivity_name_the_time():
    leaking = pf.Trajectory([0.0, 0.5], [GridLaw(EDGES, [0.5, 0.5]), GridLaw(EDGES, [0.5, 0.5 + 3e-9])])
    assert checks.mass(leaking, tolerance=1e-8) == pytest.approx(3e-9, rel=1e-6)
    with pytest.raises(pf.Diverged, match=r"t = 0\.5") as failure:
        checks.mass(leaking)
    assert failure.value.time == 0.5
    negative = pf.Trajectory([1.0], [GridLaw(EDGES, [1.0 + 1e-13, -1e-13])])
    assert checks.positivity(negative, tolerance=1e-12) == -1e-13
    with pytest.raises(pf.Diverged, match="t = 1"):
        checks.positivity(negative)
    smooth = pf.Trajectory([0.0], [Gaussian(0, 1)])
    assert checks.mass(smooth) == 0 and checks.positivity(smooth) == 0


def test_energy_decay():
    problem = pf.problems.ou()
    flow = pf.exact(problem, [0.1, 0.5, 1.0])
    assert checks.energy_decay(problem, flow) < -0.05
    backwards = pf.Trajectory([0.1, 0.5, 1.0], flow.laws[::-1])
    with pytest.raises(pf.Diverged, match=r"between t = 0.5 and 1") as failure:
        checks.energy_decay(problem, backwards)
    assert failure.value.rise > 0
    with pytest.raises(pf.BadInput, match="needs two"):
        checks.energy_decay(problem, pf.exact(problem))
    cloud = pf.Trajectory([0.0, 1.0], [Particles([0.0, 1.0])] * 2)
    with pytest.raises(pf.NotAvailable, match="no density"):
        checks.energy_decay(problem, cloud)
    ring = pf.problems.ring_aggregation()
    same = pf.Trajectory([0.0, 1.0], [Gaussian([0, 0], 0.25)] * 2)
    assert checks.energy_decay(ring, same) == 0


@dataclass(frozen=True)
class Push(pf.Method):
    """Moves everything by `speed` a unit of time; holds quantiles, a grid, a cloud or a Gaussian."""

    speed: float
    kind: str

    def init(self, problem, rng):
        return 0.0

    def step(self, problem, state, dt, rng):
        return state + self.speed * dt

    def law(self, state):
        return {
            "quantiles": lambda: Quantiles([state, state + 1], [0, 1]),
            "cloud": lambda: Particles([state, 1.0 + state]),
            "grid": lambda: GridLaw(EDGES, [0.5 + state, 0.5 - state]),
            "gaussian": lambda: Gaussian(state, 1.0),
        }[self.kind]()


@pytest.mark.parametrize("kind", ["quantiles", "cloud", "grid", "gaussian"])
def test_equilibrium(kind):
    problem = pf.problems.ou()
    assert checks.equilibrium(problem, Push(0.0, kind), Gaussian(0, 1), dt=0.1, steps=3, tolerance=0.0) == 0
    assert checks.equilibrium(problem, Push(0.5, kind), Gaussian(0, 1), dt=0.1, steps=3) == pytest.approx(
        0.15, rel=1e-12
    )
    with pytest.raises(pf.Diverged, match=r"3 steps of dt = 0\.1 move"):
        checks.equilibrium(
            problem, replace(Push(0.5, kind), speed=-0.5), Gaussian(0, 1), dt=0.1, steps=3, tolerance=1e-3
        )


def test_gradient_names_a_value_of_the_wrong_shape():
    class NoSum(pf.potentials.Potential):
        dim = 1

        def value(self, x):
            return x**2

        def grad(self, x):
            return 2 * x

    with pytest.raises(pf.BadInput, match=r"value\(x\) has shape \(4, 1\) for x of shape \(4, 1\). It must be \(4,\)"):
        pf.checks.gradient(NoSum(), np.ones((4, 1)))
