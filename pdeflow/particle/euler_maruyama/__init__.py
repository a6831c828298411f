"""The Euler-Maruyama scheme: its walk in compiled code, its drift and its noise."""

from .scheme import EulerMaruyama

__all__ = ["EulerMaruyama"]
