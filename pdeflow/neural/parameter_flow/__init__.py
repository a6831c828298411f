"""Flows of the parameters of one map: PWGF and PFPE."""

from .bounds import energy_bound, log_sobolev_rate, projection_error, w2_bound
from .integrators import RK4, Adaptive, Euler, Heun
from .pfpe import PFPE
from .pwgf import PWGF

__all__ = [
    "PFPE",
    "PWGF",
    "RK4",
    "Adaptive",
    "Euler",
    "Heun",
    "energy_bound",
    "log_sobolev_rate",
    "projection_error",
    "w2_bound",
]
