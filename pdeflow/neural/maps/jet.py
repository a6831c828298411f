"""Gradient, Hessian-vector product and Hessian of an input-convex network in closed form, in numpy or torch.

A neuron is h = log(1 + Σ_p exp(β z_p)) / β: softplus of one argument, a smooth maximum of several (`pieces`). With
π_p = ∂h/∂z_p, total tangents ż_l(v) = a_l v + Σ_r (p_r y)(p_r v) + U_l ḣ_{l-1}(v) and ḣ = Σ_p π_p ż_p,

    vᵀ∇²φ u = vᵀ(LLᵀ + ε)u + Σ_l Σ_p pull_lp [ β_l (ż_lp(v) - ḣ_l(v)) ż_lp(u) + Σ_r (p_r v)(p_r u) ],

where pull_lp = ∂φ/∂z_lp = π_p reach_l, reach_last = w, reach_l = U_{l+1}ᵀ pull_{l+1}, all >= 0. So a bilinear form
costs one pass through the network, a product two, whatever the dimension, and neither needs automatic
differentiation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._core.arrays import exp, is_tensor, like, log, log_sum_exp

if TYPE_CHECKING:
    from .convex import ConvexMap

Array = Any  # a numpy array, or a torch tensor: the network is written in operations that both have
STRENGTH = 1e-4  # ε, the strong convexity: ∇²ψ >= ε I whatever the weights


class Jet:
    """A convex map at the points x (n, d): what its derivatives have in common, computed once.

    `gradient` is in the coordinates of x; the directions of `bilinear` and `product`, and `hessian`, are in those of
    y = Rᵀ(x - m)/s: R is orthogonal, so lengths and determinants are the same.
    """

    def __init__(self, move: ConvexMap, x: Array):
        self.move = move
        self.y = (x - move.center) @ move.basis / move.scale
        self.pieces = move.layers[0].linear.shape[0] // len(move.weight)
        self.slope, self.squares, before = [], [], None
        for layer in move.layers:
            z = self.y @ layer.linear.T + layer.bias
            rank, rows, dim = layer.quadratic.shape
            square = None
            if rank:
                square = (self.y @ layer.quadratic.reshape(rank * rows, dim).T).reshape(-1, rank, rows)
                z = z + (square * square).sum(1) / 2
            if layer.mixing is not None:
                z = z + before @ layer.mixing.T
            before, slope = neurons(z, self.pieces, layer.sharpness, value=layer is not move.layers[-1])
            self.z = z  # of the last layer
            self.slope.append(slope)
            self.squares.append(square)
        self.pull, self.reach, reach = [], [], move.weight
        for layer, slope in zip(reversed(move.layers), reversed(self.slope)):
            self.reach.insert(0, reach)
            self.pull.insert(0, slope * self._each(reach))
            reach = None if layer.mixing is None else self.pull[0] @ layer.mixing

    def value(self) -> Array:
        """φ(y) but for the term linear in y, (n,)."""
        quadratic = (((self.y @ self.move.root) ** 2).sum(-1) + STRENGTH * (self.y**2).sum(-1)) / 2
        return quadratic + neurons(self.z, self.pieces, self.move.layers[-1].sharpness)[0] @ self.move.weight

    def some(self, n: int) -> Jet:
        """The jet at the first n points, without a graph in torch."""
        y = self.y[:n].detach() if is_tensor(self.y) else self.y[:n]
        return Jet(self.move, self.move.center + self.move.scale * (y @ self.move.basis.T))

    def gradient(self) -> Array:
        """T(x), (n, d)."""
        move = self.move
        total = self._quadratic(self.y) + move.shift
        for layer, pull, square in zip(move.layers, self.pull, self.squares):
            total = total + pull @ layer.linear
            if square is not None:
                total = total + _rows(pull[:, None, :] * square, layer.quadratic)
        return move.center + move.scale * (total @ move.basis.T)

    def _quadratic(self, v):
        return (v @ self.move.root) @ self.move.root.T + STRENGTH * v

    def _each(self, reach):
        """A number for each neuron, (..., width), as one for each of its arguments, (..., width * pieces)."""
        if self.pieces == 1:
            return reach
        return (reach[..., None] + like(np.zeros(self.pieces), reach)).reshape(*reach.shape[:-1], -1)

    def _mean(self, i, dz):
        """ḣ of layer i from ż, (n, width * pieces) -> (n, width)."""
        weighted = self.slope[i] * dz
        return weighted if self.pieces == 1 else weighted.reshape(len(dz), -1, self.pieces).sum(-1)

    def _about_mean(self, i, dz):
        """β (ż - ḣ) of layer i, (n, width * pieces)."""
        about = (1 - self.slope[i]) * dz if self.pieces == 1 else dz - self._each(self._mean(i, dz))
        sharpness = self.move.layers[i].sharpness
        return about if sharpness is None else about * self._each(sharpness)

    def _tangents(self, v):
        """For every layer ż(v) (n, width * pieces) and p v (n, rank, width * pieces) or None."""
        out, before = [], None
        for i, (layer, square) in enumerate(zip(self.move.layers, self.squares)):
            dz, turned = v @ layer.linear.T, None
            if square is not None:
                rank, rows, dim = layer.quadratic.shape
                turned = (v @ layer.quadratic.reshape(rank * rows, dim).T).reshape(-1, rank, rows)
                dz = dz + (square * turned).sum(1)
            if layer.mixing is not None:
                dz = dz + self._mean(i - 1, before) @ layer.mixing.T
            out.append((dz, turned))
            before = dz
        return out

    def bilinear(self, u: Array, v: Array) -> Array:
        """uᵀ∇²φ v, both (n, d) -> (n,)."""
        total = ((u @ self.move.root) * (v @ self.move.root)).sum(-1) + STRENGTH * (u * v).sum(-1)
        for i, (pull, (du, pu), (dv, pv)) in enumerate(zip(self.pull, self._tangents(u), self._tangents(v))):
            form = self._about_mean(i, du) * dv
            if pu is not None:
                form = form + (pu * pv).sum(1)
            total = total + (pull * form).sum(-1)
        return total

    def product(self, v: Array) -> Array:
        """∇²φ v, (n, d) -> (n, d)."""
        total, tangents = self._quadratic(v), self._tangents(v)
        reach = None  # the tangent of ∂φ/∂h_l, from the last layer down
        for i in reversed(range(len(tangents))):
            layer, (dz, turned) = self.move.layers[i], tangents[i]
            dpull = self.pull[i] * self._about_mean(i, dz)
            if reach is not None:
                dpull = dpull + self.slope[i] * self._each(reach)
            total = total + dpull @ layer.linear
            if turned is not None:
                mixed = dpull[:, None, :] * self.squares[i] + self.pull[i][:, None, :] * turned
                total = total + _rows(mixed, layer.quadratic)
            reach = None if layer.mixing is None else dpull @ layer.mixing
        return total

    def hessian(self) -> Array:
        """∇²φ, (n, d, d)."""
        root, dim = self.move.root, self.y.shape[1]
        total, before = root @ root.T + STRENGTH * like(np.eye(dim), root), None
        for i, layer in enumerate(self.move.layers):
            jacobian = (
                layer.linear
            )  # ∂z_l/∂y, the same at all points where there are neither squares nor a layer before
            if self.squares[i] is not None:
                outer = (layer.quadratic[:, :, :, None] * layer.quadratic[:, :, None, :]).sum(0)
                total = total + (self.pull[i] @ outer.reshape(len(outer), dim * dim)).reshape(-1, dim, dim)
                for r in range(layer.quadratic.shape[0]):
                    jacobian = jacobian + self.squares[i][:, r, :, None] * layer.quadratic[r]
            if layer.mixing is not None:
                jacobian = jacobian + layer.mixing @ self._mean_rows(i - 1, before)
            total = total + self._curved(i, jacobian)
            before = jacobian
        return total

    def _curved(self, i, jacobian):
        """β (Σ_p pull_p J_p J_pᵀ - reach J̄ J̄ᵀ) summed over the neurons of layer i, (n, d, d), J = ∂z_l/∂y."""
        pull, reach, sharpness = self.pull[i], self.reach[i], self.move.layers[i].sharpness
        if sharpness is not None:
            pull, reach = pull * self._each(sharpness), reach * sharpness
        if self.pieces == 1:
            return _gram(pull * (1 - self.slope[i]), jacobian)
        mean = self._mean_rows(i, jacobian)
        return _gram(pull, jacobian) - _gram(reach + 0 * mean[:, :, 0], mean)

    def _mean_rows(self, i, jacobian):
        """J̄ = ∂h_l/∂y of layer i, (n, width, d)."""
        slope = self.slope[i]
        if self.pieces == 1:
            return slope[:, :, None] * jacobian
        split = (-1, self.pieces)
        if jacobian.ndim == 3:
            return (slope[:, :, None] * jacobian).reshape(len(slope), *split, jacobian.shape[-1]).sum(2)
        parts = slope.reshape(len(slope), *split).swapaxes(0, 1) @ jacobian.reshape(*split, jacobian.shape[-1])
        return parts.swapaxes(0, 1)


def neurons(z: Array, pieces: int, sharpness: Array | None, value: bool = True) -> tuple[Array, Array]:
    """The neurons and their slopes.

    From z (n, width * pieces) and β (width,), None for ones: h (n, width), or None where no value is asked, and ∂h/∂z
    (n, width * pieces).
    """
    if pieces == 1:
        z = z if sharpness is None else z * sharpness
        h, slope = softplus(z) if value else None, sigmoid(z)
    else:
        parts = z.reshape(len(z), -1, pieces)
        parts = parts if sharpness is None else parts * sharpness[:, None]
        h = softplus(log_sum_exp(parts))
        slope = exp(parts - h[:, :, None]).reshape(z.shape)
    return h if h is None or sharpness is None else h / sharpness, slope


def _gram(weights, jacobian):
    """Σ_j weights_j J_j J_jᵀ, (n, k) and (n, k, d) or, one for all points, (k, d) -> (n, d, d)."""
    k, dim = jacobian.shape[-2:]
    if jacobian.ndim == 3:
        return (weights[:, :, None] * jacobian).swapaxes(1, 2) @ jacobian
    outer = jacobian[:, :, None] * jacobian[:, None, :]
    return (weights @ outer.reshape(k, dim * dim)).reshape(-1, dim, dim)  # a product of matrices


def _rows(coefficients, quadratic):
    """Σ_rj coefficients (n, rank, width) times the rows p (rank, width, d) -> (n, d)."""
    rank, width, dim = quadratic.shape
    return coefficients.reshape(-1, rank * width) @ quadratic.reshape(rank * width, dim)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)) without overflow."""
    if is_tensor(z):
        return z.sigmoid()
    small = exp(-abs(z))
    return np.where(z >= 0, 1.0, small).astype(z.dtype) / (1 + small)


def softplus(z: Array) -> Array:
    """log(1 + exp z) without overflow."""
    return z * (z > 0) + log(1 + exp(-abs(z)))
