"""Case: what it checks, in what it judges each kind of answer, and the standard ones."""

import pytest

import pdeflow as pf
from pdeflow.case import STANDARD, Case, standard
from pdeflow.laws import GridLaw

OU = pf.problems.ou()


def test_every_standard_case_has_a_truth_and_an_equation_of_its_own():
    for name in STANDARD:
        case = standard(name)
        assert case.name == name and len(case.levels) == 5 and case.times[-1] == case.problem.horizon
        assert case.problem.exact is not None and {"samples", "moments"} <= set(case.answers())
    assert ("quantiles" in standard("ou_1d").answers()) and ("quantiles" not in standard("ou_2d").answers())
    assert "masses" not in standard("ou_10d").answers()
    with pytest.raises(pf.UnknownField, match="Did you mean 'ou_1d'"):
        standard("ou_11d")


def test_an_answer_is_judged_in_what_it_determines():
    case = Case(OU, 1.0, [0.5, 0.25])
    assert list(case.measured("samples")) == ["w2", "mean_error", "cov_error"]
    assert list(case.measured("masses")) == ["w2", "l1", "mean_error", "cov_error"]
    assert list(case.measured("moments")) == ["mean_error", "cov_error"]
    only = Case(OU, 1.0, [0.5], metrics="l1")
    assert only.answers() == ["masses"]
    with pytest.raises(pf.BadInput, match=r"samples do not determine.*Possible answers: masses"):
        only.measured("samples")
    plane = Case(pf.problems.ou(dim=2, seed=0), 1.0, [0.5], metrics="w2")
    with pytest.raises(pf.BadInput, match=r"Possible answers: samples, masses\. "):  # quantiles are for the line
        plane.measured("moments")


def test_levels_come_from_coarse_to_fine_whatever_their_order():
    assert Case(OU, [0.5, 1.0], [0.25, 0.5]).levels == (0.5, 0.25)
    assert Case(OU, 1.0, 0.5) == Case(OU, [1.0], [0.5], name="ou")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"levels": []}, "at least one step"),
        ({"levels": [0.5, 0.5]}, "each once"),
        ({"levels": [0.3]}, "no multiple of dt"),
        ({"times": [1.0, 0.5]}, "increase"),
        ({"metrics": ["w1"]}, "Did you mean 'w2'"),
        ({"metrics": []}, "at least one"),
        ({"metrics": ["l1"], "problem": pf.problems.ou(dim=4, seed=0)}, "No kind of answer.*dimension 4"),
        ({"problem": pf.problems.double_well()}, "has no exact law.*truth="),
        ({"truth": "file.h5"}, "must be a Reference"),
        ({"problem": "ou"}, "must be a Problem"),
    ],
)
def test_what_cannot_be_judged_is_refused(fields, words):
    with pytest.raises(pf.BadInput, match=words):
        Case(**{"problem": OU, "times": [1.0], "levels": [0.5], **fields})


def test_a_stored_truth_is_judged_in_its_own_metric(tmp_path):
    problem = pf.problems.double_well()
    flow = pf.Trajectory([0.5, 1.0], [GridLaw([-3.0, 0.0, 3.0], [0.5, 0.5])] * 2)
    path = pf.reference.save(tmp_path / "a.h5", problem, flow, error=pf.Estimate(0.01, metric="l1"))
    truth = pf.reference.load(path)
    case = Case(problem, [0.5], [0.25], truth=truth)
    assert case.metrics == ("l1",) and case.answers() == ["masses"]
    with pytest.raises(pf.PdeflowError, match=r"0\.25"):
        Case(problem, [0.25], [0.25], truth=truth)  # a time that the file lacks
    with pytest.raises(pf.PdeflowError):
        Case(pf.problems.double_well(barrier=2.0), [0.5], [0.25], truth=truth)
