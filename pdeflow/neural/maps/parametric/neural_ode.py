"""Neural ODE: the flow of a tanh velocity field over unit time, in a fixed number of Runge-Kutta steps."""

import torch

from ...map_kinds import NeuralODE
from .chain import ChainFamily
from .map_family import Tangent

STAGE_WEIGHTS = (1 / 6, 1 / 3, 1 / 3, 1 / 6)
STAGE_PLACES = (0.0, 0.5, 0.5, 1.0)  # of the slope before, to the place of this one


class NeuralODEFamily(ChainFamily):
    """T(z) = center + root (v + U φ(y)), y = root⁻¹(z - center), φ the flow of x' = A_s tanh(W_s x + b_s), s = 1, ...,
    steps.

    One classical Runge-Kutta step of length 1/steps for each s, with W_s (width, d), b_s (width), A_s (d, width)
    constant over it. θ and its start are those of `ChainFamily`. log|det| is that of this discrete map: the variational
    equation of d directions goes through the same steps, then one LU. So it is exact for the law that is sampled, in
    any dimension; the trace integral ∫ tr ∂f ds is the log-determinant of the continuous flow and differs from it by
    the error of the integration. The inverse of the discrete map is not certified.
    """

    def __init__(self, kind: NeuralODE, center, root):
        super().__init__(kind, center, root, kind.steps, kind.width, kind.affine)

    def tangent(self, theta, z):
        return FlowTangent(self, theta, z)

    def value(self, theta, z):
        v, matrix, weight, bias, mixing = self.unpack(theta)
        x = (z - self.center) @ self.inverse_root.T
        for field in zip(weight, bias, mixing):
            x = (
                x
                + sum(share * slope for share, slope in zip(STAGE_WEIGHTS, _slopes(field, x, 1 / self.layers)))
                / self.layers
            )
        return self.center + (v + x @ matrix.T) @ self.root.T

    def no_inverse(self, theta):
        return (
            "The neural ODE is integrated in a few steps, whose inverse is not certified. Use "
            "sample_with_log_density, which needs no inverse, or a map of the kind Planar."
        )

    def numbers_a_point(self):
        return 4 * self.dim * max(self.dim, self.width)


def _places(field, x, step):
    """The places (n, d) of the four slopes, and tanh there (n, width)."""
    weight, bias, mixing = field
    places, hidden, slope = [], [], None
    for reach in STAGE_PLACES:
        places.append(x if slope is None else x + step * reach * slope)
        hidden.append(torch.tanh(places[-1] @ weight.T + bias))
        slope = hidden[-1] @ mixing.T
    return places, hidden


def _slopes(field, x, step):
    return [h @ field[2].T for h in _places(field, x, step)[1]]


