"""Writing: what is kept, what may be replaced, and what a failed write leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow._core.errors import BadInput, NotAvailable


def grid_of(path, problem, **keywords):
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.0, 1.0)])
    return pf.reference.save(path, problem, flow, **{"error": cases.ERROR, **keywords})


def test_a_reference_of_another_question_is_replaced_on_demand_only(tmp_path):
    path, method = tmp_path / "a.h5", pf.grid.ChangCooper(cells=100)
    grid_of(path, pf.problems.ou(), method=method)
    before = path.read_bytes()
    for other, words in (
        (
            (pf.problems.ou(temperature=0.5), method),
            '"temperature": 1.0.*the new file is problem ou.*"temperature": 0.5',
        ),
        ((pf.problems.heat(), method), "problem ou.*the new file is problem heat"),
        ((pf.problems.ou(), pf.grid.ChangCooper(cells=101)), '"cells":100.*"cells":101'),
    ):
        with pytest.raises(BadInput, match=f"another question.*{words}.*overwrite=True"):
            grid_of(path, other[0], method=other[1])
        assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.h5"]
    grid_of(path, pf.problems.ou(horizon=2.0), method=method, seed=7)  # the same question, a newer answer
    assert pf.reference.load(path).provenance["seed"] == 7
    grid_of(path, pf.problems.heat(), overwrite=True)
    assert pf.reference.load(path).problem.name == "heat"


@pytest.mark.parametrize("content", [b"", b"my thesis", "damaged"])
def test_a_file_that_is_no_reference_is_replaced_on_demand_only(tmp_path, content):
    path = tmp_path / "a.h5"
    raw = cases.ou_grid(path).read_bytes()[:-1] if content == "damaged" else content
    path.write_bytes(raw)
    with pytest.raises(BadInput, match=r"not a valid reference file.*overwrite=True"):
        cases.ou_grid(path)
    recipe = tmp_path / "a.py"
    recipe.write_text("def make():\n    raise RuntimeError('a long run for nothing')\n")
    with pytest.raises(BadInput, match="not a valid reference file"):
        pf.reference.make(recipe, tmp_path)
    assert path.read_bytes() == raw
    cases.ou_grid(path, overwrite=True)
    assert pf.reference.check(path) == []


def test_devices_and_pipes_are_no_targets(tmp_path):
    """Once, os.replace put a regular file in the place of the device node itself.

    A pipe stands in for /dev/full here: neither is a regular file, and a failing test on the latter would break the
    machine.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link.h5").symlink_to(pipe)
    for path in (pipe, tmp_path / "link.h5"):
        for overwrite in (False, True):
            with pytest.raises(BadInput, match="not a regular file"):
                cases.ou_grid(path, overwrite=overwrite)
    assert pipe.is_fifo() and sorted(p.name for p in tmp_path.iterdir()) == ["link.h5", "pipe"]


def test_a_write_that_runs_out_of_space_leaves_the_old_file_and_nothing_else(tmp_path):
    path = cases.ou_grid(tmp_path / "ou.h5")
    before = path.read_bytes()
    script = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import reference_cases as cases, pdeflow as pf
pf.reference.save  # everything imported before the limit
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
for name in ("ou.h5", "new.h5"):
    try:
        cases.ou_grid({str(tmp_path)!r} + "/" + name, cells=64)
    except pf.errors.BadReference as error:
        print("typed", error.errno, error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr  # h5py writing straight to a full disk ends in a crash of the interpreter
    assert run.stdout.count("typed 27") == 2 and "untouched" in run.stdout  # 27 is EFBIG
    assert [p.name for p in tmp_path.iterdir()] == ["ou.h5"]
    assert path.read_bytes() == before and pf.reference.check(path) == []


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path, rng):
    path = cases.ou_grid(tmp_path / "ou.h5")
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import reference_cases as cases
print("ready", flush=True)
while True:
    cases.ou_grid({str(path)!r}, cells=64)
