"""Files of data, with checksum and limits, and splits that are standardised on their training part."""

import bz2
import gzip
import hashlib

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications.logistic import DataSet, read_libsvm, read_table

KEEL = "@relation small\n@attribute a real\n1.5, A12, 7, yes\n-2, A11, 7, no\n0.25, A34, 7, maybe\n\n1, A12, 7, yes\n"
LIBSVM = "2 1:0.5 3:-1e2 # remark\n1 2:4\n"


def test_a_table_of_keel(tmp_path):
    file = tmp_path / "small.dat"
    file.write_text(KEEL)
    data = read_table(file, ["yes"], sha256=hashlib.sha256(KEEL.encode()).hexdigest())
    assert data.features.tolist() == [[1.5, 2, 7], [-2, 1, 7], [0.25, 3, 7], [1, 2, 7]]  # categories by name
    assert data.labels.tolist() == [1, -1, -1, 1]
    assert read_table(file, ["yes", "maybe"]).labels.sum() == 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_a_file_of_libsvm(tmp_path, pack):
    packed = pack(LIBSVM.encode())
    file = tmp_path / {bytes: "two", gzip.compress: "two.gz", bz2.compress: "two.bz2"}[pack]
    file.write_bytes(packed)
    data = read_libsvm(file, ["2"], features=3, sha256=hashlib.sha256(packed).hexdigest())
    assert data.features.tolist() == [[0.5, 0, -100], [0, 4, 0]] and data.labels.tolist() == [1, -1]


def test_limits_and_checksums(tmp_path):
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(b"1" * 1_000_000))
    with pytest.raises(pf.BadInput, match="more than 5000 bytes"):
        read_libsvm(file, ["1"], features=1, most=5000)  # it is small on disk and large unpacked
    file = tmp_path / "plain.csv"
    file.write_text("1,2,a\n3,4,b\n")
    with pytest.raises(pf.BadInput, match="more than 5 bytes"):
        read_table(file, ["a"], most=5)
    with pytest.raises(pf.BadInput, match="Fetch the file again"):
        read_table(file, ["a"], sha256="0" * 64)
    with pytest.raises(pf.BadInput, match="There is no file"):
        read_table(tmp_path / "nowhere.csv", ["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,a\n3,b\n", "must have one number"), ("1,a\n2,a\n", "positive_labels"), ("", "must have one number"),
        ("nan,a\n1,b\n", "finite"),
    ],
)  # fmt: skip
def test_tables_that_are_none(tmp_path, text, message):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(pf.BadInput, match=message):
        read_table(file, ["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 4:1\n", "Line 1"), ("1 1:1\n2 x\n", "Line 2"), ("1 1:z\n", "'z'"), ("1 1:inf\n", "finite"),
        ("1 1:1\n", "positive_labels"),
    ],
)  # fmt: skip
def test_lines_that_are_not_of_libsvm(tmp_path, text, message):
    file = tmp_path / "bad"
    file.write_text(text)
    with pytest.raises(pf.BadInput, match=message):
        read_libsvm(file, ["1"], features=3)


def test_splits_are_by_seed_and_standardised_on_the_training_part(rng):
    features = np.column_stack([rng.normal(3, 5, 50), np.full(50, 7.0), np.arange(50)])
    data = DataSet(features, np.where(np.arange(50) % 3 > 0, 1.0, -1.0))
    train, test = data.split(4)
    assert len(train) == 40 and len(test) == 10
    assert np.allclose(train.features.mean(axis=0), 0, atol=1e-14)
    assert np.allclose(train.features.std(axis=0), [1, 0, 1], atol=1e-14)
    assert np.all(test.features[:, 1] == 0) and np.abs(test.features.mean(axis=0)[0]) > 1e-3
    place = np.concatenate([train.features, test.features])[:, 2].argsort()  # back in the order of the file
    assert np.array_equal(np.concatenate([train.labels, test.labels])[place], data.labels)
    again, other = data.split(4)[0], data.split(5)[0]
    assert np.array_equal(again.features, train.features) and not np.array_equal(other.labels, train.labels)
    with pytest.raises(pf.BadInput, match="below 1"):
        data.split(0, 1.0)
    with pytest.raises(pf.errors.BadInput, match="0 in the training part"):
        data.split(0, 1e-3)


def test_labels_must_be_signs():
    with pytest.raises(pf.BadInput, match="label -1 or"):
        DataSet(np.zeros((2, 1)), np.array([0.0, 1.0]))
