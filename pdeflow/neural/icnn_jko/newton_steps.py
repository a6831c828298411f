"""Newton steps for what enters the potential of a convex network linearly: its quadratic, shift and weights.

With the neurons h_j(y) = log(1 + exp(a_jᵀy + b_j)) where they are, φ(y) = ½yᵀAy + cᵀy + Σ w_j h_j(y) is linear in
p = (A, c, w), and the JKO functional is convex in p where I + dt ∇²V is positive. With F_i = ∂∇φ/∂p_i,
H = ∇²φ and H_i = ∂H/∂p_i its gradient is g, and its curvature

    B_ij = E[F_iᵀ (I + dt ∇²V(T)) F_j] + dt θ E[tr(H⁻¹ H_i H⁻¹ H_j)],

θ the temperature. With an interaction B would have terms of pairs, so these are refused. The steps are -B⁻¹g of one
batch each, halved until the functional of that batch falls; then -B⁻¹g/k for k = 1, 2, ...: the map so becomes that of
the mean gradient of all batches since, in which no batch weighs more than another. What one pass over N particles costs
is P/2N of the functional for P numbers, in units of how far a particle's gradient strays.

Why: mass that leaves the barrier of a double well asks for a dip of the curvature there, which non-negative weights
make only as what is left between bumps everywhere else. On one double well (dt = 1/32, t = 1/2) these weights end
0.03 from the truth in KL even where they are minimised exactly (eight neurons at quantiles of the law). Signed
weights end 0.014 from it by 300 iterations of Adam, and 0.0003 by 24 of these steps, of as many particles each:
neighbouring neurons nearly cancel, and the eigenvalues of B differ by 10⁵.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from ..._core.errors import Diverged, NotConverged, Unsupported
from ..._core.shapes import Points
from ..._core.short_text import shown
from ...problems.problem import Problem
from ..maps.convex import ConvexMap
from ..maps.jet import STRENGTH
from ..maps.signed import concave_part
from ..runtime import out_of_memory
from .curvature_frames import DIFFERENCE, MEAN_OF, hessian_of
from .jko_functional import JKOFunctional
from .log_det import Exact, inverse_of

MOST_DIMENSIONS = 64  # B is made from matrices of d² rows and d² columns
FULL = 4  # steps by one batch each, before the means begin
RENEWED = {0: 1024, 2: 1024, FULL: 2048}  # iteration -> particles over which B is computed; its error moves no minimum
CHUNK = 256  # particles at a time
RIDGE = 1e-4  # of ½ RIDGE |w|², in units of the mean of B along w: neighbouring neurons do not cancel far
FIRST, FALL = 100.0, 10.0  # how much larger the ridge is at first, and by what it falls from step to step
SPARE = 0.05  # share of the quadratic that negative weights leave: near none, a determinant has no bound
LEAST = 0.1  # to which eigenvalues of I + dt ∇²V are raised in B, so that its steps go downhill
HALVINGS = 12


class LinearPart:
    """A map of torch tensors whose quadratic, shift and weights are changed in place; its neurons stay.

    Attributes
    ----------
    map : ConvexMap
        Of one layer of plain neurons.
    before_weights : int
        Numbers in p before w: A_ab for a <= b, and c.
    """

    def __init__(self, start: ConvexMap, dtype: torch.dtype, device: str):
        self.map = start.mapped(lambda array: torch.tensor(array, dtype=dtype, device=device))
        self.trained = self.map.root, self.map.shift, self.map.weight
        for array in self.trained:
            array.requires_grad_()
        self.rows, self.columns = torch.triu_indices(self.map.dim, self.map.dim, device=device)
        self.before_weights = len(self.rows) + self.map.dim

    def gradient(self, functional: JKOFunctional, x: torch.Tensor, log_det: Exact, dt: float) -> torch.Tensor:
        """g on the batch x (n, d), in double precision."""
        loss = functional.surrogate(self.map, x, log_det, dt)
        if not math.isfinite(loss.item()):
            raise Diverged(f"the loss is {loss.item()}. It must stay finite. Use dtype='float64' or a smaller dt.")
        root, shift, weight = (part.double() for part in torch.autograd.grad(loss, self.trained))
        full = torch.linalg.solve(self.map.root.detach().double(), root, left=False) / 2  # ∂/∂L = 2 ∂/∂A L
        quadratic = (full + full.T)[self.rows, self.columns]  # A_ab and A_ba are one number
        return torch.cat([torch.where(self.rows == self.columns, quadratic / 2, quadratic), shift, weight])

    def curvature(self, functional: JKOFunctional, x: torch.Tensor, dt: float) -> torch.Tensor:
        """B at the present map, the mean over the particles x (n, d), in double precision."""
        parts = x.split(CHUNK)
        with torch.no_grad():
            total = self._curvature(functional, parts[0], dt)
            for part in parts[1:]:
                total += self._curvature(functional, part, dt)
        return total / len(x)

    def _curvature(self, functional, x, dt):
        """The sum over the particles x."""
        move, n, d = self.map, len(x), self.map.dim
        jet = move.at(x)
        y, a, first = jet.y, move.layers[0].linear, jet.slope[0]
        inverse, bend = inverse_of(jet.hessian()), _bend(functional, move, jet.gradient(), dt)
        entropy = functional.scaled_temperature(dt) / move.scale**2
        bump = (first * (1 - first)).sqrt()  # of which the square is the second derivative of softplus
        # e_a y_b with e_c y_d: M_ac y_b y_d; tr(H⁻¹ e_a e_bᵀ H⁻¹ e_c e_dᵀ) = H⁻¹_da H⁻¹_bc
        flat, outer = inverse.reshape(n, d * d), (y[:, :, None] * y[:, None, :]).reshape(n, d * d)
        moved = (bend.reshape(n, d * d).T @ outer).reshape(d, d, d, d).permute(0, 2, 1, 3)
        spread = (flat.T @ flat).reshape(d, d, d, d).permute(1, 2, 3, 0)
        quadratic = self._folded((moved + entropy * spread).reshape(d * d, d * d).double())
        quadratic = self._folded(quadratic.T)
        # e_a y_b with slope_j a_j, and with bump_j² a_j a_jᵀ
        pushed, inside = first[:, :, None] * (a @ bend), bump[:, :, None] * (a @ inverse)  # (n, m, d)
        mixed = (pushed.reshape(n, -1).T @ y).reshape(len(a), d, d)
        mixed = mixed + entropy * torch.einsum("nja,njb->jab", inside, inside)
        mixed = self._folded(mixed.permute(1, 2, 0).reshape(d * d, -1).double())
        # slope_i a_i with slope_j a_j, and tr of bump_i² a_i a_iᵀ with bump_j² a_j a_jᵀ: (bump_i bump_j a_iᵀH⁻¹a_j)²
        halves = (first[:, :, None] * (a @ torch.linalg.cholesky(bend))).mT.reshape(n * d, -1)
        bumps = bump[:, :, None] * (a @ torch.linalg.cholesky(inverse))
        weights = (halves.T @ halves + entropy * (bumps @ bumps.mT).square_().sum(0)).double()
        shifted = self._folded(torch.einsum("nac,nb->abc", bend, y).reshape(d * d, d).double())
        slope, whole = pushed.sum(0).T.double(), bend.sum(0).double()
        top = torch.cat([quadratic, shifted, mixed], 1)
        return torch.cat([top, torch.cat([shifted.T, whole, slope], 1), torch.cat([mixed.T, slope.T, weights], 1)])

    def _folded(self, block):
        """Rows (a, b) of a block (d², k) as those of the pairs a <= b, whose matrices are symmetric."""
        ahead = block[self.rows * self.map.dim + self.columns]
        behind = block[self.columns * self.map.dim + self.rows]
        return torch.where((self.rows == self.columns)[:, None], ahead, ahead + behind)

    def moved(self, step: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A and w after a step of p."""
        change = step.new_zeros(self.map.dim, self.map.dim)
        change[self.rows, self.columns] = step[: len(self.rows)]
        change[self.columns, self.rows] = step[: len(self.rows)]
        present = (self.map.root @ self.map.root.T).detach().double()
        return present + change, self.map.weight.detach().double() + step[self.before_weights :]

    def outweighs(self, step: torch.Tensor) -> bool:
        """Whether A, after the step, outweighs the negative weights with `SPARE` left. Shorter steps do so too."""
        quadratic, weight = self.moved(step)
        spare = (1 - SPARE) * quadratic - concave_part(self.map.layers[0], weight)
        return not torch.linalg.cholesky_ex(spare - STRENGTH * torch.eye(self.map.dim).to(spare))[1].item()

    def move(self, step: torch.Tensor) -> None:
        """Adds the step to p."""
        quadratic, weight = self.moved(step)
        with torch.no_grad():
            self.map.root.copy_(torch.linalg.cholesky(quadratic))
            self.map.shift.add_(step[len(self.rows) : self.before_weights].to(self.map.shift))
            self.map.weight.copy_(weight)

    def finished(self) -> ConvexMap:
        """The map of numpy arrays in float64, as it is now."""
        return self.map.mapped(lambda array: array.detach().cpu().numpy().astype(float))


