"""Schemes on one-dimensional grids and quantile meshes."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "ChangCooper": "chang_cooper",
        "exponential": "chang_cooper_exact",
        "spectrum": "chang_cooper_exact",
        "gibbs": "chang_cooper_exact",
        "richardson": "chang_cooper_exact",
        "CvxoptJKO": "jko_cvxopt",
        "QuantileJKO": "jko_quantile",
    },
)
