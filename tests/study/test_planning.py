"""Plans of studies: levels, seeds and samples from a short pilot."""

from dataclasses import dataclass

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.errors import BadInput, NotAvailable

CLAIM = pf.Claim("noisy", "mean", 1, 0.1, "x")


@dataclass(frozen=True)
class Noisy:
    """Implicit Euler for the mean of dx = -x dt, seen with the noise of an average over samples."""

    samples: int = 100
    noise: float = 0.1

    def init(self, problem, rng):
        return problem.initial.mean(), self.noise / np.sqrt(self.samples) * rng.standard_normal(1)

    def step(self, problem, state, dt, rng):
        return state[0] / (1 + dt), state[1]

    def law(self, state):
        return pf.laws.Gaussian(state[0] + state[1], 1.0)


def study(**changes):
    problem = pf.problems.ou(initial=pf.laws.Gaussian(2.0, 1.0))
    arguments = {
        "sweep": {"dt": [1 / 2, 1 / 4]},
        "metrics": {"mean": pf.metrics.mean_error},
        "floors": False,
        **changes,
    }
    return pf.Study(problem, {"noisy": Noisy()}, **arguments)


def pilot_of(methods):
    """The study of these methods with its coarsest levels and eight seeds: one that does not grow."""
    sweep = {"dt": [1 / 2, 1 / 4, 1 / 8]}
    metrics = study().metrics
    return pf.Study(study().problems["ou"], methods, sweep, metrics, floors=False, seeds=range(8)).run(progress=False)


def test_a_planned_study_is_conclusive_and_cheaper_with_less_noise():
    plan = pf.plan(study(), CLAIM, most_levels=5)
    assert plan.conclusive >= 0.9 and plan.levels[:2] == (1 / 2, 1 / 4) and plan.samples is None
    assert len(plan.study.seeds) == plan.seeds and plan.study.sweep.given["dt"] == plan.levels
    assert plan.study.run(progress=False).claims(CLAIM).worst == "pass"
    assert f"{plan.seeds} seed(s)" in str(plan) and "of noise a seed" in plan.why
    quiet = pf.Study(study().problems["ou"], {"noisy": Noisy(noise=0.0)}, {"dt": [1 / 2, 1 / 4]}, study().metrics)
    found = pf.plan(quiet, CLAIM, most_levels=4)
    assert found.seeds == 1 and len(found.levels) == 4


def test_samples_take_the_place_of_seeds():
    loud = pf.Study(
        study().problems["ou"], {"noisy": Noisy(noise=0.5)}, {"dt": [1 / 2, 1 / 4]}, study().metrics, floors=False
    )
    found = pf.plan(loud, CLAIM, pilot=pilot_of(loud.methods), samples="samples", most_levels=4)
    assert found.samples in (400, 1600, 6400) and found.study.methods["noisy"].samples == found.samples
    with pytest.raises(BadInput, match="samples is 'particles'"):
        pf.plan(loud, CLAIM, samples="particles")


def test_a_method_that_no_claim_is_about_needs_no_samples():
    methods = {"noisy": Noisy(noise=0.5), "grid": pf.grid.ChangCooper(cells=40)}
    both = pf.Study(study().problems["ou"], methods, {"dt": [1 / 2, 1 / 4]}, study().metrics, floors=False)
    found = pf.plan(both, CLAIM, pilot=pilot_of(methods), samples="samples", most_levels=4)
    assert found.study.methods["noisy"].samples == found.samples and found.study.methods["grid"] is methods["grid"]


def test_a_pilot_is_used_as_it_is():
    pilot = study(sweep={"dt": [1 / 2, 1 / 4, 1 / 8]}, seeds=range(4)).run(progress=False)
    one, other = (pf.plan(study(), CLAIM, pilot=pilot, most_levels=4) for _ in range(2))
    assert (one.levels, one.seeds, one.conclusive) == (other.levels, other.seeds, other.conclusive)


def test_a_pilot_grows_until_it_has_half_the_seeds_and_is_part_of_the_study():
    parts = []

    def run(part):
        parts.append((part.sweep.given["dt"], tuple(part.seeds)))
        return part.run(progress=False)

    plan = pf.plan(study(), CLAIM, pilot=run, most_levels=4)
    assert parts[0] == ((1 / 2, 1 / 4, 1 / 8), (0, 1, 2, 3)) and len(parts) > 1
    done = [(dt, seed) for levels, seeds in parts for dt in levels for seed in seeds]
    assert len(done) == len(set(done)) == len(plan.pilot.rows)  # nothing is run twice
    for level in plan.levels:
        assert 2 * sum(dt == level for dt, _ in done) >= plan.seeds


@pytest.mark.parametrize(
    "claims",
    [[], "noisy", pf.Claim("noisy", "mean", np.inf, 0.1, "x"), pf.Claim("noisy", "mean", invariant="zero", source="x")],
)
def test_what_cannot_be_planned_is_refused(claims):
    with pytest.raises(BadInput):
        pf.plan(study(), claims)


def test_a_plan_says_what_is_missing():
    with pytest.raises(BadInput, match="pilot is 3"):
        pf.plan(study(), CLAIM, pilot=3)
    with pytest.raises(BadInput, match="one axis"):
        pf.plan(study(sweep={"dt": [1 / 2]}), CLAIM)
    with pytest.raises(BadInput, match="The study has: noisy"):
        pf.plan(study(), pf.Claim("quiet", "mean", 1, 0.1, "x"))
    with pytest.raises(BadInput, match="share is 1"):
        pf.plan(study(), CLAIM, share=1.0)
    with pytest.raises(BadInput, match="A plan goes by 3 errors"):
        pf.plan(study(), CLAIM, pilot=study().run(progress=False))
    wrong = pf.Claim("noisy", "mean", 3, 0.1, "x")
    with pytest.raises(NotAvailable, match="claims that the pilot does not contradict"):
        pf.plan(study(), wrong, most_levels=4)
