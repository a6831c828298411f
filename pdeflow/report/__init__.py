"""What a person reads: pictures of laws and studies, reports in Markdown, boards of methods and their comparison."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from . import plot
    from .board import Board, read_board
    from .changes import Changes, compare
    from .html import to_html
    from .latex import escaped, to_latex
    from .markdown import folder, write
    from .scoring import Entry, score

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Board": "board",
        "Changes": "changes",
        "Entry": "scoring",
        "compare": "changes",
        "escaped": "latex",
        "folder": "markdown",
        "plot": "",
        "read_board": "board",
        "score": "scoring",
        "to_html": "html",
        "to_latex": "latex",
        "write": "markdown",
    },
)
