"""finer: a truth must be much finer than the runs under test."""

from functools import partial

import pytest
from cheap_schemes import Moments, moment_distance, small_study

import pdeflow as pf

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]


small = partial(small_study, DTS)


@pytest.mark.parametrize(("finest", "verdict"), [(1 / 128, "inconclusive"), (1 / 2048, "pass")])
def test_reference_must_be_much_finer_than_the_run(finest, verdict):
    table = small(against=pf.finer(Moments(), finest)).run()
    (order,) = table.orders("moments", expected=1)
    assert order["verdict"] == verdict and ("the truth's own error" in order["why"]) == (verdict == "inconclusive")
    runs = [pf.solve(pf.problems.ou(), Moments(), dt=k * finest).final for k in (2, 1)]
    assert {row["truth_error"] for row in table} == {moment_distance(*runs)}
