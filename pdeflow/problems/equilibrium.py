"""A problem at its stationary law, where nothing may move."""

from dataclasses import dataclass, replace

import numpy as np

from .._core.errors import NotAvailable, Unsupported
from .._core.overriding import answers_as
from .._core.validate import instance_of, known_arguments
from .._core.value import Value
from ..energies.potentials import ANSWERS, MixturePotential, as_quadratic
from ..laws import Gaussian, Law
from .problem import Problem


@dataclass(frozen=True, eq=False)
class Rest(Value):
    """The flow that stays at its start, which is `stationary`; from another start it is not known."""

    initial: Law
    stationary: Law

    def __post_init__(self) -> None:
        if self.initial is not self.stationary:
            raise Unsupported(f"Only {self.stationary!r} stays where it is. Start there, or use a solver.")

    def __call__(self, t: float) -> Law:
        return self.stationary


@known_arguments
def at_equilibrium(problem: Problem, law: Law | None = None) -> Problem:
    """The problem started at its stationary law, whose exact law stays there.

    A study of it with a distance and ``Claim(..., invariant="zero")`` says whether a scheme leaves that law fixed.

    Parameters
    ----------
    problem : Problem
        Any problem with a stationary law.
    law : Law, optional
        That law; for a scheme on a grid the one that it keeps, such as ``pf.grid.gibbs(problem, method)``. By default
        the Gibbs law exp(-V/T)/Z of a quadratic V, and that of a `MixturePotential` at its own temperature.

    Returns
    -------
    Problem
        The same energy and horizon. `dataclasses.replace` to another start leaves it without an exact law.

    Raises
    ------
    NotAvailable
        Where no law is given and the Gibbs law has no closed form.
    BadInput
        For a problem or a law that is none, or of another dimension.

    Notes
    -----
    Whether a given law is stationary is not checked: an error there is seen as one of every scheme.
    """
    instance_of(problem, "problem", Problem)
    law = _gibbs(problem) if law is None else law
    name = f"{problem.name} at equilibrium"
    moved = replace(problem, initial=law, name=name, params={}, exact=None)  # judges the law before Rest sees it
    return replace(moved, exact=Rest(law, law))


def _gibbs(problem: Problem) -> Law:
    potential, internal = problem.energy.potential, problem.energy.internal
    if internal is not None and internal.exponent == 1 and problem.energy.interaction is None:
        quadratic = as_quadratic(potential)
        if quadratic is not None:
            rates, basis = np.linalg.eigh(quadratic.matrix)
            return Gaussian.from_root(quadratic.center, basis * np.sqrt(internal.coefficient / rates))
        if answers_as(potential, MixturePotential, ANSWERS) and potential.temperature == internal.coefficient:
            return potential.mixture
    raise NotAvailable(
        f"The Gibbs law of {problem.name!r} has no closed form here. It is known for a quadratic V and for a "
        "MixturePotential at its own temperature. Pass law=, on a grid pf.grid.gibbs(problem, method)."
    )
