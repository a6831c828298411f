"""What is built of the public API alone: nonlinear filtering, logistic regression, the standard battery and methods."""

from . import logistic
from .filtering import Filter, ripples
from .standard_battery import HOUSE, TIME, house_methods, standard_metric, standard_problems, standard_truth

__all__ = [
    "HOUSE",
    "TIME",
    "Filter",
    "house_methods",
    "logistic",
    "ripples",
    "standard_metric",
    "standard_problems",
    "standard_truth",
]
