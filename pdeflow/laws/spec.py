"""Laws of few parameters as JSON data, and back."""

from typing import Any

from .._core.errors import BadInput, unknown_field
from .barenblatt import Barenblatt
from .base import Law
from .chi import Chi
from .gaussian import Gaussian, kept_gaussian
from .mixture import GaussianMixture, kept_mixture
from .mixture_of_laws import Mixture
from .product import Product
from .radial import Radial
from .ring import Ring
from .semicircle import Semicircle
from .uniform import Uniform

_PARAMETRIC = {law.__name__: law for law in (Barenblatt, Chi, Gaussian, GaussianMixture, Ring, Semicircle, Uniform)}


def from_spec(spec: dict[str, Any]) -> Law:
    """Rebuild a law from its description.

    Parameters
    ----------
    spec : dict
        What `law.spec()` gave: the name of the law under "law", and its parameters.

    Returns
    -------
    Law
        A law with the same parameters, bit for bit.

    Raises
    ------
    BadInput
        Where the description has no "law" or one that is not known.
    """
    if not isinstance(spec, dict) or "law" not in spec:
        raise BadInput(
            f"{spec!r} does not describe a law. A description is a dict with the key 'law'. Take it from law.spec()."
        )
    fields = {key: value for key, value in spec.items() if key != "law"}
    if spec["law"] == "Product":
        return Product([from_spec(part) for part in fields["laws"]])
    if spec["law"] == "Mixture":
        return Mixture(fields["weights"], [from_spec(part) for part in fields["laws"]])
    if spec["law"] == "Radial":
        return Radial(from_spec(fields["radius"]), fields["dim"])
    if spec["law"] == "Gaussian":
        return kept_gaussian(**fields)
    if spec["law"] == "GaussianMixture":
        return kept_mixture(**fields)
    if spec["law"] not in _PARAMETRIC:
        raise unknown_field("pdeflow.laws", str(spec["law"]), [*_PARAMETRIC, "Mixture", "Product", "Radial"])
    return _PARAMETRIC[spec["law"]](**fields)
