"""The energy gap."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.estimate import Estimate, together
from .._core.validate import known_arguments, real_array
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
    breakpoints : (k,)
        On the line: the ends and the middle of narrow features of the potential, see `Energy.evaluate`.
    """

    energy: Energy
    breakpoints: tuple[float, ...] = field(default=(), metadata={"later": True})  # than the first fingerprint

    def __post_init__(self):
        object.__setattr__(self, "breakpoints", tuple(real_array(self.breakpoints, "breakpoints", ndim=1).tolist()))
        if not callable(getattr(self.energy, "evaluate", None)):
            raise BadInput(
                f"energy_gap got {self.energy!r}. It takes an Energy. Pass problem.energy or pf.Energy(potential=..., "
                "internal=...)."
            )

    @known_arguments
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
        mine, other = (self._energy(law, rng=rng, n=n) for law in laws)
        stderr = float(np.hypot(mine.stderr, other.stderr))
        return Estimate(abs(mine.value - other.value), stderr, together([mine.how, other.how]), "energy_gap")

    def scale(self, truth: Law) -> float:
        """The energy of the truth, and its change where the law is twice as wide, for an energy may happen to be 0."""
        value = self._energy(truth).value
        return float(np.hypot(value, self._energy(stretched(truth)).value - value))

    def _energy(self, law, **drawn):
        places: dict[str, Any] = (
            {"breakpoints": self.breakpoints} if self.breakpoints else {}
        )  # an energy of one's own may lack them
        return self.energy.evaluate(law, **drawn, **places)


@known_arguments
def energy_gap(energy: Energy, *, breakpoints: Sequence[float] = ()) -> EnergyGap:
    """The metric (approximation, truth) -> |F(approximation) - F(truth)|.

    Parameters
    ----------
    energy : Energy
        F.
    breakpoints : (k,)
        On the line: the ends and the middle of narrow features of the potential, see `Energy.evaluate`.

    Returns
    -------
    EnergyGap
        The metric.

    Raises
    ------
    BadInput
        Where `energy` cannot be evaluated on laws.
    """
    return EnergyGap(energy, tuple(breakpoints))
