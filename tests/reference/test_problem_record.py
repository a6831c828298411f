"""Problems in files: what is rebuilt, and what is described."""

from dataclasses import replace

import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow._core.errors import BadInput
from pdeflow.reference.problem_record import problem_sha256


def test_a_replaced_start_and_horizon_are_stored_beside_the_catalogue_entry(tmp_path):
    problem = replace(pf.problems.ou(), initial=pf.laws.Gaussian(1 / 3, 0.7), horizon=0.5)
    reference = cases.saved(tmp_path / "a.h5", problem, pf.exact(problem, [0.5]))
    assert "overrides" in reference.provenance
    assert reference.problem.horizon == 0.5
    assert reference.problem.exact(0.5).mean() == problem.exact(0.5).mean()
    assert reference(problem).final.mean() == problem.exact(0.5).mean()
    longer = replace(pf.problems.ou(), horizon=2.5)  # the horizon alone
    assert cases.saved(tmp_path / "b.h5", longer, pf.exact(longer, [0.5])).problem.horizon == 2.5


@pytest.mark.parametrize(
    "entry",
    [
        pf.problems.ou(4, seed=3),
        pf.problems.mixture_target(2, 3, 4.0),
        pf.problems.mixture_ou(),
        pf.problems.rotated_wells(4),
        pf.problems.rotated(pf.problems.separable([pf.problems.ou(2, seed=1), pf.problems.heat(1)]), 3),
        pf.problems.radial([0.0, -1.0, 1.0], 3),
    ],
)
def test_entries_with_seeds_and_laws_among_their_parameters_are_rebuilt(tmp_path, entry):
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(np.zeros(entry.dim), 1.0)])
    reference = cases.saved(tmp_path / "a.h5", entry, flow)
    assert problem_sha256(reference.problem) == problem_sha256(entry)
    assert "overrides" not in reference.provenance


def steep(x):
    return 3 * np.sum(x**2, axis=1)


def test_a_problem_of_the_users_own_callables_keeps_its_source_and_loads_without_a_problem(tmp_path):
    def problem(function, start=0.25):
        energy = pf.Energy(pf.potentials.FromFunction(function, dim=1), pf.Entropy())
        return pf.Problem(energy, pf.laws.Gaussian(0.0, start), 1.0, name="my own", params={"why": steep})

    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)])
    reference = cases.saved(tmp_path / "a.h5", problem(steep), flow)
    assert reference.problem is None and "user's own" in reference.provenance["problem_note"]
    assert "return 3 * np.sum(x**2, axis=1)" in reference.provenance["problem_source"]
    assert pf.reference.check(tmp_path / "a.h5") == [] and "user's own" in pf.reference.describe_file(tmp_path / "a.h5")
    assert reference(problem(steep), [0.5]).final.mean() == [0.3]
    for other in (problem(lambda x: x[:, 0] ** 2), problem(steep, start=0.26)):
        with pytest.raises(BadInput, match="my own"):
            reference(other, [0.5])
    # a catalogue entry whose start no description rebuilds is the user's own too
    cloud = replace(pf.problems.double_well(), initial=pf.laws.Particles([0.0, 1.0]))
    assert cases.saved(tmp_path / "b.h5", cloud, flow).problem is None


def test_a_registered_problem_comes_back_with_its_file(tmp_path):
    @pf.problems.register
    def steep_well(depth=1.0):
        energy = pf.Energy(pf.potentials.FromFunction(lambda x: depth * np.sum(x**4, axis=1), dim=1), pf.Entropy())
        return pf.Problem(energy, pf.laws.Gaussian(0.0, 0.25), 1.0)

    try:
        flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)])
        reference = cases.saved(tmp_path / "a.h5", steep_well(2.0), flow)
        assert reference.problem is not None and reference.problem.params == {"depth": 2.0}
        assert "builder of the user's own" in reference.provenance["problem_note"]
        assert "def steep_well" in reference.provenance["problem_source"]
        assert pf.reference.check(tmp_path / "a.h5") == []
    finally:
        del pf.problems.CATALOGUE["steep_well"]
    stranger = pf.reference.load(tmp_path / "a.h5")  # a program that has not registered the builder
    assert stranger.problem is None and "steep_well" in stranger.provenance["problem_note"]
    assert pf.reference.check(tmp_path / "a.h5") == []
