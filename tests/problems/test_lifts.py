"""Problems made of simpler ones: energies, starts, closed laws, records in files."""

import json
from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.problems import (
    double_well,
    mexican_hat,
    mixture_ou,
    ou,
    radial,
    rebuild,
    rotated,
    rotated_wells,
    separable,
)

TURN = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
BUMPS = pf.laws.GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [2.0, 1.0]], [np.diag([0.09, 0.2]), 0.36 * np.eye(2)])


def test_a_rotated_ou_is_an_ou():
    problem = ou(3, seed=2, horizon=0.7)
    turned, potential = rotated(problem, TURN), problem.energy.potential
    direct = ou(3, TURN @ potential.matrix @ TURN.T, TURN @ potential.center, initial=turned.initial, horizon=0.7)
    assert turned.energy.potential.matrix == pytest.approx(direct.energy.potential.matrix, abs=1e-14)
    for law, truth in zip(pf.exact(turned, [0.3, 0.7]).laws, pf.exact(direct, [0.3, 0.7]).laws):
        assert law.mean() == pytest.approx(truth.mean(), abs=1e-14) and law.cov() == pytest.approx(
            truth.cov(), abs=1e-14
        )
    steps = pf.exact_jko(turned, dt=0.1), pf.exact_jko(direct, dt=0.1)
    assert steps[0].final.cov() == pytest.approx(steps[1].final.cov(), abs=1e-14)


def test_a_rotated_mixture_flow_is_a_mixture_flow():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = rotated(mixture_ou(BUMPS, np.diag([1.2, 0.4])), turn)
    start = turned.initial
    direct = mixture_ou(start, turn @ np.diag([1.2, 0.4]) @ turn.T, turn @ [0.4, 0.4])
    for law, truth in zip(pf.exact(turned, [0.0, 0.5]).laws, pf.exact(direct, [0.0, 0.5]).laws):
        assert law.means == pytest.approx(truth.means, abs=1e-14) and law.covs == pytest.approx(truth.covs, abs=1e-14)


def test_a_product_of_ous_is_an_ou():
    parts = [ou(2, seed=1, horizon=0.5), ou(1, 2.0, [0.3], initial=pf.laws.Gaussian(0.0, 1.0), horizon=0.5)]
    whole = separable([*parts, parts[0]])
    assert whole.dim == 5 and len(whole.structure.parts) == 2 and whole.structure.which == (0, 1, 0)
    law, step = pf.exact(whole).final, pf.exact_jko(whole, dt=0.25).final
    for block, part in ((slice(0, 2), parts[0]), (slice(2, 3), parts[1]), (slice(3, 5), parts[0])):
        assert law.cov()[block, block] == pytest.approx(pf.exact(part).final.cov(), rel=1e-14)
        # to round-off: the step of the whole is by eigenvectors of the whole
        assert step.cov()[block, block] == pytest.approx(pf.exact_jko(part, dt=0.25).final.cov(), abs=1e-13)


def test_a_radial_ou_is_an_ou():
    problem, direct = radial([0.0, 0.5], 4, 0.7), ou(4, temperature=0.7, initial=pf.laws.Gaussian(np.zeros(4), 0.25))
    assert problem.energy == direct.energy and pf.exact(problem).final == pf.exact(direct).final
    assert radial(pf.potentials.Quadratic(1.0), 4, 0.7).energy == direct.energy
    hat = mexican_hat(3)
    x = np.random.default_rng(0).standard_normal((5, 3))
    assert hat.energy.potential.value(x) == pytest.approx(((x * x).sum(1) - 1) ** 2, rel=1e-13)
    assert hat.structure.parts[0].initial == pf.laws.Chi(3, 0.5)


PROBLEMS = {
    "rotated wells": lambda: rotated_wells(4),
    "mexican hat": lambda: mexican_hat(3, initial=pf.laws.Radial(pf.laws.Chi(5, 0.3), 3)),
    "nested": lambda: rotated(separable([ou(2, seed=1), replace(double_well(temperature=1.0), horizon=1.0)]), 3),
    "another start": lambda: rotated(replace(ou(2), initial=BUMPS), [[0.6, 0.8], [-0.8, 0.6]]),
}  # fmt: skip


