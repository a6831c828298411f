"""Files appear whole or not at all."""

import os

import pytest

import pdeflow as pf
from pdeflow._core.files import place_of, temporary_name, write_whole, writer_is_dead


def test_a_file_is_replaced_as_a_whole_with_its_rights(tmp_path):
    place = place_of(tmp_path / "a.txt")
    write_whole(place, lambda file: file.write("one\n"), text=True)
    place.chmod(0o640)
    write_whole(place, lambda file: file.write(b"two"))
    assert place.read_bytes() == b"two" and place.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_is_of_the_kind_asked_for(tmp_path):
    place = tmp_path / "a.txt"
    place.write_text("old")

    def full(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(pf.BadReference, match=r"No space left.*untouched") as failure:
        write_whole(place, full, error=pf.BadReference)
    assert failure.value.errno == 28 and place.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_what_is_no_place_is_refused(tmp_path):
    for path, says in ((None, "is None"), (tmp_path, "is a folder"), ("a\0b", "must name a file")):
        with pytest.raises(pf.BadInput, match=says):
            place_of(path)


def test_a_temporary_name_says_who_writes_it(tmp_path):
    name = temporary_name(tmp_path / ("n" * 200))
    assert len(name.name) < 255 and name.parent == tmp_path and not writer_is_dead(name)
