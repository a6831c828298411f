"""What is saved is what is loaded: laws bit for bit, the problem, the error bar; and what no file can hold is refused."""

import json
import pickle
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray
from reference import reference_cases as cases

import pdeflow as pf
from pdeflow import fingerprint
from pdeflow._core.errors import BadInput, NotAvailable
from pdeflow.reference.problem_record import problem_sha256


def saved(path, problem, trajectory, **keywords):
    return pf.reference.load(pf.reference.save(path, problem, trajectory, **{"error": cases.ERROR, **keywords}))


@pytest.mark.parametrize(
    ("problem", "trajectory"), [case[1:] for case in cases.CASES], ids=[case[0] for case in cases.CASES]
)
def test_every_storable_kind_comes_back_bit_for_bit_and_opens_in_xarray(tmp_path, problem, trajectory):
    path = tmp_path / "file.h5"
    reference = saved(path, problem, trajectory)
    assert pf.reference.check(path) == []
    assert reference.times.tobytes() == trajectory.times.tobytes()
    for law, back in zip(trajectory.laws, reference.trajectory.laws):
        assert type(back) is type(law)
        assert fingerprint.canonical(back) == fingerprint.canonical(law)  # digests of all arrays, all parameters
    assert reference.error == cases.ERROR
    assert problem_sha256(reference.problem) == problem_sha256(problem)
    assert reference.problem.horizon == problem.horizon

    with xarray.open_dataset(path, engine="h5netcdf") as data:
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
        assert file.attrs["pdeflow_schema"] == 1 and file.userblock_size == 512
        problem = pf.problems.ou()
        law = pf.laws.GridLaw(file["x_edges"][:], file["mass"][2])
        assert file["free_energy"][2] == float(problem.energy.evaluate(law))


def test_equal_content_gives_an_equal_hash_and_another_bit_another(tmp_path):
    first, second = (pf.reference.load(cases.ou_grid(tmp_path / name)).provenance for name in ("a.h5", "b.h5"))
    assert first["content_sha256"] == second["content_sha256"]
    assert pf.reference.diff(tmp_path / "a.h5", tmp_path / "b.h5") == []
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)])
    other = pf.Trajectory([0.5], [pf.laws.Gaussian(np.nextafter(0.3, 1), 1.0)])
    hashes = [saved(tmp_path / "c.h5", pf.problems.ou(), t).provenance["content_sha256"] for t in (flow, other)]
    assert hashes[0] != hashes[1]


def test_method_seed_stats_and_provenance_are_kept(tmp_path):
    method = pf.laws.Uniform  # a type, to see that any description will do
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)], {"seconds": 0.25, "steps": 7, "odd": object()})
    reference = saved(
        tmp_path / "a.h5", pf.problems.ou(), flow, method="by hand", seed=3, source="vazquez2007", title="A title"
    )
    kept = reference.provenance
    assert (kept["method"], kept["seed"], kept["source"], kept["title"]) == ("by hand", 3, "vazquez2007", "A title")
    assert reference.trajectory.stats == {"seconds": 0.25, "steps": 7, "error": cases.ERROR, "error_metric": "w2"}
    assert {"numpy", "h5py", "pdeflow"} <= set(json.loads(kept["versions"]))
    reference = saved(tmp_path / "b.h5", pf.problems.ou(), flow, method=pf.potentials.DoubleWell(2.0))
    assert json.loads(reference.provenance["config"]) == {"type": "DoubleWell", "barrier": 2.0, "dim": 1}
    assert (
        saved(tmp_path / "a.h5", pf.problems.ou(), flow, method=method, overwrite=True).provenance["config"]
        == '"pdeflow.laws.uniform.Uniform"'
    )
    text = pf.reference.describe_file(tmp_path / "a.h5")
    for part in (
        str(cases.ERROR),
        "rebuilt from the catalogue",
        "mean         (time 1, dim 1)",
        kept["content_sha256"],
    ):
        assert part in text


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
        pf.problems.ou(temperature=0.9), pf.problems.ou(initial=pf.laws.Gaussian(2.0, 0.26)), pf.problems.heat(), "ou",
    ]  # fmt: skip
    for stranger, words in zip(
        strangers, ("differs in: energy", "differs in: initial", "differs in: name, energy, initial", "asked for 'ou'")
    ):
        with pytest.raises(BadInput, match=f"truth of problem 'ou'.*{words}"):
            reference(stranger, [0.1])
    again = pickle.loads(pickle.dumps(reference))
    assert again(again.problem, [0.1]).final.mean() == reference.trajectory.at(0.1).mean()


