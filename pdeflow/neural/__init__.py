"""Neural schemes: torch lives here and nowhere else."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Certificate": "inversion", "ConvexMap": "convex_map", "ICNNJKO": "icnn_jko", "Network": "settings",
        "ParametricMap": "parametric", "PushForward": "push_forward", "PWGF": "pwgf", "Shape": "parametric", "Training": "settings",
    },
)  # fmt: skip
