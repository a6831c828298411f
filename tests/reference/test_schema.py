"""The schema: every kind of law, its data sets and its hashes."""

import h5py
import numpy as np
import pytest
import reference_cases as cases
import xarray

import pdeflow as pf
from pdeflow import fingerprint
from pdeflow._core.errors import BadInput, NotAvailable
from pdeflow.reference.problem_record import problem_sha256


@pytest.mark.parametrize(
    ("problem", "trajectory"), [case[1:] for case in cases.CASES], ids=[case[0] for case in cases.CASES]
)
def test_every_storable_kind_comes_back_bit_for_bit_and_opens_in_xarray(tmp_path, problem, trajectory):
    path = tmp_path / "file.h5"
    reference = cases.saved(path, problem, trajectory)
    assert pf.reference.check(path) == []
    assert reference.times.tobytes() == trajectory.times.tobytes()
    for law, back in zip(trajectory.laws, reference.trajectory.laws):
        assert type(back) is type(law)
        assert fingerprint.canonical(back) == fingerprint.canonical(law)  # digests of all arrays, all parameters
    assert reference.error == cases.ERROR
    assert problem_sha256(reference.problem) == problem_sha256(problem)
    assert reference.problem.horizon == problem.horizon

    with xarray.open_dataset(path) as data:
        assert "time" in data.coords and not any(str(dim).startswith("phony") for dim in data.dims)
        for name, variable in data.variables.items():
            assert variable.dtype == np.float64, name
        block = trajectory.final.laws[0] if isinstance(trajectory.final, pf.laws.Product) else trajectory.final
        assert np.array_equal(data["mean"].isel(time=-1), block.mean())
        assert data["cov"].dims == ("time", "dim", "dim_2")
        if isinstance(block, pf.laws.GridLaw):
            assert data["mass"].dims == data["density"].dims == ("time", "x", "y", "z")[: 1 + block.dim]
            assert np.array_equal(data["density"].isel(time=-1), block.density)
            assert np.array_equal(data["x"], block.centers[0])


def test_the_data_sets_are_as_the_schema_promises(tmp_path):
    with h5py.File(cases.ou_grid(tmp_path / "ou.h5")) as file:
        for item in file.values():
            assert (
                item.dtype == np.float64
                and item.chunks
                and item.compression == "gzip"
                and item.shuffle
                and item.fletcher32
            )
            references = {name for name in item.attrs if item.attrs.get_id(name).dtype.kind in "OV" and "LIST" in name}
            assert references <= {"DIMENSION_LIST", "REFERENCE_LIST"}
            assert all(len(axis) == 1 for axis in item.dims) or item.is_scale
        assert file.attrs["pdeflow_schema"] == 2 and file.userblock_size == 0
        problem = pf.problems.ou()
        law = pf.laws.GridLaw(file["x_edges"][:], file["mass"][2])
        assert file["free_energy"][2] == float(problem.energy.evaluate(law))


def test_equal_content_gives_an_equal_hash_and_another_bit_another(tmp_path):
    first, second = (pf.reference.load(cases.ou_grid(tmp_path / name)).provenance for name in ("a.h5", "b.h5"))
    assert first["content_sha256"] == second["content_sha256"]
    assert pf.reference.diff(tmp_path / "a.h5", tmp_path / "b.h5") == []
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)])
    other = pf.Trajectory([0.5], [pf.laws.Gaussian(np.nextafter(0.3, 1), 1.0)])
    hashes = [cases.saved(tmp_path / "c.h5", pf.problems.ou(), t).provenance["content_sha256"] for t in (flow, other)]
    assert hashes[0] != hashes[1]


GAUSSIAN, GRID = pf.laws.Gaussian(0.0, 1.0), pf.laws.GridLaw(np.array([0.0, 1.0, 2.0]), [0.5, 0.5])


SHIFTED = pf.laws.GridLaw(np.array([0.0, 1.0, 2.5]), [0.5, 0.5])


class Cubic(pf.laws.Map):
    """x + x³, as a user writes it."""

    dim = 1

    def __call__(self, x):
        return x + x**3


@pytest.mark.parametrize(
    ("laws", "kind", "words"),
    [
        ([pf.exact(pf.problems.newtonian_1d()).final], NotAvailable, "FromQuantile.*Quantiles\\(law.quantile"),
        ([pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0), [Cubic()])], NotAvailable, "PushForward.*Possible: GridLaw"),
        ([GAUSSIAN, GRID], BadInput, "Gaussian, GridLaw"),
        ([GRID, SHIFTED], BadInput, "grid along x changes"),
        ([pf.laws.Particles([0.0]), pf.laws.Particles([0.0, 1.0])], BadInput, "shapes"),
    ],
)
def test_what_no_file_can_hold_is_refused_with_the_cure(tmp_path, laws, kind, words):
    with pytest.raises(kind, match=words):
        cases.saved(tmp_path / "a.h5", pf.problems.double_well(), pf.Trajectory(np.arange(len(laws)) + 0.5, laws))
    assert list(tmp_path.iterdir()) == []
