"""Laws as named arrays, and back: which laws a file holds, and how they are rebuilt from their `fields()`."""

from collections.abc import Mapping, Sequence

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


def stored_kinds() -> tuple[str, ...]:
    """Names of the laws that `from_fields` rebuilds."""
    return tuple(_KINDS)


def stored_kind(law: Law) -> str | None:
    """The name under which `from_fields` rebuilds this law from its fields, None where no file can hold it as it is."""
    return next((name for name, kind in _KINDS.items() if type(law) is kind), None)


def is_users_own(law: Law) -> bool:
    """Whether the class of the law is defined outside the package."""
    return not type(law).__module__.startswith("pdeflow.")


def needed_fields(kind: str, grid: Sequence[str] = ()) -> list[str]:
    """The fields from which a law of this kind is rebuilt; grid : names of the axes, for a GridLaw."""
    return [*_NEEDED[_KINDS[kind]], *(f"{axis}_edges" for axis in grid)]


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
    if kind not in _KINDS:
        raise unknown_field("A file of laws", kind, _KINDS, "kind of law")
    if kind == "GridLaw":
        axes = [fields[f"{name}_edges"] for name in "xyz"[: np.ndim(fields["mass"])]]
        return GridLaw(axes, fields["mass"])
    if kind == "Particles":
        return Particles(fields["samples"], fields["weights"] if fields["weighted"] else None)
    if kind == "DensityAtPoints":
        weights = fields["weights"] if fields["weighted"] else None
        return DensityAtPoints(fields["samples"], fields["log_values"], weights, bool(fields["relative"]))
    if kind == "KernelDensity":
        samples, weights, root, factor = (fields[name] for name in needed_fields(kind))
        return KernelDensity.of_kernel(samples, weights, root, float(factor))
    if kind == "Quantiles":
        return Quantiles(fields["quantile"], fields["level"])
    if kind == "Barenblatt":
        return Barenblatt(len(fields["center"]), fields["m"], fields["barenblatt_time"], fields["center"])
    if kind == "Chi":
        return Chi(int(fields["degrees"]), float(fields["scale"]))
    if kind == "Gaussian":
        return kept_gaussian(fields["mean"], fields["cov"])
    if kind == "GaussianMixture":
        return kept_mixture(fields["weights"], fields["means"], fields["covs"])
    return _KINDS[kind](*(fields[name] for name in needed_fields(kind)))