def require_newton_steps(problem: Problem) -> None:
    """`Unsupported` where B is not the curvature, which with W has terms of pairs, or would not fit into memory."""
    dim, interaction = problem.dim, problem.energy.interaction
    if interaction is not None:
        raise Unsupported(
            f"neurons = 'fixed' with the interaction {shown(interaction, 200)}. Newton steps know the curvature of a "
            "potential and the entropy, not that of pairs. Use Network(directions='curvature') alone."
        )
    if dim > MOST_DIMENSIONS:
        raise Unsupported(
            f"neurons = 'fixed' in d = {dim}. Newton steps solve for all entries of the quadratic at once, by matrices "
            f"of d⁴ entries; d may be {MOST_DIMENSIONS} at most. Use Network(directions='curvature') alone."
        )


def minimise_linear(
    functional: JKOFunctional,
    part: LinearPart,
    batches: Callable[[int], torch.Tensor],
    particles: Points,
    dt: float,
    most: int,
    tolerance: float,
) -> dict:
    """Minimises the JKO functional over quadratic, shift and weights by at most `most` Newton steps.

    Parameters
    ----------
    functional, batches, dt, most, tolerance
        As in `minimise`; the gradient is that of a batch.
    part : LinearPart
        The map, changed in place.
    particles : (n, d) array
        The law, of which the first ones give B (`RENEWED`).

    Returns
    -------
    dict
        loss_first, loss, iterations, stopped, gradient_norm, and held: steps whose ridge was raised for convexity.
    """
    log_det, norm, iteration, stopped, held = Exact(), math.inf, 0, "iterations", 0
    curvature, least, ridge = torch.empty(0), 0.0, 0.0
    end = part.before_weights
    try:
        with out_of_memory():
            first = functional.value(part.map, batches(0), dt)
            while iteration < most:
                x = batches(iteration)
                if iteration in RENEWED:
                    some = torch.as_tensor(particles[: RENEWED[iteration]]).to(part.map.shift)
                    curvature = part.curvature(functional, some, dt)
                if not iteration:
                    least = RIDGE * curvature.diagonal()[end:].mean().item()
                    ridge = FIRST * least
                gradient = part.gradient(functional, x, log_det, dt)
                norm = gradient.norm().item()
                if norm <= tolerance * dt:
                    stopped = "gradient"
                    break
                rate = 1 / max(1, iteration - FULL + 1)
                step, used = _convex_step(part, gradient, curvature, ridge, rate)
                held += used > ridge
                if iteration < FULL:
                    _downhill(functional, part, step, x, dt, used)
                else:
                    part.move(step)
                ridge = max(least, used / FALL)
                iteration += 1
            last = functional.value(part.map, batches(iteration), dt)
    except (Diverged, NotConverged) as fault:
        fault.facts["iteration"] = iteration
        raise
    report = {"iterations": iteration, "stopped": stopped, "gradient_norm": norm, "held": held}
    return {"loss_first": first, "loss": last, **report}


