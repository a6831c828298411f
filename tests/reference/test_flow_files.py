"""Files of trained flows: round trip, damage, and that nothing is executed on load."""

import h5py
import numpy as np
import pytest

import pdeflow as pf

ARCHITECTURE = {
    "base": {"law": "Gaussian", "mean": [0.0], "cov": [[1.0]]},
    "maps": [{"map": "ConvexMap", "note": "é" * 9}],
}
ARRAYS = {
    "map0000.weight": np.array([1.0, 2.0]),
    "map0000.scale": np.array(3.0),
    "map0000.quadratic": np.zeros((0, 2, 1)),
}


def test_round_trip(tmp_path):
    path = pf.reference.save_flow(tmp_path / "flow.h5", ARCHITECTURE, ARRAYS)
    architecture, arrays = pf.reference.load_flow(path)
    assert architecture == ARCHITECTURE and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].shape == array.shape and (arrays[name] == array).all()
    with h5py.File(path) as file:  # the architecture is JSON text, and no data set is an object
        assert file["architecture"][...].tobytes().decode().startswith('{"base"')
        assert all(item.dtype.kind in "fu" for item in (*file["arrays"].values(), file["architecture"]))


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_damaged_file_is_refused(tmp_path, where):
    path = pf.reference.save_flow(tmp_path / "flow.h5", ARCHITECTURE, ARRAYS)
    raw = bytearray(path.read_bytes())
    raw[int(where * len(raw))] ^= 1
    path.write_bytes(raw)
    with pytest.raises(pf.BadReference):
        pf.reference.load_flow(path)


def test_other_files_and_other_data_are_refused(tmp_path):
    with pytest.raises(pf.BadReference, match="does not exist"):
        pf.reference.load_flow(tmp_path / "none.h5")
    with pytest.raises(pf.BadInput, match="no JSON data"):
        pf.reference.save_flow(tmp_path / "flow.h5", {"base": np.zeros(2)}, {})


def test_a_flow_is_no_reference(tmp_path):
    path = pf.reference.save_flow(tmp_path / "flow.h5", *pf.laws.PushForward(pf.laws.Gaussian(0.0, 1.0)).to_data())
    with pytest.raises(pf.BadReference, match="load_flow"):
        pf.reference.load(path)
