"""How validation/reproductions/competitors/proximal_recursion.py reads density values at points."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf

ROOT = Path(__file__).resolve().parents[2] / "validation"


@pytest.fixture(scope="module")
def module():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))  # where _report is
        patch.syspath_prepend(str(ROOT / "reproductions"))
        yield importlib.import_module("competitors.proximal_recursion")


def test_values_that_are_the_truth_are_honest_to_round_off_and_the_authors_read_their_floor(module):
    truth = pf.laws.Gaussian(np.zeros(6), 1.0)
    x, log_truth = truth.sample_with_log_density(300, np.random.default_rng(0))
    found = module.read_out(pf.laws.DensityAtPoints(x, log_truth + 3.0, relative=True), truth)
    assert abs(found["honest"]) < 1e-14
    assert found["there"] + found["back"] == pytest.approx(found["floor"], rel=1e-10) and found["floor"] > 0.1


def test_kernel_sums_and_values_off_by_a_tilt_are_told(module):
    truth, eps = pf.laws.Gaussian([0.0], 1.0), module.REGULARISATION
    x = truth.sample(400, np.random.default_rng(1))
    kernels = np.log(np.exp(-((x - x.T) ** 2) / (2 * eps)).sum(axis=1))
    assert module.read_out(pf.laws.DensityAtPoints(x, kernels, relative=True), truth)["from_kernels"] < 1e-12
    tilted = pf.laws.DensityAtPoints(x, truth.log_density(x) + 0.3 * x[:, 0], relative=True)
    # the variance of 0.3 x, which is also SymKL of N(0.3, 1) to N(0, 1); three errors of 0.13/√400
    assert module.read_out(tilted, truth)["honest"] == pytest.approx(0.09, abs=0.02)


def test_the_store_is_filled_once_and_becomes_rows(module, tmp_path):
    store, out = tmp_path / "store", tmp_path / "out"
    arguments = {"experiments": ["mixtures"], "dims": [2], "particles": [400], "seeds": [0], "store": store, "out": out}
    store.mkdir()
    run = [{"time": 4.0, "seconds": 1.0, "there": 0.1, "back": 0.2, "floor": 0.05, "honest": 0.4, "from_kernels": 0.5}]
    (store / "mixtures-2-400-0.json").write_text(json.dumps(run), encoding="utf-8")
    out.mkdir()
    module.run(type("Options", (), arguments))
    rows = (out / "rows" / "proximal_recursion.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 2 and rows[1].startswith("mixtures,proximal_recursion,400,2,4.0,1,0.3")
    assert "| 2 | 400 | 4.0 | 1 | 0.3 | 0.428" in (out / "proximal_recursion.md").read_text(encoding="utf-8")
