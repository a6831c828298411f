"""Problem: what is solved, with no word on how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._core.errors import BadInput, Unsupported
from .._core.validate import positive
from ..energies.energy import Energy
from ..laws import Law


@dataclass(frozen=True)
class Problem:
    """∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)) from `initial` up to time `horizon`.

    name, params : the catalogue entry and its arguments (JSON data), or any name and {} for a user's own.
    exact : callable t -> Law with t the time since the start, or None. If it carries the law it starts from (as the
    catalogue's do), replacing `initial` carries over to it; where it cannot start there, it becomes None.
    """

    name: str
    params: Mapping
    energy: Energy
    initial: Law
    horizon: float
    exact: Callable[[float], Law] | None = field(default=None)

    def __post_init__(self):
        if not isinstance(self.energy, Energy):
            raise BadInput(
                f"energy is {self.energy!r}. It must be an Energy. Build one: Energy(potential=..., internal=..., interaction=...)."
            )
        if not isinstance(self.initial, Law):
            raise BadInput(
                f"initial is {self.initial!r}. It must be a Law. Take one of pdeflow.laws, e.g. Gaussian(mean, cov)."
            )
        positive(self.horizon, "horizon")
        potential: Any = self.energy.potential
        if potential is not None and potential.dim != self.initial.dim:
            raise BadInput(
                f"The potential has dim {potential.dim}, the initial law dim {self.initial.dim}. They must agree. Change one."
            )
        if self.exact is not None and getattr(self.exact, "initial", self.initial) is not self.initial:
            try:
                object.__setattr__(self, "exact", replace(self.exact, initial=self.initial))
            except Unsupported:
                object.__setattr__(self, "exact", None)

    @property
    def dim(self) -> int:
        return self.initial.dim
