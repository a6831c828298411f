"""Neural schemes: torch lives here and nowhere else."""

from typing import TYPE_CHECKING, Any

from .._core.errors import NotAvailable
from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from .dual_jko import Adam, DualJKO, DualLaw, Newton
    from .icnn_jko import ICNNJKO
    from .map_kinds import Affine, Convex, Coordinatewise, DeepResidual, NeuralODE, Planar, Residual
    from .maps.affine_residual import ResidualMap
    from .maps.convex import ConvexMap
    from .maps.parametric import ParametricMap
    from .parameter_flow import (
        PFPE,
        PWGF,
        RK4,
        Adaptive,
        Euler,
        Heun,
        energy_bound,
        log_sobolev_rate,
        projection_error,
        w2_bound,
    )
    from .settings import DualNetwork, Network, Training
    from .variational_jko import TestFunction, VariationalJKO

_load, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Adam": "dual_jko",
        "Adaptive": "parameter_flow",
        "Affine": "map_kinds",
        "Convex": "map_kinds",
        "ConvexMap": "maps.convex",
        "Coordinatewise": "map_kinds",
        "DeepResidual": "map_kinds",
        "DualJKO": "dual_jko",
        "DualLaw": "dual_jko",
        "DualNetwork": "settings",
        "Euler": "parameter_flow",
        "Heun": "parameter_flow",
        "ICNNJKO": "icnn_jko",
        "Network": "settings",
        "NeuralODE": "map_kinds",
        "Newton": "dual_jko",
        "PFPE": "parameter_flow",
        "PWGF": "parameter_flow",
        "ParametricMap": "maps.parametric",
        "Planar": "map_kinds",
        "RK4": "parameter_flow",
        "Residual": "map_kinds",
        "ResidualMap": "maps.affine_residual",
        "TestFunction": "variational_jko",
        "Training": "settings",
        "VariationalJKO": "variational_jko",
        "energy_bound": "parameter_flow",
        "log_sobolev_rate": "parameter_flow",
        "projection_error": "parameter_flow",
        "w2_bound": "parameter_flow",
    },
)


def __getattr__(name: str) -> Any:
    """A public name, or `NotAvailable` with the cure for one that needs torch where torch is not installed."""
    try:
        return _load(name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise NotAvailable(
            f"pdeflow.neural.{name} needs torch, which is not installed. Install it: pip install pdeflow[neural]."
        ) from error
