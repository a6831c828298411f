"""Mass, sign, energy and the Gibbs law as claims: a correct scheme passes each, and a slip of that kind fails it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, GridLaw, Particles
from pdeflow.metrics import free_energy, mass_error, negative_mass

PROBLEM = pf.problems.ou(initial=Gaussian(1.0, 0.25))
EDGES = np.linspace(-4.0, 4.0, 41)


@dataclass(frozen=True)
class Cells:
    """Explicit finite volumes of OU on 40 cells, with the fluxes of Chang-Cooper; or one with a slip."""

    bug: str = ""

    def init(self, problem, rng):
        mass = problem.initial.cell_masses((EDGES,)).mass
        return mass / mass.sum()

    def step(self, problem, state, dt, rng):
        width, centers = EDGES[1] - EDGES[0], (EDGES[1:] + EDGES[:-1]) / 2
        value = problem.energy.potential.value(centers[:, None])
        w = np.diff(value)
        if self.bug == "sign of the drift":
            w = -w
        if self.bug == "temperature":
            w = w / 2
        bernoulli = w / np.expm1(w)
        flux = (np.exp(w) * bernoulli * state[1:] - bernoulli * state[:-1]) / width**2
        if self.bug == "central flux":
            flux = (np.diff(state) + w * (state[1:] + state[:-1]) / 2) / width**2
        change = np.diff(flux, prepend=0.0, append=0.0)
        if self.bug == "leaks":
            change[20] -= 0.1 * state[20]
        if self.bug == "large step":
            dt = 20 * dt
        return state + dt * change

    def law(self, state):
        return GridLaw(EDGES, state)


METRICS = {"mass": mass_error, "sign": negative_mass, "energy": free_energy(PROBLEM.energy), "l1": pf.metrics.l1}
CLAIMS = {
    "mass": {"invariant": "zero", "tolerance": 1e-12},
    "sign": {"invariant": "zero", "tolerance": 1e-15},
    "energy": {"invariant": "falling", "tolerance": 1e-12},
}


def verdicts(bug, problem=PROBLEM, times=(0.0, 0.25, 0.5, 1.0), claims=CLAIMS):
    table = pf.Study(
        problem, {"cells": Cells(bug)}, {"dt": [1 / 256, 1 / 512]}, METRICS, times=list(times), floors=False
    ).run(progress=False)
    asked = [pf.Claim("cells", metric, source="x", **claim) for metric, claim in claims.items()]
    return {row["metric"]: (row["verdict"], row["why"]) for row in table.claims(asked)}


@pytest.mark.parametrize(
    ("bug", "failing"),
    [
        ("", set()),
        ("leaks", {"mass"}),
        ("large step", {"sign"}),
        ("sign of the drift", {"energy"}),
    ],
)
def test_each_slip_fails_the_claim_that_names_it(bug, failing):
    found = verdicts(bug)
    if not failing:
        assert {word for word, _ in found.values()} == {"pass"}
    assert {name for name in failing if found[name][0] == "fail"} == failing
    if bug in ("leaks", "large step"):  # GridLaw refused the law, and said by how much
        assert "the run ended as bad input" in found[min(failing)][1]


@pytest.mark.parametrize(("bug", "word"), [("", "pass"), ("temperature", "fail"), ("central flux", "fail")])
def test_the_gibbs_law_of_the_scheme_is_kept(bug, word):
    """exp(-V/T) at the centres is what the fluxes keep; the central flux moves it by O(h²) = 1e-3, not by round-off."""
    method = pf.grid.ChangCooper(cells=40, lower=-4.0, upper=4.0)
    still = pf.problems.at_equilibrium(PROBLEM, pf.grid.gibbs(PROBLEM, method))
    claim = {"l1": {"invariant": "zero", "tolerance": 1e-11}}
    assert verdicts(bug, still, claims=claim)["l1"][0] == word


def test_quantities_need_no_truth_and_may_be_negative():
    bare = replace(PROBLEM, exact=None)
    table = pf.Study(bare, {"cells": Cells()}, {"dt": [1 / 256]}, METRICS, times=[0.0, 0.5]).run(progress=False)
    by = {name: [row for row in table if row["metric"] == name] for name in METRICS}
    assert {row["status"] for row in by["l1"]} == {"not available"}
    assert {row["status"] for name in ("mass", "sign", "energy") for row in by[name]} == {"ok"}
    cold = Gaussian(0.0, 1.0)
    quantity = free_energy(pf.Energy(internal=pf.Entropy()))
    found = quantity(cold, cold)
    assert found.value == pytest.approx(-0.5 * np.log(2 * np.pi * np.e), rel=1e-12) and found.metric == "free_energy"
    study = pf.Study(PROBLEM, {"cells": Cells()}, {"dt": [1 / 256]}, {"entropy": quantity}, times=[0.5])
    (row,) = study.run(progress=False)
    assert row["status"] == "ok" and row["error"] < -1


def test_the_noise_of_an_energy_is_no_rise():
    """Of 2,000 draws each, energies at the Gibbs law rise and fall by their standard errors."""
    still = pf.problems.at_equilibrium(pf.problems.double_well(), Gaussian(0.0, 1.0))

    def noisy(approximation, truth, *, rng):
        draws = rng.normal(size=2000)
        return pf.Estimate(draws.mean(), draws.std() / 2000**0.5, "Monte Carlo", "noisy")

    noisy.quantity = True
    table = pf.Study(still, {"cloud": Rests()}, {"dt": [0.25]}, {"noisy": noisy}, times=[0.25, 0.5, 0.75, 1.0]).run()
    rises = np.diff([row["error"] for row in table])
    claim = pf.Claim("cloud", "noisy", invariant="falling", tolerance=1e-12, source="x")
    assert rises.max() > 0 and table.claims(claim).worst == "pass"


class Rests:
    """Four particles that stay."""

    def init(self, problem, rng):
        return np.zeros((4, 1))

    def step(self, problem, state, dt, rng):
        return state

    def law(self, state):
        return Particles(state)


def test_values():
    law = GridLaw([0.0, 1.0, 2.0], [0.5, 0.5 + 3e-9])
    assert mass_error(law, law).value == pytest.approx(3e-9, rel=1e-6)
    low = GridLaw([0.0, 1.0, 2.0], [1.0, -5e-13])
    assert negative_mass(low, low).value == 5e-13 and negative_mass(law, law).value == 0
    with pytest.raises(pf.BadInput, match="Metrics compare"):
        mass_error([1.0], law)
    with pytest.raises(pf.BadInput, match="It takes an Energy"):
        free_energy(3)
