"""The names of modules in files do not follow a move."""

import importlib

import pytest

from pdeflow._core.recorded_names import FIRST_EDITION, recorded_module


def test_a_moved_module_keeps_its_name_and_others_have_their_own():
    assert recorded_module("pdeflow.energies.internal") == "pdeflow.energy"
    assert recorded_module("pdeflow.laws.gaussian") == "pdeflow.laws.gaussian"
    assert recorded_module("numpy.linalg") == "numpy.linalg" and recorded_module("pdeflow") == "pdeflow"


@pytest.mark.parametrize("module", FIRST_EDITION)
def test_every_listed_module_exists(module):
    pytest.importorskip("torch")
    pytest.importorskip("cvxopt")
    importlib.import_module(f"pdeflow.{module}")
