"""What a family of maps answers, and the map that PushForward holds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import torch

from ...._core.errors import BadInput
from ...._core.validate import one_of, readonly, real_array
from ....laws.maps import Certificate, Map, kept_array, recorded_name
from ...runtime import isolated

FAMILIES = {"affine": "chain", "planar": "chain", "residual": "chain", "ode": "ode", "coordinatewise": "coordinatewise"}
CHUNK = 1 << 22  # numbers of the dense Jacobian that are held at a time
STRIPE = 128  # rows of JᵀJ that are formed together


def build(kind, center, root, shape, **extra):
    """The `Family` of that kind in the coordinates y = root⁻¹(z - center) of the base law.

    kind : a name of FAMILIES. center : (d,). root : (d, d), lower triangular. shape : `Shape`. extra : see `Family.extra`.
    """
    one_of(kind, "map", tuple(FAMILIES))
    module = import_module(f".{FAMILIES[kind]}", __package__)
    return module.family(kind, center, root, shape, **extra)


class Family:
    """Maps T_θ: R^d -> R^d, θ a flat vector of `size` float64. All arrays are torch tensors of float64.

    kind, dim, size; center (d,) and root (d, d): the fixed coordinates y = root⁻¹(z - center) in which the base law has mean 0 and covariance I.
    In them θ is free of units, and T in the units of root. damped (p,): 1 for parameters that damping holds back, 0 for those that need none.
    """

    kind: str
    dim: int
    size: int
    center: torch.Tensor
    root: torch.Tensor
    damped: torch.Tensor

    def start(self, generator):
        """θ of the identity, exactly; what the identity leaves free is drawn from the torch `generator`. (p,)"""
        raise NotImplementedError

    def tangent(self, theta, z):
        """The `Tangent` at θ (p,) and the points z (n, d)."""
        raise NotImplementedError

    def value(self, theta, z):
        """T_θ(z), (n, d) -> (n, d)."""
        return self.tangent(theta, z).value

    def with_log_det(self, theta, z):
        """T_θ(z) (n, d) and log|det ∂T_θ(z)| (n,)."""
        tangent = self.tangent(theta, z)
        return tangent.value, tangent.log_det

    def inverse(self, theta, y):
        """(z, Certificate) with T_θ(z) = y (n, d), where `no_inverse` gives no reason against it."""
        raise NotImplementedError

    def no_inverse(self, theta):
        """Why the map of θ has no inverse that can be certified, or None."""

    def shape(self):
        """The fields of its `Shape` as JSON data."""
        raise NotImplementedError

    def extra(self):
        """Arrays beside center and root that the family was made with, by name."""
        return {}

    def refined(self, theta, z):
        """(family, θ) of the same map in a richer family, where the points z ask for one; (self, θ) by default."""
        return self, theta

    def numbers_a_point(self):
        """Numbers that its widest array holds for each point."""
        return self.dim * self.dim

    def increasing(self, theta):
        """Whether a map of the line is known to increase."""
        return False


class Tangent:
    """The derivatives of T at a parameter θ and points z (n, d).

    value : T(z), (n, d). log_det : log|det ∂_zT(z)|, (n,). folded : whether some det ∂_zT(z) is not positive.
    """

    value: torch.Tensor
    log_det: torch.Tensor
    folded: bool = False
    size: int
    blocks: int = 1  # of JᵀJ, which is block diagonal

    def score(self, start, weight):
        """∂_zT^{-T}(start - weight ∇_z log|det ∂_zT|), (n, d): with start = ∇log λ, weight = 1 it is (∇log ρ_θ)(T(z)).

        start : (n, d). weight : (n,). With start = λ^q ∇log λ and weight = λ^q it is λ^q times that, finite where λ vanishes.
        """
        raise NotImplementedError

    def jacobian(self):
        """∂_zT(z), (n, d, d)."""
        raise NotImplementedError

    def apply(self, direction):
        """J η, where J = ∂_θT(z): (p,) -> (n, d)."""
        raise NotImplementedError

    def transpose(self, vectors):
        """Jᵀ r summed over the points: (n, d) -> (p,)."""
        raise NotImplementedError

    def columns(self, part):
        """The columns of J at the m points of the slice `part`: (p, d, m)."""
        raise NotImplementedError

    def rows(self, part):
        """J at the points of the slice `part`, one row a point and coordinate: (m d, p)."""
        return self.columns(part).permute(2, 1, 0).reshape(-1, self.size)

    def gram(self):
        """JᵀJ/n as (blocks, p/blocks, p/blocks): the diagonal blocks, all others being zero."""
        n, dim = self.value.shape
        many = max(1, CHUNK // (dim * self.size))
        total = torch.zeros(self.size, self.size, dtype=torch.float64)
        for begin in range(0, n, many):
            part = self.columns(slice(begin, begin + many)).flatten(1)
            for edge in range(0, self.size, STRIPE):  # the upper triangle: half the work of the whole
                stripe = slice(edge, min(edge + STRIPE, self.size))
                total[stripe, edge:] += part[stripe] @ part[edge:].T
        return (total.triu() + total.triu(1).T)[None] / n


class ParametricMap(Map):
    """T_θ for one θ, as PushForward holds it: numpy in and out, float64.

    family : `Family`. theta : (p,).
    """

    def __init__(self, family, theta):
        self.family, self.theta = family, readonly(theta)

    @property
    def dim(self) -> int:  # type: ignore[override]
        return self.family.dim

    def _ask(self, question, x):
        with isolated():
            return question(torch.as_tensor(np.array(self.theta)), torch.as_tensor(np.array(x, dtype=float)))

    def __call__(self, x):
        return self._ask(self.family.value, x).numpy()

    def with_log_det(self, x):
        """T(x) (n, d) and log|det ∂T(x)| (n,)."""
        value, log_det = self._ask(self.family.with_log_det, x)
        return value.numpy(), log_det.numpy()

    def with_score(self, x, start, weight):
        """T(x), log|det ∂T(x)| and `Tangent.score(start, weight)`: what carries the score of a law through the map."""
        tangent = self._ask(self.family.tangent, x)
        with isolated():
            score = tangent.score(torch.as_tensor(start), torch.as_tensor(weight))
        return tangent.value.numpy(), tangent.log_det.numpy(), score.numpy()

    def jacobian(self, x):
        """∂T(x), (n, d) -> (n, d, d)."""
        tangent = self._ask(self.family.tangent, x)
        with isolated():
            return tangent.jacobian().numpy()

    def invert(self, y) -> tuple[np.ndarray, Certificate]:
        """(x, Certificate) with T(x) = y, both (n, d). `NotAvailable` for the family's reason against it."""
        if self.lacks("invert") is not None:
            raise self.not_available("invert")
        x, certificate = self._ask(self.family.inverse, y)
        return x.numpy(), certificate

    def lacks(self, question: str) -> str | None:
        if question == "invert":
            return self.family.no_inverse(torch.as_tensor(np.array(self.theta)))
        return super().lacks(question)

    @property
    def increasing(self) -> bool:  # type: ignore[override]
        return self.dim == 1 and self.family.increasing(torch.as_tensor(np.array(self.theta)))

    def numbers_a_point(self) -> int:
        return self.family.numbers_a_point()

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        fixed = {"center": self.family.center.numpy(), "root": self.family.root.numpy(), **self.family.extra()}
        shape = {"map": recorded_name(type(self)), "kind": self.family.kind, **self.family.shape()}
        return shape, {"theta": self.theta, **fixed}

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ParametricMap:
        from .shape import Shape

        facts = {key: value for key, value in data.items() if key not in ("map", "kind")}
        if set(facts) - {"layers", "width", "affine"} or data.get("kind") not in FAMILIES:
            raise BadInput(
                f"The architecture of a map is {data!r}. It must have a kind of {', '.join(FAMILIES)} and layers, width, affine. "
                "Take it from to_data()."
            )
        more = {name: real_array(arrays[name], name, ndim=1) for name in set(arrays) - {"theta", "center", "root"}}
        if set(more) - {"knots"} or np.any(np.diff(more.get("knots", [])) <= 0):
            raise BadInput(
                f"The arrays {sorted(more)} are none of this map, or its knots do not increase. The data are damaged."
            )
        center, root = kept_array(arrays, "center", dim).copy(), kept_array(arrays, "root", dim, dim).copy()
        family = build(data["kind"], center, root, Shape(**facts), **more)  # copies, as torch takes no read-only arrays
        return cls(family, kept_array(arrays, "theta", family.size))

    def __repr__(self):
        return f"ParametricMap({self.family.kind!r}, dim={self.family.dim}, parameters={self.family.size})"
