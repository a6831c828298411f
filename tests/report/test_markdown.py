"""Markdown reports, on a study whose numbers are known."""

import pytest
from cheap_schemes import ExplicitMoments

import pdeflow as pf
from pdeflow import report


@pytest.fixture(scope="module")
def table():
    problems = [pf.problems.ou(), pf.problems.porous_medium()]
    methods = {"explicit": ExplicitMoments(), "quantile": pf.grid.QuantileJKO(points=60)}
    steps = {"dt": [0.02, 0.01, 0.005]}
    return pf.Study(problems, methods, steps, {"w2": pf.metrics.w2, "mean": pf.metrics.mean_error}, times=[0.02]).run(
        progress=False
    )


def test_the_report_holds_verdicts_orders_failures_and_figures(table, tmp_path):
    path = report.write(
        table, tmp_path / "r", title="A title", claims=[pf.Claim("explicit", "mean", 1.0, 0.1, "here")], command="me"
    )
    text = path.read_text(encoding="utf-8")
    for expected in ("# A title", "Verdict: **", "## Orders in w2", "unsupported", "`me`", "![convergence of ou"):
        assert expected in text
    for name in [part.split(")")[0] for part in text.split("](")[1:]]:
        assert (path.parent / name).is_file()
    import pandas as pd

    assert len(pd.read_csv(path.parent / "table.csv")) == len(table)
