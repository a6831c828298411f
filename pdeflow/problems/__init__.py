"""Problems: an energy, an initial law and a horizon; the catalogue builds those with closed forms."""

from .._core.lazy import missing_name
from .catalogue import (
    double_well,
    heat,
    mixture_ou,
    mixture_target,
    ou,
    porous_medium,
    styblinski_tang,
)
from .equilibrium import at_equilibrium
from .family import Family
from .interaction_catalogue import (
    aggregation_diffusion,
    log_repulsion,
    mckean_vlasov_ou,
    newtonian_1d,
    ring_aggregation,
)
from .lifts import mexican_hat, radial, rotated, rotated_wells, separable
from .problem import Problem
from .registry import CATALOGUE, rebuild, register

__all__ = [
    "CATALOGUE",
    "Family",
    "Problem",
    "aggregation_diffusion",
    "at_equilibrium",
    "double_well",
    "heat",
    "log_repulsion",
    "mckean_vlasov_ou",
    "mexican_hat",
    "mixture_ou",
    "mixture_target",
    "newtonian_1d",
    "ou",
    "porous_medium",
    "radial",
    "rebuild",
    "register",
    "ring_aggregation",
    "rotated",
    "rotated_wells",
    "separable",
    "styblinski_tang",
]


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
