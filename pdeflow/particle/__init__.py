"""Particle schemes."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {"EulerMaruyama": "euler_maruyama"})
