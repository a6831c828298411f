"""Far from 0 a scheme is right to the digits that floats have there, or refuses; it never stands still without a word.

No public thread; tried on the first edition: wrong answers without a warning 1e12 away from 0.
"""

import pytest

import pdeflow as pf

METHODS = {
    "ChangCooper": pf.grid.ChangCooper(cells=150),
    "QuantileJKO": pf.grid.QuantileJKO(points=100),
    "CvxoptJKO": pf.grid.CvxoptJKO(cells=40),
    "EulerMaruyama": pf.particle.EulerMaruyama(2000),
}


def moments(method, offset):
    problem = pf.problems.ou(center=offset, initial=pf.laws.Gaussian(offset + 2, 0.25))
    law = pf.solve(problem, method, dt=0.25, times=[0.5]).final
    return law.mean()[0] - offset, law.cov()[0, 0]


@pytest.mark.parametrize("name", METHODS)
def test_a_shift_changes_nothing_or_is_refused(name):
    if name == "CvxoptJKO":
        pytest.importorskip("cvxopt")
    near = moments(METHODS[name], 0.0)
    refused = False
    for offset in (1e9, 1e11, 1e12, 1e13, 1e14, 1e15):
        try:
            far = moments(METHODS[name], offset)
        except (pf.BadInput, pf.NotAvailable) as error:
            assert "near 0" in str(error) or "origin" in str(error)  # the scheme, or the law itself
            refused = True
            continue
        assert not refused
        assert far == pytest.approx(near, abs=20 * 2.0**-52 * offset + 1e-6)
    assert refused
