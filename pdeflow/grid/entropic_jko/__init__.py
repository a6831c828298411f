"""JKO steps with entropic transport, by scaling in the log domain."""

from .scheme import EntropicJKO

__all__ = ["EntropicJKO"]
