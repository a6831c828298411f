"""What a person reads: pictures of laws and studies, and reports in Markdown."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from . import plot
    from .markdown import folder, write

__getattr__, __dir__, __all__ = lazy_names(__name__, {"folder": "markdown", "plot": "", "write": "markdown"})