@pytest.mark.parametrize("build", PROBLEMS.values(), ids=PROBLEMS)
def test_a_file_rebuilds_them(build):
    problem = build()
    again = rebuild(problem.name, json.loads(json.dumps(problem.params)))
    assert again == problem and again.structure == problem.structure
    assert np.array_equal(
        again.initial.sample(3, np.random.default_rng(0)), problem.initial.sample(3, np.random.default_rng(0))
    )


def test_what_cannot_be_recorded_is_named():
    own = pf.Problem(pf.Energy(pf.potentials.DoubleWell(dim=2), pf.Entropy()), pf.laws.Gaussian([0.0, 0.0], 1.0), 1.0)
    turned = rotated(own, 1)
    with pytest.raises(pf.NotAvailable, match="built with problem = "):
        rebuild("rotated", turned.params)
    assert "unrecorded" in json.dumps(separable([turned, turned]).params)


def test_another_start_restarts_the_parts_or_takes_the_structure_away():
    problem = rotated_wells(4)
    law = problem.structure.join([pf.laws.Product([pf.laws.Gaussian(1.0, s) for s in (0.1, 0.2, 0.1, 0.1)])])
    moved = replace(problem, initial=law)
    inner = moved.structure.parts[0]
    assert inner.initial.laws[1].cov()[0, 0] == 0.2 and len(inner.structure.parts) == 3
    assert replace(problem, initial=pf.laws.Gaussian(np.zeros(4), 1.0)).structure is not None
    assert (
        replace(problem, initial=pf.laws.Gaussian(np.zeros(4), np.diag([1.0, 2, 3, 4]))).structure.parts[0].structure
        is None
    )
    assert replace(mexican_hat(3), initial=pf.laws.Gaussian([0.0, 1.0, 0.0], 1.0)).structure is None
    assert replace(problem, horizon=2.0).structure.parts[0].structure.parts[0].horizon == 2.0
    assert replace(problem, energy=mexican_hat(4).energy).structure is None
    flow = replace(rotated(ou(3, seed=2), TURN), initial=pf.laws.Gaussian(np.ones(3), 2.0)).exact
    assert flow(0.0).mean() == pytest.approx(np.ones(3), abs=1e-14)
    assert replace(rotated(ou(3, seed=2), TURN), initial=pf.laws.Uniform([0, 0, 0], [1, 1, 1])).exact is None


def test_what_makes_no_sense_is_refused():
    cases = (
        (lambda: rotated(3, 1), "problem is"),
        (lambda: rotated(ou(2), np.eye(3)), "rotation has shape"),
        (lambda: rotated(ou(2), 1.001 * np.eye(2)), "not orthogonal"),
        (lambda: separable([]), "problems is"),
        (lambda: separable([ou(1), ou(1, horizon=2.0)]), "horizons"),
        (lambda: radial(pf.potentials.DoubleWell(dim=2), 3), "profile is"),
        (lambda: radial([1.0, 1.0], 3, initial=pf.laws.Gaussian(np.ones(3), 1.0)), "invariant under rotations"),
        (lambda: radial([1.0, 1.0], 1), "dim"),
        (lambda: rotated_wells(5), "even"),
    )
    for build, words in cases:
        with pytest.raises(pf.BadInput, match=words):
            build()
    moving = ou(1, center=lambda t: np.array([t]))
    for build in (lambda: rotated(moving, 0), lambda: separable([moving, ou(1)])):
        with pytest.raises(pf.Unsupported, match="depends on time"):
            build()
    with pytest.raises(pf.Unsupported, match="one and the same Entropy"):
        separable([ou(1), ou(1, temperature=2.0)])
    with pytest.raises(pf.Unsupported, match="one and the same Entropy"):
        separable([pf.problems.porous_medium()] * 2)
    with pytest.raises(pf.Unsupported, match="QuadraticAttraction"):
        separable([pf.problems.newtonian_1d()] * 2)
