"""Problem: what is solved, with no word on how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from .._core.errors import BadInput, Unsupported
from .._core.short_text import shown
from .._core.validate import positive, text
from .._core.value import Value
from ..energies.energy import Energy
from ..laws import Law

if TYPE_CHECKING:
    from .structure import Structure

ExactFlow = Callable[[float], Law]


@dataclass(frozen=True)
class Problem(Value):
    """The flow ∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)) from `initial` up to time `horizon`.

    Parameters
    ----------
    energy : Energy
        F = ∫V dρ + ∫U(ρ) dx + ½∬W(x - y) dρ dρ.
    initial : Law
        The law at time 0; its dimension is that of the problem.
    horizon : float
        The time up to which the problem is solved where no other times are asked, > 0.
    name : str
        Name of the builder that made it (see `pdeflow.problems.register`), or any name for a problem of your own.
    params : mapping, optional
        Arguments of that builder as JSON data; {} by default.
    exact : callable, optional
        exact(t) is the law at time t >= 0 since the start; None where it is not known.

    Raises
    ------
    BadInput
        For an energy, a law or a horizon that is none, and for dimensions that differ.

    Notes
    -----
    An exact flow that has an attribute `initial` (those of the catalogue have one) carries over when
    `dataclasses.replace` gives the problem another start: it is restarted there, and where no closed form is known from
    that start, `exact` becomes None. A plain function is kept as it is.

    Problems are equal, and have one hash, where `pdeflow.fingerprint` describes them alike: the same energy, start,
    horizon, name, arguments and exact flow, made at another time or in another process. They can be keys of a dict.
    """

    energy: Energy
    initial: Law
    horizon: float
    name: str = field(default="custom", kw_only=True)
    params: Mapping[str, Any] = field(default=cast(Any, None), kw_only=True)
    exact: ExactFlow | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.energy, Energy):
            raise BadInput(
                f"energy is {shown(self.energy)}. It must be an Energy. Build one: Energy(potential=..., internal=..., "
                "interaction=...)."
            )
        if not isinstance(self.initial, Law):
            raise BadInput(
                f"initial is {shown(self.initial)}. It must be a Law. Take one of pdeflow.laws, e.g. "
                "Gaussian(mean, cov)."
            )
        positive(self.horizon, "horizon")
        text(self.name, "name")
        if not (self.params is None or isinstance(self.params, Mapping)):
            raise BadInput(
                f"params is {shown(self.params)}. It must be a mapping of argument to value. Pass a dict, or nothing."
            )
        potential = self.energy.potential
        if potential is not None and potential.dim != self.initial.dim:
            raise BadInput(
                f"The potential has dim {potential.dim}, the initial law dim {self.initial.dim}. They must agree. "
                "Change one."
            )
        object.__setattr__(self, "params", {} if self.params is None else self.params)
        object.__setattr__(self, "exact", _started(self.exact, self.initial))

    @property
    def dim(self) -> int:
        """Dimension of the space, that of the initial law."""
        return self.initial.dim

    @property
    def structure(self) -> "Structure | None":
        """The simpler problems of which this one is made, where it knows of them (see `rotated`, `separable` and
        `radial`), else None."""
        return None


def _started(flow: ExactFlow | None, initial: Law) -> ExactFlow | None:
    """The flow from `initial`: itself where it starts there or names no start, None where no closed form is known
    from it."""
    if flow is None or getattr(flow, "initial", initial) is initial:
        return flow
    try:
        return replace(cast(Any, flow), initial=initial)
    except Unsupported:
        return None
