"""Figures of trajectories and tables: the only folder that imports matplotlib.

Every function returns a `matplotlib.figure.Figure` and touches no global state: save it by `.savefig(path)`.
"""

from .laws import density, projections
from .tables import convergence, error_parts, work_precision

__all__ = ["convergence", "density", "error_parts", "projections", "work_precision"]
