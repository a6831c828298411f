"""Damage, newer schemas, full disks, kills: a typed error, the old file intact, no stray temporary file."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from reference import reference_cases as cases

import pdeflow as pf
from pdeflow._core.errors import BadInput, BadReference
from pdeflow.reference.schema import BLOCK, block


@pytest.fixture
def file(tmp_path):
    return cases.ou_grid(tmp_path / "ou.h5")


def refused(path, words=None):
    with pytest.raises(BadReference, match=words):
        pf.reference.load(path)
    assert len(pf.reference.check(path)) == 1


def test_every_flipped_bit_is_found_wherever_it_is(file, rng):
    whole = file.read_bytes()
    places = [*range(BLOCK), *range(BLOCK, BLOCK + 96), *rng.integers(BLOCK, len(whole), 400), len(whole) - 1]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        refused(file)
    file.write_bytes(whole)
    assert pf.reference.check(file) == []


def test_truncated_and_lengthened_files_say_so(file, rng):
    whole = file.read_bytes()
    for length in (0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(file, "truncated" if length > BLOCK else None)
    file.write_bytes(whole + b"\0")
    refused(file, "added to")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("number", [2, 17, np.int8(3)])
def test_a_newer_schema_is_refused_by_name(tmp_path, number, libver):
    own, foreign = cases.ou_grid(tmp_path / "own.h5"), tmp_path / "foreign.h5"
    with h5py.File(own, "r+", libver=libver) as edited:
        edited.attrs["pdeflow_schema"] = number
    with h5py.File(foreign, "w", libver=libver) as new:
        new.attrs["title"] = "written by a later version that has no user block"
        new.attrs["pdeflow_schema"] = number
    for path in (own, foreign):
        refused(path, f"schema {number}.*reads schemas up to 1")
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
    refused(tmp_path / "plain.h5", "without a pdeflow user block")
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


def resigned(path, change):
    """Change a file through h5py and give it the user block that fits, as a careless writer of schema 1 might."""
    memory = io.BytesIO(path.read_bytes())
    with h5py.File(memory, "r+") as content:
        change(content)
    body = memory.getvalue()[BLOCK:]
    path.write_bytes(block(body) + body)


def _replace(content, name, data):
    del content[name]
    content[name] = data


MISFITS = {
    "lacks the root attributes": lambda content: content.attrs.__delitem__("params"),
    "error.*not of type float": lambda content: content.attrs.__setitem__("error", "small"),
    "pdeflow_schema is 0": lambda content: content.attrs.__setitem__("pdeflow_schema", 0),
    "kind 'Cauchy'": lambda content: content.attrs.__setitem__("law", "Cauchy"),
    "lacks the variable 'x_edges'": lambda content: content.__delitem__("x_edges"),
    "mass is float32": lambda content: _replace(content, "mass", content["mass"][:].astype("f4")),
    "make no GridLaw": lambda content: content["mass"].__setitem__((1, 3), 0.5),
    "status is 'partial'": lambda content: content.attrs.__setitem__("status", "partial"),
    "config_sha256": lambda content: content.attrs.__setitem__("config", '{"dt":1}'),
    "versions is not JSON": lambda content: content.attrs.__setitem__("versions", "{"),
    "error is -1.0": lambda content: content.attrs.__setitem__("error", -1.0),
    "density: an axis carries no dimension scale": lambda content: _replace(content, "density", content["density"][:]),
    "mean is not that of the laws": lambda content: content["mean"].__setitem__((0, 0), 2.1),
    "density does not follow": lambda content: content["density"].__setitem__((0, 0), 0.1),
    "content_sha256 is not": lambda content: content["min_density"].__setitem__(0, -1.0),
    "mass: an axis carries no dimension scale": lambda content: content["mass"].dims[0].detach_scale(content["time"]),
    "time: an axis carries no dimension scale": lambda content: content["time"].attrs.__delitem__("CLASS"),
    "'ornstein' is no entry of the catalogue .*problem_source": lambda content: content.attrs.__setitem__(
        "problem", "ornstein"
    ),
    "free_energy has a number that is not finite": lambda content: content["free_energy"].__setitem__(0, np.nan),
}


@pytest.mark.parametrize("words", MISFITS)
def test_check_names_what_a_careless_writer_got_wrong(file, words):
    resigned(file, lambda content: None)
    assert pf.reference.check(file) == []
    resigned(file, MISFITS[words])
    problems = pf.reference.check(file)
    assert any(re.search(words, problem) for problem in problems), problems


def test_load_refuses_laws_whose_times_are_not_said(file):
    resigned(file, MISFITS["mass: an axis carries no dimension scale"])
    refused(file, "mass: an axis carries no dimension scale.*which time")


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
    with pytest.raises(BadInput, match=r"no valid reference file.*overwrite=True"):
        cases.ou_grid(path)
    recipe = tmp_path / "a.py"
    recipe.write_text("def make():\n    raise RuntimeError('a long run for nothing')\n")
    with pytest.raises(BadInput, match="no valid reference file"):
        pf.reference.make(recipe, tmp_path)
    assert path.read_bytes() == raw
    cases.ou_grid(path, overwrite=True)
    assert pf.reference.check(path) == []


def test_devices_and_pipes_are_no_targets(tmp_path):
    """Before, os.replace put a regular file in the place of the device node itself. A pipe stands in for /dev/full here:
    both are no regular files, and a test that failed on the latter would break the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link.h5").symlink_to(pipe)
    for path in (pipe, tmp_path / "link.h5"):
        for overwrite in (False, True):
            with pytest.raises(BadInput, match="no regular file"):
                cases.ou_grid(path, overwrite=overwrite)
    assert pipe.is_fifo() and sorted(p.name for p in tmp_path.iterdir()) == ["link.h5", "pipe"]


def test_a_write_that_runs_out_of_space_leaves_the_old_file_and_nothing_else(tmp_path):
    path = cases.ou_grid(tmp_path / "ou.h5")
    before = path.read_bytes()
    script = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
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
sys.path.insert(0, {str(Path(__file__).parent)!r})
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
