"""Recipes: every stored file can be made again."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray

import pdeflow as pf
from pdeflow._core.errors import BadInput, BadReference, NotAvailable

ROOT = Path(__file__).resolve().parents[2]


FOLDER = ROOT / "references"


LINE = ["barenblatt_1d_m2", "barenblatt_1d_m3", "double_well_1d", "log_repulsion_1d", "ou_1d"]
PLANE = sorted(path.stem for path in FOLDER.glob("*_2d.h5"))  # whose recipes take a minute each: not made again here
NAMES = sorted(LINE + PLANE)


def test_every_recipe_has_its_file_its_card_and_its_checksum():
    assert pf.reference.recipes(FOLDER / "recipes") == NAMES == sorted(path.stem for path in FOLDER.glob("*.h5"))
    cards = (FOLDER / "README.md").read_text(encoding="utf-8")
    sums = dict(line.split("  ")[::-1] for line in (FOLDER / "CHECKSUMS").read_text(encoding="utf-8").splitlines())
    assert sorted(sums) == [f"{name}.h5" for name in NAMES]
    for name in NAMES:
        raw = (FOLDER / f"{name}.h5").read_bytes()
        assert len(raw) < 2_000_000 and hashlib.sha256(raw).hexdigest() == sums[f"{name}.h5"]
        assert f"{name}.h5" in cards


@pytest.mark.parametrize("name", LINE)
def test_each_file_of_the_line_can_be_made_again(name):
    assert pf.reference.verify(FOLDER / f"{name}.h5") == []


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_valid_and_opens_with_named_dimensions(name):
    path = FOLDER / f"{name}.h5"
    assert pf.reference.check(path) == []
    reference = pf.reference.load(path)
    assert (
        reference.provenance["recipe"] == name and reference.provenance["problem_note"] == "rebuilt from the catalogue"
    )
    assert reference(reference.problem, reference.times[:1]).stats["error"].value > 0
    key = reference.provenance["source"]
    assert key == "" or f"{{{key}," in (ROOT / "references.bib").read_text(encoding="utf-8")
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert not any(str(dim).startswith("phony") for dim in data.dims)
        assert data["mean"].dims == ("time", "dim") and data.sizes["time"] == len(reference.times)
        assert np.all(np.diff(data["free_energy"]) < 0)  # a gradient flow loses energy


RECIPE = """
import pdeflow as pf
def make():
    problem = pf.problems.ou()
    flow = pf.Trajectory([0.5, 1.0], [pf.laws.Gaussian({mean}, 1.0), pf.laws.Gaussian(0.1, 1.0)])
    return problem, flow, {{"error": pf.Estimate({error}, metric="w2"), "seed": {seed}}}
