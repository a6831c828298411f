"""Bayesian logistic regression: the posterior as a potential, a long exact chain beside it, and the data."""

from .chain import Chain, gibbs
from .data import DataSet, read_libsvm, read_table
from .diagnostics import effective_draws, r_hat
from .generators import ringnorm, twonorm, waveform
from .polya_gamma import polya_gamma
from .posterior import Posterior
from .predictions import Predictions, laplace, predictions
from .prior import Prior

__all__ = [
    "Chain", "DataSet", "Posterior", "Predictions", "Prior", "effective_draws", "gibbs", "laplace", "polya_gamma",
    "predictions", "r_hat", "read_libsvm", "read_table", "ringnorm", "twonorm", "waveform",
]  # fmt: skip
