"""Figures of trajectories and tables: the only folder that imports matplotlib.

Every function returns a new `matplotlib.figure.Figure`, which a notebook shows and `.savefig(path)` saves. With `ax=`
it draws on your own axes and returns these. None touches global state: pyplot knows nothing of the figures.
"""

from ..._core.lazy import missing_name
from .growth import growth
from .laws import density, projections
from .tables import convergence, error_parts, work_precision

__all__ = ["convergence", "density", "error_parts", "growth", "projections", "work_precision"]


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
