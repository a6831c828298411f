"""Entropic JKO steps by the dual problem in a linear family of functions."""

from .ascent import Adam, Newton
from .law import DualLaw
from .scheme import DualJKO

__all__ = ["Adam", "DualJKO", "DualLaw", "Newton"]
