"""JKO steps by input-convex networks."""

from .scheme import ICNNJKO

__all__ = ["ICNNJKO"]
