"""The proximal recursion of Caluya and Halder: density values at points, by entropic JKO steps between clouds."""

from .points import FixedPoints
from .scheme import ProximalRecursion

__all__ = ["FixedPoints", "ProximalRecursion"]
