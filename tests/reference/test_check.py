"""check names what a careless writer got wrong."""

import re

import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow._core.errors import BadReference


@pytest.fixture
def file(tmp_path):
    return cases.ou_grid(tmp_path / "ou.h5")


def refused(path, words=None):
    with pytest.raises(BadReference, match=words):
        pf.reference.load(path)
    assert len(pf.reference.check(path)) == 1


def _replace(content, name, data):
    del content[name]
    content[name] = data


MISFITS = {
    "lacks the root attributes": lambda content: content.attrs.__delitem__("params"),
    "error.*not of type float": lambda content: content.attrs.__setitem__("error", "small"),
    "pdeflow_schema is 0": lambda content: content.attrs.__setitem__("pdeflow_schema", 0),
    "kind 'Cauchy'": lambda content: content.attrs.__setitem__("law", "Cauchy"),
    "lacks the variable 'x_edges'": lambda content: content.__delitem__("x_edges"),
    "mass is float32": lambda content: _replace(content, "mass", content["mass"][:].astype("f4")),
    "make no GridLaw": lambda content: content["mass"].__setitem__((1, 3), 0.5),
    "status is 'partial'": lambda content: content.attrs.__setitem__("status", "partial"),
    "config_sha256": lambda content: content.attrs.__setitem__("config", '{"dt":1}'),
    "versions is not JSON": lambda content: content.attrs.__setitem__("versions", "{"),
    "error is -1.0": lambda content: content.attrs.__setitem__("error", -1.0),
    "density: an axis carries no dimension scale": lambda content: _replace(content, "density", content["density"][:]),
    "mean is not that of the laws": lambda content: content["mean"].__setitem__((0, 0), 2.1),
    "density does not follow": lambda content: content["density"].__setitem__((0, 0), 0.1),
    "content_sha256 is not": lambda content: content["min_density"].__setitem__(0, -1.0),
    "mass: an axis carries no dimension scale": lambda content: content["mass"].dims[0].detach_scale(content["time"]),
    "time: an axis carries no dimension scale": lambda content: content["time"].attrs.__delitem__("CLASS"),
    "'ornstein' is not in the catalogue .*problem_source": lambda content: content.attrs.__setitem__(
        "problem", "ornstein"
    ),
    "free_energy has a number that is not finite": lambda content: content["free_energy"].__setitem__(0, np.nan),
}


@pytest.mark.parametrize("words", MISFITS)
def test_check_names_what_a_careless_writer_got_wrong(file, words):
    cases.resigned(file, lambda content: None)
    assert pf.reference.check(file) == []
    cases.resigned(file, MISFITS[words])
    problems = pf.reference.check(file)
    assert any(re.search(words, problem) for problem in problems), problems


def test_load_refuses_laws_whose_times_are_not_said(file):
    cases.resigned(file, MISFITS["mass: an axis carries no dimension scale"])
    refused(file, "mass: an axis carries no dimension scale.*which time")
