"""Increasing splines of each coordinate: a tangent space that is rich on every axis and block diagonal."""

import numpy as np
import torch

from ....laws.maps import certified
from ...map_kinds import Coordinatewise
from .layer_inverses import INVERSE_TOLERANCE
from .map_family import MapFamily, Tangent
from .spline import Basis, evaluate, inserted, lift, pieces

COVERED_DEVIATIONS = 3.0  # of the base law to either side that the pieces cover; beyond, the splines are straight lines
STRETCH_THAT_SPLITS = 1.5  # times the length that a piece had at the start, relative to the spread of the law
POINTS_PER_PIECE = 40  # that a piece must hold to be halved
MOST_PIECES = 400


class CoordinatewiseFamily(MapFamily):
    """T_i(z) = center_i + s_i S_i((z_i - center_i)/s_i) with increasing cubic splines S_i, twice continuously
    differentiable.

    s_i : standard deviation of the base law. S' is the quadratic spline Σ_k exp(γ_k) B_k over pieces of
    [-COVERED_DEVIATIONS, COVERED_DEVIATIONS], so that it is positive whatever the parameters; S'' = 0 at both ends and
    S is linear beyond. θ lists for every coordinate a shift of S and the γ_k. The identity is θ = 0. log|det| = Σ log
    S_i'. JᵀJ is block diagonal, one block per coordinate.

    The run begins with `kind.pieces` equal pieces. A piece that stretches, as between two modes that part, is halved:
    the function stays the same exactly (knots are inserted) and the tangent space grows where the law needs it. All
    coordinates share the knots.

    It holds product laws and what separable energies make of them; what couples the coordinates is beyond it (delta0
    tells).
    """

    kind: Coordinatewise
    knots: np.ndarray

    def __init__(self, kind: Coordinatewise, center, root, knots: np.ndarray | None = None):
        self.kind, self.dim = kind, len(center)
        if knots is None:
            knots = np.linspace(-COVERED_DEVIATIONS, COVERED_DEVIATIONS, kind.pieces + 1)
        self.center, self.root = torch.as_tensor(center).double(), torch.as_tensor(root).double()
        self.scale = (self.root**2).sum(1).sqrt()
        self.knots = np.array(knots, dtype=float)
        self.table, self.edges = pieces(self.knots)
        self.lift, self.middle = lift(self.knots)
        self.size = self.dim * len(self.knots)
        damped = torch.ones(self.dim, len(self.knots), dtype=torch.float64)
        damped[:, 0] = 0.0  # the shift
        self.damped = damped.reshape(-1)
        self.seen = None

    def start(self, generator):
        return torch.zeros(self.size, dtype=torch.float64)

    def numbers_a_point(self):
        return 16 * self.dim

    def increasing(self, theta):
        return True

    def coefficients(self, theta):
        """Of the cubic B-splines, (d, pieces + 3), and exp(γ), (d, pieces)."""
        rows = theta.reshape(self.dim, -1)
        slopes = rows[:, 1:].exp()
        return self.middle + rows[:, :1] + slopes @ self.lift.T, slopes

    def standard(self, z):
        return ((z - self.center) / self.scale).T.contiguous()

    def basis(self, z):
        """`Basis` at z; the last one is kept, since a run asks for it at the same points again and again."""
        if self.seen is None or self.seen[0] is not z:
            self.seen = (z, Basis(self.table, self.edges, self.standard(z)))
        return self.seen[1]

    def tangent(self, theta, z):
        return SplineTangent(self, theta, self.basis(z))

    def value(self, theta, z):
        basis = Basis(self.table, self.edges, self.standard(z))
        return self.center + self.scale * basis.combine(self.coefficients(theta)[0], 0)

    def refined(self, theta, z):
        """(family, θ) of the same map with the pieces halved that have stretched, or (self, θ)."""
        coefficients, slopes = self.coefficients(theta)
        ends = evaluate(self.table, self.edges, coefficients, self.edges.expand(self.dim, -1))
        basis = self.basis(z)
        spread = basis.combine(coefficients, 0).std(0, correction=0)
        held = torch.bincount(basis.index.reshape(-1), minlength=len(self.edges) - 1) / self.dim
        grown = ((ends[:, 1:] - ends[:, :-1]) / spread[:, None]).max(
            0
        ).values > STRETCH_THAT_SPLITS * 2 * COVERED_DEVIATIONS / self.kind.pieces
        split = (grown & (held >= POINTS_PER_PIECE)).numpy()
        if not split.any() or len(self.knots) + split.sum() > MOST_PIECES:
            return self, theta
        middles = (self.knots[:-1] + self.knots[1:])[split] / 2
        knots = np.sort(np.concatenate([self.knots, middles]))
        finer = CoordinatewiseFamily(self.kind, self.center.numpy(), self.root.numpy(), knots)
        rates = torch.from_numpy(inserted(self.knots, slopes.numpy(), finer.knots))
        rows = torch.cat([torch.zeros(self.dim, 1, dtype=torch.float64), rates.log()], dim=1)
        at = torch.zeros(self.dim, 1, dtype=torch.float64)
        moved = evaluate(finer.table, finer.edges, finer.coefficients(rows.reshape(-1))[0], at)
        rows[:, :1] = evaluate(self.table, self.edges, coefficients, at) - moved
        return finer, rows.reshape(-1)

    def inverse(self, theta, y):
        coefficients = self.coefficients(theta)[0]

        def spline(x, order=0):
            return evaluate(self.table, self.edges, coefficients, x, order)

        goal, knots, last = self.standard(y), self.edges, len(self.edges) - 1
        ends = spline(knots.expand(self.dim, -1))
        place = torch.searchsorted(ends.contiguous(), goal)
        low, high = knots[(place - 1).clamp(0, last)], knots[place.clamp(0, last)]
        # beyond the ends the spline is a straight line: its slope is that of the end
        slopes = spline(knots[[0, -1]].expand(self.dim, -1), 1)
        below, above = goal < ends[:, :1], goal > ends[:, -1:]
        x = torch.where(below, knots[0] + (goal - ends[:, :1]) / slopes[:, :1], (low + high) / 2)
        x = torch.where(above, knots[-1] + (goal - ends[:, -1:]) / slopes[:, 1:], x)
        inside, steps = ~(below | above), 0
        while steps < 100:
            steps += 1
            excess = torch.where(inside, spline(x) - goal, torch.zeros_like(goal))
            low, high = torch.where(excess < 0, x, low), torch.where(excess > 0, x, high)
            step = x - excess / spline(x, 1)
            new = torch.where((step > low) & (step < high), step, (low + high) / 2)
            still = inside & (excess.abs() > 1e-16 * (1 + goal.abs())) & (new != x)
            if not still.any():
                break
            x = torch.where(still, new, x)
        z = self.center + self.scale * x.T
        residual = (self.value(theta, z) - y).norm(dim=1) / (self.scale.norm() + (y - self.center).norm(dim=1))
        return z, certified(residual.numpy(), steps, INVERSE_TOLERANCE)


