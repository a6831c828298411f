"""Convergence studies: sweeps of runs against a truth, their error budget, orders and verdicts."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Study": "sweep", "Claim": "claim", "Claims": "claim", "fit_order": "order", "Order": "order", "finer": "finer",
        "Table": "table", "Orders": "table",
    },
)  # fmt: skip
