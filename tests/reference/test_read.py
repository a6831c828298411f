"""Reading: damage is found, newer schemas are refused, a reference answers for its own problem."""

import hashlib
import math
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow._core.errors import BadInput, BadReference, NotAvailable
from pdeflow.reference.schema import BLOCK


@pytest.fixture
def file(tmp_path):
    return cases.ou_grid(tmp_path / "ou.h5")


def refused(path, words=None):
    with pytest.raises(BadReference, match=words):
        pf.reference.load(path)
    assert len(pf.reference.check(path)) == 1


def test_every_flipped_bit_is_found_wherever_it_is(file, rng):
    whole = file.read_bytes()
    places = [*range(96), *range(len(whole) - BLOCK, len(whole)), *rng.integers(0, len(whole), 400)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        refused(file)
    file.write_bytes(whole)
    assert pf.reference.check(file) == []


def test_truncated_and_lengthened_files_say_so(file, rng):
    whole = file.read_bytes()
    for length in (0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, len(whole) // 2, len(whole) - BLOCK, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(file, "truncated")
    file.write_bytes(whole + b"\0")
    refused(file, "added to")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("number", [3, 17, np.int8(4)])
def test_a_newer_schema_is_refused_by_name(tmp_path, number, libver):
    own, foreign = cases.ou_grid(tmp_path / "own.h5"), tmp_path / "foreign.h5"
    with h5py.File(own, "r+", libver=libver) as edited:
        edited.attrs["pdeflow_schema"] = number
    with h5py.File(foreign, "w", libver=libver) as new:
        new.attrs["title"] = "written by a later version that has no seal"
        new.attrs["pdeflow_schema"] = number
    for path in (own, foreign):
        refused(path, f"schema {number}.*reads schemas up to 2")
        with pytest.raises(BadReference, match="newer pdeflow"):
            pf.reference.diff(path, path)


def test_an_edited_file_is_not_trusted(file):
    with h5py.File(file, "r+") as edited:
        edited["time"][0] = 0.05
    refused(file, "changed after it was written|was added to")


def test_wrong_places_name_the_cure(tmp_path):
    cases.ou_grid(tmp_path / "there.h5")
    with pytest.raises(BadReference, match=r"does not exist.*there\.h5"):
        pf.reference.load(tmp_path / "missing.h5")
    with pytest.raises(BadReference, match=r"is a folder.*there\.h5"):
        pf.reference.load(tmp_path)
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    refused(tmp_path / "text.h5", "not a pdeflow reference file")
    with h5py.File(tmp_path / "plain.h5", "w") as plain:
        plain["x"] = [1.0]
    refused(tmp_path / "plain.h5", "without the seal of pdeflow")
    with pytest.raises(BadInput, match="path is None"):
        pf.reference.load(None)
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "a.h5", "does not exist.*Create it"),
        (None, "path is None"),
    ):
        with pytest.raises(BadInput, match=words):
            cases.ou_grid(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plain.h5", "text.h5", "there.h5"]


def test_a_file_that_cannot_be_opened_is_a_bad_reference(file, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied", str(self))  # the tests may run as root, whom no mode stops

    monkeypatch.setattr(Path, "read_bytes", denied)
    refused(file, "cannot be read: Permission denied")


ROOT = Path(__file__).resolve().parents[2]


def _ou_cdf(x, t):
    mean, variance = 2 * math.exp(-t), 1 - 0.75 * math.exp(-2 * t)
    return np.array([0.5 * math.erfc((mean - y) / math.sqrt(2 * variance)) for y in x])


def test_the_file_of_schema_1_opens_for_ever():
    """tests/data/schema_1.h5 was written once, by the first version, and is never written again."""
    path = ROOT / "tests" / "data" / "schema_1.h5"
    assert (
        hashlib.sha256(path.read_bytes()).hexdigest()
        == "822555a092cd9a75cd591f3a2dbaf15c7a3ef48dbe8f88cfb409a503b3d47e79"
    )
    reference = pf.reference.load(path)
    assert pf.reference.check(path) == []
    assert reference.problem.name == "ou" and reference.times.tolist() == [0.0, 0.1, 0.3]
    assert reference.error == pf.Estimate(1.0 / 3.0, 1e-3 / 7.0, "made up for a test", "w2")
    law = reference(reference.problem, [0.3]).final
    assert law.mass.shape == (16,) and law.axes[0][0] == -9
    truth = np.diff(_ou_cdf(law.axes[0], 0.3))
    assert np.abs(law.mass - truth).max() < 1e-15  # differences of numbers below one, good to a few units of round-off


def test_a_reference_answers_for_its_own_problem_and_its_stored_times_only(tmp_path):
    reference = pf.reference.load(cases.ou_grid(tmp_path / "ou.h5"))
    for own in (
        reference.problem,
        pf.problems.ou(),
        pf.problems.ou(horizon=0.3),
    ):  # the horizon is no part of the truth
        flow = reference(own, [0.1, 0.3])
        assert [law.mean()[0] for law in flow.laws] == [reference.trajectory.at(t).mean()[0] for t in (0.1, 0.3)]
        assert flow.stats["error"] == cases.ERROR and flow.stats["error_metric"] == "w2"
    assert reference(pf.problems.ou(horizon=0.3)).times.tolist() == [0.3]
    with pytest.raises(NotAvailable, match=r"\[0.2\].*Stored times: \[0.0, 0.1, 0.3\]"):
        reference(reference.problem, [0.1, 0.2])
    strangers = [
        pf.problems.ou(temperature=0.9),
        pf.problems.ou(initial=pf.laws.Gaussian(2.0, 0.26)),
        pf.problems.heat(),
        "ou",
    ]
    for stranger, words in zip(
        strangers, ("differs in: energy", "differs in: initial", "differs in: name, energy, initial", "asked for 'ou'")
    ):
        with pytest.raises(BadInput, match=f"truth of problem 'ou'.*{words}"):
            reference(stranger, [0.1])
    again = pickle.loads(pickle.dumps(reference))
    assert again(again.problem, [0.1]).final.mean() == reference.trajectory.at(0.1).mean()


def test_a_reference_prints_in_one_line(file):
    text = repr(pf.reference.load(file))
    assert text.startswith("Reference('ou', ") and "laws of kind GridLaw" in text and len(text) < 200
