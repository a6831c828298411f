"""Two files side by side, and one in words."""

import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow.reference.diff import variable_differences
from pdeflow.reference.schema import Variable


def test_a_file_does_not_differ_from_itself_and_a_finer_grid_does(tmp_path):
    first, same, finer = (cases.ou_grid(tmp_path / f"{k}.h5", cells=n) for k, n in enumerate((16, 16, 32)))
    assert pf.reference.diff(first, same) == []
    lines = pf.reference.diff(first, finer)
    assert "variable mass: (time 3, x 16) | (time 3, x 32)" in lines
    assert any(line.startswith("attribute content_sha256:") for line in lines)
    with pytest.raises(pf.errors.BadReference, match="does not exist"):
        pf.reference.diff(first, tmp_path / "none.h5")


def test_a_difference_that_is_no_number_is_infinite():
    one, two = ({"mass": Variable(("x",), np.array([1.0, end]))} for end in (2.0, np.nan))
    assert variable_differences(one, one) == []
    ((sentence, gap, size),) = variable_differences(one, two)
    assert "max |a - b| = inf" in sentence and gap == np.inf and size == 2.0


def test_a_file_in_words_names_problem_laws_times_and_variables(tmp_path):
    text = pf.reference.describe_file(cases.ou_grid(tmp_path / "a.h5"))
    for words in ("problem   ou", "laws      GridLaw in dimension 1", "times     0, 0.1, 0.3", "(time 3, x 16)"):
        assert words in text
