"""JKO steps on the quantile function of a one-dimensional law, in O(n) operations per Newton step."""

from .scheme import QuantileJKO

__all__ = ["QuantileJKO"]
