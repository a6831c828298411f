"""The projection of a velocity on the tangent space: η = argmin (1/n) Σ |J_i η + g_i|² + Σ ε_k η_k², of least norm where that is not unique.

Right-hand side Jᵀg and matrix JᵀJ come from the same points, so that the normal equations are consistent whatever the sample
(docs/math.md 8.2; an inconsistent system makes MINRES diverge).
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, lsmr, minres

from ..._core.errors import Diverged, NotConverged

SOLVERS = ("auto", "dense", "lsmr", "minres")
DENSE_PARAMETERS = 1200  # up to which "auto" forms JᵀJ
ROUND_OFF_SHARE = 1e-13  # eigenvalues of JᵀJ below this share of the largest are round-off and count as zero
KRYLOV_TOLERANCE = 1e-8
KRYLOV_ITERATIONS = 2000
ACCEPTED_RESIDUAL = 1e-3  # relative; a solve above it is refused


@dataclass(frozen=True)
class Projection:
    """eta : (p,) torch. moved : Jη, (n, d). residual : |Jᵀ(Jη + g)/n + ε η| / |Jᵀg/n|, recomputed from J itself, whatever the solver says.

    iterations : of the Krylov solver, 0 if dense. smallest : the smallest eigenvalue of JᵀJ/n + ε kept (dense; NaN from
    the Krylov solvers, which do not know it). rank : how many were kept, NaN if unknown. error : (1/n) Σ|Jη + g|², the squared distance of the velocity from the
    tangent space: δ0 of jin2025 eq. (3.27) with Ĝ, on this sample.
    """

    eta: torch.Tensor
    moved: torch.Tensor
    residual: float
    iterations: int
    smallest: float
    rank: float
    error: float


def project(tangent, force, solver="auto", damping=0.0):
    """The `Projection` of -force on the tangent space. `Diverged` where the force is not finite.

    tangent : `Tangent`. force : g, (n, d), torch. solver : "auto" (dense up to DENSE_PARAMETERS parameters or where J is block diagonal, else lsmr),
    "dense" (eigenvalues of JᵀJ: the minimum-norm solution up to ROUND_OFF_SHARE), "lsmr" on J or "minres" on JᵀJ (scipy, from zero: minimum norm
    too). damping : ε, a number or one of each parameter (p,), in units of J². `NotConverged` where the true relative residual exceeds ACCEPTED_RESIDUAL.
    """
    n = len(force)
    if not bool(torch.isfinite(force).all()):
        where = int(torch.argmax((~torch.isfinite(force).all(1)).double()))
        raise Diverged(
            f"the force ∇δF at sample {where} is {force[where].tolist()}. It must be finite. Use a smaller dt or integrator=Adaptive()."
        )
    right = -tangent.transpose(force) / n
    damping = torch.as_tensor(damping, dtype=torch.float64).expand(tangent.size)
    if not bool(right.any()):
        zero = torch.zeros_like(right)
        return Projection(zero, torch.zeros_like(force), 0.0, 0, float("nan"), float("nan"), _square(force))
    if solver == "auto":
        solver = "dense" if tangent.size <= DENSE_PARAMETERS or tangent.blocks > 1 else "lsmr"
    if solver == "dense":
        eta, smallest, rank = _dense(tangent, right, damping)
        iterations = 0
    else:
        eta, iterations, smallest = (_lsmr if solver == "lsmr" else _minres)(tangent, force, right, damping)
        rank = float("nan")
    moved = tangent.apply(eta)
    gap = tangent.transpose(moved + force) / n + damping * eta
    residual = float(gap.norm() / right.norm())
    if not residual <= ACCEPTED_RESIDUAL:
        raise NotConverged(
            f"The solve for θ' by {solver!r} ended with a true relative residual of {residual:.3g} after {iterations} iterations. It must fall "
            f"below {ACCEPTED_RESIDUAL:g}. Use solver='dense', or a larger damping.",
            residual=residual, iterations=iterations,
        )  # fmt: skip
    return Projection(eta, moved, residual, iterations, smallest, rank, _square(moved + force))


def _square(vectors):
    return float((vectors**2).sum(1).mean())


def _dense(tangent, right, damping):
    gram = tangent.gram()
    values, vectors = torch.linalg.eigh(gram + torch.diag_embed(damping.reshape(gram.shape[:2])))
    kept = values > ROUND_OFF_SHARE * values.max()
    inverse = torch.where(kept, 1 / torch.where(kept, values, torch.ones_like(values)), torch.zeros_like(values))
    blocks = right.reshape(len(values), -1, 1)
    eta = vectors @ (inverse[:, :, None] * (vectors.transpose(1, 2) @ blocks))
    return eta.reshape(-1), float(values[kept].min()), int(kept.sum())


def _lsmr(tangent, force, right, damping):
    n, dim = force.shape
    scale, root = np.sqrt(n), damping.sqrt()
    many = n * dim

    def forward(v):
        return np.concatenate([tangent.apply(_tensor(v)).numpy().ravel() / scale, (root * _tensor(v)).numpy()])

    def backward(r):
        return (tangent.transpose(_tensor(r[:many]).reshape(n, dim)) / scale + root * _tensor(r[many:])).numpy()

    matrix = LinearOperator((many + tangent.size, tangent.size), dtype=float, matvec=forward, rmatvec=backward)
    goal = np.concatenate([-force.numpy().ravel() / scale, np.zeros(tangent.size)])
    # in long double numpy takes the sums itself, in one order; a BLAS would split those of long vectors among its threads
    goal = goal.astype(np.longdouble)
    found = lsmr(matrix, goal, atol=KRYLOV_TOLERANCE, btol=KRYLOV_TOLERANCE, conlim=0.0, maxiter=KRYLOV_ITERATIONS)
    return (
        _tensor(found[0]),
        int(found[2]),
        float("nan"),
    )  # its own estimates of condition and residual are not to be relied on


def _minres(tangent, force, right, damping):
    n, used = len(force), []
    matrix = LinearOperator(
        (tangent.size, tangent.size), dtype=float,
        matvec=lambda v: tangent.transpose(tangent.apply(_tensor(v))).numpy() / n + damping.numpy() * np.ravel(v),
    )  # fmt: skip
    found, _ = minres(
        matrix, right.numpy(), rtol=KRYLOV_TOLERANCE, maxiter=KRYLOV_ITERATIONS, callback=lambda _: used.append(1)
    )
    return _tensor(found), len(used), float("nan")


def _tensor(vector):
    return torch.from_numpy(np.ascontiguousarray(vector, dtype=float).ravel())
