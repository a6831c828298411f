"""Checks that users may call on their own potentials, kernels, matrices, operators, runs and methods.

Each returns the number it measured, and raises a typed error that names where that number is out of bounds: `BadInput`
for what the caller wrote (a gradient, a law, a matrix), `Diverged` for a run that broke a law it must obey.
"""

from .._core.lazy import missing_name
from ..laws.consistency import law
from .derivatives import gradient
from .matrices import adjoint, semidefinite, symmetry
from .runs import energy_decay, equilibrium, mass, positivity
from .weak_form import weak_residual

__all__ = [
    "adjoint", "energy_decay", "equilibrium", "gradient", "law", "mass", "positivity", "semidefinite", "symmetry",
    "weak_residual",
]  # fmt: skip


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
