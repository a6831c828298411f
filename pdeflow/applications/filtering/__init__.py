"""Nonlinear filtering: the law of a diffusion given noisy observations, by any method that solves its equation."""

from .filter import Filter, ripples

__all__ = ["Filter", "ripples"]
