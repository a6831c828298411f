"""JKO steps as convex programs on a fixed grid, solved by CVXOPT."""

from .scheme import CvxoptJKO

__all__ = ["CvxoptJKO"]