def test_a_replaced_start_and_horizon_are_stored_beside_the_catalogue_entry(tmp_path):
    problem = replace(pf.problems.ou(), initial=pf.laws.Gaussian(1 / 3, 0.7), horizon=0.5)
    reference = saved(tmp_path / "a.h5", problem, pf.exact(problem, [0.5]))
    assert "overrides" in reference.provenance
    assert reference.problem.horizon == 0.5
    assert reference.problem.exact(0.5).mean() == problem.exact(0.5).mean()
    assert reference(problem).final.mean() == problem.exact(0.5).mean()
    longer = replace(pf.problems.ou(), horizon=2.5)  # the horizon alone
    assert saved(tmp_path / "b.h5", longer, pf.exact(longer, [0.5])).problem.horizon == 2.5


@pytest.mark.parametrize(
    "entry", [pf.problems.ou(4, seed=3), pf.problems.mixture_target(2, 3, 4.0), pf.problems.mixture_ou()]
)
def test_entries_with_seeds_and_laws_among_their_parameters_are_rebuilt(tmp_path, entry):
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(np.zeros(entry.dim), 1.0)])
    reference = saved(tmp_path / "a.h5", entry, flow)
    assert problem_sha256(reference.problem) == problem_sha256(entry)
    assert "overrides" not in reference.provenance


def steep(x):
    return 3 * np.sum(x**2, axis=1)


def test_a_problem_of_the_users_own_callables_keeps_its_source_and_loads_without_a_problem(tmp_path):
    def problem(function, start=0.25):
        energy = pf.Energy(pf.potentials.FromFunction(function, dim=1), pf.Entropy())
        return pf.Problem(energy, pf.laws.Gaussian(0.0, start), 1.0, name="my own", params={"why": steep})

    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)])
    reference = saved(tmp_path / "a.h5", problem(steep), flow)
    assert reference.problem is None and "user's own" in reference.provenance["problem_note"]
    assert "return 3 * np.sum(x**2, axis=1)" in reference.provenance["problem_source"]
    assert pf.reference.check(tmp_path / "a.h5") == [] and "user's own" in pf.reference.describe_file(tmp_path / "a.h5")
    assert reference(problem(steep), [0.5]).final.mean() == [0.3]
    for other in (problem(lambda x: x[:, 0] ** 2), problem(steep, start=0.26)):
        with pytest.raises(BadInput, match="my own"):
            reference(other, [0.5])
    # a catalogue entry whose start no description rebuilds is the user's own too
    cloud = replace(pf.problems.double_well(), initial=pf.laws.Particles([0.0, 1.0]))
    assert saved(tmp_path / "b.h5", cloud, flow).problem is None


