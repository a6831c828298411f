"""Runs that obey the laws of a gradient flow pass, and what breaks one is named with its time."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.laws import Gaussian, GridLaw, Particles, Quantiles

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


def test_equilibrium_passes_the_step_and_the_time_to_a_method_that_takes_them():
    class Turning:
        """Moves by the time that has gone by: 0, dt, 2 dt, which are 3 dt in three steps."""

        def init(self, problem, rng, *, dt):
            return np.full((2, 1), dt)

        def step(self, problem, state, dt, rng, *, time):
            return state + time

        def law(self, state):
            return Particles(state)

    assert checks.equilibrium(pf.problems.ou(), Turning(), Gaussian(0, 1), dt=0.25, steps=3) == 0.75
