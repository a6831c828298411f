"""Bayesian logistic regression: the posterior as a potential, a long exact chain beside it, and the data."""

from .chain import Chain, gibbs
from .data import DataSet, read_libsvm, read_table
from .diagnostics import effective_draws, r_hat
from .generators import ringnorm, twonorm, waveform
from .polya_gamma import polya_gamma
from .posterior import Posterior
from .predictions import Predictions, laplace, predictions
from .prior import Prior
from .scaled import Scaled
from .seen_weights import SeenWeights, seen_weights
from .whitened import Whitened, whitened

__all__ = [
    "Chain", "DataSet", "Posterior", "Predictions", "Prior", "Scaled", "SeenWeights", "Whitened", "effective_draws",
    "gibbs", "laplace", "polya_gamma", "predictions", "r_hat", "read_libsvm", "read_table", "ringnorm", "seen_weights",
    "twonorm", "waveform", "whitened",
]  # fmt: skip
