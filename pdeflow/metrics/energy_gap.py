"""The energy gap."""

from dataclasses import dataclass

import numpy as np

from .._core.errors import BadInput
from .._core.estimate import Estimate, together
from ..energies.energy import Energy
from .pair import checked_pair


@dataclass(frozen=True)
class EnergyGap:
    """The metric |F(approximation) - F(truth)| of an energy F; made by `energy_gap(energy)`.

    The value is the absolute value of the signed difference; stderr combines those of the two energies in quadrature.
    """

    energy: Energy

    def __post_init__(self):
        if not callable(getattr(self.energy, "evaluate", None)):
            raise BadInput(
                f"energy_gap got {self.energy!r}. It takes an Energy. Pass problem.energy or pf.Energy(potential=..., internal=...)."
            )

    def __call__(self, approximation, truth, *, rng=None, n=100_000) -> Estimate:
        """n : Monte Carlo draws where an energy has neither closed form nor quadrature (needs `rng`)."""
        laws = checked_pair(approximation, truth, rng, "energy_gap")
        mine, other = (self.energy.evaluate(law, rng=rng, n=n) for law in laws)
        stderr = float(np.hypot(mine.stderr, other.stderr))
        return Estimate(abs(mine.value - other.value), stderr, together([mine.how, other.how]), "energy_gap")


def energy_gap(energy) -> EnergyGap:
    """The metric (approximation, truth) -> |F(approximation) - F(truth)| of this `Energy`."""
    return EnergyGap(energy)