class FlowTangent(Tangent):
    """The stages of every step at points, kept for the products with the Jacobian."""

    family: NeuralODEFamily

    def __init__(self, family: NeuralODEFamily, theta, z):
        self.family, self.theta, self.z, self.size = family, theta, z, family.size
        self.v, self.matrix, *fields = family.unpack(theta)
        self.fields = list(zip(*fields))
        self.step = 1 / family.layers
        self.end, self.turned, self.passed = self._travel((z - family.center) @ family.inverse_root.T)
        self.value = family.center + (self.v + self.end @ self.matrix.T) @ family.root.T
        self.outer = family.root @ self.matrix
        sign, self.log_det = self._volume(self.turned)
        self.folded = not bool((sign > 0).all())

    def _travel(self, x):
        """(φ(x) (n, d), ∂φ(x) (n, d, d), what each step passed), the last two by the same steps."""
        turned, passed = self.family.one.expand(len(x), -1, -1), []
        for field in self.fields:
            weight, _, mixing = field
            places, hidden = _places(field, x, self.step)
            passed.append((places, hidden))
            total, slope = torch.zeros_like(turned), None
            for reach, share, h in zip(STAGE_PLACES, STAGE_WEIGHTS, hidden):
                at = turned if slope is None else turned + self.step * reach * slope
                slope = (mixing * (1 - h * h)[:, None, :]) @ (weight @ at)
                total = total + share * slope
            x = x + self.step * sum(share * h @ mixing.T for share, h in zip(STAGE_WEIGHTS, hidden))
            turned = turned + self.step * total
        return x, turned, passed

    def _volume(self, turned):
        sign, size = torch.linalg.slogdet(turned)
        outer_sign, outer = torch.linalg.slogdet(self.matrix)
        return sign * outer_sign, size + outer

    def score(self, start, weight):
        with torch.enable_grad():
            y = ((self.z - self.family.center) @ self.family.inverse_root.T).detach().requires_grad_()
            volume = torch.linalg.slogdet(self._travel(y)[1])[1].sum()
            bend = torch.autograd.grad(volume, y, allow_unused=True)[0] if self.fields else torch.zeros_like(y)
        s = start @ self.family.root - weight[:, None] * bend
        s = torch.linalg.solve(self.turned.transpose(1, 2), s[:, :, None])[:, :, 0]
        return s @ torch.linalg.inv(self.outer)

    def apply(self, direction):
        dv, dmatrix, *changes = self.family.unpack(direction)
        dx = torch.zeros_like(self.value)
        for field, (places, hidden), (dweight, dbias, dmixing) in zip(self.fields, self.passed, zip(*changes)):
            weight, _, mixing = field
            total, slope = torch.zeros_like(dx), None
            for reach, share, place, h in zip(STAGE_PLACES, STAGE_WEIGHTS, places, hidden):
                at = dx if slope is None else dx + self.step * reach * slope
                slope = ((1 - h * h) * (at @ weight.T + place @ dweight.T + dbias)) @ mixing.T + h @ dmixing.T
                total = total + share * slope
            dx = dx + self.step * total
        dx = dx @ self.matrix.T
        return (dx + self.end @ dmatrix.T + dv if self.family.affine else dx) @ self.family.root.T

    def transpose(self, vectors):
        with torch.enable_grad():
            theta = self.theta.detach().requires_grad_()
            return torch.autograd.grad((self.family.value(theta, self.z) * vectors).sum(), theta)[0]

    def columns(self, part):
        d, k, root = self.family.dim, self.family.width, self.family.root
        n = len(self.value[part])
        out = torch.zeros(self.size, d, n, dtype=torch.float64)
        if self.family.affine:
            out[:d] = root.T[:, :, None]
            out[d : d + d * d].view(d, d, d, n)[:] = root.T[:, None, :, None] * self.end[part].T[:, None, :]
        back = self.outer[:, :, None].expand(d, d, n)  # ∂T/∂x behind the step, (value, place, point)
        for i in range(len(self.fields) - 1, -1, -1):
            weight, _, mixing = self.fields[i]
            layer = out[self.family.head + i * self.family.layer :][: self.family.layer]
            by_weight, by_bias, by_mixing = (
                layer[: k * d].view(k, d, d, n),
                layer[k * d : k * d + k],
                layer[k * d + k :].view(d, k, d, n),
            )
            behind, pull = back, torch.zeros_like(back)
            for s in range(3, -1, -1):  # ∂T/∂slope: from the sum, and from the place of the slope after it
                place, h = self.passed[i][0][s][part].T, self.passed[i][1][s][part].T
                after = STAGE_PLACES[s + 1] if s < 3 else 0.0
                by_slope = self.step * (STAGE_WEIGHTS[s] * behind + after * pull)
                t = torch.einsum("ijn,jk->kin", by_slope, mixing) * (1 - h * h)[:, None, :]
                by_bias += t
                by_weight += t[:, None] * place[None, :, None]
                by_mixing += by_slope.transpose(0, 1)[:, None] * h[None, :, None]
                pull = torch.einsum("kin,kj->ijn", t, weight)
                back = back + pull
        return out
