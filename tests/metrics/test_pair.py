"""What all metrics share: their two laws, their names and their zeros."""

import subprocess
import sys

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import Gaussian, GridLaw, Product, Semicircle

NAMES = ["w2", "sliced_w2", "bures", "kl", "sym_kl", "l1", "l2", "mean_error", "cov_error"]
ENERGY = pf.Energy(potential=pf.potentials.Quadratic(np.eye(1), np.zeros(1)), internal=pf.Entropy(1.0))
ALL = {**{name: getattr(metrics, name) for name in NAMES}, "energy_gap": metrics.energy_gap(ENERGY)}


@pytest.mark.parametrize("name", ALL)
def test_bad_input(name):
    metric, law = ALL[name], Gaussian(0, 1)
    for pair in ((law, np.zeros(3)), (np.zeros(3), law), (law, None)):
        with pytest.raises(pf.BadInput, match=r"(?s)ndarray|NoneType"):
            metric(*pair)
    with pytest.raises(pf.BadInput, match="dim 1 and 2"):
        metric(law, Gaussian([0, 0], 1.0))
    with pytest.raises(pf.BadInput, match="default_rng"):
        metric(law, law, rng=7)


@pytest.mark.parametrize("name", ALL)
def test_every_metric_is_zero_on_one_law_and_positive_on_two(name):
    metric, edges = ALL[name], np.linspace(-8, 8, 81)
    grid = GridLaw(edges, np.diff(Gaussian(0, 1).cdf(edges)))
    for law in (Gaussian(0, 1), grid, Product([Gaussian(0, 1)]), *([Semicircle(1.0)] if name != "energy_gap" else [])):
        estimate = metric(law, law)
        assert 0 <= estimate.value <= 1e-12 and estimate.metric == name and estimate.stderr == 0
    assert metric(Gaussian(0.5, 1), Gaussian(0, 4)).value > 0.1


def test_names_and_light_import():
    assert set(metrics.__all__) >= {*NAMES, "energy_gap"}
    with pytest.raises(AttributeError, match="w2"):
        metrics.w3  # noqa: B018
    code = (
        "import sys, pdeflow as pf; m = pf.metrics; [getattr(m, n) for n in m.__all__]; "
        "m.w2(pf.laws.Gaussian(0, 1), pf.laws.Uniform(0, 1)); "
        "sys.exit(', '.join({'ot', 'numba', 'pandas', 'torch', 'matplotlib', 'h5py'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
