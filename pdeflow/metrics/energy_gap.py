"""The energy gap."""

from dataclasses import dataclass

import numpy as np

from .._core.errors import BadInput
from .._core.estimate import Estimate, together
from .._core.value import Value
from ..energies.energy import Energy
from ..laws import Law
from .pair import checked_pair
from .scales import stretched


@dataclass(frozen=True)
class EnergyGap(Value):
    """The metric |F(approximation) - F(truth)| of an energy F; `energy_gap(energy)` makes it.

    Parameters
    ----------
    energy : Energy
        F.
    """

    energy: Energy

    def __post_init__(self):
        if not callable(getattr(self.energy, "evaluate", None)):
            raise BadInput(
                f"energy_gap got {self.energy!r}. It takes an Energy. Pass problem.energy or pf.Energy(potential=..., "
                "internal=...)."
            )

    def __call__(
        self, approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000
    ) -> Estimate:
        """The absolute difference of the two energies.

        Parameters
        ----------
        approximation, truth : Law
            Two laws of one dimension.
        rng : Generator, optional
            Needed where an energy has neither closed form nor quadrature.
        n : int
            How many points are drawn then.

        Returns
        -------
        Estimate
            |F(approximation) - F(truth)|; stderr combines those of the two energies in quadrature.
        """
        laws = checked_pair(approximation, truth, rng, "energy_gap")
        mine, other = (self.energy.evaluate(law, rng=rng, n=n) for law in laws)
        stderr = float(np.hypot(mine.stderr, other.stderr))
        return Estimate(abs(mine.value - other.value), stderr, together([mine.how, other.how]), "energy_gap")

    def scale(self, truth: Law) -> float:
        """The energy of the truth, and its change where the law is twice as wide, for an energy may happen to be 0."""
        value = self.energy.evaluate(truth).value
        return float(np.hypot(value, self.energy.evaluate(stretched(truth)).value - value))


def energy_gap(energy: Energy) -> EnergyGap:
    """The metric (approximation, truth) -> |F(approximation) - F(truth)|.

    Parameters
    ----------
    energy : Energy
        F.

    Returns
    -------
    EnergyGap
        The metric.

    Raises
    ------
    BadInput
        Where `energy` cannot be evaluated on laws.
    """
    return EnergyGap(energy)
