"""grade: each diagnosis by the seeded bug that it names, and silence on correct schemes."""

import importlib.util
import sys
from pathlib import Path

import pytest
from cheap_schemes import ExplicitMoments, Moments

import pdeflow as pf
from pdeflow.case import grade
from pdeflow.case.grade import default_problem

PATH = Path(__file__).resolve().parents[2] / "validation" / "batteries" / "grade.py"
SPEC = importlib.util.spec_from_file_location("grade_battery", PATH)
students = importlib.util.module_from_spec(SPEC)
sys.modules["grade_battery"] = students  # where dataclasses look for it
SPEC.loader.exec_module(students)
Cloud, Upwind, CLOUDS, GRIDS = students.Cloud, students.Upwind, students.CLOUDS, students.GRIDS


TWINS = {"no gradient": "dt twice", "no noise": "noise by dt"}  # the second may be too small to be told from the first
TWINS |= {second: first for first, second in TWINS.items()}


@pytest.mark.parametrize("bug", CLOUDS)
def test_a_mistake_of_particles_is_named(bug):
    found = [one.diagnosis for one in grade(Cloud(bug))]
    assert any(CLOUDS[bug] in one for one in found), found
    others = [words for other, words in CLOUDS.items() if other not in (bug, TWINS.get(bug))]
    assert not [one for one in found if any(words in one for words in others)], found


@pytest.mark.parametrize("bug", GRIDS)
def test_a_mistake_on_a_grid_is_named(bug):
    found = [one.diagnosis for one in grade(Upwind(bug))]
    assert any(GRIDS[bug] in one for one in found), found
    assert len(found) <= 1 + (bug == "sign"), found


def test_steps_beyond_stability_are_named_and_smaller_ones_are_silent():
    student = Upwind(cells=60, explicit=True)
    low, high = students.ends(default_problem())
    h2 = ((high - low) / 60) ** 2 / (2 * 0.6)
    some = [2 * h2, h2, h2 / 2]
    (one,) = grade(student, levels=some)
    assert "limit of stability" in one.diagnosis and "negative masses at dt" in one.evidence
    (one,) = grade(Upwind(cells=150, explicit=True), levels=[0.1, 0.05, 0.025])
    assert "at every step" in one.diagnosis
    assert grade(student, levels=[h2 / 2, h2 / 4, h2 / 8]) == []


CORRECT = {
    "particles": Cloud(),
    "few particles": Cloud(particles=200),
    "upwind": Upwind(),
    "implicit moments": Moments(),
    "trapezoidal moments": Moments(theta=0.5),
    "explicit moments": ExplicitMoments(),
    "Chang-Cooper": pf.grid.ChangCooper(cells=300),
    "Chang-Cooper, order 2": pf.grid.ChangCooper(cells=300, time_order=2),
}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_schemes_are_left_in_peace(name):
    assert grade(CORRECT[name]) == []


def test_a_program_outside_is_graded_too(c_program):
    command = ["./em", "{dt}", "{time}", "{seed}", "4000"]
    program = pf.External(command, answer="samples", folder=c_program.parent)
    assert grade(program, pf.problems.ou(), seeds=range(2)) == []
    found = grade(program, pf.problems.ou(temperature=0.5), seeds=range(2))  # for which it diffuses too much
    assert len(found) == 1 and "temperature off by 2?" in found[0].diagnosis and "2" in str(found[0])


def test_problems_and_levels_that_tell_nothing_are_refused():
    for problem, words in (
        (pf.problems.double_well(), "quadratic potential"),
        (pf.problems.ou(dim=2, seed=0), "on the line"),
        (pf.problems.ou(initial=pf.laws.Gaussian(0.0, 1.0)), "cannot be seen"),
    ):
        with pytest.raises(pf.BadInput, match=words):
            grade(Cloud(), problem)
    for levels, words in (([0.1, 0.05], "three steps"), ([0.1, 0.05, 0.02], "half"), ([1.0, 0.5, 0.25], "relaxation")):
        with pytest.raises(pf.BadInput, match=words):
            grade(Cloud(), levels=levels)
    with pytest.raises(pf.BadInput, match="seeds is empty"):
        grade(Cloud(), seeds=[])
