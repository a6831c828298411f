"""The drift of particles, and ∇V of the built-in potentials in compiled code, block by block.

A block is an array (d, BLOCK): coordinates are rows, so that inner loops run over particles and vectorise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..._core.compiled import BLOCK, FMA, compiled
from ..._core.errors import BadInput, Diverged
from ..._core.overriding import answers_as
from ..._core.shapes import Points
from ..._core.validate import require_gradient
from ...energies.energy import Energy
from ...energies.interactions import as_quadratic_attraction
from ...energies.mean_field import mean_force
from ...energies.potentials import DoubleWell, MixturePotential, Quadratic, StyblinskiTang, as_quadratic

NONE, LINEAR, CUBIC, MIXTURE = 0, 1, 2, 3


@dataclass(frozen=True)
class Cloud:
    """What a run of EulerMaruyama carries from step to step.

    Attributes
    ----------
    x : (n, d)
        Positions.
    key : (2,)
        Key words of the noise.
    steps, increments : int
        Steps and Brownian increments spent.
    reach : float
        The largest |x_i| at the start.
    drift : Drift
        Prepared by `init`.
    """

    x: Points
    key: np.ndarray
    steps: int
    increments: int
    reach: float
    drift: Drift


class Field(NamedTuple):
    """∇V of a built-in potential. One tuple of one type for all, so that one compiled kernel serves them.

    Attributes
    ----------
    kind : int
        NONE, LINEAR, CUBIC or MIXTURE.
    matrices : (k, d, d)
        Of the components of a mixture, or of the quadratic potential (k = 1).
    centers : (k, d)
        Likewise.
    log_factors : (k,)
        Of a mixture.
    cubic : (3,)
        ∇V_i = c3 x_i³ + c1 x_i + c0.
    temperature : float
        Of a mixture.
    """

    kind: int
    matrices: np.ndarray
    centers: np.ndarray
    log_factors: np.ndarray
    cubic: np.ndarray
    temperature: float


def compiled_field(potential: Any, dim: int) -> Field | None:
    """∇V of a built-in potential as a `Field`; None for any other object, and for one whose grad is not its class's."""
    if potential is None:
        return _field(NONE, dim)
    if answers_as(potential, Quadratic, ("grad",)):
        return _field(LINEAR, dim, potential.matrix[None], potential.center[None])
    if answers_as(potential, DoubleWell, ("grad",)):
        return _field(CUBIC, dim, cubic=(4 * potential.barrier, -4 * potential.barrier, 0.0))
    if answers_as(potential, StyblinskiTang, ("grad",)):
        return _field(CUBIC, dim, cubic=(4 * potential.scale, -32 * potential.scale, 5 * potential.scale))
    if answers_as(potential, MixturePotential, ("grad", "_parts")):
        parts = potential.precisions, potential.mixture.means, potential._log_factors
        return _field(MIXTURE, dim, *parts, temperature=potential.temperature)
    return None


def _field(kind, dim, matrices=None, centers=None, log_factors=(0.0,), cubic=(0.0, 0.0, 0.0), temperature=1.0):
    matrices = np.zeros((1, dim, dim)) if matrices is None else matrices
    centers = np.zeros((1, dim)) if centers is None else centers
    matrices, centers, log_factors, cubic = (
        np.array(a, dtype=float, order="C") for a in (matrices, centers, log_factors, cubic)
    )
    return Field(kind, matrices, centers, log_factors, cubic, float(temperature))


@compiled(fastmath=FMA, error_model="numpy")
def _multiply(matrix, y, out):
    """out = matrix y for y : (d, BLOCK), four columns at a time to spare loads of `out`."""
    dim = len(matrix)
    for i in range(dim):
        for j in range(BLOCK):
            out[i, j] = 0.0
        whole = dim - dim % 4
        for k in range(0, whole, 4):
            a, b, c, d = matrix[i, k], matrix[i, k + 1], matrix[i, k + 2], matrix[i, k + 3]
            for j in range(BLOCK):
                out[i, j] += a * y[k, j] + b * y[k + 1, j] + (c * y[k + 2, j] + d * y[k + 3, j])
        for k in range(whole, dim):
            a = matrix[i, k]
            for j in range(BLOCK):
                out[i, j] += a * y[k, j]


@compiled(fastmath=FMA, error_model="numpy")
def _pull(field, c, x, y, out):
    """y = x - center, out = matrix y, of component c."""
    for i in range(len(x)):
        center = field.centers[c, i]
        for j in range(BLOCK):
            y[i, j] = x[i, j] - center
    _multiply(field.matrices[c], y, out)


@compiled(fastmath=FMA, error_model="numpy")
def _mixture_gradient(field, x, y, pull, shares, out):
    """∇(-T log q) = T Σ_c share_c Λ_c (x - m_c), shares by a shifted exponential; shares : (k + 2, BLOCK) scratch."""
    components = len(field.log_factors)
    top, total = shares[components], shares[components + 1]
    for j in range(BLOCK):
        top[j], total[j] = -np.inf, 0.0
    for c in range(components):
        _pull(field, c, x, y, pull)
        for j in range(BLOCK):
            exponent = 0.0
            for i in range(len(x)):
                exponent += pull[i, j] * y[i, j]
            shares[c, j] = field.log_factors[c] - 0.5 * exponent
            top[j] = max(top[j], shares[c, j])
    for c in range(components):
        for j in range(BLOCK):
            shares[c, j] = np.exp(shares[c, j] - top[j])
            total[j] += shares[c, j]
    out[:] = 0.0
    for c in range(components):
        _pull(field, c, x, y, pull)
        for i in range(len(x)):
            for j in range(BLOCK):
                out[i, j] += field.temperature * (shares[c, j] / total[j]) * pull[i, j]


