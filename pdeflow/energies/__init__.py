"""Free energies: potentials, internal energies, interaction kernels, and their evaluation on laws."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from . import interactions, mean_field, potentials
    from .energy import Energy
    from .internal import Entropy, InternalEnergy, Power

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Energy": "energy",
        "Entropy": "internal",
        "InternalEnergy": "internal",
        "Power": "internal",
        "interactions": "",
        "mean_field": "",
        "potentials": "",
    },
)
