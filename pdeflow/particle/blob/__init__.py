"""The blob method for diffusion."""

from .scheme import Blob

__all__ = ["Blob"]
