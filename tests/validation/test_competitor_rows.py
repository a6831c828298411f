"""The rows of Figures 2, 4 and 6: both estimators of a kernel density, the lines of a file, and what a figure reads."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf

ROOT = Path(__file__).resolve().parents[2] / "validation"


@pytest.fixture(scope="module")
def modules():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))  # where _report is
        patch.syspath_prepend(str(ROOT / "reproductions"))
        yield {
            name: importlib.import_module(f"competitors.{name}")
            for name in ("rows", "euler_maruyama", "exact_draws", "figures")
        }


def test_independent_draws_find_the_sym_kl_of_two_gaussians(modules):
    for dim in (1, 2):
        first, second = pf.laws.Gaussian(np.zeros(dim), 1.0), pf.laws.Gaussian(np.full(dim, 0.2), 1.0)
        found = modules["rows"].independent_sym_kl(first, second, 4000, np.random.default_rng(0))
        assert found == pytest.approx(0.04 * dim, rel=0.1)  # |m|²; the noise of 4,000 draws is 3 % of it


def test_the_authors_read_the_density_at_its_own_points_and_find_more(modules):
    truth = pf.laws.Gaussian(np.zeros(6), 1.0)
    x = truth.sample(1000, np.random.default_rng(0))
    authors, honest = modules["euler_maruyama"].estimates("ornstein_uhlenbeck", x, truth, 0)
    # published 1.19 ± 0.03 for d = 6 and n = 1000; docs/math.md 4.4 has 0.64 for independent draws
    assert authors == pytest.approx(1.19, abs=0.12) and honest == pytest.approx(0.62, abs=0.12)


def test_lines_are_kept_replaced_and_read_by_a_figure(modules, tmp_path):
    rows = modules["rows"]
    for draws in (2, 3):
        lines = rows.block("exact_draws", "ornstein_uhlenbeck", 1000, 2, draws, (0.5, 0.9))
        rows.keep("exact_draws", lines, tmp_path)
    kept = rows.read(tmp_path / "rows" / "exact_draws.csv")
    assert [line["draws"] for line in kept] == ["3", "3"] and kept[0]["authors_mean"] == kept[1]["authors_mean"]
    dims, log10, half = modules["figures"].series(kept, "ornstein_uhlenbeck", "exact_draws", 1000, 0.9, "honest")
    assert dims.tolist() == [2] and -1.7 < log10[0] < -1.2 and 0 < half[0] < 0.3
    assert modules["figures"].series(kept, "mixtures", "exact_draws", 1000, 4.0, "honest") is None


def test_logarithms_leave_out_what_is_not_positive(modules):
    found = modules["rows"].summary([0.1, 0.001, -1.0, np.nan])
    assert float(found["log10"]) == -2.0 and float(found["log10_ci"]) == pytest.approx(1.96, rel=1e-3)
    assert set(modules["rows"].summary([]).values()) == {""}


def test_a_row_far_from_the_published_one_misses_its_bar(modules):
    where = {"experiment": "ornstein_uhlenbeck", "dim": "1", "time": "0.5"}
    published = [
        {**where, "method": "EM_sim_1000", "mean": "1.0", "sd": "0.1"},
        {**where, "method": "dual_jko", "mean": "1.0", "sd": "0.1"},
    ]
    for value, met in ((1.21, [False, False]), (1.19, [True, False]), (0.81, [True, True]), (0.79, [False, True])):
        rows = [
            {**where, "method": "euler_maruyama", "size": "1000", "authors_mean": str(value)},
            {**where, "method": "dual_jko", "size": "0", "authors_mean": str(value)},
        ]
        assert [line[2] for line in modules["figures"].bars(rows, published)] == met, value
