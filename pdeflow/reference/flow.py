"""Files of laws that a run arrived at: JSON data and named arrays in HDF5. Nothing is executed on load."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .._core.errors import BadInput, BadReference
from .._core.files import write_whole
from .._core.validate import known_arguments
from ..laws import Law
from ..laws.push_forward import law_from_data
from .read import ODD_FILE, verified
from .schema import SCHEMA, Variable, content_sha256, seal
from .write import target

FLOW_SCHEMA = 2  # since 2 a file may hold a law of few parameters; a push-forward is written as in 1


@known_arguments
def save_flow(path: str | Path, law: Law) -> Path:
    """Write a law that a run arrived at into a file.

    Parameters
    ----------
    path : str or Path
        Where to write. An existing file is replaced only by a whole new one.
    law : Law
        A `PushForward` of a law of few parameters by maps that files can hold (those of pdeflow but for forward
        steps, and kinds that `pdeflow.laws.register_map` knows), or a law of few parameters, as the `Gaussian` that
        affine maps make of one.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    NotAvailable
        For a law or a map that no file can hold; it says which.
    BadInput
        For anything that is not a law, and for a map whose `to_data` gives no JSON data.
    BadReference
        Where the file cannot be written, as on a full disk; the old file is then as it was.

    Notes
    -----
    Arrays are kept as float64, so that `load_flow` gives the same law to the bit. Nothing in the file is code.
    """
    if not isinstance(law, Law):
        raise BadInput(f"The law is {law!r}. It must be a pdeflow law. Take one of pdeflow.laws, or the law of a run.")
    data, arrays = law.to_data()
    path = target(path)
    try:
        text = json.dumps(data, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"The data of the law are no JSON data: {error}. A map gives numbers, text, lists and dicts of these. Put "
            "arrays "
            "into the second part of its to_data."
        ) from error
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["pdeflow_schema"] = np.int64(SCHEMA)  # by which older programs refuse it by name
        file.attrs["pdeflow_flow"] = np.int64(FLOW_SCHEMA if "law" in data else 1)
        file.attrs["content_sha256"] = _digest(arrays)
        # an attribute holds 64 KiB, and a long flow has longer data
        file.create_dataset("architecture", data=np.frombuffer(text.encode(), dtype=np.uint8))
        for name in sorted(arrays):
            file.create_dataset(f"arrays/{name}", data=np.asarray(arrays[name], dtype="<f8"))
    body = memory.getvalue()
    write_whole(path, lambda file: file.write(body + seal(body)), error=BadReference)
    return path


@known_arguments
def load_flow(path: str | Path) -> Law:
    """The law in a file of `save_flow`.

    Parameters
    ----------
    path : str or Path
        The file. Those of the first edition open too.

    Returns
    -------
    Law
        The law that was saved, to the bit.

    Raises
    ------
    BadReference
        For a file that is missing, damaged, no file of `save_flow`, or of a newer schema.
    BadInput
        Where the file holds a kind of map that this program does not know, or numbers that make no such map.
    """
    try:
        with h5py.File(io.BytesIO(verified(path)), "r") as opened:
            file: Any = opened
            schema = int(file.attrs["pdeflow_flow"])
            if schema > FLOW_SCHEMA:
                raise BadReference(
                    f"{path} has flow schema {schema}. This version reads up to {FLOW_SCHEMA}. Use a newer pdeflow."
                )
            data = json.loads(file["architecture"][...].tobytes().decode())
            arrays = {name: item[...] for name, item in file["arrays"].items()} if "arrays" in file else {}
            digest = file.attrs["content_sha256"]
    except ODD_FILE as error:
        raise BadReference(f"{path} is no file of a trained flow: {error}. Write one with save_flow.") from error
    if digest != _digest(arrays):
        raise BadReference(f"The arrays of {path} do not have the digest that the file names. Get it again.")
    return law_from_data(data, arrays)


def _digest(arrays):
    return content_sha256({name: Variable((), np.asarray(array, dtype="<f8")) for name, array in arrays.items()})
