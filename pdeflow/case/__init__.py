"""Cases: problems that a program in any language can solve, and the verdict on what it answers.

The names are imported at once: some of them are the names of their modules too.
"""

from .._core.lazy import missing_name
from .case import STANDARD, Case, standard
from .export import export, load, write_results
from .external import External
from .grade import Finding, grade
from .judge import judge

__all__ = ["STANDARD", "Case", "External", "Finding", "export", "grade", "judge", "load", "standard", "write_results"]


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
