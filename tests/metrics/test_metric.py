"""How a metric says in which way a floor adds, and that any function may be a metric."""

import inspect
import pickle

import numpy as np
import pytest
from cheap_schemes import moment_distance, small_study

import pdeflow as pf
from pdeflow import fingerprint, metrics
from pdeflow.metrics.metric import floor_adds_of

OF_SAMPLES = ["energy_distance", "mmd", "ksd", "sinkhorn_divergence", "max_sliced_w2", "c2st"]
NAMES = ["w2", "sliced_w2", "bures", "kl", "sym_kl", "l1", "l2", "mean_error", "cov_error", *OF_SAMPLES]
ALL = {
    **{name: getattr(metrics, name) for name in NAMES},
    "energy_gap": metrics.energy_gap(pf.Energy(None, pf.Entropy())),
}


@metrics.metric(floor_adds="squares")
def spread_error(approximation, truth, *, rng=None):
    return pf.Estimate(float(np.linalg.norm(approximation.cov() - truth.cov())), metric="spread_error")


def test_floors_of_euclidean_distances_add_in_squares():
    squares = {name for name in NAMES if floor_adds_of(ALL[name]) == "squares"}
    assert squares == {"w2", "sliced_w2", "bures", "l2", "mean_error", "cov_error", *OF_SAMPLES} - {"c2st"}
    assert floor_adds_of(ALL["energy_gap"]) == "sum" == floor_adds_of(moment_distance)


def test_a_metric_stays_the_function_that_it_is():
    assert inspect.isfunction(metrics.w2) and list(inspect.signature(metrics.w2).parameters)[:3] == [
        "approximation",
        "truth",
        "rng",
    ]
    assert pickle.loads(pickle.dumps(metrics.w2)) is metrics.w2
    assert fingerprint.describe(metrics.w2) == {"function": "pdeflow.metrics.transport.w2"}  # its first name


def test_a_table_takes_floors_out_as_the_metric_says():
    table = small_study([1 / 4, 1 / 8], metrics={"spread": spread_error, "plain": moment_distance}).run()
    assert table.floor_adds == {"spread": "squares", "plain": "sum"}


def test_another_word_is_refused():
    with pytest.raises(pf.BadInput, match="floor_adds is 'product'"):
        metrics.metric(floor_adds="product")