class SplineTangent(Tangent):
    """Values and slopes of the splines at points, kept for the products with the Jacobian."""

    family: CoordinatewiseFamily

    def __init__(self, family: CoordinatewiseFamily, theta, basis: Basis):
        self.family, self.basis, self.size, self.blocks = family, basis, family.size, family.dim
        coefficients, slopes = family.coefficients(theta)
        self.value = family.center + family.scale * basis.combine(coefficients, 0)
        self.slope, self.bend = basis.combine(coefficients, 1), basis.combine(coefficients, 2)
        self.log_det = self.slope.log().sum(1)
        # ∂coefficients/∂θ of each coordinate, in the units of z: (d, pieces + 3, pieces + 1)
        moves = family.lift * slopes[:, None, :]
        self.inner = family.scale[:, None, None] * torch.cat([torch.ones_like(moves[:, :, :1]), moves], dim=2)

    def score(self, start, weight):
        return (start - weight[:, None] * self.bend / (self.slope * self.family.scale)) / self.slope

    def apply(self, direction):
        rows = direction.reshape(self.family.dim, -1, 1)
        return self.basis.combine((self.inner @ rows)[:, :, 0], 0)

    def transpose(self, vectors):
        return (self.basis.scatter(vectors)[:, None, :] @ self.inner).reshape(-1)

    def gram(self):
        return self.inner.transpose(1, 2) @ self.basis.gram() @ self.inner

    def columns(self, part):
        d, n = self.family.dim, len(self.value[part])
        out = torch.zeros(d, self.size // d, d, n, dtype=torch.float64)
        for i in range(d):
            out[i, :, i] = (self.basis.dense(i)[part] @ self.inner[i]).T
        return out.reshape(self.size, d, n)
