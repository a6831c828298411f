"""Rows: CSV files appear whole or not at all."""

import csv
import os

import pandas
import pytest
from study_cases import brief

from pdeflow._core.errors import BadInput
from pdeflow.study import Table


def test_csv_is_refused_before_writing_where_it_cannot_be_written(tmp_path, monkeypatch):
    table = brief().run()
    monkeypatch.setattr(
        Table, "to_dataframe", lambda self: pytest.fail("asked for the rows before the place was tried")
    )
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for place, says in (
        (tmp_path, "is a folder"),
        (str(tmp_path), "is a folder"),
        (tmp_path / "no" / "such.csv", "No such file"),
        (3, "must name a file"),
        (None, "must name a file"),
        ("a\0b", "must name a file"),
        (tmp_path / "loop", "must name a file"),
    ):
        with pytest.raises(BadInput, match=says):
            table.to_csv(place)
    target = tmp_path / "old.csv"
    target.write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anything
    with pytest.raises(BadInput, match="must not be written"):
        table.to_csv(target)
    assert target.read_text() == "old" and {path.name for path in tmp_path.iterdir()} == {"old.csv", "loop"}


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_csv(tmp_path, monkeypatch, failing):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    table, target = brief().run(), tmp_path / "table.csv"
    table.to_csv(target)
    old = target.read_bytes()
    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(pandas.DataFrame, "to_csv", full)
    with pytest.raises(BadInput, match="No space left"):
        table.to_csv(target)
    assert target.read_bytes() == old and os.listdir(tmp_path) == ["table.csv"]


def test_csv_replaces_a_file_behind_a_link_with_its_rights_and_writes_to_devices(tmp_path):
    table, target, link = brief().run(), tmp_path / "table.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    table.to_csv(link)
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    with open(target, newline="") as file:  # pandas reads floats to the last bit in some versions only
        assert [float(row["error"]) for row in csv.DictReader(file)] == table.to_dataframe()["error"].tolist()
    table.to_csv(os.devnull)
    assert not os.path.isfile(os.devnull)
    with pytest.raises(BadInput, match="cannot be written"):
        table.to_csv("/dev/full")
    assert not os.path.isfile("/dev/full")
