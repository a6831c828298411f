"""What is built of the public API alone: the standard battery, the methods of the house on it, logistic regression."""

from . import logistic
from .standard_battery import HOUSE, TIME, house_methods, standard_metric, standard_problems, standard_truth

__all__ = ["HOUSE", "TIME", "house_methods", "logistic", "standard_metric", "standard_problems", "standard_truth"]