"""


def test_a_recipe_by_path_is_made_and_a_changed_one_is_told(tmp_path):
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    own = recipes / "mine.py"
    own.write_text(RECIPE.format(mean=0.25, seed=0, error=0.1))
    path = pf.reference.make(own, tmp_path)
    assert path.name == "mine.h5" and pf.reference.check(path) == pf.reference.verify(path) == []
    own.write_text(RECIPE.format(mean=0.25 + 1e-12, seed=0, error=0.1))  # what another machine may do
    assert pf.reference.verify(path) == []
    own.write_text(RECIPE.format(mean=0.25 + 1e-9, seed=1, error=0.1))
    told = "\n".join(pf.reference.verify(path))
    assert (
        "attribute seed: 0, made again: 1" in told
        and "error" not in told
        and "variable mean: max |a - b| = 1e-09" in told
    )
    own.write_text(RECIPE.format(mean=0.25, seed=0, error=0.102))  # laws alike, and another claim on them
    assert pf.reference.verify(path) == ["attribute error: 0.1, made again: 0.102"]
    own.write_text(RECIPE.format(mean=0.25 + 1e-9, seed=1, error=0.1))

    pf.reference.make(own, tmp_path)  # onto its own older file, whatever it asked then
    assert pf.reference.verify(path) == []
    stranger = tmp_path / "elsewhere" / "mine.h5"
    stranger.parent.mkdir()
    pf.reference.save(
        stranger, pf.problems.heat(), pf.Trajectory([0.5], [pf.laws.Gaussian(0.0, 1.0)]), error=pf.Estimate(0.0)
    )
    with pytest.raises(BadInput, match=r"problem heat.*the new file is problem ou"):
        pf.reference.make(own, stranger.parent)
    pf.reference.make(own, stranger.parent, overwrite=True)
    assert pf.reference.load(stranger).problem.name == "ou"
    own.write_text(RECIPE.format(mean=0.25, seed=0, error=0.1))
    pf.reference.make(own, tmp_path)
    own.write_text(RECIPE.format(mean=0.25 + 1e-9, seed=1, error=0.1))

    other = pf.reference.make(own, tmp_path / "recipes")
    lines = pf.reference.diff(path, other)
    assert any(line.startswith("attribute seed: 0 | 1") for line in lines)
    assert any(line.startswith("variable mean: max |a - b| = 1e-09") for line in lines)
    lines = pf.reference.diff(path, FOLDER / "log_repulsion_1d.h5")
    assert "variable radius: only in the second" in lines and "variable time: (time 2) | (time 15)" in lines


ROUNDED = """
import pdeflow as pf
def make():
    problem = pf.problems.ou()
    law = pf.laws.GridLaw([-1.0, 0.0, 1.0], [0.5 {change}, 0.5])
    return problem, pf.Trajectory([0.5], [law]), {{"error": pf.Estimate(0.1, metric="l1")}}
"""


def test_variables_that_are_round_off_themselves_may_differ_by_it(tmp_path):
    """The sum of the masses less one is 0 or 1e-16, and so is the mean of a law that is symmetric."""
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    own = recipes / "rounded.py"
    own.write_text(ROUNDED.format(change=""))
    path = pf.reference.make(own, tmp_path)
    own.write_text(ROUNDED.format(change="- 2e-16"))
    assert any("mass_error" in line for line in pf.reference.diff(path, pf.reference.make(own, recipes)))
    assert pf.reference.verify(path) == []
    own.write_text(ROUNDED.format(change="- 2e-9"))
    assert any("variable mass_error" in line for line in pf.reference.verify(path))


def test_recipes_that_are_none_are_refused(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("x = 1\n")
    with pytest.raises(BadInput, match="no function make"):
        pf.reference.make(bad, tmp_path)
    bad.write_text("def make():\n    return 1\n")
    with pytest.raises(BadInput, match="returned 1"):
        pf.reference.make(bad, tmp_path)
    with pytest.raises(BadInput, match=r"no recipe 'ou_2d'.*ou_1d"):
        pf.reference.make("ou_2d", tmp_path)
    with pytest.raises(BadInput, match=r"the file .*ou_2d\.h5 does not exist"):  # what `reference remake FILE` asks for
        pf.reference.make("ou_2d", tmp_path)
    with pytest.raises(BadReference, match=r"ou_2d\.h5 does not exist"):
        pf.reference.verify(tmp_path / "ou_2d.h5")
    with pytest.raises(BadInput, match=r"returned a tuple \(Problem, Trajectory\)"):
        bad.write_text("import pdeflow as pf\ndef make():\n    p = pf.problems.ou()\n    return p, pf.exact(p)\n")
        pf.reference.make(bad, tmp_path)
    with pytest.raises(BadInput, match="does not exist"):
        pf.reference.make(tmp_path / "absent.py", tmp_path)
    with pytest.raises(NotAvailable, match="no folder of recipes"):
        pf.reference.recipes(tmp_path / "absent")
    shutil.copy(ROOT / "tests" / "data" / "schema_1.h5", tmp_path / "a.h5")
    assert "names no recipe" in pf.reference.verify(tmp_path / "a.h5")[0]
