"""Finite volumes for every sum of a potential, an internal energy and an interaction, explicit and implicit in time."""

from .scheme import FiniteVolume

__all__ = ["FiniteVolume"]
