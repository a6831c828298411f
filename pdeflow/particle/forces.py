"""The gradient of a user's own potential at a cloud of particles, called with numpy arrays and checked."""

import numpy as np

from ..arrays import require_gradient
from ..errors import BadInput, Diverged

FAR_OUT = 1e6  # a gradient that is not finite this many times farther out than the start is a blow-up, not a fault of V


def potential_gradient(potential, state, dt):
    """∇V of a user's potential at the cloud, checked. BadInput names the point; far outside the start it is a blow-up."""
    x = state.x
    far = np.max(np.abs(x), axis=1) > FAR_OUT * (1 + state.reach)
    try:
        with np.errstate(all="ignore"):  # an overflow out there shows as inf below
            gradient = np.asarray(potential.grad(x.copy()))
        require_gradient(gradient, x, "potential.grad(x)")
    except BadInput as error:
        if far.any():
            raise Diverged(
                f"Particle {int(np.argmax(far))} is at {x[np.argmax(far)].tolist()} after step {state.steps}, where the gradient is not finite. "
                f"The step is too large for the drift. Use a smaller dt than {dt:g}.",
                step=state.steps, particle=int(np.argmax(far)), dt=dt,
            ) from error  # fmt: skip
        raise
    return gradient
