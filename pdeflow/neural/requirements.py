"""What a problem must offer a neural method, found out before the work."""

from .._core.arrays import is_tensor
from .._core.errors import Unsupported
from ..laws import Law, Ring

FOREIGN = (
    RuntimeError,
    TypeError,
    AttributeError,
    ValueError,
    IndexError,
)  # what numpy and torch raise on each other's arrays


def answer(function, part, x, cure):
    """function(x), or `Unsupported` naming the part of the energy, what it raised on this kind of array, and the cure."""
    try:
        return function(x)
    except FOREIGN as error:
        kind = "torch tensor" if is_tensor(x) else "numpy array"
        raise Unsupported(f"{part!r} fails on a {kind}: {str(error).rstrip('.')}. {cure}") from error


def require_density(law: Law, internal: object) -> None:
    """`Unsupported` for a law on a curve where there is internal energy: it is infinite, and stays so under every smooth map."""
    if internal is not None and isinstance(law, Ring):
        raise Unsupported(
            f"The internal energy {internal!r} of {law!r} is infinite, and of every image of it under a smooth map. "
            "Possible are laws with a density, and Particles that stand for one. Start from one of these."
        )
