"""What the figure of filtering reads off: SymKL on cells, and intervals of medians."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf

ROOT = Path(__file__).resolve().parents[2] / "validation"


@pytest.fixture(scope="module")
def figure5():
    spec = importlib.util.spec_from_file_location("figure5", ROOT / "reproductions" / "filtering" / "figure5.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for folder in (ROOT, ROOT / "reproductions"):  # where _report is, and the package of the script
            patch.syspath_prepend(str(folder))
        spec.loader.exec_module(module)
    return module


def test_sym_kl_of_gaussians_on_the_published_cells(figure5):
    one, other = pf.laws.Gaussian(0.1, 0.5), pf.laws.Gaussian(-0.2, 0.7)
    mass = other.cell_masses((figure5.EDGES,)).mass
    value, gap, outside = figure5.sym_kl(one, pf.laws.GridLaw(figure5.EDGES, mass / mass.sum()))
    # of second order in cells of 0.005; both laws leave less than 1e-8 outside [-5, 5]
    assert value == pytest.approx(pf.metrics.sym_kl(one, other).value, abs=2e-6)
    assert 0.2 < gap < 0.4 and outside == 0


def test_the_interval_of_a_median_holds_it_as_often_as_it_says(figure5):
    rng = np.random.default_rng(0)
    found = [figure5.median_interval(rng.exponential(size=15)) for _ in range(4000)]
    held = np.mean([low <= np.log(2) <= high for _, low, high in found])
    # order statistics 4 and 12 of 15 hold the median in 96.5 % of all draws; 4 standard errors
    assert held == pytest.approx(0.965, abs=4 * np.sqrt(0.965 * 0.035 / 4000))


def test_published_rows_have_the_published_medians(figure5):
    medians = {name: np.median(rows["sym_kl"]) for name, rows in figure5.PUBLISHED.items() if name != "_about"}
    assert medians["ICNN_jko"] == pytest.approx(0.0170, abs=5e-5)
    assert medians["bbf_50000"] == pytest.approx(0.0043, abs=5e-5)
