"""Chains of tanh layers x + A tanh(Wx + b), then an affine map.

Affine, planar and residual families, with closed-form derivatives.
"""

from __future__ import annotations

import numpy as np
import torch

from ....laws.maps import Certificate, certified
from ...map_kinds import Affine, NeuralODE, Planar, Residual
from . import planar
from .layer_inverses import INVERSE_TOLERANCE, contraction, newton, ridge
from .map_family import MapFamily, Tangent

# of the weights drawn at the start, in standard deviations of the base law: from gently bent to sharp
WEIGHT_LENGTHS = (0.3, 2.0)


class ChainFamily(MapFamily):
    """T(z) = center + root (v + U (f_L ∘ ... ∘ f_1)(y)), f(x) = x + A tanh(Wx + b), y = root⁻¹(z - center).

    θ lists v (d), U (d, d), then of every layer W (width, d), b (width), A (d, width); without the affine map v is 0
    and U the identity. log|det ∂f| = log det(I + A diag(1 - tanh²) W) exactly, in any dimension: in closed form for
    width 1 [jin2025 section 4], by LU else.

    The start is A = 0, U = I, v = 0: the identity. W and b are drawn there: directions uniform on the sphere, lengths
    log-uniform in WEIGHT_LENGTHS, -b/|W| normal. At the start the columns of J in W and b are zero, so J is rank
    deficient and the velocity is that of the columns in A, U and v; the others come to life as A grows.
    """

    def __init__(
        self, kind: Affine | Planar | Residual | NeuralODE, center, root, layers: int, width: int, affine: bool
    ):
        self.kind, self.dim = kind, len(center)
        self.center, self.root = torch.as_tensor(center).double(), torch.as_tensor(root).double()
        self.layers, self.width, self.affine = layers, width, affine
        self.inverse_root, self.one = torch.linalg.inv(self.root), torch.eye(self.dim, dtype=torch.float64)
        self.head = (self.dim + self.dim**2) if affine else 0
        self.layer = 2 * width * self.dim + width
        self.size = self.head + layers * self.layer
        self.damped = torch.cat(
            [torch.zeros(self.head, dtype=torch.float64), torch.ones(layers * self.layer, dtype=torch.float64)]
        )

    def start(self, generator):
        shape = (self.layers, self.width)
        direction = torch.randn(*shape, self.dim, generator=generator, dtype=torch.float64)
        direction = direction / direction.norm(dim=-1, keepdim=True)
        share = torch.rand(*shape, 1, generator=generator, dtype=torch.float64)
        length = WEIGHT_LENGTHS[0] * (WEIGHT_LENGTHS[1] / WEIGHT_LENGTHS[0]) ** share
        place = torch.randn(*shape, generator=generator, dtype=torch.float64)
        body = torch.cat(
            [(length * direction).flatten(1), -length[..., 0] * place, torch.zeros(self.layers, self.dim * self.width)],
            dim=1,
        )
        head = [torch.zeros_like(self.center), self.one.reshape(-1)] if self.affine else []
        return torch.cat([*head, body.reshape(-1).double()])

    def unpack(self, theta):
        """v, U, W (L, k, d), b (L, k), and the parameters of A (L, d, k)."""
        d, k = self.dim, self.width
        v, matrix = (theta[:d], theta[d : d + d * d].reshape(d, d)) if self.affine else (0 * self.center, self.one)
        body = theta[self.head :].reshape(self.layers, self.layer)
        layers = self.layers
        return (
            v,
            matrix,
            body[:, : k * d].reshape(layers, k, d),
            body[:, k * d : k * d + k],
            body[:, k * d + k :].reshape(layers, d, k),
        )

    def mixing(self, weight, raw):
        """A of every layer (L, d, k), from W and the parameters of A."""
        return raw

    def mixing_apply(self, weight, raw, dweight, draw):
        """The change of A along changes of W and of its parameters."""
        return draw

    def mixing_transpose(self, weight, raw, gradient):
        """The gradients by the parameters of A and by W (None for zero), from the gradient by A."""
        return gradient, None

    def mixing_columns(self, weight, raw, by_mixing, by_weight):
        """Turn the derivatives by A of one layer, (d, k, d, n), into those by its parameters, in place.

        by_weight (k, d, d, n).
        """

    def tangent(self, theta, z):
        return ChainTangent(self, theta, z)

    def value(self, theta, z):
        v, matrix, weight, bias, raw = self.unpack(theta)
        x = (z - self.center) @ self.inverse_root.T
        for w, b, a in zip(weight, bias, self.mixing(weight, raw)):
            x = x + torch.tanh(x @ w.T + b) @ a.T
        return self.center + (v + x @ matrix.T) @ self.root.T

    def invert_layer(self, w, b, a, x):
        """(points, most steps) that the layer with W, b, A takes to x."""
        return newton(w, b, a, x)

    def inverse(self, theta, y) -> tuple[torch.Tensor, Certificate]:
        v, matrix, weight, bias, raw = self.unpack(theta)
        mixing = self.mixing(weight, raw)
        x = torch.linalg.solve(matrix, ((y - self.center) @ self.inverse_root.T - v).T).T
        rounds = 0
        for w, b, a in reversed(list(zip(weight, bias, mixing))):
            x, used = self.invert_layer(w, b, a, x)
            rounds = max(rounds, used)
        z = self.center + x @ self.root.T
        size = self.root.norm() + (y - self.center).norm(dim=1)
        residual = (self.value(theta, z) - y).norm(dim=1) / size
        return z, certified(residual.numpy(), rounds, INVERSE_TOLERANCE)

    def numbers_a_point(self):
        return max(self.dim * self.dim, self.dim * self.width, 1)


