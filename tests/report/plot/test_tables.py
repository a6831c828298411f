"""Figures of tables, on a study whose numbers are known."""

import numpy as np
import pytest
from cheap_schemes import ExplicitMoments
from matplotlib.figure import Figure

import pdeflow as pf
from pdeflow import plot, report


@pytest.fixture(scope="module")
def table():
    problems = [pf.problems.ou(), pf.problems.porous_medium()]
    methods = {"explicit": ExplicitMoments(), "quantile": pf.grid.QuantileJKO(points=60)}
    steps = {"dt": [0.02, 0.01, 0.005]}
    return pf.Study(problems, methods, steps, {"w2": pf.metrics.w2, "mean": pf.metrics.mean_error}, times=[0.02]).run(
        progress=False
    )


@pytest.mark.parametrize("draw", [plot.convergence, plot.work_precision, plot.error_parts])
def test_every_figure_of_a_table_draws(draw, table, tmp_path):
    for problem in dict.fromkeys(row["problem"] for row in table):
        figure = draw(table, "w2", problem=problem)
        assert isinstance(figure, Figure)
        figure.savefig(tmp_path / "figure.png")
        assert (tmp_path / "figure.png").stat().st_size > 5000
    with pytest.raises(pf.BadInput, match="problem is 'none'"):
        draw(table, "w2", problem="none")


def test_the_drawn_points_are_those_of_the_table(table):
    first = next(iter(table))["problem"]
    axes = plot.convergence(table, "w2", problem=first).axes[0]
    drawn = np.concatenate([np.asarray(line.get_xydata()) for line in axes.lines if line.get_linestyle() == "None"])
    known = [row["error"] for row in table if row["metric"] == "w2" and row["problem"] == first and row["error"] > 0]
    assert len(known) >= 6
    for error in known:
        assert np.min(np.abs(drawn[:, 1] - error)) == 0


@pytest.mark.parametrize("draw", [plot.convergence, plot.work_precision, plot.error_parts])
def test_errors_that_are_all_zero_are_not_drawn_but_reported(draw, tmp_path):
    def nothing(approximation, truth, *, rng=None):
        return 0.0

    table = pf.Study(
        pf.problems.ou(), {"explicit": ExplicitMoments()}, {"dt": [0.5, 0.25, 0.125]}, {"zero": nothing}
    ).run()
    with pytest.raises(pf.NotAvailable, match="above zero"):
        draw(table, "zero")
    assert "No figure" in report.write(table, tmp_path, title="zero").read_text(encoding="utf-8")


@pytest.mark.parametrize("draw", [plot.convergence, plot.work_precision, plot.error_parts])
def test_levels_of_another_axis_are_lines_or_panels_of_their_own(draw):
    family = pf.Family(pf.problems.ou, dim=[1, 2])
    table = pf.Study(family, {"explicit": ExplicitMoments()}, {"dt": [0.02, 0.01, 0.005]}, {"w2": pf.metrics.w2}).run()
    figure = draw(table, "w2")
    named = [axes.get_title() for axes in figure.axes] + figure.axes[0].get_legend_handles_labels()[1]
    for dim in (1, 2):
        assert sum(text.startswith(f"explicit, dim = {dim}") for text in named) == 1
