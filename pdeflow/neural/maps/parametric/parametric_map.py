"""The map that one vector of parameters names, and the family that a kind of map stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ...._core.errors import BadInput
from ...._core.shapes import Matrix, Points, Values, Vector
from ...._core.validate import readonly, real_array
from ....laws.maps import Certificate, Map, kept_array, recorded_name
from ...map_kinds import Affine, Coordinatewise, NeuralODE, Planar, Residual, require_kind
from ...runtime import isolated
from .chain import AffineFamily, PlanarFamily, ResidualFamily
from .coordinatewise import CoordinatewiseFamily
from .map_family import MapFamily, MapKind
from .neural_ode import NeuralODEFamily

FAMILIES: dict[type, Callable[..., MapFamily]] = {
    Affine: AffineFamily,
    Planar: PlanarFamily,
    Residual: ResidualFamily,
    NeuralODE: NeuralODEFamily,
    Coordinatewise: CoordinatewiseFamily,
}
PARAMETRIC_KINDS = tuple(FAMILIES)

# What files of the first edition call the kinds and their settings: recorded kind -> (kind, {setting: recorded name}).
RECORDED: dict[str, tuple[type, dict[str, str]]] = {
    "affine": (Affine, {}),
    "planar": (Planar, {"layers": "layers", "affine": "affine"}),
    "residual": (Residual, {"layers": "layers", "width": "width", "affine": "affine"}),
    "ode": (NeuralODE, {"steps": "layers", "width": "width", "affine": "affine"}),
    "coordinatewise": (Coordinatewise, {"pieces": "width"}),
}


@isolated()
def build(kind: MapKind, center: Vector, root: Matrix, knots: np.ndarray | None = None) -> MapFamily:
    """The `MapFamily` of a kind of map.

    Parameters
    ----------
    kind : Affine, Planar, Residual, NeuralODE or Coordinatewise
        The kind and its settings.
    center : (d,) array
        Mean of the base law.
    root : (d, d) array
        Lower triangular factor of the covariance of the base law: the family works in y = root⁻¹(z - center).
    knots : (k,) array, optional
        Knots of the splines of `Coordinatewise`, where they are not those of the start.

    Returns
    -------
    MapFamily

    Raises
    ------
    BadInput
        For what is not one of these kinds.
    """
    require_kind(kind, "map", PARAMETRIC_KINDS)
    make = FAMILIES[type(kind)]
    return make(kind, center, root) if knots is None else make(kind, center, root, knots)


class ParametricMap(Map):
    """T_θ for one θ, with numpy arrays of float64 in and out: the map of a `PushForward` that PWGF and PFPE give.

    Parameters
    ----------
    family : MapFamily
        The maps of which it is one.
    theta : (p,) array
        θ.
    """

    @isolated()
    def __init__(self, family: MapFamily, theta: Values):
        self.family, self.theta, self.dim = family, readonly(theta), family.dim
        image = family.image_of_standard(self._parameters())
        self.affine = image is not None
        if image is not None:
            self.matrix = image[1] @ np.linalg.inv(family.root.numpy())
            self.shift = image[0] - self.matrix @ family.center.numpy()

    def _parameters(self) -> torch.Tensor:
        return torch.as_tensor(np.array(self.theta))

    def _ask(self, question, x):
        with isolated():
            return question(self._parameters(), torch.as_tensor(np.array(x, dtype=float)))

    def __call__(self, x: Points) -> Points:
        return self._ask(self.family.value, x).numpy()

    def with_log_det(self, x: Points) -> tuple[Points, Values]:
        value, log_det = self._ask(self.family.with_log_det, x)
        return value.numpy(), log_det.numpy()

    def with_score(self, x: Points, start: Points, weight: Values) -> tuple[Points, Values, Points]:
        """T(x), log|det ∂T(x)| and `Tangent.score(start, weight)`: what carries the score of a law through the map."""
        tangent = self._ask(self.family.tangent, x)
        with isolated():
            score = tangent.score(torch.as_tensor(start), torch.as_tensor(weight))
        return tangent.value.numpy(), tangent.log_det.numpy(), score.numpy()

    def invert(self, y: Points) -> tuple[Points, Certificate]:
        """The points x (n, d) with T(x) = y, and the certificate. Raises `NotAvailable` where `lacks` says why not."""
        if self.lacks("invert") is not None:
            raise self.not_available("invert")
        x, certificate = self._ask(self.family.inverse, y)
        return x.numpy(), certificate

    @isolated()
    def lacks(self, question: str) -> str | None:
        return self.family.no_inverse(self._parameters()) if question == "invert" else super().lacks(question)

    @property
    @isolated()
    def increasing(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether T is known to be an increasing function on the line."""
        return self.dim == 1 and self.family.increasing(self._parameters())

    def numbers_a_point(self) -> int:
        return self.family.numbers_a_point()

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        kind = self.family.kind
        recorded, names = next((name, names) for name, (known, names) in RECORDED.items() if known is type(kind))
        settings = {name: getattr(kind, setting) for setting, name in names.items()}
        arrays = {"theta": self.theta, "center": self.family.center.numpy(), "root": self.family.root.numpy()}
        if self.family.knots is not None:
            arrays["knots"] = self.family.knots
        return {"map": recorded_name(type(self)), "kind": recorded, **settings}, arrays

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ParametricMap:
        """The map of `to_data` in dimension dim. Raises `BadInput` that names what is missing or does not fit."""
        kind, knots = _recorded_kind(data), None
        if "knots" in arrays and isinstance(kind, Coordinatewise):
            knots = real_array(arrays["knots"], "knots", ndim=1)
        more = set(arrays) - {"theta", "center", "root"} - (set() if knots is None else {"knots"})
        if more or (knots is not None and np.any(np.diff(knots) <= 0)):
            raise BadInput(
                f"The arrays {sorted(arrays)} are not those of this map, or its knots do not increase. A map "
                "has theta, center and "
                "root, a coordinatewise one also knots. The data are damaged."
            )
        # copies, as torch takes no read-only arrays
        center, root = kept_array(arrays, "center", dim).copy(), kept_array(arrays, "root", dim, dim).copy()
        family = build(kind, center, root, knots)
        return cls(family, kept_array(arrays, "theta", family.size))

    def described(self) -> dict[str, Any]:
        """What a fingerprint holds: all that makes it another map."""
        data, arrays = self.to_data()
        return {**data, "arrays": arrays}

    def __repr__(self):
        return f"ParametricMap({self.family.kind!r}, dim={self.dim}, parameters={self.family.size})"


def _recorded_kind(data: Mapping[str, Any]) -> MapKind:
    """The kind of map that JSON data name, in the words of the first edition."""
    kind, names = RECORDED.get(data.get("kind", ""), (None, {}))
    settings = {key: value for key, value in data.items() if key not in ("map", "kind")}
    if kind is None or set(settings) != set(names.values()):
        raise BadInput(
            f"The architecture of a map is {dict(data)!r}. It must have a kind of {', '.join(RECORDED)} and "
            "the settings of that "
            "kind. Take it from to_data()."
        )
    return kind(**{setting: settings[name] for setting, name in names.items()})
