"""The committed files, their recipes and their error bars, against independent computations."""

import hashlib
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray
from scipy.linalg import expm

import pdeflow as pf
from pdeflow._core.errors import BadInput, BadReference, NotAvailable

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "references"
NAMES = ["barenblatt_1d_m2", "barenblatt_1d_m3", "double_well_1d", "log_repulsion_1d", "ou_1d"]


def test_every_recipe_has_its_file_its_card_and_its_checksum():
    assert pf.reference.recipes(FOLDER / "recipes") == NAMES == sorted(path.stem for path in FOLDER.glob("*.h5"))
    cards = (FOLDER / "README.md").read_text(encoding="utf-8")
    sums = dict(line.split("  ")[::-1] for line in (FOLDER / "CHECKSUMS").read_text().splitlines())
    assert sorted(sums) == [f"{name}.h5" for name in NAMES]
    for name in NAMES:
        raw = (FOLDER / f"{name}.h5").read_bytes()
        assert len(raw) < 2_000_000 and hashlib.sha256(raw).hexdigest() == sums[f"{name}.h5"]
        assert f"{name}.h5" in cards


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_valid_opens_with_named_dimensions_and_can_be_made_again(name):
    path = FOLDER / f"{name}.h5"
    assert pf.reference.check(path) == []
    assert pf.reference.verify(path) == []
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


def _ou_cdf(x, t):
    mean, variance = 2 * math.exp(-t), 1 - 0.75 * math.exp(-2 * t)
    return np.array([0.5 * math.erfc((mean - y) / math.sqrt(2 * variance)) for y in x])


def _barenblatt_2_cdf(
    x, t
):  # the integral of a parabola; radius R with 3/(4R) (1 - x²/R²) and R = (9 t')^(1/3), t' = 0.002 + t
    z = np.clip(x / (9 * (0.002 + t)) ** (1 / 3), -1, 1)
    return 0.5 + 0.75 * (z - z**3 / 3)


def _barenblatt_3_cdf(x, t):  # for m = 3 the profile is the upper half of an ellipse; R = (48 t'/π²)^(1/4)
    z = np.clip(x / (48 * (0.002 + t) / np.pi**2) ** 0.25, -1, 1)
    return 0.5 + (z * np.sqrt(1 - z * z) + np.arcsin(z)) / np.pi


def _double_well_cdf(x, t):
    """p' = (V' p)' + p''/2 by Fourier collocation on [-3.2, 3.2] and the matrix exponential: another scheme altogether.

    p is below 1e-16 at the ends, so that it is smooth as a periodic function; 256 modes resolve it to about 1e-12.
    """
    n, half = 256, 3.2
    nodes = -half + 2 * half * np.arange(n) / n
    waves = 1j * np.pi / half * np.fft.fftfreq(n, 1 / n)
    derivative = np.fft.ifft(waves[:, None] * np.fft.fft(np.eye(n), axis=0), axis=0).real
    generator = derivative * (4 * nodes * (nodes**2 - 1)) + 0.5 * derivative @ derivative
    density = expm(generator * t) @ (np.exp(-8 * (nodes - 1) ** 2) * np.sqrt(8 / np.pi))
    modes = np.fft.fft(density) / n
    integral = np.divide(modes, waves, out=np.zeros_like(modes), where=waves != 0)
    steady = modes[0].real * (x + half)
    return steady + ((np.exp(np.outer(x + half, waves)) - 1) @ integral).real


TRUTHS = {
    "ou_1d": _ou_cdf, "barenblatt_1d_m2": _barenblatt_2_cdf, "barenblatt_1d_m3": _barenblatt_3_cdf, "double_well_1d": _double_well_cdf,
}  # fmt: skip


@pytest.mark.parametrize("name", TRUTHS)
def test_the_error_bar_covers_the_distance_to_an_independent_truth(name):
    reference = pf.reference.load(FOLDER / f"{name}.h5")
    assert reference.error.metric == "l1"
    for t in reference.times[[0, 1, len(reference.times) // 2, -1]]:
        law = reference.trajectory.at(t)
        gap = np.abs(law.mass - np.diff(TRUTHS[name](law.axes[0], t))).sum()
        assert gap <= reference.error.value
    if name == "double_well_1d":  # and is no empty bound: the file's own error is a third of it
        assert gap >= reference.error.value / 10


def test_the_semicircle_file_holds_the_radii_of_the_closed_form():
    reference = pf.reference.load(FOLDER / "log_repulsion_1d.h5")
    radii = np.array([law.radius for law in reference.trajectory.laws])
    truth = np.sqrt(2 + (3.4**2 - 2) * np.exp(-2 * reference.times))
    assert (
        np.abs(radii - truth).max() <= reference.error.value
    )  # W2 of two semicircles is half the difference of the radii
    assert abs(radii[-1] - np.sqrt(2)) < 2e-4


RECIPE = """
import pdeflow as pf
def make():
    problem = pf.problems.ou()
    flow = pf.Trajectory([0.5, 1.0], [pf.laws.Gaussian({mean}, 1.0), pf.laws.Gaussian(0.1, 1.0)])
    return problem, flow, {{"error": pf.Estimate(0.0, metric="w2"), "seed": {seed}}}
"""


def test_a_recipe_by_path_is_made_and_a_changed_one_is_told(tmp_path):
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    own = recipes / "mine.py"
    own.write_text(RECIPE.format(mean=0.25, seed=0))
    path = pf.reference.make(own, tmp_path)
    assert path.name == "mine.h5" and pf.reference.check(path) == pf.reference.verify(path) == []
    own.write_text(RECIPE.format(mean=0.25 + 1e-12, seed=0))  # what another machine may do
    assert pf.reference.verify(path) == []
    own.write_text(RECIPE.format(mean=0.25 + 1e-9, seed=1))
    told = "\n".join(pf.reference.verify(path))
    assert "attribute seed: 0, made again: 1" in told and "variable mean: max |a - b| = 1e-09" in told

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
    own.write_text(RECIPE.format(mean=0.25, seed=0))
    pf.reference.make(own, tmp_path)
    own.write_text(RECIPE.format(mean=0.25 + 1e-9, seed=1))

    other = pf.reference.make(own, tmp_path / "recipes")
    lines = pf.reference.diff(path, other)
    assert any(line.startswith("attribute seed: 0 | 1") for line in lines)
    assert any(line.startswith("variable mean: max |a - b| = 1e-09") for line in lines)
    lines = pf.reference.diff(path, FOLDER / "log_repulsion_1d.h5")
    assert "variable radius: only in the second" in lines and "variable time: (time 2) | (time 15)" in lines


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
