"""What a gradient flow keeps: its mass, its sign, the fall of its energy; quantities of one law, for claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._core.estimate import Estimate
from .._core.validate import known_arguments
from ..energies.energy import Energy
from ..laws import Law
from .energy_gap import EnergyGap
from .metric import metric
from .pair import checked_pair


@metric(floor_adds="sum", quantity=True, fact="mass_error")
@known_arguments
def mass_error(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None) -> Estimate:
    """|m - 1| for the mass m of the approximation, which a conservative scheme keeps: ``Claim(..., invariant="zero")``.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension; nothing is asked of the truth.
    rng : Generator, optional
        Not used.

    Returns
    -------
    Estimate
        abs(`Law.mass_error`): the sum of the masses of cells or of the weights of samples less one; 0 for laws whose
        mass is one by construction.

    Notes
    -----
    A `GridLaw` refuses masses that do not sum to one to 1e-8. A study takes this quantity from the error of such a run:
    its rows are ok, and say in `how` that the run ended.
    """
    mine, _ = checked_pair(approximation, truth, rng, "mass_error")
    return Estimate(abs(float(mine.mass_error)), how="sum of the masses", metric="mass_error")


@metric(floor_adds="sum", quantity=True, fact="min_mass")
@known_arguments
def negative_mass(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None) -> Estimate:
    """max(0, -m) for the smallest mass m of a cell, which a positive scheme keeps: ``Claim(..., invariant="zero")``.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension; nothing is asked of the truth.
    rng : Generator, optional
        Not used.

    Returns
    -------
    Estimate
        By how much `Law.min_mass` is below zero; 0 for laws that cannot be negative.

    Notes
    -----
    A `GridLaw` refuses cells below -1e-12. A study takes this quantity from the error of such a run: its rows are ok,
    and say in `how` that the run ended.
    """
    mine, _ = checked_pair(approximation, truth, rng, "negative_mass")
    return Estimate(max(0.0, -float(mine.min_mass)), how="smallest mass of a cell", metric="negative_mass")


@dataclass(frozen=True)
class FreeEnergy(EnergyGap):
    """The quantity F(approximation) of an energy F, which may be negative; `free_energy(energy)` makes it.

    Parameters
    ----------
    energy : Energy
        F.
    breakpoints : (k,)
        On the line: the ends and the middle of narrow features of the potential, see `Energy.evaluate`.
    """

    quantity: ClassVar[bool] = True

    @known_arguments
    def __call__(
        self, approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000
    ) -> Estimate:
        """The energy of the approximation.

        Parameters
        ----------
        approximation, truth : Law
            Two laws of one dimension; nothing is asked of the truth.
        rng : Generator, optional
            Needed where the energy has neither closed form nor quadrature.
        n : int
            How many points are drawn then.

        Returns
        -------
        Estimate
            F(approximation), with the standard error of a Monte Carlo energy.
        """
        mine, _ = checked_pair(approximation, truth, rng, "free_energy")
        found = self._energy(mine, rng=rng, n=n)
        return Estimate(found.value, found.stderr, found.how, "free_energy")


@known_arguments
def free_energy(energy: Energy, *, breakpoints: Sequence[float] = ()) -> FreeEnergy:
    """The quantity F(approximation), which never rises along a gradient flow: ``Claim(..., invariant="falling")``.

    Parameters
    ----------
    energy : Energy
        F.
    breakpoints : (k,)
        On the line: the ends and the middle of narrow features of the potential, see `Energy.evaluate`.

    Returns
    -------
    FreeEnergy
        The quantity, as a metric of a study.

    Raises
    ------
    BadInput
        Where `energy` cannot be evaluated on laws.
    """
    return FreeEnergy(energy, tuple(breakpoints))
