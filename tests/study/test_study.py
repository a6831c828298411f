"""Study: what may be asked, and what is refused before anything runs."""

import threading

import numpy as np
import pytest
from cheap_schemes import Moments, moment_distance
from study_cases import DTS, Cloud, Own, brief, run, small

import pdeflow as pf
from pdeflow._core.errors import BadInput, UnknownField
from pdeflow.study import Table


def test_first_order_scheme_passes_and_keeps_every_row():
    table = small(seeds=range(2), times=[0.5, 1.0]).run()
    assert isinstance(table, Table) and len(table) == 2 * 2 * len(DTS)
    assert all(order["verdict"] == "pass" for order in table.orders("moments", expected=1))
    assert len(table.orders("moments")) == 2 and len(table.orders("moments", time=0.5)) == 1


def test_a_method_without_the_swept_field_is_unsupported_and_names_the_nearest():
    table = small(methods={"cloud": Cloud(), "euler": Moments()}, sweep={"particles": [10, 20]}, dt=0.25).run()
    assert [row["status"] for row in table] == ["ok", "ok", "unsupported", "unsupported"]
    assert "has no field 'particles'" in table[-1]["why"]
    with pytest.raises(UnknownField, match="Did you mean 'particles'"):
        small(methods={"cloud": Cloud()}, sweep={"particle": [10, 20]}, dt=0.25)


def test_fields_that_count_have_their_order_in_one_over_the_count():
    problem = pf.problems.ou(horizon=0.25)
    against = pf.Trajectory([0.25], [Own(10**9).law(Own(1).step(problem, (2.0, 0.25), 0.25, None))])
    table = small(
        problems=problem, methods={"own": Own(1)}, sweep={"cells": [10, 15, 30]}, dt=0.25, against=against
    ).run()
    # the floor is 1/cells² as well: the representation is the only error here, and it is what converges
    (order,) = table.orders("moments", expected=2)
    assert order["verdict"] == "pass" and abs(order["slope"] - 2) < 1e-6 and "part of the error" in order["why"]
    assert table.step_size(10) == 0.1 and np.allclose(
        [r["error"] for r in table], [r["floor"] for r in table], rtol=1e-6
    )


def test_problems_of_one_name_are_told_apart():
    problems = [pf.problems.ou(dim=1), pf.problems.ou(dim=2), pf.problems.ou(dim=2)]
    table = small(problems=problems).run()
    assert list(dict.fromkeys(row["problem"] for row in table)) == ["ou(dim=1)", "ou(dim=2)#1", "ou(dim=2)#2"]
    assert len(table.orders("moments")) == 3


LOCK = threading.Lock()


def test_without_a_store_an_object_that_cannot_be_described_may_take_part(tmp_path):
    def metric(approximation, truth, lock=LOCK):
        return moment_distance(approximation, truth)

    assert len(small(metrics={"m": metric}).run()) == len(DTS)
    with pytest.raises(BadInput, match="cannot be described"):
        small(metrics={"m": metric}).run(store=tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"problems": []}, "problems is empty"),
        ({"problems": ["ou"]}, "must be a Problem"),
        ({"methods": {}}, "empty"),
        ({"methods": {"m": Moments}}, "object with init"),
        ({"methods": {1: Moments()}}, "strings"),
        ({"methods": [Moments(), Moments(0.5)]}, "twice"),
        ({"metrics": {}}, "empty"),
        ({"metrics": {"w2": 3}}, "function"),
        ({"sweep": {}}, "at least one axis"),
        ({"sweep": [0.5]}, "at least one axis"),
        ({"sweep": {"dt": []}}, "empty"),
        ({"sweep": {"dt": [0.1, 0.1]}}, "twice"),
        ({"sweep": {"dt": [0.1, -1]}}, "> 0"),
        ({"sweep": {"dt": [0.1, np.nan]}}, "> 0"),
        ({"sweep": {"dt": 3 * [None]}}, "."),
        ({"dt": 0.1}, "Drop dt="),
        ({"sweep": {"theta": [0.5]}}, "dt is missing"),
        ({"sweep": {"theta": [0.5]}, "dt": 0}, "> 0"),
        ({"times": [1, 0.5]}, "increase"),
        ({"times": [-1]}, "increase"),
        ({"times": []}, "increase"),
        ({"times": [np.nan]}, "finite"),
        ({"seeds": []}, "empty"),
        ({"seeds": [0.5]}, "integer"),
        ({"seeds": [1, 1]}, "twice"),
        ({"seeds": [-1]}, "at least 0"),
        ({"against": 3}, "pf.finer"),
        ({"against": None}, "pf.finer"),
    ],
)
def test_a_study_that_means_nothing_is_refused_at_once(changes, says):
    with pytest.raises(BadInput, match=says):
        small(**changes)


