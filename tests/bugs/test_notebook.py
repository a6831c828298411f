"""A figure is what a notebook shows, once, and nothing is left behind.

From: mne-tools/mne-python#9832 and dfm/corner.py#48 (figures shown twice), jupyter/try-jupyter#11 (figures that pyplot
keeps).
"""

import numpy as np
import pytest
from cheap_schemes import Contraction

import pdeflow as pf

FLOW = pf.Trajectory([0.0, 1.0], [pf.laws.Gaussian(0.0, 1.0), pf.laws.Gaussian(1.0, 0.5)])
PLANE = pf.laws.Gaussian([0.0, 0.0], 1.0)


TABLE = pf.Study(pf.problems.ou(), Contraction(), {"dt": [1 / 4, 1 / 8, 1 / 16]}, {"mean": pf.metrics.mean_error}).run(
    progress=False
)

PLOTS = {
    "density": lambda **ax: pf.plot.density(FLOW, **ax),
    "projections": lambda **ax: pf.plot.projections(PLANE, 50, rng=np.random.default_rng(0), **ax),
    "convergence": lambda **ax: pf.plot.convergence(TABLE, "mean", **ax),
    "work_precision": lambda **ax: pf.plot.work_precision(TABLE, "mean", **ax),
    "error_parts": lambda **ax: pf.plot.error_parts(TABLE, "mean", **ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_figure_shows_itself_and_pyplot_does_not_keep_it(name):
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    figure = PLOTS[name]()
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    assert plt.get_fignums() == before


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_draws_on_axes_that_are_given(name):
    from matplotlib.figure import Figure

    left, right = (figure := Figure()).subplots(1, 2)
    assert PLOTS[name](ax=right) is right  # the figure is the user's to show
    assert right.has_data() and not left.has_data() and right.figure is figure and len(figure.axes) == 2
    with pytest.raises(pf.BadInput, match="ax is"):
        PLOTS[name](ax=figure)
    figure.savefig("/dev/null", format="png", dpi=20)
