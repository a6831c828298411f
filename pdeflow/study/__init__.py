"""Convergence studies: sweeps of runs against a truth, their error budget, orders and verdicts."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from .agreement import agreement
    from .axes import Axis
    from .claim import Claim, Claims
    from .finer import finer
    from .growth import Growth, Growths, fit_growth
    from .order import Order, fit_order
    from .planning import Plan, plan
    from .refinement import from_refinement
    from .study import Study
    from .table import Orders, Table

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Axis": "axes",
        "Claim": "claim",
        "Claims": "claim",
        "Growth": "growth",
        "Growths": "growth",
        "fit_growth": "growth",
        "Order": "order",
        "Orders": "table",
        "Study": "study",
        "Table": "table",
        "Plan": "planning",
        "fit_order": "order",
        "plan": "planning",
    }
    | {"agreement": "agreement", "finer": "finer", "from_refinement": "refinement"},
)
