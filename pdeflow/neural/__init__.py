"""Neural schemes: torch lives here and nowhere else."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {"ICNNJKO": "icnn_jko", "PushForward": "push_forward"})
