"""Rows that are looked at along one of several axes."""

import pytest

import pdeflow as pf
from pdeflow.study import Axis, Table
from pdeflow.study.axes import COLUMNS

DT, DIM, CELLS = Axis("dt", "dt"), Axis("dim", "parameter"), Axis("cells", "field", True)
FOLLOWING = Axis("points", "field", True, ("dt",))


def test_the_usual_axis_is_dt_else_the_only_one_else_the_only_field():
    assert Table([], [DIM, CELLS, DT]).swept == "dt" and Table([], [DIM]).swept == "dim"
    assert Table([], [DIM, CELLS]).swept == "cells" and Table([], "theta").swept == "theta"
    with pytest.raises(pf.BadInput, match="sweeps theta, cells, and no axis is named"):
        Table([], [Axis("theta"), CELLS]).along()


def test_the_other_free_axes_are_told_apart():
    table = Table([], [DT, DIM, FOLLOWING])
    assert table.others == ("dim",) == table.along("points").others
    assert table.along("dim").others == ("dt",) and table.along("dim") != table
    assert table.along("points").step_size(4) == 0.25 and table.step_size(4) == 4.0
    assert table.columns[:7] == ("problem", "method", "dt", "dim", "points", "seed", "time")


def test_what_is_no_axis_of_an_order_is_refused():
    table = Table([], [DT, DIM, Axis("points", follows=("dt", "dim"))])
    with pytest.raises(pf.UnknownField, match=r"no axis 'dims'.*Did you mean 'dim'"):
        table.along("dims")
    with pytest.raises(pf.BadInput, match="computed from dt and dim"):
        table.along("points")
    with pytest.raises(pf.BadInput, match=r"parameter of the problem.*Ask growth"):
        table.along("dim").step_size(2)


def test_no_column_is_left_that_an_axis_could_take_the_name_of():
    assert set(Table([], "x").columns) - {"x", "dt"} <= COLUMNS
