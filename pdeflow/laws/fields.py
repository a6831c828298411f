"""Laws as named arrays, and back: which laws a file holds, and how they are rebuilt from their `fields()`."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .._core.errors import unknown_field
from .barenblatt import Barenblatt
from .base import Law
from .chi import Chi
from .density_at_points import DensityAtPoints
from .gaussian import Gaussian, kept_gaussian
from .grid import GridLaw
from .kernel_density import KernelDensity
from .mixture import GaussianMixture, kept_mixture
from .particles import Particles
from .quantiles import Quantiles
from .radial import Radial
from .ring import Ring
from .semicircle import Semicircle
from .uniform import Uniform

# kind -> the fields from which it is rebuilt; those of a grid depend on its axes
_NEEDED: dict[type[Law], tuple[str, ...]] = {
    GridLaw: ("mass",),
    Particles: ("samples", "weights", "weighted"),
    DensityAtPoints: ("samples", "log_values", "weights", "weighted", "relative"),
    KernelDensity: ("samples", "weights", "kernel_root", "kernel_factor"),
    Quantiles: ("quantile", "level"),
    Barenblatt: ("m", "barenblatt_time", "center"),
    Chi: ("degrees", "scale"),
    Gaussian: ("mean", "cov"),
    GaussianMixture: ("weights", "means", "covs"),
    Ring: ("radius", "center"),
    Semicircle: ("radius", "center"),
    Uniform: ("low", "high"),
}
_KINDS = {kind.__name__: kind for kind in _NEEDED}
# radial laws are held by the law of the radius, of these kinds
_RADIAL = {f"Radial of {kind.__name__}": kind.__name__ for kind in (GridLaw, Quantiles, Chi)}


def stored_kinds() -> tuple[str, ...]:
    """Names of the laws that `from_fields` rebuilds."""
    return (*_KINDS, *_RADIAL)


def stored_kind(law: Law) -> str | None:
    """The name under which `from_fields` rebuilds this law from its fields, None where no file can hold it as it is."""
    if type(law) is Radial:
        of = stored_kind(law.radius)
        return next((name for name, radius in _RADIAL.items() if radius == of), None)
    return next((name for name, kind in _KINDS.items() if type(law) is kind), None)


def is_grid(kind: str) -> bool:
    """Whether the fields of this kind depend on the axes of a grid."""
    return _RADIAL.get(kind, kind) == GridLaw.__name__


def is_users_own(law: Law) -> bool:
    """Whether the class of the law is defined outside the package."""
    return not type(law).__module__.startswith("pdeflow.")


def needed_fields(kind: str, grid: Sequence[str] = ()) -> list[str]:
    """The fields from which a law of this kind is rebuilt; grid : names of the axes, for a GridLaw."""
    own = ["radial_dim"] if kind in _RADIAL else []
    return [*_NEEDED[_KINDS[_RADIAL.get(kind, kind)]], *(f"{axis}_edges" for axis in grid), *own]


def _grid(fields: Mapping[str, np.ndarray]) -> Law:
    return GridLaw([fields[f"{name}_edges"] for name in "xyz"[: np.ndim(fields["mass"])]], fields["mass"])


def _weights(fields: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """None where the cloud was equally weighted, which is not the same as weights that are equal."""
    return fields["weights"] if fields["weighted"] else None


# Of the kinds whose fields are not their arguments as they stand.
_BUILT: dict[str, Callable[[Mapping[str, np.ndarray]], Law]] = {
    "GridLaw": _grid,
    "Particles": lambda f: Particles(f["samples"], _weights(f)),
    "DensityAtPoints": lambda f: DensityAtPoints(f["samples"], f["log_values"], _weights(f), bool(f["relative"])),
    "KernelDensity": lambda f: KernelDensity.of_kernel(
        f["samples"], f["weights"], f["kernel_root"], float(f["kernel_factor"])
    ),
    "Quantiles": lambda f: Quantiles(f["quantile"], f["level"]),
    "Barenblatt": lambda f: Barenblatt(len(f["center"]), f["m"], f["barenblatt_time"], f["center"]),
    "Chi": lambda f: Chi(int(f["degrees"]), float(f["scale"])),
    "Gaussian": lambda f: kept_gaussian(f["mean"], f["cov"]),
    "GaussianMixture": lambda f: kept_mixture(f["weights"], f["means"], f["covs"]),
}


def from_fields(kind: str, fields: Mapping[str, np.ndarray]) -> Law:
    """The law whose `fields()` were taken, bit for bit.

    Parameters
    ----------
    kind : str
        One of `stored_kinds()`.
    fields : {str: array}
        At least the `needed_fields` of that kind.

    Returns
    -------
    Law
        A law of that kind.

    Raises
    ------
    UnknownField
        For a kind that is not stored.
    KeyError
        Where a field is missing.
    BadInput
        Where the numbers make no law.
    """
    if kind in _RADIAL:
        return Radial(from_fields(_RADIAL[kind], fields), int(fields["radial_dim"]))
    if kind not in _KINDS:
        raise unknown_field("A file of laws", kind, stored_kinds(), "kind of law")
    if kind in _BUILT:
        return _BUILT[kind](fields)
    return _KINDS[kind](*(fields[name] for name in needed_fields(kind)))
