"""Both readings of a DualLaw in the rows of Figures 4 and 6, against the closed SymKL of Gaussians."""

import importlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.neural import DualLaw
from pdeflow.neural.dual_jko.basis import Basis
from pdeflow.neural.dual_jko.law import Reference

ROOT = Path(__file__).resolve().parents[2] / "validation"


def test_both_readings_of_a_gaussian(monkeypatch):
    for folder in (ROOT, ROOT / "reproductions"):
        monkeypatch.syspath_prepend(str(folder))
    module = importlib.import_module("competitors.dual_jko")
    basis = Basis(np.zeros(2), np.eye(2), np.empty((0, 2)), 1.0)
    weights = np.array([0.0, 0.1, 0.05, 0.0, 0.0])
    law = DualLaw(pf.potentials.Quadratic(np.eye(2)), 1.0, basis, weights, Reference(np.zeros(2), np.eye(2)))
    same, truth = pf.laws.Gaussian([0.0, -0.1], np.diag([1 / 1.1, 1.0])), pf.laws.Gaussian(np.zeros(2), np.eye(2))
    closed = pf.metrics.sym_kl(same, truth).value
    # the standard deviation of both is about 0.02/√n: 2e-4 of 10,000 draws
    assert module.authors_sym_kl(law, truth, np.random.default_rng(0)) == pytest.approx(closed, abs=1e-3)
    assert module.honest_sym_kl(law, truth, np.random.default_rng(0)) == pytest.approx(closed, abs=5e-4)
