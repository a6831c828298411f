"""Family: a problem as a function of its parameters."""

import numpy as np
import pytest

import pdeflow as pf


def spring(stiffness, dim=1, *, cold=False):
    return pf.problems.ou(dim, matrix=stiffness, temperature=0.25 if cold else 1.0)


def test_lists_are_axes_and_other_things_are_one_value():
    family = pf.Family(pf.problems.ou, dim=[1, 2], seed=range(3), horizon=0.5, center=None)
    assert family.axes == {"dim": (1, 2), "seed": (0, 1, 2)} and family.fixed == {"horizon": 0.5, "center": None}
    members = list(family)
    assert len(family) == 6 == len(members) and members[4][0] == {"dim": 2, "seed": 1}
    for chosen, problem in members:
        assert problem == pf.problems.ou(horizon=0.5, **chosen) == family.problem(**chosen)
    matrix = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert pf.Family(pf.problems.ou, dim=2, matrix=matrix).problem().energy.potential.matrix.tolist() == matrix.tolist()
    assert pf.Family(spring, stiffness=(1.0, 2.0)).problem(stiffness=2.0, cold=True).params["temperature"] == 0.25


def test_a_family_is_what_it_holds():
    family = pf.Family(spring, stiffness=[1.0, 2.0], dim=2)
    assert family == pf.Family(spring, stiffness=(1.0, 2.0), dim=2) and hash(family) == hash(
        pf.Family(spring, stiffness=(1.0, 2.0), dim=2)
    )
    assert family != pf.Family(spring, stiffness=[1.0, 2.0], dim=3) != pf.Family(spring, stiffness=[1.0], dim=3)
    assert repr(family) == "Family(build='spring', stiffness=[1.0, 2.0], dim=2)"


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda: pf.Family(pf.problems.ou, dims=[1]), pf.UnknownField, "no parameter 'dims'.*Did you mean 'dim'"),
        (lambda: pf.Family(pf.problems.ou(), dim=[1]), pf.BadInput, "without calling it"),
        (lambda: pf.Family("ou"), pf.BadInput, "needs a function"),
        (lambda: pf.Family(spring, dim=[]), pf.BadInput, "dim of the Family is empty"),
        (lambda: pf.Family(spring, dim=[1, 2, 1]), pf.BadInput, "dim of the Family has 1 twice"),
        (lambda: pf.Family(spring, stiffness=[[1.0], [2.0]]), pf.BadInput, "one value"),
        (lambda: pf.Family(spring).problem(), pf.BadInput, "got no stiffness"),
        (lambda: pf.Family(spring, stiffness=[1.0]).problem(), pf.BadInput, "needs stiffness"),
        (lambda: pf.Family(spring, stiffness=1.0).problem(stiffness=2.0), pf.BadInput, "Drop one of the two"),
        (lambda: pf.Family(spring).problem(stifness=2.0), pf.UnknownField, "Did you mean 'stiffness'"),
        (lambda: pf.Family(float).problem(), pf.BadInput, "must return a Problem"),
        (lambda: list(pf.Family(pf.problems.ou, dim=[1, 0])), pf.BadInput, "dim is 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, kind, says):
    with pytest.raises(kind, match=says):
        call()


def test_an_error_of_the_builder_names_the_parameters():
    with pytest.raises(pf.BadInput) as caught:
        pf.Family(pf.problems.ou, dim=[2]).problem(dim=2, matrix=-1.0)
    assert caught.value.__notes__ == ["in the problem ou of the Family, at dim = 2, matrix = -1.0"]