"""
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout.readline() == "ready\n"
            time.sleep(float(rng.uniform(0.0, 0.3)))
            os.kill(run.pid, signal.SIGKILL)
        assert pf.reference.check(path) == []


def test_an_interrupted_write_removes_its_temporary_file(tmp_path, monkeypatch):
    path = cases.ou_grid(tmp_path / "ou.h5")
    before = path.read_bytes()

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cases.ou_grid(path, cells=32)
    assert [p.name for p in tmp_path.iterdir()] == ["ou.h5"] and path.read_bytes() == before


def test_method_seed_stats_and_provenance_are_kept(tmp_path):
    method = pf.laws.Uniform  # a type, to see that any description will do
    flow = pf.Trajectory([0.5], [pf.laws.Gaussian(0.3, 1.0)], {"seconds": 0.25, "steps": 7, "odd": object()})
    reference = cases.saved(
        tmp_path / "a.h5", pf.problems.ou(), flow, method="by hand", seed=3, source="vazquez2007", title="A title"
    )
    kept = reference.provenance
    assert (kept["method"], kept["seed"], kept["source"], kept["title"]) == ("by hand", 3, "vazquez2007", "A title")
    assert reference.trajectory.stats == {"seconds": 0.25, "steps": 7, "error": cases.ERROR, "error_metric": "w2"}
    assert {"numpy", "h5py", "pdeflow"} <= set(json.loads(kept["versions"]))
    reference = cases.saved(tmp_path / "b.h5", pf.problems.ou(), flow, method=pf.potentials.DoubleWell(2.0))
    assert json.loads(reference.provenance["config"]) == {"type": "DoubleWell", "barrier": 2.0, "dim": 1}
    assert (
        cases.saved(tmp_path / "a.h5", pf.problems.ou(), flow, method=method, overwrite=True).provenance["config"]
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


def test_the_free_energy_is_left_out_with_its_reason_where_it_needs_sampling(tmp_path):
    problem = pf.problems.double_well()
    reference = cases.saved(tmp_path / "a.h5", problem, pf.Trajectory([0.5], [pf.laws.Particles([0.1, 0.9])]))
    assert "no density" in json.loads(reference.provenance["left_out"])["free_energy"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert "free_energy" not in file


GAUSSIAN, GRID = pf.laws.Gaussian(0.0, 1.0), pf.laws.GridLaw(np.array([0.0, 1.0, 2.0]), [0.5, 0.5])


def test_products_of_different_laws_and_misfits_are_refused(tmp_path):
    flow = pf.Trajectory([0.5], [pf.laws.Product([GAUSSIAN, pf.laws.Gaussian(0.0, 2.0)])])
    with pytest.raises(NotAvailable, match="product of different laws"):
        cases.saved(tmp_path / "a.h5", pf.problems.ou(2), flow)
    with pytest.raises(BadInput, match="dim 2, the problem dim 1"):
        cases.saved(tmp_path / "a.h5", pf.problems.ou(), flow)
    good = (pf.problems.ou(), pf.Trajectory([0.5], [GAUSSIAN]))
    for error in (0.1, pf.Estimate(-1.0), pf.Estimate(np.nan), pf.Estimate(0.0, np.inf)):
        with pytest.raises(BadInput, match="error is"):
            cases.saved(tmp_path / "a.h5", *good, error=error)
    with pytest.raises(BadInput, match="problem is 'ou'"):
        cases.saved(tmp_path / "a.h5", "ou", good[1])
    long = pf.Trajectory([0.5], [GAUSSIAN], history=[{"step": k} for k in range(1000)])
    for swapped in ((tmp_path / "a.h5", long, good[0]), (long, tmp_path / "a.h5", good[0])):
        with pytest.raises(BadInput, match="is Trajectory") as caught:
            pf.reference.save(*swapped, error=cases.ERROR)
        assert len(str(caught.value)) < 250
    with pytest.raises(BadInput, match="path is Trajectory"):
        pf.reference.load(long)
    with pytest.raises(BadInput, match="source is None"):
        cases.saved(tmp_path / "a.h5", *good, source=None)
    with pytest.raises(BadInput, match="no NUL"):
        cases.saved(tmp_path / "a.h5", *good, title="a\0b")
    with pytest.raises(BadInput, match="seed is -1"):
        cases.saved(tmp_path / "a.h5", *good, seed=-1)
    assert list(tmp_path.iterdir()) == []


def test_checks_that_were_made_are_kept_and_shown(tmp_path):
    problem = pf.problems.ou()
    made = {"weak residual": 2.5e-6, "agrees with": "FiniteVolume(cells=400)"}
    path = pf.reference.save(
        tmp_path / "a.h5",
        problem,
        pf.exact(problem, [0.5]),
        error=pf.Estimate(0.0, 0.0, "exact", "w2"),
        checks_made=made,
    )
    assert pf.reference.check(path) == []
    assert json.loads(pf.reference.load(path).provenance["checks_made"]) == made
    text = pf.reference.describe_file(path)
    assert "checked   weak residual: 2.5e-06" in text and "checked   agrees with: FiniteVolume(cells=400)" in text
    with pytest.raises(pf.BadInput, match="checks_made"):
        pf.reference.save(
            tmp_path / "b.h5",
            problem,
            pf.exact(problem, [0.5]),
            error=pf.Estimate(0.0, 0.0, "exact", "w2"),
            checks_made={"weak residual": float("nan")},
        )


@pytest.mark.parametrize("dim", [2, 3, 10])
@pytest.mark.parametrize("method", [pf.grid.ChangCooper(cells=120), pf.grid.QuantileJKO(60)])
def test_radial_laws_come_back_bit_for_bit(tmp_path, dim, method):
    """They are held by the law of the radius, and by d; a file names mean and covariance of the whole."""
    hat = pf.problems.mexican_hat(dim)
    run = pf.solve(hat, method, dt=0.125, times=[0.25, 0.5])
    path = pf.reference.save(tmp_path / "hat.h5", hat, run, error=pf.Estimate(1e-3, 0.0, "guessed", "l1"))
    assert pf.reference.check(path) == []
    back = pf.reference.load(path).trajectory
    x = np.random.default_rng(0).normal(size=(20, dim))
    for law, stored in zip(run.laws, back.laws):
        assert isinstance(stored, pf.laws.Radial) and stored.dim == dim
        assert np.array_equal(law.log_density(x), stored.log_density(x))
        assert np.array_equal(law.sample(5, np.random.default_rng(1)), stored.sample(5, np.random.default_rng(1)))
        assert pf.metrics.w2(stored, law).value == 0
    with h5py.File(path) as file:
        assert file.attrs["law"] == f"Radial of {type(run.final.radius).__name__}"
        assert file["mean"].shape == (2, dim) and np.array_equal(file["cov"][1], run.final.cov())


def test_radial_laws_of_other_radii_are_refused(tmp_path):
    hat = pf.problems.mexican_hat(3)
    run = pf.Trajectory([0.1], [pf.laws.Radial(pf.laws.Uniform(0.5, 1.0), 3)])
    with pytest.raises(pf.NotAvailable, match="Radial of GridLaw"):
        pf.reference.save(tmp_path / "hat.h5", hat, run, error=pf.Estimate(1e-3, 0.0, "guessed", "l1"))


def test_a_trajectory_is_stored_as_the_truth_of_its_own_problem_alone(tmp_path):
    ou, path = pf.problems.ou(), tmp_path / "a.h5"
    grid = pf.grid.ChangCooper(lower=-6.0, upper=6.0, cells=60, time_order=1)
    moved = replace(ou, initial=pf.laws.Gaussian(0.5, 1.0))
    answers = {
        "heat.*another energy and another initial": pf.exact(pf.problems.heat()),
        '"temperature": 0.5.*another energy\\.': pf.solve(pf.problems.ou(temperature=0.5), grid, dt=0.5),
        "'ou'.*another initial\\.": pf.exact_jko(moved, dt=0.5),
        "another initial\\. ": pf.finer(grid, dt=0.25)(moved, [1.0]),
        "Filter.*what was made of it": pf.applications.Filter(ou, [0.5], [0.1]).exact(),
    }
    for words, flow in answers.items():
        with pytest.raises(BadInput, match=f"answers .*{words}"):
            pf.reference.save(path, ou, flow, error=cases.ERROR)
        assert not path.exists()
    stored = pf.reference.load(pf.reference.save(path, ou, pf.exact(ou), error=cases.ERROR))
    for flow in (stored.trajectory, stored(ou, times=[1.0])):
        with pytest.raises(BadInput, match="and not 'heat'"):
            pf.reference.save(tmp_path / "b.h5", pf.problems.heat(), flow, error=cases.ERROR)
    # another horizon or another name is the same flow, and a trajectory made by hand says nothing
    longer = replace(ou, horizon=2.0, name="mine", params={})
    pf.reference.save(path, longer, pf.exact(ou), error=cases.ERROR, overwrite=True)
    by_hand = pf.Trajectory(stored.times, stored.trajectory.laws)
    pf.reference.save(path, longer, by_hand, error=cases.ERROR)