class AffineFamily(ChainFamily):
    """Chains without layers."""

    def __init__(self, kind: Affine, center, root):
        super().__init__(kind, center, root, 0, 0, True)

    def image_of_standard(self, theta) -> tuple[np.ndarray, np.ndarray]:
        v, matrix, *_ = self.unpack(theta)
        return (self.center + self.root @ v).numpy(), (self.root @ matrix).numpy()

    def increasing(self, theta):
        return self.dim == 1 and float(self.unpack(theta)[1]) > 0


class PlanarFamily(ChainFamily):
    """Chains of layers of width 1, whose A is the vector û of `planar.bounded`.

    W·û > -1, so that every layer is invertible.
    """

    def __init__(self, kind: Planar, center, root):
        super().__init__(kind, center, root, kind.layers, 1, kind.affine)

    def mixing(self, weight, raw):
        return planar.bounded(raw[:, :, 0], weight[:, 0])[:, :, None]

    def mixing_apply(self, weight, raw, dweight, draw):
        return planar.bounded_apply(raw[:, :, 0], weight[:, 0], draw[:, :, 0], dweight[:, 0])[:, :, None]

    def mixing_transpose(self, weight, raw, gradient):
        by_raw, by_weight = planar.bounded_transpose(raw[:, :, 0], weight[:, 0], gradient[:, :, 0])
        return by_raw[:, :, None], by_weight

    def mixing_columns(self, weight, raw, by_mixing, by_weight):
        d, n = self.dim, by_mixing.shape[-1]
        by_raw, more = planar.bounded_jacobian(raw[:, 0], weight[0])
        by_weight += (more.T @ by_mixing.view(d, d * n)).view(1, d, d, n)
        by_mixing[:] = (by_raw.T @ by_mixing.view(d, d * n)).view(d, 1, d, n)

    def invert_layer(self, w, b, a, x):
        return ridge(w[0], b[0], a[:, 0], x)

    def increasing(self, theta):
        return self.dim == 1 and float(self.unpack(theta)[1]) > 0


class ResidualFamily(ChainFamily):
    """Chains of layers of any width; det ∂f may vanish far from the identity, which the tangent tells (`folded`)."""

    def __init__(self, kind: Residual, center, root):
        super().__init__(kind, center, root, kind.layers, kind.width, kind.affine)

    def no_inverse(self, theta):
        _, _, weight, _, raw = self.unpack(theta)
        worst = contraction(weight, raw)
        if worst < 1:
            return None
        return (
            f"The residual layers have |A||W| up to {worst:.3g}, which must be below 1 for an inverse that "
            "is certified to "
            "be the only one. Use sample_with_log_density, which needs no inverse, or a map of the kind Planar."
        )


