"""Distances and divergences between laws: (approximation, truth, *, rng=None) -> Estimate. A distance is never its square."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "w2": "transport", "sliced_w2": "sliced", "bures": "gaussian", "kl": "divergence", "sym_kl": "divergence",
        "l1": "lp", "l2": "lp", "mean_error": "moments", "cov_error": "moments",
        "energy_gap": "gap", "EnergyGap": "gap",
    },
)  # fmt: skip
