"""Cases: problems that a program in any language can solve, and the verdict on what it answers."""

from typing import TYPE_CHECKING

from .._core.lazy import lazy_names

if TYPE_CHECKING:
    from .external import External

__getattr__, __dir__, __all__ = lazy_names(__name__, {"External": "external"})
