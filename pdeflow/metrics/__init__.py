"""Distances and divergences between laws: (approximation, truth, *, rng=None) -> Estimate, never a squared distance.

Give a metric another seed than the clouds that it judges: `Particles(law.sample(n, default_rng(0)))` against `law` with
`rng=default_rng(0)` draws the same points once more, and their distance is exactly 0.

The names are imported at once: some of them are the names of their modules too.
"""

from .._core.lazy import missing_name
from .c2st import c2st
from .energy_distance import energy_distance
from .energy_gap import EnergyGap, energy_gap
from .gaussian import bures
from .invariants import FreeEnergy, free_energy, mass_error, negative_mass
from .kl import kl, sym_kl
from .ksd import ksd
from .lp import l1, l2
from .max_sliced import max_sliced_w2
from .metric import Metric, metric
from .mmd import mmd
from .moments import cov_error, mean_error
from .sinkhorn import sinkhorn_divergence
from .sliced import sliced_w2
from .w2 import w2

__all__ = [
    "EnergyGap",
    "FreeEnergy",
    "Metric",
    "bures",
    "c2st",
    "cov_error",
    "energy_distance",
    "energy_gap",
    "free_energy",
    "kl",
    "ksd",
    "l1",
    "l2",
    "mass_error",
    "max_sliced_w2",
    "mean_error",
    "metric",
    "mmd",
    "negative_mass",
    "sinkhorn_divergence",
    "sliced_w2",
    "sym_kl",
    "w2",
]


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
