"""The size of a parametric map, grouped."""

from dataclasses import dataclass

from ...._core.errors import BadInput
from ...._core.validate import count
from ....method import MethodType


@dataclass(frozen=True)
class Shape(metaclass=MethodType):
    """Size of a parametric map; None means the default of its kind.

    layers : planar layers (40, as in jin2025), residual layers (4) or steps of the neural ODE (4). width : neurons of a residual layer or a step
    (16), or pieces of a coordinate's spline at the start (24). affine : whether an affine map Ux + v follows, with U and v among the parameters: Gaussian
    flows, contractions and the porous medium from a Barenblatt law are then represented exactly. jin2025 has none.
    A planar layer has width 1, the affine family no layers, the coordinatewise one has its affine part in the spline.
    """

    layers: int | None = None
    width: int | None = None
    affine: bool = True

    def __post_init__(self):
        for name in ("layers", "width"):
            if getattr(self, name) is not None:
                count(getattr(self, name), name)
        if not isinstance(self.affine, bool):
            raise BadInput(f"affine is {self.affine!r}. It must be True or False. Choose one.")
