"""A case as a folder: what is in it, that it comes back, that nothing is overwritten and no edit goes unseen."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from cheap_schemes import Moments

import pdeflow as pf
from pdeflow.case import Case, export, load, write_results
from pdeflow.case.export import as_answer
from pdeflow.case.result_files import read_results
from pdeflow.laws import Gaussian, GridLaw, Particles


def test_a_folder_comes_back_as_the_case(small, tmp_path):
    folder = export(small, tmp_path / "a" / "case")
    assert load(folder) == load(folder / "case.json") == small
    assert {path.name for path in (folder / "initial").iterdir()} == {
        "samples.csv",
        "masses.csv",
        "quantiles.csv",
        "moments.csv",
        "initial.h5",
    }
    facts = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    assert facts["levels"] == [0.5, 0.25] and facts["constants"] == {"A": [[1.0]], "b": [0.0], "T": 1.0}
    assert facts["answers"]["masses"] == {"columns": ["left", "right", "mass"], "metrics": list(small.metrics)}
    rows = np.loadtxt(folder / "initial" / "masses.csv", delimiter=",", skiprows=1)
    assert rows[:, 2].sum() == pytest.approx(1, abs=1e-12) and np.array_equal(rows[1:, 0], rows[:-1, 1])
    assert not [path for path in (tmp_path / "a").iterdir() if path.name != "case"]  # no temporary one is left
    with pytest.raises(pf.BadInput, match="does not say dt"):
        read_results(folder / "initial" / "initial.h5", 1)  # the initial law is no answer


def test_changed_problems_come_back_too(tmp_path):
    problem = pf.problems.ou(dim=2, seed=1, temperature=0.5, initial=Gaussian([0.0, 1.0], 2.0), horizon=3.0)
    case = Case(problem, [1.0, 3.0], [0.5], metrics=["cov_error"], name="own")
    assert load(export(case, tmp_path / "own")) == case


def test_nothing_is_overwritten(small, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(pf.BadInput, match="Nothing is overwritten"):
            export(small, folder)
        with pytest.raises(pf.BadInput, match="Nothing is overwritten"):
            write_results(small, pf.grid.ChangCooper(), folder)
    assert export(small, tmp_path / "empty") == tmp_path / "empty"
    with pytest.raises(pf.BadInput, match="must name a folder"):
        export(small, 3)
    with pytest.raises(pf.BadInput, match="cannot be written"):
        export(small, tmp_path / "mine.txt" / "case")


def test_seeds_of_an_iterator_are_run_at_every_level(small, tmp_path):
    listed = write_results(small, Moments(), tmp_path / "listed", seeds=[0, 2])
    given = write_results(small, Moments(), tmp_path / "given", seeds=iter([0, 2]))
    names = [sorted(path.name for path in folder.iterdir()) for folder in (listed, given)]
    assert names[0] == names[1] and len(names[0]) == 4


def test_an_edit_is_seen(small, tmp_path):
    folder = export(small, tmp_path / "case")
    path = folder / "case.json"
    whole = path.read_text(encoding="utf-8")
    for text, words in (
        (whole.replace("0.25", "0.125"), "was edited"),
        (whole[:-20], "is no JSON"),
        ("[]", "was edited"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(pf.BadInput, match=words):
            load(folder)
    with pytest.raises(pf.BadInput, match="case export NAME"):
        load(tmp_path)


def test_what_no_builder_can_rebuild_is_refused(tmp_path):
    heat = pf.Energy(internal=pf.Entropy())
    problem = pf.Problem(heat, Gaussian(0.0, 1.0), 1.0, exact=lambda t: Gaussian(0.0, 1 + 2 * t))
    with pytest.raises(pf.BadInput, match=r"problems\.register"):
        export(Case(problem, [1.0], [0.5]), tmp_path / "case")
    assert not (tmp_path / "case").exists()


def test_a_stored_truth_travels_with_the_case(tmp_path):
    problem = pf.problems.double_well()
    flow = pf.Trajectory([0.5, 1.0], [GridLaw([-3.0, 0.0, 3.0], [0.5, 0.5])] * 2)
    path = pf.reference.save(tmp_path / "a.h5", problem, flow, error=pf.Estimate(0.01, metric="l1"))
    case = Case(problem, [0.5], [0.25], truth=pf.reference.load(path))
    back = load(export(case, tmp_path / "case"))
    assert back.truth.trajectory == case.truth.trajectory and float(back.truth.error) == 0.01
    assert back.truth.error.metric == "l1"


def test_an_answer_is_written_as_what_it_is():
    assert as_answer(Particles([[1.0], [2.0]]))[0] == "samples"
    assert as_answer(GridLaw([0.0, 1.0, 3.0], [0.25, 0.75]))[1]["mass"].tolist() == [0.25, 0.75]
    assert as_answer(pf.laws.Quantiles([0.0, 1.0, 3.0], [0.0, 0.5, 1.0]))[1]["quantile"].tolist() == [0, 1, 3]
    assert as_answer(Gaussian(0.0, 1.0))[0] == "moments"
    assert as_answer(Particles([[1.0], [2.0]], [0.25, 0.75]))[0] == "moments"  # weights are no samples


@dataclass(frozen=True)
class Still(pf.Method):
    def init(self, problem, rng):
        return problem.initial.sample(5, rng)

    def step(self, problem, state, dt, rng):
        return state

    def law(self, state):
        return Particles(state)


def test_results_are_one_file_a_level_time_and_seed(small, tmp_path):
    folder = write_results(small, Still(), tmp_path / "out", seeds=[3, 4])
    found = read_results(folder, 1)
    assert {(one.dt, one.time, one.seed) for one in found} == {(dt, 0.5, s) for dt in (0.25, 0.5) for s in (3, 4)}
    assert found[0].law == pf.solve(small.problem, Still(), dt=0.25, times=[0.5], seed=3).final
    with pytest.raises(pf.BadInput, match="seed"):
        write_results(small, Still(), tmp_path / "bad", seeds=[-1])
    assert not (tmp_path / "bad").exists()
