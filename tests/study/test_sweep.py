"""Sweeps over several axes: the step, fields of the methods, parameters of a Family; coupled axes."""

from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from cheap_schemes import Moments, moment_distance, small_study
from study_cases import FOUR_STEPS, Own

import pdeflow as pf

DIMS = pf.Family(pf.problems.ou, dim=[1, 2, 3])


def several(sweep=None, problems=DIMS, methods=None, **changes):
    methods = {"euler": Moments()} if methods is None else methods
    return pf.Study(
        problems, methods, {"dt": FOUR_STEPS} if sweep is None else sweep, {"moments": moment_distance}, **changes
    )


@dataclass(frozen=True)
class Sized(Moments):
    """Moments whose fields are named like columns and like parameters of problems."""

    seed: int = 1
    dim: int = 1
    cells: int = 4


def test_every_combination_is_one_run_of_its_own_problem():
    table = several(seeds=range(2)).run()
    assert table.columns[:7] == ("problem", "method", "dim", "dt", "seed", "time", "metric")
    assert len(table) == 3 * 4 * 2 and {row["problem"] for row in table} == {"ou"}
    for dim in (1, 2, 3):
        alone = small_study(FOUR_STEPS, problems=pf.problems.ou(dim), seeds=range(2)).run()
        assert [row["error"] for row in table if row["dim"] == dim] == [row["error"] for row in alone]


def test_orders_are_along_one_axis_and_grouped_by_the_others():
    table = several(problems=pf.Family(pf.problems.ou, dim=[1, 2], seed=[0, 1])).run()
    orders = table.orders("moments", expected=1.0, along="dt")
    assert orders.columns[:5] == ("problem", "method", "dim", "problem_seed", "metric") and len(orders) == 4
    assert {(row["dim"], row["problem_seed"]) for row in orders} == {(1, 0), (1, 1), (2, 0), (2, 1)}
    for row in orders:
        problem = pf.problems.ou(dim=row["dim"], seed=row["problem_seed"])
        (alone,) = small_study(FOUR_STEPS, problems=problem).run().orders("moments", expected=1.0)
        assert row["slope"] == alone["slope"] and row["verdict"] == alone["verdict"]
    assert table.orders("moments", expected=1.0) == orders  # dt is the usual axis
    verdicts = table.claims(pf.Claim("euler", "moments", 1.0, 0.1, "x"))
    assert len(verdicts) == 4 and [row["verdict"] for row in verdicts] == [row["verdict"] for row in orders]
    assert verdicts.columns[3:5] == ("dim", "problem_seed")
    assert len(table.parts("moments")) == 16 and "problem_seed" in str(table.work_precision("moments"))


def test_an_axis_of_the_family_may_stand_in_the_sweep():
    swept = several({"dt": FOUR_STEPS[:2], "dim": [1, 2]}, problems=pf.Family(pf.problems.ou, horizon=0.5)).run()
    given = several({"dt": FOUR_STEPS[:2]}, problems=pf.Family(pf.problems.ou, dim=[1, 2], horizon=0.5)).run()
    assert swept.columns[2:4] == ("dt", "dim") and given.columns[2:4] == ("dim", "dt")
    found = [{(row["dim"], row["dt"]): row["error"] for row in table} for table in (swept, given)]
    assert found[0] == found[1]
    alone = several({"dim": [2]}, problems=pf.Family(pf.problems.ou), dt=0.25).run()
    assert alone[0]["error"] == found[0][2, 0.25] or alone[0]["time"] == 1.0
    without = several({}, problems=pf.Family(pf.problems.ou, dim=[1, 2]), dt=0.25)
    assert [row["dim"] for row in without.run()] == [1, 2]


def test_coupled_axes_follow_the_others_and_are_no_levels_of_their_own():
    sweep = {"dt": FOUR_STEPS, "cells": lambda dt: round(4 / dt)}
    table = several(sweep, problems=pf.problems.ou(), methods={"own": Own(1)}).run()
    assert [row["cells"] for row in table] == [16, 32, 64, 128]
    (order,) = table.orders("moments", expected=1.0)
    (other,) = table.orders("moments", along="cells")
    assert order["verdict"] == "pass" and order["used"] == 4
    # h = 1/cells = dt/4: the same slope; there the floor changes with the axis and is no longer subtracted
    assert other["slope"] == pytest.approx(order["slope"], abs=0.1) and table.along("cells").counts
    chain = {"cells": lambda dt, dim, more=2: more * dim * round(1 / dt), "dt": [0.5], "theta": lambda cells: 1 / cells}
    table = several(chain, methods={"m": Sized()}, problems=pf.Family(pf.problems.heat, dim=[1, 2])).run()
    assert [(row["cells"], row["theta"]) for row in table] == [(4, 1 / 4), (8, 1 / 8)]
    assert table.along("dt").others == ("dim",)
    with pytest.raises(pf.BadInput, match="computed from dt and dim"):
        table.orders("moments", along="cells")


