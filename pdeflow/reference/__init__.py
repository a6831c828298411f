"""Reference files: a trajectory in HDF5, with its problem, its provenance and its own error bar (references/README.md)."""

from .check import check
from .diff import describe_file, diff
from .read import Reference, load
from .recipe import make, recipes, verify
from .write import save

__all__ = ["Reference", "check", "describe_file", "diff", "load", "make", "recipes", "save", "verify"]
