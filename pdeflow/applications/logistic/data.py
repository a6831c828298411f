"""Data sets of two classes: files of KEEL, LIBSVM and tables of numbers, splits, and the generators of Breiman."""

from __future__ import annotations

import bz2
import gzip
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..._core.errors import BadInput
from ..._core.shapes import Values
from ..._core.short_text import shown
from ..._core.validate import count, positive
from ..._core.value import Value

Table = Float[np.ndarray, "n p"]
LARGEST_FILE = 200_000_000  # bytes, of the file and of what is unpacked from it


@dataclass(frozen=True)
class DataSet(Value):
    """Features and labels.

    Parameters
    ----------
    features : (N, p)
        One row a point.
    labels : (N,)
        -1 or +1.
    """

    features: Table
    labels: Values

    def __post_init__(self) -> None:
        if len(self.features) != len(self.labels) or not np.all(np.abs(self.labels) == 1):
            raise BadInput(
                f"features has shape {np.shape(self.features)}, labels {np.shape(self.labels)} with values "
                f"{shown(np.unique(self.labels)[:5].tolist())}. There must be one row for each label -1 or +1. Code "
                "the labels so."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, seed: int, share: float = 0.8) -> tuple[DataSet, DataSet]:
        """(training part, test part) by a random permutation; standardised on the training part.

        Parameters
        ----------
        seed : int
            Of the permutation, numpy.random.default_rng(seed). [mokrov2022] has one split 4 : 1, of which the points
            are not known.
        share : float
            Of the training part, rounded to whole points, 0 < share < 1.

        Returns
        -------
        (DataSet, DataSet)
            Every feature of both less its mean, over its standard deviation, both of the training part; a feature that
            is constant there becomes 0. [mokrov2022] does not say whether features were scaled.
        """
        if not positive(share, "share") < 1:
            raise BadInput(f"share is {share}. It must be below 1. Take e.g. 0.8.")
        order = np.random.default_rng(seed).permutation(len(self))
        first = round(share * len(self))
        if not 0 < first < len(self):
            raise BadInput(
                f"share = {share:g} of {len(self)} points are {first} in the training part. Both parts need a point. "
                "Take another share, or more points."
            )
        train, test = order[:first], order[first:]
        mean, spread = self.features[train].mean(axis=0), self.features[train].std(axis=0)
        constant = spread <= 1e-12 * np.abs(mean)
        scaled = np.where(constant, 0.0, (self.features - mean) / np.where(constant, 1.0, spread))
        whole = replace(self, features=scaled)
        return whole._rows(train), whole._rows(test)

    def _rows(self, rows):
        return DataSet(self.features[rows], self.labels[rows])