@compiled(fastmath=FMA, error_model="numpy")
def field_gradient(field, x, y, pull, shares, out):
    """∇V at the block x : (d, BLOCK) into out : (d, BLOCK); y, pull and shares are scratch."""
    if field.kind == LINEAR:
        _pull(field, 0, x, y, out)
    elif field.kind == CUBIC:
        c3, c1, c0 = field.cubic
        for i in range(len(x)):
            for j in range(BLOCK):
                out[i, j] = x[i, j] * (c3 * (x[i, j] * x[i, j]) + c1) + c0
    elif field.kind == MIXTURE:
        _mixture_gradient(field, x, y, pull, shares, out)
    else:
        out[:] = 0.0


# A gradient that is not finite this many times farther out than the start is a blow-up, not a fault of V.
BLOW_UP_RATIO = 1e6


class Drift:
    """∇V + ∇W*ρ of a problem, prepared once per run.

    Attributes
    ----------
    potential, kernel : object or None
        V and W.
    temperature : float
        T of the noise √(2 T dt).
    field : Field or None
        ∇V for compiled code; None where V is a user's and is asked for its gradient at every step.
    linear_rate : float or None
        Where ∇V is linear or absent and W is a quadratic attraction or absent: the largest rate of ∇V. Else None.
    """

    def __init__(self, energy: Energy, dim: int):
        self.potential, self.kernel = energy.potential, energy.interaction
        internal = energy.internal
        self.temperature = 0.0 if internal is None or internal.coefficient is None else float(internal.coefficient)
        self.field = compiled_field(self.potential, dim)
        self.nothing = compiled_field(None, dim)
        self.linear_rate = self._linear_rate()

    @property
    def fused(self) -> bool:
        """Whether all of the drift is compiled, so that many steps are one call."""
        return self.field is not None and self.kernel is None

    def outside(self, cloud: Cloud, dt: float, workers: Any) -> Points:
        """The part of the drift that no `Field` holds, at the particles: ∇V of a user's potential, and ∇W*ρ."""
        force = np.zeros_like(cloud.x)
        if self.field is None:
            force += potential_gradient(self.potential, cloud, dt)
        if self.kernel is not None:
            force += mean_force(self.kernel, cloud.x, workers=workers)
        return force

    def refuse_unstable(self, cloud: Cloud, dt: float) -> None:
        """`Diverged` where the drift is linear and dt times its largest rate is 2 or more.

        Every step then multiplies a deviation by -1 or worse.
        """
        if self.linear_rate is None:
            return
        rate = self.linear_rate
        rate += self.kernel.strength if self.kernel is not None and len(cloud.x) > 1 else 0.0  # one feels no attraction
        if dt * rate >= 2:
            particle = int(np.argmax(np.max(np.abs(cloud.x), axis=1)))
            raise Diverged(
                f"dt = {dt:g} is too large for this linear drift: its largest rate is {rate:.6g}, so each step from "
                f"step {cloud.steps + 1} on multiplies deviations along its stiffest axis by {1 - dt * rate:.4g} "
                f"and the cloud grows without bound, finite for long or not. Use dt below 2/{rate:.6g} = "
                f"{2 / rate:.6g}; accuracy asks for much less.",
                step=cloud.steps + 1,
                particle=particle,
                dt=dt,
                bound=2 / rate,
            )

    def _linear_rate(self) -> float | None:
        """See the class."""
        if not (self.potential is None or as_quadratic(self.potential) is not None):
            return None
        if not (self.kernel is None or as_quadratic_attraction(self.kernel) is not None):
            return None
        return 0.0 if self.potential is None else float(np.linalg.eigvalsh(self.potential.matrix)[-1])


def potential_gradient(potential: Any, cloud: Cloud, dt: float) -> Points:
    """∇V of a user's potential at the cloud, checked.

    `BadInput` names the point; far outside the start it is a blow-up, `Diverged`.
    """
    x = cloud.x
    far = np.max(np.abs(x), axis=1) > BLOW_UP_RATIO * (1 + cloud.reach)
    try:
        with np.errstate(all="ignore"):  # an overflow out there shows as inf below
            gradient = np.asarray(potential.grad(x.copy()))
        require_gradient(gradient, x, "potential.grad(x)")
    except BadInput as error:
        if far.any():
            raise Diverged(
                f"Particle {int(np.argmax(far))} is at {x[np.argmax(far)].tolist()} after step {cloud.steps}, where "
                f"the gradient is not finite. The step is too large for the drift. Use a smaller dt than {dt:g}.",
                step=cloud.steps,
                particle=int(np.argmax(far)),
                dt=dt,
            ) from error
        raise
    return gradient
