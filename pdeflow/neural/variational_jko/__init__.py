"""JKO steps as saddle points over maps and test functions, from samples alone."""

from .dual_function import TestFunction
from .scheme import VariationalJKO

__all__ = ["TestFunction", "VariationalJKO"]
