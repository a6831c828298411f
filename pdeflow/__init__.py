"""pdeflow: numerical Wasserstein gradient flows, and convergence studies against their ground truth.

∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)), the gradient flow of F(ρ) = ∫V dρ + ∫U(ρ) dx + ½∬W(x-y) dρ dρ in the Wasserstein
distance.
Names are loaded when first used: importing pdeflow imports none of torch, cvxopt, numba, pandas, matplotlib.
"""

from typing import TYPE_CHECKING

from ._core.lazy import lazy_names

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import applications, case, checks, grid, laws, metrics, neural, particle, problems, reference, report, study
    from ._core import errors, fingerprint
    from ._core.errors import (
        BadInput,
        BadReference,
        Diverged,
        NotAvailable,
        NotConverged,
        OutOfTime,
        PdeflowError,
        ProgramFailed,
        UnknownField,
        Unsupported,
    )
    from ._core.estimate import Estimate
    from .case import External
    from .energies import interactions, mean_field, potentials
    from .energies.energy import Energy
    from .energies.internal import Entropy, InternalEnergy, Power
    from .exact_sequences import jko_sequence
    from .method import Method, solve
    from .problems.family import Family
    from .problems.problem import Problem
    from .report import plot
    from .study import Claim, Order, Study, Table, agreement, finer, fit_order, from_refinement, plan
    from .trajectory import Trajectory, exact, exact_jko, lift

_WHERE = {
    "applications": "",
    "case": "",
    "checks": "",
    "errors": "path:_core.errors",
    "fingerprint": "path:_core.fingerprint",
    "grid": "",
    "interactions": "path:energies.interactions",
    "laws": "",
    "mean_field": "path:energies.mean_field",
    "metrics": "",
    "neural": "",
    "particle": "",
    "plot": "path:report.plot",
    "potentials": "path:energies.potentials",
    "problems": "",
    "reference": "",
    "report": "",
    "study": "",
    "Energy": "energies.energy",
    "Entropy": "energies.internal",
    "InternalEnergy": "energies.internal",
    "Power": "energies.internal",
    "Estimate": "_core.estimate",
    "Family": "problems.family",
    "Problem": "problems.problem",
    "Method": "method",
    "solve": "method",
    "Trajectory": "trajectory",
    "exact": "trajectory",
    "exact_jko": "trajectory",
    "jko_sequence": "exact_sequences",
    "lift": "trajectory",
    "External": "case",
    "Study": "study",
    "Claim": "study",
    "fit_order": "study",
    "plan": "study",
    "finer": "study",
    "from_refinement": "study",
    "agreement": "study",
    "Order": "study",
    "Table": "study",
    "BadInput": "_core.errors",
    "BadReference": "_core.errors",
    "Diverged": "_core.errors",
    "NotAvailable": "_core.errors",
    "NotConverged": "_core.errors",
    "OutOfTime": "_core.errors",
    "PdeflowError": "_core.errors",
    "ProgramFailed": "_core.errors",
    "UnknownField": "_core.errors",
    "Unsupported": "_core.errors",
}

__getattr__, __dir__, _names = lazy_names(__name__, _WHERE)
__all__ = ["__version__", *_names]
