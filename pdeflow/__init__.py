"""pdeflow: numerical Wasserstein gradient flows, and convergence studies against their ground truth.

∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)), the gradient flow of F(ρ) = ∫V dρ + ∫U(ρ) dx + ½∬W(x-y) dρ dρ in the Wasserstein distance.
Names are loaded when first used: importing pdeflow imports none of torch, cvxopt, numba, pandas, matplotlib.
"""

import importlib

__version__ = "0.1.0"

_MODULES = (
    "analytic", "checks", "errors", "fingerprint", "grid", "interactions", "laws", "mean_field", "metrics", "neural", "particle", "plot",
    "potentials", "problems", "reference", "report", "study",
)  # fmt: skip
_NAMES = {
    "Energy": "energy", "Entropy": "energy", "Power": "energy", "Estimate": "estimate", "Problem": "problem",
    "Method": "method", "solve": "method", "Trajectory": "trajectory", "exact": "trajectory", "exact_jko": "trajectory", "lift": "trajectory",
    "Study": "study", "Claim": "study", "fit_order": "study", "finer": "study", "Order": "study", "Table": "study",
    "BadInput": "errors", "BadReference": "errors", "Diverged": "errors", "NotAvailable": "errors", "NotConverged": "errors",
    "PdeflowError": "errors", "UnknownField": "errors", "Unsupported": "errors",
}  # fmt: skip

__all__ = ["__version__", *_MODULES, *_NAMES]


def __getattr__(name):
    if name in _NAMES:
        value = getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
    elif name in _MODULES:
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module 'pdeflow' has no attribute {name!r}. It has: {', '.join(__all__)}.")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
