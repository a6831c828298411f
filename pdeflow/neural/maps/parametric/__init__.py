"""Parametric maps: families T_θ with a flat vector of parameters, and the map that one vector names."""

from .family import FAMILIES, Family, ParametricMap, Tangent, build
from .shape import Shape

__all__ = ["FAMILIES", "Family", "ParametricMap", "Shape", "Tangent", "build"]
