"""Stein variational gradient descent."""

from .scheme import SVGD

__all__ = ["SVGD"]
