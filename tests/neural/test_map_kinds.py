"""The kinds of maps: settings that fit, and settings that do not."""

import pytest

import pdeflow as pf
from pdeflow.neural import Affine, Convex, Coordinatewise, DeepResidual, NeuralODE, Planar, Residual
from pdeflow.neural.map_kinds import require_kind


@pytest.mark.parametrize("kind", [Affine, Planar, Residual, DeepResidual, NeuralODE, Coordinatewise, Convex])
def test_every_kind_has_defaults_and_equal_settings_are_equal_objects(kind):
    assert kind() == kind() and hash(kind()) == hash(kind())


@pytest.mark.parametrize(
    "kind, wrong",
    [
        (Planar, {"layers": 0}),
        (Planar, {"affine": 1}),
        (Residual, {"layers": 2.0}),
        (Residual, {"width": 0}),
        (Residual, {"affine": "yes"}),
        (DeepResidual, {"width": 0}),
        (DeepResidual, {"depth": True}),
        (NeuralODE, {"steps": 0}),
        (NeuralODE, {"width": -1}),
        (NeuralODE, {"affine": None}),
        (Coordinatewise, {"pieces": 2}),
        (Convex, {"width": 0}),
        (Convex, {"depth": 0}),
        (Convex, {"rank": -1}),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_refused(kind, wrong):
    with pytest.raises(pf.BadInput, match=next(iter(wrong))):
        kind(**wrong)


@pytest.mark.parametrize(
    "kind, foreign",
    [
        (Affine, "layers"),
        (Planar, "width"),
        (Coordinatewise, "layers"),
        (Coordinatewise, "affine"),
        (NeuralODE, "layers"),
        (DeepResidual, "affine"),
        (Convex, "pieces"),
    ],
)
def test_a_setting_without_effect_is_an_error(kind, foreign):
    with pytest.raises(pf.BadInput, match=f"has no field {foreign!r}"):
        kind(**{foreign: 3})


@pytest.mark.parametrize("wrong", ["planar", Planar, None])
def test_what_is_no_kind_is_refused_with_the_possible_ones(wrong):
    require_kind(Planar(3), "map", (Affine, Planar))
    with pytest.raises(pf.BadInput, match=r"map is .* Affine\(\.\.\.\), Planar\(\.\.\.\)"):
        require_kind(wrong, "map", (Affine, Planar))
