"""Study: its rows, its validation, its truths."""

import numpy as np
import pytest
from study.toys import Moments, moment_distance, unavailable

import pdeflow as pf

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]


def small(**changes):
    arguments = {
        "problems": [pf.problems.ou()], "methods": {"euler": Moments()}, "sweep": {"dt": DTS},
        "metrics": {"moments": moment_distance}, **changes,
    }  # fmt: skip
    return pf.Study(**arguments)


def test_first_order_scheme_passes_and_keeps_every_row():
    table = small(seeds=range(2), times=[0.5, 1.0]).run()
    assert len(table) == 2 * 2 * len(DTS)
    assert all(order["verdict"] == "pass" for order in table.orders("moments", expected=1))


def test_failing_metric_becomes_a_row():
    table = small(metrics={"moments": moment_distance, "none": unavailable}).run()
    assert {row["status"] for row in table if row["metric"] == "none"} == {"not available"}
    assert {row["status"] for row in table if row["metric"] == "moments"} == {"ok"}


@pytest.mark.parametrize(("finest", "verdict"), [(1 / 128, "inconclusive"), (1 / 2048, "pass")])
def test_reference_must_be_much_finer_than_the_run(finest, verdict):
    table = small(against=pf.finer(Moments(), finest)).run()
    (order,) = table.orders("moments", expected=1)
    assert order["verdict"] == verdict
    assert np.isfinite([row["truth_error"] for row in table]).all()
