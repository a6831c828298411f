"""The truncated kernel between clouds, however it is kept, against all pairs."""

import numpy as np
import pytest
from scipy.special import logsumexp

from pdeflow._core.compiled import crew
from pdeflow.particle.proximal_recursion import kernel as kernel_module
from pdeflow.particle.proximal_recursion.kernel import TILE, PairKernel, exp_negative, tiles_of_neighbours

EPS = 0.05


def products(x, y, depth, logs):
    """(kernel, log(K b), log(Kᵀa))."""
    with crew(TILE) as run:
        kernel = PairKernel(x, y, EPS, depth, run)
        return kernel, kernel(logs), kernel.transposed(logs)


def clouds(n, dim, spread=3.0):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, dim)) + 1e3  # far from the origin: differences are taken of centred points
    return x, x + 0.04 * rng.normal(size=(n, dim)), spread * rng.normal(size=n)


@pytest.mark.parametrize("kept", ["whole", "sparse", "computed anew"])
@pytest.mark.parametrize(("n", "dim"), [(150, 1), (300, 3), (200, 7)])
def test_against_all_pairs(kept, n, dim, monkeypatch):
    monkeypatch.setattr(kernel_module, "WHOLE", 10**6 if kept == "whole" else 0)
    monkeypatch.setattr(kernel_module, "STORED", 0 if kept == "computed anew" else 10**6)
    x, y, logs = clouds(n, dim)
    logs[3] = -np.inf
    cost = ((x[:, None] - y) ** 2).sum(axis=-1) / (2 * EPS)
    kernel, there, back = products(x, y, cost.max() + 1, logs)
    assert kernel.complete and kernel.pairs == n * n
    assert np.abs(there - logsumexp(logs - cost, axis=1)).max() < 1e-11  # coordinates of size 1e3: 1e-13/ε in the cost
    assert np.abs(back - logsumexp(logs[:, None] - cost, axis=0)).max() < 1e-11


@pytest.mark.parametrize("marked", [10**6, 2000])  # at once, or in blocks of four tiles
def test_sparse_rows_hold_the_pairs_within_the_radius_and_no_others(marked, monkeypatch):
    monkeypatch.setattr(kernel_module, "MARKED", marked)
    x, y, logs = clouds(400, 5)
    depth = 12.0
    cost = ((x[:, None] - y) ** 2).sum(axis=-1) / (2 * EPS)
    kernel, there, back = products(x, y, depth, logs)
    near = cost <= depth
    assert kernel.pairs == near.sum() < 400 * 400 / 8 and not kernel.complete
    kept = np.where(near, -cost, -np.inf)
    assert np.abs(there - logsumexp(kept + logs, axis=1)).max() < 1e-11
    assert np.abs(back - logsumexp(kept + logs[:, None], axis=0)).max() < 1e-11


@pytest.mark.parametrize("kept", ["sparse", "computed anew"])
def test_what_is_left_out_of_a_row_is_below_its_bound(kept, monkeypatch):
    monkeypatch.setattr(kernel_module, "WHOLE", 0)
    monkeypatch.setattr(kernel_module, "STORED", 0 if kept == "computed anew" else 10**6)
    x, y, logs = clouds(600, 2)
    cost = ((x[:, None] - y) ** 2).sum(axis=-1) / (2 * EPS)
    kernel, there, _ = products(x, y, 5.0, logs)
    left_out = np.exp(logsumexp(logs - cost, axis=1)) - np.exp(there)
    assert not kernel.complete and left_out.max() > 1e-3
    assert left_out.max() <= np.exp(-5.0) * np.exp(logs).sum() and left_out.min() > -1e-10


@pytest.mark.parametrize("kept", ["whole", "sparse", "computed anew"])
def test_what_underflows_is_summed_in_logarithms(kept, monkeypatch):
    monkeypatch.setattr(kernel_module, "WHOLE", 10**6 if kept == "whole" else 0)
    monkeypatch.setattr(kernel_module, "STORED", 0 if kept == "computed anew" else 10**6)
    x, y, logs = clouds(130, 2, spread=2000.0)
    x, y = 4 * (x - 1e3), 4 * (y - 1e3)  # so far apart that exp(-700) lies between points
    cost = ((x[:, None] - y) ** 2).sum(axis=-1) / (2 * EPS)
    _, there, back = products(x, y, cost.max() + 1, logs)
    assert np.allclose(there, logsumexp(logs - cost, axis=1), rtol=1e-13, atol=1e-10)
    assert np.allclose(back, logsumexp(logs[:, None] - cost, axis=0), rtol=1e-13, atol=1e-10)


def test_the_exponential_to_round_off():
    t = -np.linspace(0, 700, 3001)
    found = np.array([exp_negative(s) for s in t])
    assert np.abs(found / np.exp(t) - 1).max() < 5e-16  # two units in the last place


def test_tiles_hold_each_point_once_and_are_small():
    x = np.random.default_rng(0).normal(size=(1000, 2))
    order = tiles_of_neighbours(x)
    assert np.array_equal(np.sort(order), np.arange(1000))
    widths = [np.ptp(x[order[begin : begin + TILE]], axis=0).prod() for begin in range(0, 1000, TILE)]
    assert sum(widths) < 2 * np.ptp(x, axis=0).prod()  # boxes that overlap little fill the plane about once