def test_the_free_energy_is_left_out_with_its_reason_where_it_needs_sampling(tmp_path):
    problem = pf.problems.double_well()
    reference = saved(tmp_path / "a.h5", problem, pf.Trajectory([0.5], [pf.laws.Particles([0.1, 0.9])]))
    assert "no density" in json.loads(reference.provenance["left_out"])["free_energy"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert "free_energy" not in file


GAUSSIAN, GRID = pf.laws.Gaussian(0.0, 1.0), pf.laws.GridLaw(np.array([0.0, 1.0, 2.0]), [0.5, 0.5])
SHIFTED = pf.laws.GridLaw(np.array([0.0, 1.0, 2.5]), [0.5, 0.5])


class MyLaw(pf.laws.Gaussian):
    """A user's law: its class is not in the package, so that a file cannot rebuild it."""


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
        saved(tmp_path / "a.h5", pf.problems.double_well(), pf.Trajectory(np.arange(len(laws)) + 0.5, laws))
    assert list(tmp_path.iterdir()) == []


def test_products_of_different_laws_and_misfits_are_refused(tmp_path):
    flow = pf.Trajectory([0.5], [pf.laws.Product([GAUSSIAN, pf.laws.Gaussian(0.0, 2.0)])])
    with pytest.raises(NotAvailable, match="product of different laws"):
        saved(tmp_path / "a.h5", pf.problems.ou(2), flow)
    with pytest.raises(BadInput, match="dim 2, the problem dim 1"):
        saved(tmp_path / "a.h5", pf.problems.ou(), flow)
    good = (pf.problems.ou(), pf.Trajectory([0.5], [GAUSSIAN]))
    for error in (0.1, pf.Estimate(-1.0), pf.Estimate(np.nan), pf.Estimate(0.0, np.inf)):
        with pytest.raises(BadInput, match="error is"):
            saved(tmp_path / "a.h5", *good, error=error)
    with pytest.raises(BadInput, match="problem is 'ou'"):
        saved(tmp_path / "a.h5", "ou", good[1])
    long = pf.Trajectory([0.5], [GAUSSIAN], history=[{"step": k} for k in range(1000)])
    for swapped in ((tmp_path / "a.h5", long, good[0]), (long, tmp_path / "a.h5", good[0])):
        with pytest.raises(BadInput, match="is of type Trajectory") as caught:
            pf.reference.save(*swapped, error=cases.ERROR)
        assert len(str(caught.value)) < 250
    with pytest.raises(BadInput, match="path is of type Trajectory"):
        pf.reference.load(long)
    with pytest.raises(BadInput, match="source is None"):
        saved(tmp_path / "a.h5", *good, source=None)
    with pytest.raises(BadInput, match="no NUL"):
        saved(tmp_path / "a.h5", *good, title="a\0b")
    with pytest.raises(BadInput, match="seed is -1"):
        saved(tmp_path / "a.h5", *good, seed=-1)
    assert list(tmp_path.iterdir()) == []


class Cauchy(pf.laws.Law):
    """A user's law on the line: samples alone, and no moments."""

    def __init__(self, dim=1):
        self.dim = dim

    def sample(self, n, rng):
        return rng.standard_cauchy((n, self.dim))


class Logistic(pf.laws.Law):
    """A user's law with a density in the plane: two independent logistic variables about t."""

    dim = 2

    def __init__(self, t):
        self.t = t

    def sample(self, n, rng):
        return rng.logistic(self.t, size=(n, 2))

    def log_density(self, x):
        z = np.abs(x - self.t)
        return (-z - 2 * np.log1p(np.exp(-z))).sum(axis=1)


def test_a_users_own_law_is_stored_as_cell_masses_or_samples_and_says_so(tmp_path):
    line = pf.Trajectory([0.5, 1.0], [MyLaw(0.0, 1.0), MyLaw(1.0, 2.0)])
    reference = saved(tmp_path / "line.h5", pf.problems.ou(), line)
    note = reference.provenance["law_note"]
    assert note.startswith("user law MyLaw, stored as masses of 1000 cells") and "distribution function" in note
    assert note in pf.reference.describe_file(tmp_path / "line.h5")
    for law, stored in zip(line.laws, reference.trajectory.laws):
        edges = stored.axes[0]
        assert isinstance(stored, pf.laws.GridLaw) and np.abs(stored.mass - np.diff(law.cdf(edges))).max() < 1e-12
    plane = saved(tmp_path / "plane.h5", pf.problems.ou(2), pf.Trajectory([0.5], [Logistic(0.25)]))
    assert "user law Logistic, stored as masses of 128 x 128 cells" in plane.provenance["law_note"]
    assert np.allclose(plane.trajectory.final.mean(), 0.25, atol=1e-6)
    wild = saved(tmp_path / "wild.h5", pf.problems.ou(), pf.Trajectory([0.5], [Cauchy()]))
    assert "user law Cauchy, stored as 10000 samples by seed 0" in wild.provenance["law_note"]
    expected = Cauchy().sample(10_000, np.random.default_rng(0))
    assert np.array_equal(wild.trajectory.final.x, expected)
    space = saved(tmp_path / "space.h5", pf.problems.ou(3), pf.Trajectory([0.5], [Cauchy(3)]))
    assert "dimension 1 and 2" in space.provenance["law_note"] and space.trajectory.final.x.shape == (10_000, 3)
    for path in tmp_path.glob("*.h5"):
        assert pf.reference.check(path) == []


def test_a_registered_problem_comes_back_with_its_file(tmp_path):
    @pf.problems.register
    def steep_well(depth=1.0):
        energy = pf.Energy(pf.potentials.FromFunction(lambda x: depth * np.sum(x**4, axis=1), dim=1), pf.Entropy())
        return pf.Problem(energy, pf.laws.Gaussian(0.0, 0.25), 1.0)

    try:
        flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)])
        reference = saved(tmp_path / "a.h5", steep_well(2.0), flow)
        assert reference.problem is not None and reference.problem.params == {"depth": 2.0}
        assert "builder of the user's own" in reference.provenance["problem_note"]
        assert "def steep_well" in reference.provenance["problem_source"]
        assert pf.reference.check(tmp_path / "a.h5") == []
    finally:
        del pf.problems.CATALOGUE["steep_well"]
    stranger = pf.reference.load(tmp_path / "a.h5")  # a program that has not registered the builder
    assert stranger.problem is None and "steep_well" in stranger.provenance["problem_note"]
    assert pf.reference.check(tmp_path / "a.h5") == []
