"""README.md of a case: the equation with its numbers, and an example line that is an answer to the case."""

import re

import pdeflow as pf
from pdeflow.case import Case, standard
from pdeflow.case.readme import readme
from pdeflow.case.text_answers import blocks_of


def test_it_says_what_is_asked_in_numbers():
    case = Case(pf.problems.ou(temperature=0.125), [0.5], [0.25, 0.1], name="mine")
    text = readme(case, ["samples"], {"masses": "there is no grid"})
    for words in ("# mine\n", "`T` = `0.125`", "dt = 0.25, 0.1.", "no masses: there is no grid.", "dX = -A (X - b) dt"):
        assert words in text
    (line,) = re.findall(r"^    (# answer=.*)$", text, flags=re.M)
    assert blocks_of(line)[0].head == {"answer": "samples", "dt": "0.25", "time": "0.5", "seed": "0", "rows": "1000"}
    assert "| `samples` | `x1` | w2, mean_error, cov_error |" in text


def test_a_case_without_constants_or_particles_reads_as_well():
    assert "There are no constants." in readme(standard("newtonian_1d"), [], {})
    assert "For particles" not in readme(standard("porous_medium_2d"), [], {})