def _convex_step(part, gradient, curvature, ridge, rate):
    """(Step, ridge): with the first of ridge, 10 ridge, ... for which the network stays convex: at last w goes to 0."""
    end, weight = part.before_weights, part.map.weight.detach().double()
    for _ in range(HALVINGS):
        bent, pulled = curvature.clone(), gradient.clone()
        bent.diagonal()[end:] += ridge
        pulled[end:] += ridge * weight
        step = -rate * torch.cholesky_solve(pulled[:, None], torch.linalg.cholesky(bent))[:, 0]
        if part.outweighs(step):
            return step, ridge
        ridge *= FALL
    raise Diverged("the quadratic of the network is not positive after a step. Use more particles a batch.")


def _downhill(functional, part, step, x, dt, ridge):
    """Moves by the step, halved until the functional on the batch x falls; not at all where it does not."""

    def value():
        weight = part.map.weight.detach().double()
        return functional.value(part.map, x, dt, determinants=len(x)) + ridge / 2 * (weight @ weight).item()

    before, saved = value(), [array.detach().clone() for array in part.trained]
    for halving in range(HALVINGS):
        try:
            part.move(0.5**halving * step)
            if value() < before:
                return
        except Diverged:  # too far: the loss is not finite there
            pass
        with torch.no_grad():
            for array, old in zip(part.trained, saved):
                array.copy_(old)


def _bend(functional, move, moved, dt):
    """I + dt ∇²(V + W * ρ) at the moved points, (n, d, d), with eigenvalues of at least `LEAST`."""
    basis = move.basis.cpu().numpy().astype(float)
    points = moved.cpu().numpy()
    with torch.enable_grad():
        hessian = torch.as_tensor(hessian_of(functional, points, points[:MEAN_OF], basis, DIFFERENCE * move.scale))
    unit = torch.eye(move.dim, dtype=hessian.dtype)
    bend = unit + functional.scaled_step(dt) * hessian
    low = torch.linalg.cholesky_ex(bend - LEAST * unit)[1] > 0
    if low.any():
        values, vectors = torch.linalg.eigh(bend[low])
        bend[low] = (vectors * values.clamp(min=LEAST)[:, None, :]) @ vectors.mT
    return bend.to(moved)
