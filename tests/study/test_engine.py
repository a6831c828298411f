"""The engine: truths, workers, the progress bar, and errors that name their run."""

import io
import os
import time
from dataclasses import dataclass, replace

import distributed
import joblib
import numpy as np
import pytest
import slow_study
from cheap_schemes import Moments, moment_distance
from slow_study import bits
from study_cases import FOUR_STEPS, Cloud, brief, small

import pdeflow as pf
from pdeflow.study import Table
from pdeflow.study.engine import PARTS, require_arrived


def test_a_truth_that_takes_dt_gets_the_step_of_the_run():
    table = small(against=pf.exact_jko, problems=pf.problems.ou(temperature=1.0)).run()
    rows = small().run()
    for ours, row in zip(table, rows):
        expected = pf.exact_jko(pf.problems.ou(), dt=row["dt"]).final
        assert ours["error"] == moment_distance(pf.solve(pf.problems.ou(), Moments(), dt=row["dt"]).final, expected)


def test_a_missing_truth_is_a_row_that_names_the_ways_out():
    table = small(problems=[pf.problems.double_well(), pf.problems.ou()]).run()
    first, second = ([row for row in table if row["problem"] == name] for name in ("double_well", "ou"))
    assert {row["status"] for row in first} == {"not available"} and "pf.finer" in first[0]["why"]
    assert {row["status"] for row in second} == {"ok"}


def test_nothing_is_printed_where_stderr_is_no_terminal(capfd):
    small().run(progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_bar_runs_on_a_terminal_and_leaves_standard_output_alone(capsys, monkeypatch):
    import sys

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    small().run(progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "study" in err


def test_progress_is_seen_while_the_truth_is_computed(monkeypatch):
    monkeypatch.setattr("pdeflow._core.progress.EVERY", 0.01)
    monkeypatch.setattr("sys.stderr", log := io.StringIO())
    seen = []

    def truth(problem, times):
        while not log.getvalue():
            time.sleep(0.01)
        seen.append(log.getvalue())
        return pf.exact(problem, times)

    brief(against=truth).run()
    assert seen[0].startswith("study: 0 of 4")


def test_floors_can_be_left_out_and_are_another_question_then(tmp_path):
    with_floors, without = brief(methods={"cloud": Cloud()}), brief(methods={"cloud": Cloud()}, floors=False)
    table = without.run(store=tmp_path)
    assert {row["floor_how"] for row in table} == {"not measured: floors=False"} and without != with_floors
    few = brief(methods={"cloud": Cloud()}, floors=3)
    assert all(row["floor_how"].startswith("mean of 3 draws") for row in few.run()) and few != with_floors
    for wrong in (1, 2.5, "yes"):
        with pytest.raises(pf.BadInput, match="floors is"):
            brief(floors=wrong)
    assert np.isnan([row["floor"] for row in table]).all()
    assert [row["error"] for row in table] == [row["error"] for row in with_floors.run(store=tmp_path)]
    assert without.run(store=tmp_path).reused == 4 and table.orders("moments", expected=1.0)[0]["verdict"] != "pass"


@dataclass(frozen=True)
class Singular(Moments):
    weight: float = 1.0

    def __post_init__(self):
        if self.weight == 3.0:
            raise ArithmeticError("a weight of three")

    def step(self, problem, state, dt, rng):
        if dt == 1 / 8:
            np.linalg.inv(np.zeros((2, 2)))
        return super().step(problem, state, dt, rng)


def dividing(approximation, truth):
    return 1 / 0


def no_truth(problem, times):
    raise OSError("no such disk")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("changes", "kind", "parts"),
    [
        (
            {"methods": {"bad": Singular()}, "seeds": [7]},
            np.linalg.LinAlgError,
            ["in the run", "'ou'", "'bad'", "dt = 0.125", "seed = 7", "raising pf.Unsupported"],
        ),
        (
            {"metrics": {"bad": dividing}},
            ZeroDivisionError,
            ["in the floor for the run", "'ou'", "'euler'", "dt = 0.25", "seed = 0"],
        ),
        ({"against": no_truth}, OSError, ["in the truth for the run", "'ou'"]),
        (
            {"methods": {"bad": Singular()}, "sweep": {"weight": [1.0, 3.0]}, "dt": 0.25},
            ArithmeticError,
            ["'bad'", "weight = 3.0"],
        ),
    ],
)
def test_an_untyped_error_passes_and_names_its_run(changes, kind, parts, jobs):
    with pytest.raises(kind) as caught:
        brief(**changes).run(jobs=jobs)
    (note,) = caught.value.__notes__
    assert all(part in note for part in parts)


def test_the_table_says_how_many_runs_came_from_the_store(tmp_path):
    assert brief().run().reused == 0 == Table([], "dt").reused
    assert brief(sweep={"dt": FOUR_STEPS[:3]}).run(store=tmp_path).reused == 0
    again = brief().run(store=tmp_path)
    assert again.reused == 3 and len(again) == len(FOUR_STEPS)
    assert brief(seeds=[0, 1]).run(store=tmp_path).reused == 4


def test_two_joblib_workers_give_the_same_table():
    assert bits(slow_study.study().run(jobs=2)) == bits(slow_study.study().run())


@pytest.mark.filterwarnings("default::ResourceWarning")
def test_a_dask_cluster_of_two_workers_gives_the_same_table(tmp_path):
    study = slow_study.study()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        table = study.run(store=tmp_path)
    assert bits(table) == bits(study.run())
    assert len(list(tmp_path.iterdir())) == len(table)


class Shifted(Moments):
    """Another method, of which a worker would know another number."""

    def __init__(self, k):
        self.k = k


def test_what_a_worker_has_got_is_held_against_what_was_asked():
    study = small(methods=[Shifted(1.0)])
    labels, run = next(iter(study.cases()))
    parts = {part: study.question(labels, run)[part] for part in PARTS}
    require_arrived(run, (os.getpid() + 1, parts))
    lost = replace(run, method=Shifted(2.0))
    require_arrived(lost, (os.getpid(), parts))  # the process that asks
    with pytest.raises(pf.BadInput, match="method does not arrive in a worker"):
        require_arrived(lost, (os.getpid() + 1, parts))


def test_a_global_generator_is_not_held_against_that_of_a_worker():
    study = small(methods=[Shifted(np.random.mtrand._rand)])
    labels, run = next(iter(study.cases()))
    parts = {part: study.question(labels, run)[part] for part in PARTS}
    require_arrived(replace(run, method=Shifted(np.random.RandomState(1))), (os.getpid() + 1, parts))
