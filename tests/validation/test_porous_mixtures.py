"""The radial truth of Figures 6 and 7 of jin2025 against a Barenblatt law."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf

ROOT = Path(__file__).parents[2] / "validation"


@pytest.fixture(scope="module")
def program():
    with pytest.MonkeyPatch.context() as patch:
        for folder in (ROOT, ROOT / "reproductions"):  # where _report is, and the package of the script
            patch.syspath_prepend(str(folder))
        yield importlib.import_module("parameter_flow.porous_mixtures")


def _error(program, dim, shells):
    """L1 of the masses of shells to the exact law from t = 1 to 1.5, where the support grows by some per cent."""
    edges = np.linspace(0, 1.2 * pf.laws.Barenblatt(dim, 3.0, 1.0).radius, shells + 1)
    middle = np.zeros((shells, dim))
    middle[:, 0] = (edges[1:] + edges[:-1]) / 2
    start, end = (np.exp(pf.laws.Barenblatt(dim, 3.0, t).log_density(middle)) for t in (1.0, 1.5))
    u = program.radial_flow(start, edges, dim, 3.0, (0.5,))[-1]
    volume = np.diff(edges**dim)
    assert volume @ u == pytest.approx(volume @ start, rel=1e-9)  # no mass leaves: the scheme is conservative
    return volume @ np.abs(u - end) / (volume @ end)


@pytest.mark.parametrize("dim", [5, 10])
def test_the_radial_flow_is_that_of_a_barenblatt_law(program, dim):
    # the edge ρ ~ dist^½ limits the order to 3/2 (a factor of 2.8 for half the width); the start moves by 0.2 and more
    coarse, fine = (_error(program, dim, shells) for shells in (100, 400))
    assert fine < 0.02
    assert fine < coarse / 3
