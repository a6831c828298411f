"""The check of shapes that runs under all tests sees a wrong shape that the package passes or returns."""

import sys

import jaxtyping
import numpy as np
import pytest
import shape_checks

import pdeflow as pf
from pdeflow._core.shapes import Points, Values


def test_a_wrong_result_is_seen():
    def norms(x: Points) -> Values:
        return np.linalg.norm(x, axis=1)[:-1]

    with pytest.raises(jaxtyping.TypeCheckError):
        shape_checks.checked(norms)(np.zeros((3, 2)))


def test_a_refusal_of_the_function_itself_comes_first():
    def norms(x: Points) -> Values:
        raise pf.BadInput("mine")

    with pytest.raises(pf.BadInput, match="mine"):
        shape_checks.checked(norms)("no array")


def test_a_test_may_pass_more_and_the_package_may_not(tmp_path):
    def norms(x: Points) -> Values:
        return np.linalg.norm(np.atleast_2d(x), axis=1)

    checked = shape_checks.checked(norms)
    assert checked([[3.0, 4.0]]) == [5.0]  # a list, from a test
    file = tmp_path / "caller.py"
    file.write_text("def call(function):\n    return function([[3.0, 4.0]])\n")
    caller = {"__name__": "pdeflow.caller"}
    exec(compile(file.read_text(), str(file), "exec"), caller)
    with pytest.raises(jaxtyping.TypeCheckError):
        caller["call"](checked)


def test_modules_of_the_package_are_checked_and_compiled_ones_are_not():
    assert hasattr(pf.laws.Gaussian.log_density, "__wrapped__")
    from pdeflow.energies import pair_sums

    assert not isinstance(pair_sums.__spec__.loader, shape_checks.CheckingLoader)
    assert isinstance(sys.modules["pdeflow.laws.gaussian"].__spec__.loader, shape_checks.CheckingLoader)


def test_the_check_changes_no_fingerprint():
    from pdeflow import trajectory

    record = pf.fingerprint.describe(trajectory.time_grid)
    assert hasattr(trajectory.time_grid, "__wrapped__") and record == {"function": "pdeflow.trajectory.time_grid"}
