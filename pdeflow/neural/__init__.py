"""Neural schemes: torch lives here and nowhere else."""

from ..lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Certificate": "inversion", "ConvexMap": "convex_map", "ICNNJKO": "icnn_jko", "Network": "settings",
        "LinearMap": "variational.maps", "ParametricMap": "parametric", "PFPE": "pfpe", "PushForward": "push_forward", "PWGF": "pwgf",
        "ResidualMap": "variational.maps", "Saddle": "variational.settings", "Shape": "parametric",
        "projection_error": "bounds", "energy_bound": "bounds", "log_sobolev_rate": "bounds", "w2_bound": "bounds",
        "TestFunction": "variational.test_function", "Training": "settings", "VariationalJKO": "variational.variational_jko",
    },
)  # fmt: skip