class ChainTangent(Tangent):
    """Forward values of a chain at points, kept for the products with its Jacobian."""

    family: ChainFamily

    def __init__(self, family: ChainFamily, theta, z):
        self.family, self.size = family, family.size
        self.v, self.matrix, self.weight, self.bias, self.raw = family.unpack(theta)
        self.mixing = family.mixing(self.weight, self.raw)
        self.points, self.hidden = [(z - family.center) @ family.inverse_root.T], []
        sign, size = torch.linalg.slogdet(self.matrix)
        self.log_det = torch.full((len(z),), float(size), dtype=torch.float64)
        self.folded = not bool(sign > 0)
        for w, b, a in zip(self.weight, self.bias, self.mixing):
            x = self.points[-1]
            h = torch.tanh(x @ w.T + b)
            sign, log_det = self._determinant(w, a, 1 - h * h)
            self.folded = self.folded or not bool((sign > 0).all())
            self.log_det = self.log_det + log_det
            self.hidden.append(h)
            self.points.append(x + h @ a.T)
        self.value = family.center + (self.v + self.points[-1] @ self.matrix.T) @ family.root.T
        self.outer = family.root @ self.matrix

    def _determinant(self, w, a, slope):
        """Sign and log|det| of ∂f = I + A diag(slope) W at all points."""
        if self.family.width == 1:
            det = 1 + slope[:, 0] * (w[0] @ a[:, 0])
            return det.sign(), det.abs().log()
        return torch.linalg.slogdet(self._layer(w, a, slope))

    def _layer(self, w, a, slope):
        """∂f = I + A diag(slope) W, (n, d, d)."""
        return self.family.one + (a * slope[:, None, :]) @ w

    def score(self, start, weight):
        s = start @ self.family.root
        for w, a, h in zip(self.weight, self.mixing, self.hidden):
            slope = 1 - h * h
            bend = -2 * h * slope  # the second derivative of tanh
            if self.family.width == 1:
                inner = w[0] @ a[:, 0]
                det = 1 + slope * inner
                s = s - (weight[:, None] * bend * inner / det) * w
                s = s - (slope / det) * (s @ a) * w
                continue
            layer = self._layer(w, a, slope)
            solved = torch.linalg.solve(layer, a.expand(len(s), -1, -1))  # ∂f⁻¹A: ∇log|det ∂f| = Wᵀ(bend diag(W ∂f⁻¹A))
            s = s - weight[:, None] * ((bend * (w.T[None] * solved).sum(1)) @ w)
            s = torch.linalg.solve(layer.transpose(1, 2), s[:, :, None])[:, :, 0]
        return s @ torch.linalg.inv(self.outer)

    def apply(self, direction):
        dv, dmatrix, dweight, dbias, draw = self.family.unpack(direction)
        dmixing = self.family.mixing_apply(self.weight, self.raw, dweight, draw)
        dx = torch.zeros_like(self.value)
        for i, h in enumerate(self.hidden):
            dh = (1 - h * h) * (dx @ self.weight[i].T + self.points[i] @ dweight[i].T + dbias[i])
            dx = dx + dh @ self.mixing[i].T + h @ dmixing[i].T
        dx = dx @ self.matrix.T
        return (dx + self.points[-1] @ dmatrix.T + dv if self.family.affine else dx) @ self.family.root.T

    def transpose(self, vectors):
        vectors = vectors @ self.family.root
        head = [vectors.sum(0), (vectors.T @ self.points[-1]).reshape(-1)] if self.family.affine else []
        gweight, gbias, gmixing = (
            torch.zeros_like(self.weight),
            torch.zeros_like(self.bias),
            torch.zeros_like(self.mixing),
        )
        c = vectors @ self.matrix
        for i in range(len(self.hidden) - 1, -1, -1):
            h = self.hidden[i]
            gmixing[i] = c.T @ h
            t = (c @ self.mixing[i]) * (1 - h * h)
            gweight[i], gbias[i] = t.T @ self.points[i], t.sum(0)
            c = c + t @ self.weight[i]
        graw, more = self.family.mixing_transpose(self.weight, self.raw, gmixing)
        if more is not None:
            gweight[:, 0] += more
        body = torch.cat([gweight.flatten(1), gbias, graw.flatten(1)], dim=1)
        return torch.cat([*head, body.reshape(-1)])

    def columns(self, part):
        d, k, root = self.family.dim, self.family.width, self.family.root
        n = len(self.value[part])
        out = torch.empty(self.size, d, n, dtype=torch.float64)  # points last: every product below runs along them
        if self.family.affine:
            out[:d] = root.T[:, :, None]
            out[d : d + d * d].view(d, d, d, n)[:] = root.T[:, None, :, None] * self.points[-1][part].T[:, None, :]
        back = self.outer[:, :, None].expand(d, d, n)  # ∂T/∂x of the layers passed so far, from the last one
        for i in range(len(self.hidden) - 1, -1, -1):
            h, x = self.hidden[i][part].T.contiguous(), self.points[i][part].T.contiguous()
            begin = self.family.head + i * self.family.layer
            layer = out[begin : begin + self.family.layer]
            by_weight, by_bias, by_mixing = layer[: k * d], layer[k * d : k * d + k], layer[k * d + k :]
            t = torch.einsum("ijn,jk->kin", back, self.mixing[i]) * (1 - h * h)[:, None, :]
            by_bias[:] = t
            torch.mul(t[:, None], x[None, :, None], out=by_weight.view(k, d, d, n))
            torch.mul(back.transpose(0, 1)[:, None], h[None, :, None], out=by_mixing.view(d, k, d, n))
            self.family.mixing_columns(
                self.weight[i], self.raw[i], by_mixing.view(d, k, d, n), by_weight.view(k, d, d, n)
            )
            back = back + torch.einsum("kin,kj->ijn", t, self.weight[i])
        return out
