"""Forces of a user's own potential or kernel on a cloud of particles, called with numpy arrays and checked."""

import numpy as np

from ..errors import BadInput, Diverged

PAIRS_AT_ONCE = 1 << 19  # differences held in memory at once for a user's kernel
FAR_OUT = 1e6  # a gradient that is not finite this many times farther out than the start is a blow-up, not a fault of V


def potential_gradient(potential, state, dt):
    """∇V of a user's potential at the cloud, checked. BadInput names the point; far outside the start it is a blow-up."""
    x = state.x
    far = np.max(np.abs(x), axis=1) > FAR_OUT * (1 + state.reach)
    try:
        with np.errstate(all="ignore"):  # an overflow out there shows as inf below
            gradient = np.asarray(potential.grad(x.copy()))
        _check_gradient(gradient, x, "potential.grad(x)")
    except BadInput as error:
        if far.any():
            raise Diverged(
                f"Particle {int(np.argmax(far))} is at {x[np.argmax(far)].tolist()} after step {state.steps}, where the gradient is not finite. "
                f"The step is too large for the drift. Use a smaller dt than {dt:g}.",
                step=state.steps, particle=int(np.argmax(far)), dt=dt,
            ) from error  # fmt: skip
        raise
    return gradient


def _check_gradient(gradient, x, name):
    if gradient.dtype.kind not in "fiu" or gradient.shape != x.shape:
        raise BadInput(
            f"{name} returned an array of {gradient.dtype}, shape {gradient.shape}, for x of shape {x.shape}. It must be real, of x's shape. Mend it."
        )
    bad = ~np.isfinite(gradient).all(axis=1)
    if bad.any():
        i = int(np.argmax(bad))
        raise BadInput(
            f"{name} is {gradient[i].tolist()} at x = {x[i].tolist()}. It must be finite where the law has mass. Mend it there."
        )


def kernel_force(kernel, x):
    """(1/n) Σ_{j != i} ∇W(x_i - x_j) of a user's kernel by blocks of rows; memory stays bounded."""
    n, dim = x.shape
    force = np.empty_like(x)
    rows = max(1, PAIRS_AT_ONCE // n)
    for start in range(0, n, rows):
        part = x[start : start + rows]
        z = (part[:, None, :] - x[None, :, :]).reshape(-1, dim)
        self_pairs = np.arange(len(part)) * n + start + np.arange(len(part))
        others = np.ones(len(z), dtype=bool)
        others[self_pairs] = False
        gradient = np.zeros_like(z)
        answer = np.asarray(kernel.grad(z[others]))
        _check_gradient(answer, z[others], "interaction.grad(z)")
        gradient[others] = answer
        force[start : start + rows] = gradient.reshape(len(part), n, dim).sum(axis=1) / n
    return force
