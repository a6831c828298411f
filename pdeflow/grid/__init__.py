"""Schemes on one-dimensional grids and quantile meshes."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__, {"ChangCooper": "chang_cooper", "CvxoptJKO": "jko_cvxopt", "QuantileJKO": "jko_quantile"}
)
