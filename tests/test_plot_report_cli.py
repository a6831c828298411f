"""Figures, reports and the command line on a study whose numbers are known."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from toys import ExplicitMoments

import pdeflow as pf
from pdeflow import plot, report
from pdeflow.cli.main import ERROR, main

VALIDATION = '''"""Explicit moments on Ornstein-Uhlenbeck.

Two lines of text."""
import sys
sys.path.insert(0, {here!r})
import pdeflow as pf
from toys import ExplicitMoments

def study(scale="quick"):
    steps = [0.1, 0.05, 0.025, 0.0125] if scale == "quick" else [0.01, 0.005, 0.0025]
    return pf.Study([pf.problems.ou()], {{"explicit": ExplicitMoments()}}, {{"dt": steps}}, {{"mean": pf.metrics.mean_error}})

CLAIMS = [pf.Claim("explicit", "mean", {order}, 0.1, "docs/math.md 4.3")]
'''


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


@pytest.mark.parametrize(
    "law",
    [pf.laws.Gaussian(0.0, 1.0), pf.laws.GridLaw(np.linspace(-3, 3, 61), np.full(60, 1 / 60)),
     pf.laws.Quantiles([0.0, 1.0, 1.0, 3.0], [0.0, 0.3, 0.5, 1.0]), pf.laws.Particles(np.linspace(-1, 1, 500))],
    ids=lambda law: type(law).__name__,
)  # fmt: skip
def test_densities_are_drawn_with_their_own_mass(law):
    figure = plot.density(
        pf.Trajectory([0.0], [law]), truth=pf.problems.ou() if isinstance(law, pf.laws.Gaussian) else None
    )
    x, y = figure.axes[0].lines[-1].get_xydata().T
    mass = np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)
    # the drawing covers all but 2e-6 of a Gaussian by trapezoids; an atom of mass 0.2 has no height to draw
    expected = 0.8 if isinstance(law, pf.laws.Quantiles) else 1.0
    assert mass == pytest.approx(expected, abs=2e-3)


def test_density_of_a_plane_law_is_refused():
    with pytest.raises(pf.NotAvailable, match="dim 2"):
        plot.density(pf.Trajectory([0.0], [pf.laws.Gaussian([0.0, 0.0], 1.0)]))


def test_the_report_holds_verdicts_orders_failures_and_figures(table, tmp_path):
    path = report.write(
        table, tmp_path / "r", title="A title", claims=[pf.Claim("explicit", "mean", 1.0, 0.1, "here")], command="me"
    )
    text = path.read_text()
    for expected in ("# A title", "Verdict: **", "## Orders in w2", "unsupported", "`me`", "![convergence of ou"):
        assert expected in text
    for name in [part.split(")")[0] for part in text.split("](")[1:]]:
        assert (path.parent / name).is_file()
    import pandas as pd

    assert len(pd.read_csv(path.parent / "table.csv")) == len(table)


def run(*words):
    with pytest.raises(SystemExit) as stop:
        sys.argv = ["pdeflow", *map(str, words)]
        main()
    return stop.value.code


@pytest.mark.parametrize(("order", "code"), [(1.0, 0), (2.0, 1)])
def test_study_exits_with_its_verdict_and_leaves_a_report(order, code, tmp_path, capsys):
    file = tmp_path / "claim.py"
    file.write_text(VALIDATION.format(here=str(Path(__file__).parent), order=order))
    assert run("study", file, "--store", tmp_path / "runs", "--report", tmp_path / "report") == code
    out = capsys.readouterr().out
    assert f"verdict: {'pass' if code == 0 else 'fail'}" in out
    assert "Explicit moments on Ornstein-Uhlenbeck." in (tmp_path / "report" / "report.md").read_text()
    assert run("show", tmp_path / "report" / "table.csv") == 0


def test_what_goes_wrong_exits_with_three(tmp_path, capsys):
    broken = tmp_path / "broken.py"
    for text, word in (
        ("1/0", "ZeroDivisionError"),
        ("x = 1", "defines no study"),
        ("import not_there", "ModuleNotFoundError"),
    ):
        broken.write_text(text)
        assert run("study", broken) == ERROR
        assert word in capsys.readouterr().err
    assert run("study", tmp_path / "none.py") == ERROR
    readme = tmp_path / "README.md"
    readme.write_text("# text")
    for words in (("study", readme), ("study", broken, "--report", readme)):
        assert run(*words) == ERROR
    broken.write_text("def study():\n    return 1")
    capsys.readouterr()
    assert run("study", broken) == ERROR
    assert "takes no argument" in capsys.readouterr().err
    good = tmp_path / "good.py"
    good.write_text(
        "def study(scale):\n    raise SystemExit(77)  # would show that the run began before the report's folder was looked at"
    )
    assert run("study", good, "--report", readme) == ERROR
    assert run("study", broken, "--scale", "huge") == ERROR
    assert run("reference", "show", tmp_path / "none.h5") == ERROR


def test_list_names_problems_and_methods(capsys):
    assert run("list") == 0
    out = capsys.readouterr().out
    for name in (
        "porous_medium(",
        "ChangCooper",
        "ICNNJKO",
        "EulerMaruyama",
        "sliced_w2",
        "Barenblatt",
        "LogRepulsion",
    ):
        assert name in out


def test_help_is_quick_and_imports_nothing_heavy():
    code = "import sys; from pdeflow.cli import main; print([m for m in ('numpy.f2py', 'torch', 'numba', 'pandas', 'matplotlib', 'h5py', 'cvxopt') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    import time

    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pdeflow", "--help"], capture_output=True, check=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.7


def test_reference_files_from_the_command_line(tmp_path, capsys):
    assert run("reference", "make", "ou_1d", "--directory", tmp_path) == 0
    made = tmp_path / "ou_1d.h5"
    assert run("reference", "check", made) == 0
    assert run("reference", "remake", made, "--verify") == 0
    assert run("reference", "remake", made) == 0
    assert run("show", made, "--figure", tmp_path / "ou.png") == 0
    assert (tmp_path / "ou.png").stat().st_size > 5000
    assert "probability of each cell" in capsys.readouterr().out
    assert run("reference", "make", "barenblatt_1d_m2", "--directory", tmp_path) == 0
    assert run("reference", "diff", made, made) == 0
    assert run("reference", "diff", made, tmp_path / "barenblatt_1d_m2.h5") == 1
    data = bytearray(made.read_bytes())
    data[-100] ^= 1
    made.write_bytes(data)
    assert run("reference", "check", made) == 1
    assert run("reference", "show", made) == ERROR
    assert run("reference", "make", "ou_1d", "--directory", tmp_path) == ERROR  # a damaged file is not replaced unasked
    assert run("reference", "make", "ou_1d", "--directory", tmp_path, "--overwrite") == 0
    assert run("reference", "check", made) == 0
    assert run("reference", "make", "not_there", "--directory", tmp_path) == ERROR


@pytest.mark.parametrize("draw", [plot.convergence, plot.work_precision, plot.error_parts])
def test_errors_that_are_all_zero_are_not_drawn_but_reported(draw, tmp_path):
    def nothing(approximation, truth, *, rng=None):
        return 0.0

    table = pf.Study(
        pf.problems.ou(), {"explicit": ExplicitMoments()}, {"dt": [0.5, 0.25, 0.125]}, {"zero": nothing}
    ).run()
    with pytest.raises(pf.NotAvailable, match="above zero"):
        draw(table, "zero")
    assert "No figure" in report.write(table, tmp_path, title="zero").read_text()
