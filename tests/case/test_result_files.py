"""Files of results: text, NPZ and HDF5 say the same; what is wrong is named with its file and place."""

import io

import h5py
import numpy as np
import pytest

import pdeflow as pf
from pdeflow.case.result_files import files_of, law_of_data, read_results

ASKED = {"dt": 0.25, "time": 0.5, "seed": 0}
HEAD = {"answer": "samples", "dt": 0.25, "time": 0.5}
X = np.array([[1.0], [2.0], [4.0]])


def npz(**arrays):
    memory = io.BytesIO()
    np.savez(memory, **arrays)
    return memory.getvalue()


def hdf5(groups):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for name, (head, arrays) in groups.items():
            group = file.require_group(name)
            group.attrs.update(head)
            for key, array in arrays.items():
                group[key] = array
    return memory.getvalue()


TEXT = b"# answer=samples dt=0.25 time=0.5\n1\n2\n4\n"
SAME = {"a.csv": TEXT, "a.npz": npz(samples=X, **HEAD), "a.h5": hdf5({"/": (HEAD, {"samples": X})})}


@pytest.mark.parametrize("name", SAME)
def test_three_formats_say_the_same(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(SAME[name])
    (one,) = read_results(path, 1)
    assert one[:4] == ("samples", 0.25, 0.5, 0) and np.array_equal(one.law.x, X) and name in one.where
    assert read_results(tmp_path, 1) == [one]
    assert law_of_data(SAME[name], "samples", 1, "f", ASKED) == one.law


def test_one_file_may_hold_many_answers(tmp_path):
    (tmp_path / "a.csv").write_bytes(TEXT + TEXT.replace(b"0.25", b"0.5"))
    groups = {
        f"level{dt}/seed{seed}": ({**HEAD, "dt": dt, "seed": seed}, {"samples": X + dt})
        for dt in (1, 2)
        for seed in (0, 3)
    }
    (tmp_path / "b.hdf5").write_bytes(hdf5(groups))
    found = [(one.dt, one.seed) for one in read_results(tmp_path, 1)]
    assert sorted(found) == [(0.25, 0), (0.5, 0), (1, 0), (1, 3), (2, 0), (2, 3)]


BAD = {
    "no_head.csv": (b"1\n2\n", "line 1 does not say answer, dt, time"),
    "half_head.csv": (b"# answer=samples dt=0.25\n1\n2\n", "does not say time"),
    "empty.csv": (b"", "no answer in it"),
    "kind.csv": (b"# answer=density dt=1 time=1\n1\n", "answer='density'"),
    "dt.csv": (b"# answer=samples dt=small time=1\n1\n2\n", "dt='small'"),
    "sign.csv": (b"# answer=samples dt=-1 time=1\n1\n2\n", "A step is > 0"),
    "seed.csv": (b"# answer=samples dt=1 time=1 seed=1.5\n1\n2\n", "seed=1.5"),
    "nan.csv": (b"# answer=samples dt=1 time=1\n1\nnan\n", "nan.csv, line 3: samples is nan"),
    "cut.npz": (SAME["a.npz"][:200], "no whole NPZ"),
    "cut.h5": (SAME["a.h5"][:400], "no whole HDF5"),
    "pickle.npz": (npz(samples=np.array([{}]), **HEAD), "no whole NPZ"),
    "names.npz": (npz(x=X, **HEAD), "holds the arrays x.*holds samples"),
    "more.npz": (npz(samples=X, weights=np.ones(3), **HEAD), "and no others"),
    "complex.npz": (npz(samples=X * 1j, **HEAD), "must hold real numbers"),
    "nan.npz": (npz(samples=X * np.nan, **HEAD), r"nan.npz, samples\[0, 0\]: samples is nan"),
    "headless.h5": (hdf5({"run": ({}, {"samples": X})}), "headless.h5/run does not say"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_with_its_file(name, tmp_path):
    data, words = BAD[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(pf.PdeflowError, match=words) as caught:
        read_results(tmp_path / name, 1)
    assert name in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(pf.BadInput, match="is not there"):
        files_of(tmp_path / "none")
    (tmp_path / "a.dat").write_text("1")
    with pytest.raises(pf.BadInput, match="has no file of results"):
        files_of(tmp_path)


def test_a_program_must_answer_what_it_was_asked():
    for text, words in (
        (b"# seed=1\n1\n2\n", "asked for seed=0"),
        (b"# answer=masses\n1\n2\n", "asked for answer='samples'"),
        (TEXT + TEXT, "holds 2 answers"),
    ):
        with pytest.raises(pf.BadInput, match=words):
            law_of_data(text, "samples", 1, "f", ASKED)


def test_damaged_bytes_end_as_typed_errors_or_as_answers(rng):
    pieces = [b"nan", b"1e300", b",", b"\n", b"-", b"\x00", b"#", b"=", b"\xc3"]
    for _ in range(600):
        data = bytearray(list(SAME.values())[rng.integers(3)])
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(len(data)))
            kind = rng.integers(4)
            if kind == 0:
                data[place] = rng.integers(256)
            elif kind == 1 and len(data) > 40:
                del data[place : place + rng.integers(1, 30)]
            elif kind == 2:
                data[place:place] = data[max(0, place - 20) : place]
            else:
                data[place:place] = pieces[rng.integers(len(pieces))]
        try:
            assert law_of_data(bytes(data), "samples", 1, "f", ASKED).dim == 1
        except pf.PdeflowError as error:
            assert len(str(error)) > 40