def read_text(path: str | Path, sha256: str | None = None, most: int = LARGEST_FILE) -> str:
    """The text of a file, plain or packed by gzip or bzip2 (told by .gz and .bz2).

    Parameters
    ----------
    path : path
        The file.
    sha256 : str, optional
        Of the bytes of the file as they are on disk.
    most : int
        The most bytes that are read, and that are unpacked.

    Raises
    ------
    BadInput
        Where there is no such file, for a larger one, another checksum, and bytes that are no UTF-8.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"There is no file {path}. A table is read from a file on this machine. Give its path.")
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) <= most and sha256 is not None and hashlib.sha256(raw).hexdigest() != sha256.lower():
        raise BadInput(
            f"{path.name} has the SHA-256 {hashlib.sha256(raw).hexdigest()}. It must be {sha256}. Fetch the file again."
        )
    if len(raw) <= most and path.suffix in (".gz", ".bz2"):
        opener = gzip.open if path.suffix == ".gz" else bz2.open
        with opener(path) as packed:
            raw = packed.read(most + 1)
    if len(raw) > most:
        raise BadInput(f"{path.name} has more than {most} bytes. That is the limit. Raise most=, or cut the file.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is no text ({error}). Files of data are UTF-8. Convert it.") from error


def read_table(
    path: str | Path, positive_labels: Collection[str], *, sha256: str | None = None, most: int = LARGEST_FILE
) -> DataSet:
    """Points of a file of comma-separated rows whose last entry is the class: KEEL's .dat files, and CSV.

    Parameters
    ----------
    path : path
        The file. Empty lines and lines that begin with @ (the header of KEEL) or # are passed over.
    positive_labels : collection of str
        The classes, as they are written, that become +1; all others become -1.
    sha256, most
        As for `read_text`.

    Returns
    -------
    DataSet
        A column in which an entry is no number holds categories: they become 1, 2, ... in the order of their names, so
        that A11, A12, ... keep their order.

    Raises
    ------
    BadInput
        For rows of different lengths, entries that are not finite, and where all labels become the same.
    """
    name, rows = Path(path).name, _rows_of_entries(read_text(path, sha256, most))
    _require_one_length(rows, name)
    columns = [_column([row[i] for row in rows], name) for i in range(len(rows[0]) - 1)]
    wanted = set(positive_labels)
    labels = np.array([1.0 if row[-1] in wanted else -1.0 for row in rows])
    return DataSet(np.column_stack(columns), _two_classes(labels, {row[-1] for row in rows}, wanted, name))


def read_libsvm(
    path: str | Path,
    positive_labels: Collection[str],
    *,
    features: int,
    sha256: str | None = None,
    most: int = LARGEST_FILE,
) -> DataSet:
    """Points of a file in the format of LIBSVM, `label index:value ...` with indices from 1, such as covtype.

    Parameters
    ----------
    path : path
        The file, plain, .gz or .bz2.
    positive_labels : collection of str
        The labels, as they are written, that become +1 ("2" or "+1"); all others become -1.
    features : int
        p; indices that a line leaves out are 0.
    sha256, most
        As for `read_text`.

    Raises
    ------
    BadInput
        For a line that is not of this form (its number is named), and where all labels become the same.
    """
    count(features, "features")
    name, labels, rows = Path(path).name, [], []
    for number, line in enumerate(read_text(path, sha256, most).splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        row = np.zeros(features)
        for word in words[1:]:
            index, colon, value = word.partition(":")
            if not (colon and index.isdigit() and 1 <= int(index) <= features):
                raise BadInput(
                    f"Line {number} of {name} has {word!r}. Entries must be index:value with indices 1 to {features}. "
                    "Correct the line, or features=."
                )
            row[int(index) - 1] = _number(value, f"Line {number} of {name}")
        labels.append(words[0])
        rows.append(row)
    wanted = set(positive_labels)
    signs = np.array([1.0 if label in wanted else -1.0 for label in labels])
    return DataSet(np.array(rows), _two_classes(signs, set(labels), wanted, name))


def _rows_of_entries(text):
    """The entries of each row that is no comment."""
    lines = (line.strip() for line in text.splitlines())
    return [[entry.strip() for entry in line.split(",")] for line in lines if line and line[0] not in "@#"]


def _require_one_length(rows, name):
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1 or lengths[0] < 2:
        raise BadInput(f"The rows of {name} have {lengths} entries. All must have one number, at least 2. Correct it.")


def _column(entries, name):
    """The numbers of a column, or the ranks of its categories."""
    try:
        found = np.array(entries, dtype=float)
    except ValueError:  # a category: numpy names no other cause for text
        names = sorted(set(entries))
        return np.array([1.0 + names.index(entry) for entry in entries])
    if not np.isfinite(found).all():
        raise BadInput(f"{name} has an entry {found[~np.isfinite(found)][0]}. All must be finite. Remove the row.")
    return found


def _number(word, where):
    try:
        value = float(word)
    except ValueError as error:
        raise BadInput(f"{where} has the value {word!r}. It must be a number. Correct it.") from error
    if not np.isfinite(value):
        raise BadInput(f"{where} has the value {word!r}. It must be finite. Correct it.")
    return value


def _two_classes(labels, found, wanted, name):
    if len(set(labels.tolist())) != 2:
        raise BadInput(
            f"{name} has the classes {shown(sorted(found)[:8])}, positive_labels is {shown(sorted(wanted))}. Some "
            "classes, not all, must be positive. Choose among those of the file."
        )
    return labels
