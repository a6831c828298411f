"""Settings inside methods: a misspelt field is named as that of a method is."""

import pytest

import pdeflow as pf


@pytest.mark.parametrize(
    ("settings", "wrong", "right"),
    [
        ("Network", "deep", "depth"),
        ("Training", "pol", "pool"),
        ("DualNetwork", "margins", "margin"),
    ],
)
def test_unknown_field(settings, wrong, right):
    with pytest.raises(pf.UnknownField, match=f"{settings} has no field '{wrong}'.*{right}"):
        getattr(pf.neural, settings)(**{wrong: 1})


def test_power_names_methods_of_any_dimension():
    with pytest.raises(pf.Unsupported, match="VariationalJKO or PWGF"):
        pf.solve(pf.problems.porous_medium(dim=2), pf.neural.ICNNJKO(), dt=0.001, times=[0.001])