def test_names_that_are_taken_get_a_prefix():
    sweep = {"method_seed": [1, 2], "problem_seed": [0, 1], "dt": [0.5]}
    table = several(sweep, problems=pf.Family(pf.problems.ou, dim=2), methods={"m": Sized()}).run()
    assert table.columns[2:6] == ("method_seed", "problem_seed", "dt", "seed") and len(table) == 4
    assert len({row["error"] for row in table}) == 2  # another problem_seed is another problem
    table = several({"dim": [1, 2], "dt": [0.5]}, problems=pf.Family(pf.problems.ou, dim=[1]), methods={"m": Sized()})
    assert [axis.name for axis in table.axes] == ["problem_dim", "dim", "dt"]


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"sweep": {"dt": [1], "dims": [1]}}, pf.UnknownField, "Family of 'ou' with method euler.*Did you mean 'dim'"),
        ({"sweep": {"dt": [1], "dim": [1]}}, pf.BadInput, "two places"),
        ({"sweep": {"dt": [1], "problem_dim": [1]}}, pf.BadInput, "two places"),
        ({"sweep": {"dt": [1], "horizon": [1, 1]}}, pf.BadInput, "twice"),
        ({"sweep": {"dt": [1], "seed": [1]}}, pf.BadInput, r"Write 'problem_seed', or seeds= for the runs\.$"),
        ({"sweep": {"dim": [1], "dt": [1]}, "problems": pf.Family(pf.problems.ou, dim=1)}, pf.BadInput, "two places"),
        (
            {"sweep": {"dim": [1]}, "problems": pf.Family(pf.problems.ou), "methods": {"m": Sized()}},
            pf.BadInput,
            "'problem_dim' or 'method_dim'",
        ),
        ({"sweep": {"dt": [1], "theta": lambda x: x}}, pf.UnknownField, "no other axis, for the function.* 'x'"),
        ({"sweep": {"dt": [1], "theta": lambda theta: theta}}, pf.UnknownField, "theta"),
        ({"sweep": {"dt": [1], "theta": lambda: 1.0}}, pf.BadInput, "takes no axis"),
        ({"sweep": {"dt": [1], "theta": lambda **axes: 1.0}}, pf.BadInput, "by their names"),
        (
            {"sweep": {"dt": lambda theta: theta, "theta": lambda dt: dt}},
            pf.BadInput,
            "each other's value",
        ),
        ({"sweep": {"dt": lambda dim: -dim}}, pf.BadInput, "> 0"),
        ({"sweep": {"dt": [1], "theta": lambda dt: [dt]}}, pf.BadInput, "one value"),
        ({"sweep": {}}, pf.BadInput, "over dim and dt is missing"),
        ({"problems": [DIMS]}, pf.BadInput, "stands alone"),
        ({"problems": pf.Family(pf.problems.ou, dim=[0])}, pf.BadInput, "dim is 0"),
        ({"sweep": {"dt": [1], 3: [1]}}, pf.BadInput, "key 3"),
    ],
)
def test_a_sweep_that_means_nothing_is_refused_before_anything_runs(changes, kind, says):
    with pytest.raises(kind, match=says):
        pf.Study(
            **{
                "problems": DIMS,
                "methods": {"euler": Moments()},
                "sweep": {"dt": [1]},
                "metrics": {"m": max},
                **changes,
            }
        )


def test_several_axes_without_a_step_ask_which_one_is_meant():
    table = several({"theta": [0.5, 1.0], "cells": [1, 2]}, methods={"m": Sized()}, problems=pf.problems.ou(), dt=0.25)
    table = table.run()
    with pytest.raises(pf.BadInput, match="sweeps theta, cells, and no axis is named"):
        table.orders("moments")
    assert len(table.orders("moments", along="cells")) == 2
    with pytest.raises(pf.UnknownField, match="Did you mean 'cells'"):
        table.orders("moments", along="cell")
    with pytest.raises(pf.BadInput, match="Ask growth"):
        several(seeds=[0]).run().orders("moments", along="dim")


def test_stores_resume_and_tell_parameters_apart(tmp_path):
    family = pf.Family(pf.problems.ou, dim=[1, 2], temperature=0.5)
    assert several({"dt": FOUR_STEPS[:2]}, problems=family).run(store=tmp_path).reused == 0
    more = pf.Family(pf.problems.ou, dim=[1, 2, 3], temperature=0.5)
    table = several({"dt": FOUR_STEPS[:3]}, problems=more).run(store=tmp_path)
    assert table.reused == 4 and len(table) == 9
    warmer = pf.Family(pf.problems.ou, dim=[1, 2], temperature=0.6)
    assert several({"dt": FOUR_STEPS[:2]}, problems=warmer).run(store=tmp_path).reused == 0
    # a row is the answer to one question, however it was asked
    single = small_study(FOUR_STEPS[:2], problems=pf.problems.ou(2, temperature=0.5))
    assert single.run(store=tmp_path).reused == 2
    sweep = {"dt": FOUR_STEPS[:2], "cells": lambda dt: round(4 / dt)}
    own = several(sweep, problems=pf.problems.ou(), methods={"own": Own(1)})
    assert own.run(store=tmp_path).reused == 0 and own.run(store=tmp_path).reused == 2


def test_floors_and_truths_are_found_once_a_problem():
    asked = []

    def truth(problem, times):
        asked.append(problem.dim)
        return pf.exact(problem, times)

    table = several(against=truth, seeds=range(2)).run()
    assert asked == [1, 2, 3] and np.isfinite([row["floor"] for row in table]).all()


def test_threads_give_the_same_table():
    sweep = {"dt": FOUR_STEPS[:2], "theta": lambda dt: 1 - dt}
    with joblib.parallel_config(backend="threading", n_jobs=2):
        found = several(sweep).run()
    assert [row["error"] for row in found] == [row["error"] for row in several(sweep).run()]
