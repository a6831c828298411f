"""Schemes on particles."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from .blob import Blob
    from .euler_maruyama import EulerMaruyama
    from .interacting import InteractingParticles
    from .proximal_recursion import FixedPoints, ProximalRecursion
    from .svgd import SVGD

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Blob": "blob",
        "EulerMaruyama": "euler_maruyama",
        "FixedPoints": "proximal_recursion",
        "InteractingParticles": "interacting",
        "ProximalRecursion": "proximal_recursion",
        "SVGD": "svgd",
    },
)
