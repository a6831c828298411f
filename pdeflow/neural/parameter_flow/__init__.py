"""Flows of the parameters of one map: PWGF and PFPE."""

from .bounds import energy_bound, log_sobolev_rate, projection_error, w2_bound
from .pfpe import PFPE
from .pwgf import PWGF

__all__ = ["PFPE", "PWGF", "energy_bound", "log_sobolev_rate", "projection_error", "w2_bound"]
