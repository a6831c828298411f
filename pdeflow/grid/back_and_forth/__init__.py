"""JKO steps on a grid through their dual, as in the back-and-forth method."""

from .scheme import BackAndForthJKO

__all__ = ["BackAndForthJKO"]
