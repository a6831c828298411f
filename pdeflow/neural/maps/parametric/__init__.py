"""Parametric maps: families T_θ with a vector of parameters, and the map that one vector names."""

from .map_family import MapFamily, Tangent
from .parametric_map import PARAMETRIC_KINDS, ParametricMap, build

__all__ = ["PARAMETRIC_KINDS", "MapFamily", "ParametricMap", "Tangent", "build"]
