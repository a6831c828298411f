"""Files on disks that are full, read-only, forbidden or over quota, and files that other programs open."""

import errno
import os
from pathlib import Path

import pytest

import pdeflow as pf


def save(folder):
    error = pf.Estimate(0.0, 0.0, "closed form", "w2")
    pf.reference.save(folder / "a.h5", pf.problems.ou(), pf.exact(pf.problems.ou()), error=error)


def study(store=None):
    return pf.Study(
        pf.problems.ou(), pf.grid.ChangCooper(40), {"dt": [0.5, 0.25, 0.125]}, {"mean": pf.metrics.mean_error}
    ).run(store, progress=False)


WRITERS = {
    "reference": (save, "a.h5"),
    "flow": (lambda folder: pf.reference.save_flow(folder / "a.h5", pf.laws.Gaussian(0.0, 1.0)), "a.h5"),
    "table": (lambda folder: TABLE[0].to_csv(folder / "a.csv"), "a.csv"),
    "report": (lambda folder: pf.report.write(TABLE[0], folder, title="a", figures=False), "report.md"),
    "figures": (lambda folder: pf.report.write(TABLE[0], folder, title="a"), ".png"),
    "store": (study, ".json"),
}
TABLE: list = []


REASONS = [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EDQUOT]


@pytest.mark.parametrize(
    ("writer", "reason"),
    [(writer, reason) for writer in WRITERS for reason in (REASONS if writer != "figures" else REASONS[:1])],
)
def test_a_disk_that_refuses_gives_the_error_of_the_writer_and_keeps_what_was_there(
    monkeypatch, tmp_path, writer, reason
):
    """Reported here first: an unlink in `finally` replaced the typed error by its own on a read-only file system."""
    if not TABLE:
        TABLE.append(study())
    write, ending = WRITERS[writer]
    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert any(name.endswith(ending) for name in before)
    if writer == "store":  # it writes only what is missing
        for path in sorted(tmp_path.iterdir())[1:]:
            path.unlink()
            del before[path.name]

    def refuse(*_, **__):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "replace", lambda old, new: refuse() if str(new).endswith(ending) else os.rename(old, new))
    monkeypatch.setattr(
        Path, "unlink", lambda self, **_: None if "probe" in self.name else refuse()
    )  # the system refuses this too
    with pytest.raises(pf.PdeflowError, match=rf"(?s)cannot be written: {os.strerror(reason)}.*untouched"):
        write(tmp_path)
    now = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".tmp"}
    assert set(now) == set(before)
    assert all(now[name] == before[name] for name in before if name.endswith(ending))


def test_asking_whether_a_writer_lives_sends_it_nothing(monkeypatch, tmp_path):
    """microsoft/conductor#176, volcengine/OpenViking#854: os.kill(pid, 0) ends the process on Windows."""
    from pdeflow._core.files import temporary_name, writer_is_dead

    def windows(*_):
        raise AssertionError("os.kill was called")

    monkeypatch.setattr(os, "kill", windows)
    mine = temporary_name(tmp_path / "a")
    mine.touch()
    assert not writer_is_dead(mine)
    gone = mine.with_name(mine.name.replace(f".{os.getpid()}.", ".4194999."))  # above the largest number of Linux
    assert writer_is_dead(gone)
    os.utime(mine, (1e9, 1e9))  # written before this process began: its number was another's then
    assert writer_is_dead(mine)


def test_xarray_guesses_what_a_reference_is(tmp_path):
    """pydata/xarray#3286, #4009: a file is known by its first bytes."""
    import xarray

    save(tmp_path)
    with xarray.open_dataset(tmp_path / "a.h5") as data:
        assert data["mean"].dims == ("time", "dim")
