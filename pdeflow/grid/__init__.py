"""Schemes on grids in one to three dimensions and on quantile meshes."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from .back_and_forth import BackAndForthJKO
    from .chang_cooper import ChangCooper, exponential, gibbs, richardson, spectrum
    from .cvxopt_jko import CvxoptJKO
    from .entropic_jko import EntropicJKO
    from .finite_volume import FiniteVolume
    from .quantile_jko import QuantileJKO

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "BackAndForthJKO": "back_and_forth",
        "ChangCooper": "chang_cooper",
        "CvxoptJKO": "cvxopt_jko",
        "EntropicJKO": "entropic_jko",
        "FiniteVolume": "finite_volume",
        "QuantileJKO": "quantile_jko",
        "exponential": "chang_cooper",
        "gibbs": "chang_cooper",
        "richardson": "chang_cooper",
        "spectrum": "chang_cooper",
    },
)
