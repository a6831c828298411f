"""Files of laws that a run arrived at: round trip, damage, and that nothing is executed on load."""

import json

import h5py
import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, PushForward


@pf.laws.register_map("test_flow.Noted")
class Noted(pf.laws.Map):
    """A user's kind of map: T(x) = weight x + Σ quadratic, with data and arrays of awkward kinds."""

    dim = 1

    def __init__(self, weight=2.0, note="é" * 9):
        self.weight, self.note = np.array(weight), note
        self.quadratic = np.zeros((0, 2, 1))

    def __call__(self, x):
        return float(self.weight) * x + self.quadratic.sum()

    def to_data(self):
        arrays = {"weight": self.weight, "quadratic": self.quadratic, "pair": np.array([1.0, 2.0])}
        return {"map": "test_flow.Noted", "note": self.note}, arrays

    @classmethod
    def from_data(cls, dim, data, arrays):
        assert dim == 1 and arrays.keys() == {"weight", "quadratic", "pair"}
        assert arrays["weight"].shape == () and arrays["quadratic"].shape == (0, 2, 1)
        assert (arrays["pair"] == [1.0, 2.0]).all()
        return cls(float(arrays["weight"]), data["note"])


LAW = PushForward(Gaussian(0.0, 1.0), [Noted(1 / 3), Noted()])


def test_round_trip(tmp_path):
    path = pf.reference.save_flow(tmp_path / "flow.h5", LAW)
    again = pf.reference.load_flow(path)
    assert repr(again) == repr(LAW) and [move.note for move in again.maps] == ["é" * 9] * 2
    assert [float(move.weight) for move in again.maps] == [1 / 3, 2.0]
    with h5py.File(path) as file:  # the data are JSON text, and no data set is an object
        assert file["architecture"][...].tobytes().decode().startswith('{"base"')
        assert all(item.dtype.kind in "fu" for item in (*file["arrays"].values(), file["architecture"]))
        assert file.attrs["pdeflow_flow"] == 1  # programs of the first edition open it


@pytest.mark.parametrize(
    "law",
    [
        Gaussian([0.1, 1 / 3], [[1.0, 0.3], [0.3, 0.7]]),
        pf.laws.Uniform(0.0, 1 / 3),
        PushForward(Gaussian(0.0, 1.0)),
    ],
)
def test_a_law_of_few_parameters_comes_back_as_itself(law, tmp_path):
    again = pf.reference.load_flow(pf.reference.save_flow(tmp_path / "flow.h5", law))
    assert repr(again) == repr(law) and (again.mean() == law.mean()).all() and (again.cov() == law.cov()).all()


def test_the_law_of_a_gaussian_run_is_kept(tmp_path):
    method = pf.neural.VariationalJKO(map=pf.neural.Affine(), outer=5, training=pf.neural.Training(pool=1024))
    law = pf.solve(pf.problems.ou(), method, dt=0.1, times=[0.1]).final
    again = pf.reference.load_flow(pf.reference.save_flow(tmp_path / "flow.h5", law))
    assert type(again) is type(law) is Gaussian and (again.cov() == law.cov()).all()


def test_laws_and_maps_that_no_file_holds_say_so(tmp_path):
    class Silent(pf.laws.Map):
        dim = 1

        def __call__(self, x):
            return x

    class Stranger(Noted):
        def to_data(self):
            return {"map": "Stranger"}, {}

    path = tmp_path / "flow.h5"
    with pytest.raises(pf.NotAvailable, match=r"Silent\. It has no to_data\. Only ConvexMap"):
        pf.reference.save_flow(path, PushForward(Gaussian(0.0, 1.0), [Silent()]))
    with pytest.raises(pf.NotAvailable, match="'Stranger' is not registered"):
        pf.reference.save_flow(path, PushForward(Gaussian(0.0, 1.0), [Stranger()]))
    with pytest.raises(pf.NotAvailable, match="spec"):
        pf.reference.save_flow(path, pf.laws.GridLaw(np.array([0.0, 1.0]), [1.0]))
    with pytest.raises(pf.BadInput, match="must be a pdeflow law"):
        pf.reference.save_flow(path, {"base": LAW.base.spec()})
    assert not path.exists()


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_damaged_file_is_refused(tmp_path, where):
    path = pf.reference.save_flow(tmp_path / "flow.h5", LAW)
    raw = bytearray(path.read_bytes())
    raw[int(where * len(raw))] ^= 1
    path.write_bytes(raw)
    with pytest.raises(pf.BadReference):
        pf.reference.load_flow(path)


def test_other_files_and_other_data_are_refused(tmp_path, monkeypatch):
    with pytest.raises(pf.BadReference, match="does not exist"):
        pf.reference.load_flow(tmp_path / "none.h5")
    with pytest.raises(pf.BadInput, match="no JSON data"):
        pf.reference.save_flow(tmp_path / "flow.h5", PushForward(LAW.base, [Noted(note=np.zeros(2))]))
    monkeypatch.setattr("pdeflow.reference.flow.FLOW_SCHEMA", 3)
    path = pf.reference.save_flow(tmp_path / "newer.h5", LAW.base)
    monkeypatch.undo()
    with pytest.raises(pf.BadReference, match="newer pdeflow"):
        pf.reference.load_flow(path)


def test_a_flow_is_no_reference(tmp_path):
    path = pf.reference.save_flow(tmp_path / "flow.h5", PushForward(Gaussian(0.0, 1.0)))
    with pytest.raises(pf.BadReference, match="load_flow"):
        pf.reference.load(path)


def test_a_file_names_its_kinds_of_maps_by_their_recorded_names(tmp_path):
    law = PushForward(Gaussian(0.0, 1.0), [pf.laws.AffineMap([[2.0]], [1.0])])
    path = pf.reference.save_flow(tmp_path / "flow.h5", law)
    with h5py.File(path) as file:
        assert json.loads(file["architecture"][...].tobytes())["maps"] == [{"map": "LinearMap"}]
    (move,) = pf.reference.load_flow(path).maps
    assert isinstance(move, pf.laws.AffineMap) and move.matrix == 2.0 and move.shift == 1.0
