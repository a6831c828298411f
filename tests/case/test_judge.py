"""judge: files through the same study as a method; what is missing, double or unasked is told before any work."""

import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from cheap_schemes import Moments

import pdeflow as pf
from pdeflow.case import Case, export, judge, write_results

LEVELS = [1 / 4, 1 / 8, 1 / 16, 1 / 32]


def test_files_have_the_table_of_the_method_that_wrote_them(tmp_path):
    case = Case(pf.problems.ou(), [0.5, 1.0], LEVELS)
    written = write_results(case, Moments(), tmp_path / "out")
    table = judge(export(case, tmp_path / "case"), written, progress=False)
    metrics = {name: getattr(pf.metrics, name) for name in ("mean_error", "cov_error")}
    direct = pf.Study(case.problem, {"results": Moments()}, {"dt": LEVELS}, metrics, times=[0.5, 1.0]).run(
        progress=False
    )
    for one, other in zip(table, direct, strict=True):
        names = (
            "problem",
            "method",
            "dt",
            "seed",
            "time",
            "metric",
            "error",
            "stderr",
            "floor",
            "status",
            "truth_error",
        )
        assert [one[name] for name in names] == [other[name] for name in names]
    assert (
        table.orders("cov_error", expected=1.0)[0]["verdict"] == direct.orders("cov_error", expected=1.0)[0]["verdict"]
    )


def test_samples_of_a_program_in_c_are_judged_with_their_floor(c_program, tmp_path):
    import subprocess

    case = Case(pf.problems.ou(), [0.5], [1 / 2, 1 / 4, 1 / 8])
    with open(tmp_path / "all.csv", "wb") as file:  # one text after the other
        for dt in case.levels:
            for seed in range(3):
                subprocess.run([c_program, str(dt), "0.5", str(seed), "2000"], stdout=file, check=True)
    table = judge(case, tmp_path / "all.csv", name="em", progress=False)
    assert {row["status"] for row in table} == {"ok"} and len(table) == 27
    for row in table:
        assert 0 < row["floor"] < 0.1 and row["method"] == "em"
        if row["metric"] == "mean_error":
            assert abs(row["error"] - 2 * (np.exp(-0.5) - (1 - row["dt"]) ** (0.5 / row["dt"]))) < 5 * row["stderr"]


@dataclass(frozen=True)
class Shifted(pf.Method):
    """The exact law with an error dt, on a grid."""

    def init(self, problem, rng):
        return 0.0

    def step(self, problem, state, dt, rng):
        return state + dt * (1 + dt)

    def law(self, state):
        edges = np.linspace(-9, 12, 400)
        mass = np.diff(pf.problems.ou().exact(0.5).cdf(edges - state / 10))
        return pf.laws.GridLaw(edges, mass)


def test_masses_are_judged_in_l1_too(tmp_path):
    case = Case(pf.problems.ou(), [0.5], [0.5, 0.25])
    table = judge(case, write_results(case, Shifted(), tmp_path / "out"), progress=False)
    assert {row["metric"] for row in table} == {"w2", "l1", "mean_error", "cov_error"}
    assert all(row["floor"] < 1e-12 for row in table if row["metric"] == "l1")
    assert all(row["error"] > 0.02 for row in table if row["metric"] in ("w2", "l1", "mean_error"))


@pytest.fixture
def results(small, tmp_path):
    """A folder of good results for the small case: two files."""
    return write_results(small, Moments(), tmp_path / "out")


def _first(results):
    return sorted(results.iterdir())[0]


def test_what_is_missing_is_told_with_what_was_overlooked(small, results):
    _first(results).rename(results / "answer.dat")
    with pytest.raises(pf.BadInput, match=r"lacks 1 of 2 answers.*dt=0.25 time=0.5 seed=0.*answer.dat"):
        judge(small, results)


def test_what_is_double_is_told_with_both_places(small, results):
    shutil.copy(_first(results), results / "copy.csv")
    with pytest.raises(pf.BadInput, match=r"copy.csv, line 1 and .*both are dt=0.25 time=0.5 seed=0|both are"):
        judge(small, results)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dt=0.25", "dt=0.125", "dt=0.125. The case asks for 0.5, 0.25"),
        ("time=0.5", "time=0.75", "time=0.75. The case asks for 0.5"),
        ("# answer=moments", "# answer=samples dt=0.25 time=0.5 seed=5\n3\n4\n# answer=moments", "one kind"),
        ("seed=0", "seed=7", "lacks 2 of 4"),
        ("mean,cov1\n", "mean,cov1\n1,2\n", "says rows=1, and 2 follow"),
        (" rows=1\nmean,cov1\n", "\nmean,cov1\n1,2\n", r"mean has shape \(2,\)"),
        ("mean,cov1\n", "mean,cov1\n1,-2\n#", "eigenvalue -2"),
        ("mean,cov1\n", "mean,cov1\nnan,2\n#", "line 3.*nan"),
    ],
)
def test_what_does_not_fit_the_case_is_told_before_any_work(small, results, old, new, words, monkeypatch):
    monkeypatch.setattr(pf.Study, "run", lambda *_, **__: pytest.fail("the work began"))
    path = _first(results)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(pf.PdeflowError, match=words):
        judge(small, results)


def test_steps_in_decimals_of_few_digits_are_found(tmp_path):
    case = Case(pf.problems.ou(), [1.0], [1 / 3])
    path = tmp_path / "a.csv"
    path.write_text("# answer=moments dt=0.3333333333 time=1 seed=0\n1,1\n")
    assert judge(case, path, progress=False)[0]["dt"] == 1 / 3
    path.write_text("# answer=moments dt=0.3333 time=1 seed=0\n1,1\n")
    with pytest.raises(pf.BadInput, match="17 digits"):
        judge(case, path, progress=False)
