"""Files of trained flows: a JSON architecture and named arrays in HDF5. Nothing is executed on load."""

import io
import json

import h5py
import numpy as np

from .._core.errors import BadInput, BadReference
from .._core.files import write_whole
from .place import target
from .read import ODD_FILE, verified
from .schema import BLOCK, Variable, block, content_sha256

FLOW_SCHEMA = 1


def save_flow(path, architecture, arrays):
    """Write what `PushForward.to_data()` returns, `save_flow(path, *law.to_data())`, and return the path.

    architecture : JSON data. arrays : {name: float array}, kept as float64. An existing file is replaced only by a whole new one (`BadReference`
    if the disk is full, and then the old file is as it was). Affine maps of a Gaussian give a `Gaussian`, which is its `spec()`; as a file: `PushForward(law).to_data()`.
    """
    path = target(path)
    try:
        text = json.dumps(architecture, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The architecture is no JSON data: {error}. Take it from to_data().") from error
    memory = io.BytesIO()
    with h5py.File(memory, "w", userblock_size=BLOCK) as file:
        file.attrs["pdeflow_flow"] = np.int64(FLOW_SCHEMA)
        file.attrs["content_sha256"] = _digest(arrays)
        # an attribute holds 64 KiB, and a long flow has a longer architecture
        file.create_dataset("architecture", data=np.frombuffer(text.encode(), dtype=np.uint8))
        for name in sorted(arrays):
            file.create_dataset(f"arrays/{name}", data=np.asarray(arrays[name], dtype="<f8"))
    body = memory.getvalue()[BLOCK:]
    write_whole(path, lambda file: file.write(block(body) + body), error=BadReference)
    return path


def load_flow(path):
    """(architecture, arrays) of a file of `save_flow`, for `PushForward.from_data`. `BadReference` for a missing, damaged or newer file."""
    try:
        with h5py.File(io.BytesIO(verified(path)), "r") as file:
            schema = int(file.attrs["pdeflow_flow"])
            if schema > FLOW_SCHEMA:
                raise BadReference(
                    f"{path} has flow schema {schema}. This version reads up to {FLOW_SCHEMA}. Use a newer pdeflow."
                )
            architecture = json.loads(file["architecture"][...].tobytes().decode())
            arrays = {name: item[...] for name, item in file["arrays"].items()} if "arrays" in file else {}
            digest = file.attrs["content_sha256"]
    except ODD_FILE as error:
        raise BadReference(f"{path} is no file of a trained flow: {error}. Write one with save_flow.") from error
    if digest != _digest(arrays):
        raise BadReference(f"The arrays of {path} do not have the digest that the file names. Get it again.")
    return architecture, arrays


def _digest(arrays):
    return content_sha256({name: Variable((), np.asarray(array, dtype="<f8")) for name, array in arrays.items()})
