"""Reference files: a trajectory in HDF5 with its problem, its provenance and its error bar (references/README.md)."""

from .._core.lazy import missing_name
from .check import check
from .diff import describe_file, diff
from .flow import load_flow, save_flow
from .read import Reference, load
from .recipe import make, recipes, verify
from .write import save

__all__ = [
    "Reference",
    "check",
    "describe_file",
    "diff",
    "load",
    "load_flow",
    "make",
    "recipes",
    "save",
    "save_flow",
    "verify",
]


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
