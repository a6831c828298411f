"""The figure of growth: error and cost against a parameter of the problem."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from cheap_schemes import ExplicitMoments, moment_distance
from matplotlib.figure import Figure

import pdeflow as pf
from pdeflow import plot, report


@pytest.fixture(scope="module")
def table():
    family = pf.Family(pf.problems.ou, dim=[1, 2, 4], seed=range(2), horizon=0.5)

    methods = {"explicit": ExplicitMoments(), "jko": Jko()}
    return pf.Study(family, methods, {"dt": [0.125]}, {"moments": moment_distance}).run(progress=False)


class Jko(ExplicitMoments):
    """Explicit Euler, with the sequence of another scheme as its exact one."""

    def exact_sequence(self, problem, *, dt, times):
        return pf.exact_jko(problem, dt=dt, times=times)


def means(table, method, column):
    return [np.mean([row[column] for row in table if (row["method"], row["dim"]) == (method, d)]) for d in (1, 2, 4)]


def test_the_points_are_means_over_draws_and_the_dashed_line_is_the_exact_sequence(table):
    figure = plot.growth(table)
    assert isinstance(figure, Figure)
    left, right = figure.axes
    for method in ("explicit", "jko"):
        mean = [
            np.mean([row["error"] for row in table if row["method"] == method and row["dim"] == dim])
            for dim in (1, 2, 4)
        ]
        assert any(np.allclose(line.get_ydata(), mean) for line in left.lines if len(line.get_xdata()) == 3)
    (dashed,) = [line for line in left.lines if line.get_linestyle() == "--"]
    assert np.allclose(dashed.get_ydata(), means(table, "jko", "time_error")) and len(right.lines) == 2
    labels = right.get_legend_handles_labels()[1]
    exponent = table.growth("cpu_seconds")[0]["exponent"]
    assert right.get_ylabel() == "CPU seconds a run" and f"d^{exponent:.2f}" in labels[0] and "dt = 0.125" in labels[0]


def test_own_axes_are_drawn_on_and_what_cannot_be_drawn_is_refused(table):
    figure, axes = plt.subplots(1, 2)
    assert plot.growth(table, "dim", cost="memory", ax=axes)[1].get_ylabel() == "peak memory of the process, MB"
    plt.close(figure)
    with pytest.raises(pf.BadInput, match="cost is 'error'"):
        plot.growth(table, cost="error")
    with pytest.raises(pf.UnknownField, match="no axis"):
        plot.growth(table, "dims")
    with pytest.raises(pf.BadInput, match="must be the Table"):
        plot.growth(3)


def test_the_report_has_a_section_on_growth(table, tmp_path, monkeypatch):
    monkeypatch.setattr("pdeflow.report.markdown._figures", lambda *_: [])  # which other tests draw
    text = report.write(table, tmp_path, title="x").read_text(encoding="utf-8")
    assert "## Growth along dim" in text and "worst ratio" in text and "![growth of moments along dim]" in text
    assert (tmp_path / "growth-dim-moments.png").stat().st_size > 5000
