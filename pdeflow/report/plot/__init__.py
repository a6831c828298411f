"""Figures of trajectories and tables: the only folder that imports matplotlib.

Every function returns a `matplotlib.figure.Figure` and touches no global state: save it by `.savefig(path)`.
"""

from .laws import density, projections
from .style import COLOURS, MARKERS
from .tables import convergence, error_parts, work_precision

__all__ = ["COLOURS", "MARKERS", "convergence", "density", "error_parts", "projections", "work_precision"]
