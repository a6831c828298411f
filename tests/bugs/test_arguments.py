"""What cannot be meant is a typed error that names the nearest thing that can.

From: pr-omethe-us/PyTeCK#6 (near names of unknown keywords).
"""

import numpy as np
import pytest

import pdeflow as pf

OU = pf.problems.ou()
FLOW = pf.exact(OU, [0.5, 1.0])
GRID = pf.grid.ChangCooper(50)

NEAR = {
    "times": lambda: pf.solve(OU, GRID, dt=0.5, tmes=[1.0]),
    "metrics": lambda: pf.Study(OU, GRID, {"dt": [0.5]}, metric=pf.metrics.w2),
    "order": lambda: pf.Claim("a", "w2", ordr=1.0, tolerance=0.1, source="me"),
    "potential": lambda: pf.Energy(potentail=pf.potentials.Quadratic(1.0)),
    "temperature": lambda: pf.Entropy(temprature=1.0),
    "horizon": lambda: pf.Problem(OU.energy, OU.initial, horizn=1.0),
    "laws": lambda: pf.Trajectory([1.0], lawes=[OU.initial]),
    "cov": lambda: pf.laws.Gaussian(0.0, covv=1.0),
    "barrier": lambda: pf.potentials.DoubleWell(barier=1.0),
    "strength": lambda: pf.interactions.QuadraticAttraction(strenght=1.0),
    "cells": lambda: pf.grid.ChangCooper(cels=50),
    "expected": lambda: pf.fit_order([0.1, 0.05], [0.1, 0.05], expeted=1.0),
    "dim": lambda: pf.lift(FLOW, dimm=2),
    "seed": lambda: pf.finer(GRID, 0.1, sead=3),
    "truth": lambda: pf.plot.density(FLOW, thruth=OU),
    "title": lambda: pf.report.write(None, "x", titel="x"),
}


@pytest.mark.parametrize("name", NEAR)
def test_an_unknown_keyword_names_the_nearest_one(name):
    with pytest.raises(TypeError, match=f"Did you mean '{name}'") as caught:
        NEAR[name]()
    assert isinstance(caught.value, pf.UnknownField)


NO_METRICS = ("EnergyGap", "FreeEnergy", "Metric", "energy_gap", "free_energy", "metric")
SHAPE_CHECKED = ("mmd",)  # while tests run, jaxtyping binds the arguments of a function with array shapes first


@pytest.mark.parametrize("name", [one for one in pf.metrics.__all__ if one not in NO_METRICS + SHAPE_CHECKED])
def test_every_metric_names_the_nearest_keyword(name):
    with pytest.raises(pf.UnknownField, match="Did you mean 'rng'"):
        getattr(pf.metrics, name)(OU.initial, OU.initial, rnng=None)


@pytest.mark.parametrize("name", ["energy_gap", "free_energy"])
def test_every_builder_of_a_metric_names_the_nearest_keyword(name):
    with pytest.raises(pf.UnknownField, match="Did you mean 'energy'"):
        getattr(pf.metrics, name)(enrgy=OU.energy)


@pytest.mark.parametrize(
    ("module", "name", "near"),
    [
        (pf, "slove", "solve"),
        (pf.laws, "Gausian", "Gaussian"),
        (pf.problems, "porus_medium", "porous_medium"),
        (pf.metrics, "w_2", "w2"),
        (pf.grid, "ChangCoper", "ChangCooper"),
        (pf.potentials, "Quadratc", "Quadratic"),
        (pf.interactions, "PowrLaw", "PowerLaw"),
        (pf.plot, "densty", "density"),
        (pf.checks, "gradent", "gradient"),
        (pf.reference, "laod", "load"),
    ],
)
def test_an_unknown_name_of_a_module_names_the_nearest_one(module, name, near):
    with pytest.raises(AttributeError, match=f"Did you mean '{near}'"):
        getattr(module, name)
    with pytest.raises(AttributeError, match=r"It has: .*ou"):
        _ = pf.problems.zzzz


SENSELESS = {
    "no time": lambda: FLOW.at(None),
    "a word for a time": lambda: FLOW.at("0.3"),
    "two times": lambda: FLOW.at([0.1, 0.2]),
    "a word for the time of an exact law": lambda: OU.exact("1"),
    "a word for a problem": lambda: pf.exact("1"),
    "a word for a problem of exact_jko": lambda: pf.exact_jko("1", dt=0.1),
    "a law for a trajectory": lambda: pf.lift(OU.initial, 2),
    "a sweep of rows": lambda: pf.Study(OU, GRID, {"dt": np.ones((2, 2)) * [[0.1], [0.2]]}, pf.metrics.w2),
    "params that are no mapping": lambda: pf.Problem(OU.energy, OU.initial, 1.0, params=[1]),
    "a name that is none": lambda: pf.Problem(OU.energy, OU.initial, 1.0, name=None),
    "half a character in a title": lambda: pf.report.write(None, "x", title="\ud800"),
    "one law for a sequence": lambda: pf.Trajectory([1.0], OU.initial),
    "half an eigenvalue": lambda: pf.grid.spectrum(OU, GRID, count=1.5),
    "a count for a flag": lambda: pf.solve(OU, GRID, dt=0.5, progress=2),
    "words for times of a figure": lambda: pf.plot.density(FLOW, times=["a"]),
}


@pytest.mark.parametrize("kind", SENSELESS)
def test_what_makes_no_sense_is_bad_input(kind):
    with pytest.raises(pf.BadInput):
        SENSELESS[kind]()