def test_wrong_arguments_of_run_and_table_are_typed_errors():
    with pytest.raises(BadInput, match="jobs"):
        small().run(jobs=0)
    table = small(sweep={"dt": [0.25]}).run()
    with pytest.raises(UnknownField, match="Did you mean 'moments'"):
        table.orders("moment")
    with pytest.raises(BadInput, match="No rows at time"):
        table.orders("moments", time=0.7)
    with pytest.raises(UnknownField, match="Did you mean 'euler'"):
        table.claims([pf.Claim("eulr", "moments", 1, 0.1, "x")])
    with pytest.raises(BadInput, match="non-empty list of Claim"):
        table.claims([])
    with pytest.raises(BadInput, match="numeric"):
        Table([], "kkt").step_size("structured")


def test_a_run_and_a_closed_form_with_its_laws_are_two_questions_to_a_store(tmp_path):
    first = run()
    brief(against=first).run(store=tmp_path)
    stripped = brief(against=pf.Trajectory(first.times, first.laws, {"steps": first.stats["steps"]}))
    assert {row["truth_error"] for row in stripped.run(store=tmp_path)} == {0.0}


@pytest.mark.parametrize(
    "call",
    [
        lambda: brief().run(store=3),
        lambda: brief(sweep={"theta": [1.0]}, dt=True),
        lambda: brief(sweep={"dt": [True]}),
        lambda: brief(sweep={"dt": ["0.1"]}),
        lambda: pf.finer(Moments(), True),
        lambda: pf.Claim("m", "w", 1, "0.1", "x"),
        lambda: pf.fit_order([1, 0.5], ["a", "b"]),
        lambda: pf.fit_order([1, 0.5], ["1", "2"]),
        lambda: pf.fit_order([True, 0.5], [None, 1]),
        lambda: pf.fit_order(None, [1]),
        lambda: pf.fit_order([1, 0.5], [1, 1j]),
        lambda: pf.fit_order([[1], [2, 3]], [1, 2]),
        lambda: pf.fit_order([1, 0.5], [1, 1], floor="a"),
        lambda: pf.fit_order([1, 0.5], [1, 1], truth_error="a"),
        lambda: pf.fit_order([1, 0.5], [1, 1], floor=[0.1]),
        lambda: pf.fit_order([1, 0.5], [1, 1], expected="1"),
        lambda: pf.fit_order([1, 0.5], [1, 1], expected=True),
        lambda: pf.fit_order([1, 0.5], [1, 1], expected=1, tolerance="0.1"),
        lambda: brief().run().orders("moments", expected="1"),
    ],
)
def test_look_alikes_of_numbers_and_folders_are_typed_errors(call):
    with pytest.raises(BadInput):
        call()


def test_unknown_names_are_said_plainly():
    with pytest.raises(UnknownField, match=r"^Method c has no field 'theto'\. It has: theta\. Did you mean 'theta'\?"):
        brief(methods={"c": Moments()}, sweep={"theto": [1.0]}, dt=0.25)
    with pytest.raises(UnknownField, match=r"^The set of methods a, b has no field 'foo'\. It has: theta"):
        brief(methods={"a": Moments(), "b": Moments(0.5)}, sweep={"foo": [1.0]}, dt=0.25)
    table = brief().run()
    with pytest.raises(UnknownField, match=r"^This table has no metric 'foo'\. It has: moments"):
        table.orders("foo")
    with pytest.raises(UnknownField, match=r"^This table has no method 'foo'\. It has: euler"):
        table.claims(pf.Claim("foo", "moments", 1, 0.1, "x"))


def test_a_method_whose_verb_takes_other_arguments_is_refused_before_any_run():
    class Short(Moments):
        def step(self, problem, state, dt):
            return state

    with pytest.raises(pf.BadInput, match=r"^step of .*Short.* It is called with \(problem, state, dt, rng\)"):
        small(methods={"short": Short()})


def test_a_trajectory_of_another_problem_is_no_truth():
    other = pf.exact(pf.problems.ou(temperature=3.0))
    rows = brief(against=other).run()
    assert {row["status"] for row in rows} == {"bad input"}
    assert "answers problem 'ou'" in rows[0]["why"] and "another energy" in rows[0]["why"]
    meant = brief(against=lambda problem, times: other).run()
    assert {row["status"] for row in meant} == {"ok"}
    longer = pf.exact(pf.problems.ou(horizon=2.0), times=[1.0])  # the same flow
    assert {row["status"] for row in brief(against=longer).run()} == {"ok"}
