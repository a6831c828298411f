"""Gradient, Hessian-vector product and Hessian of an input-convex network in closed form, in numpy or torch.

With σ_l = softplus'(z_l) and total tangents ż_l(v) = a_l v + Σ_r (p_r y)(p_r v) + U_l (σ_{l-1} ż_{l-1}(v)),

    vᵀ∇²φ u = vᵀ(LLᵀ + ε)u + Σ_l [ curve_l ż_l(v) ż_l(u) + pull_l Σ_r (p_r v)(p_r u) ],

where pull_l = ∂φ/∂z_l = σ_l reach_l, reach_last = w, reach_l = U_{l+1}ᵀ pull_{l+1}, curve_l = σ_l (1 - σ_l) reach_l, all >= 0. So a bilinear form costs one
pass through the network, a product two, whatever the dimension, and neither needs automatic differentiation.
"""

import numpy as np

from ..arrays import exp, is_tensor, like, log

STRENGTH = 1e-4  # ε, the strong convexity: ∇²ψ >= ε I whatever the weights


class Jet:
    """A convex map at the points x (n, d): what its derivatives have in common, computed once.

    `gradient` is in the coordinates of x; the directions of `bilinear` and `product`, and `hessian`, are in those of
    y = Rᵀ(x - m)/s: R is orthogonal, so lengths and determinants are the same.
    """

    def __init__(self, move, x):
        self.move = move
        self.y = (x - move.center) @ move.basis / move.scale
        self.z, self.slope, self.squares = [], [], []
        for layer in move.layers:
            z = self.y @ layer.linear.T + layer.bias
            rank, width, dim = layer.quadratic.shape
            square = None
            if rank:
                square = (self.y @ layer.quadratic.reshape(rank * width, dim).T).reshape(-1, rank, width)
                z = z + (square * square).sum(1) / 2
            if layer.mixing is not None:
                z = z + softplus(self.z[-1]) @ layer.mixing.T
            self.z.append(z)
            self.slope.append(sigmoid(z))
            self.squares.append(square)
        self.pull, self.curve, reach = [], [], move.weight
        for layer, slope in zip(reversed(move.layers), reversed(self.slope)):
            pull = slope * reach
            self.pull.insert(0, pull)
            self.curve.insert(0, pull * (1 - slope))
            reach = None if layer.mixing is None else pull @ layer.mixing

    def some(self, n):
        """The jet at the first n points, without a graph in torch."""
        y = self.y[:n].detach() if is_tensor(self.y) else self.y[:n]
        return Jet(self.move, self.move.center + self.move.scale * (y @ self.move.basis.T))

    def gradient(self):
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

    def _tangents(self, v):
        """For every layer ż(v) (n, width) and p v (n, rank, width) or None."""
        out, before = [], None
        for i, (layer, square) in enumerate(zip(self.move.layers, self.squares)):
            dz, turned = v @ layer.linear.T, None
            if square is not None:
                rank, width, dim = layer.quadratic.shape
                turned = (v @ layer.quadratic.reshape(rank * width, dim).T).reshape(-1, rank, width)
                dz = dz + (square * turned).sum(1)
            if layer.mixing is not None:
                dz = dz + (self.slope[i - 1] * before) @ layer.mixing.T
            out.append((dz, turned))
            before = dz
        return out

    def bilinear(self, u, v):
        """uᵀ∇²φ v, both (n, d) -> (n,)."""
        total = ((u @ self.move.root) * (v @ self.move.root)).sum(-1) + STRENGTH * (u * v).sum(-1)
        for pull, curve, (du, pu), (dv, pv) in zip(self.pull, self.curve, self._tangents(u), self._tangents(v)):
            total = total + (curve * du * dv).sum(-1)
            if pu is not None:
                total = total + (pull * (pu * pv).sum(1)).sum(-1)
        return total

    def product(self, v):
        """∇²φ v, (n, d) -> (n, d)."""
        total, tangents = self._quadratic(v), self._tangents(v)
        reach = None  # the tangent of ∂φ/∂softplus(z_l), from the last layer down
        for i in reversed(range(len(tangents))):
            layer, (dz, turned) = self.move.layers[i], tangents[i]
            dpull = self.curve[i] * dz
            if reach is not None:
                dpull = dpull + self.slope[i] * reach
            total = total + dpull @ layer.linear
            if turned is not None:
                mixed = dpull[:, None, :] * self.squares[i] + self.pull[i][:, None, :] * turned
                total = total + _rows(mixed, layer.quadratic)
            reach = None if layer.mixing is None else dpull @ layer.mixing
        return total

    def hessian(self):
        """∇²φ, (n, d, d)."""
        root, dim = self.move.root, self.y.shape[1]
        flat, curved, before = 0, 0, None
        for i, layer in enumerate(self.move.layers):
            width = layer.linear.shape[0]
            if self.squares[i] is not None:
                outer = (layer.quadratic[:, :, :, None] * layer.quadratic[:, :, None, :]).sum(0)
                flat = flat + self.pull[i] @ outer.reshape(width, dim * dim)
            elif before is None:  # one Jacobian for all points: a product of matrices
                outer = layer.linear[:, :, None] * layer.linear[:, None, :]
                flat = flat + self.curve[i] @ outer.reshape(width, dim * dim)
                before = layer.linear
                continue
            jacobian = layer.linear
            if self.squares[i] is not None:
                for r in range(layer.quadratic.shape[0]):
                    jacobian = jacobian + self.squares[i][:, r, :, None] * layer.quadratic[r]
            if layer.mixing is not None:
                jacobian = jacobian + layer.mixing @ (self.slope[i - 1][:, :, None] * before)
            curved = curved + (self.curve[i][:, :, None] * jacobian).swapaxes(1, 2) @ jacobian
            before = jacobian
        flat = flat.reshape(-1, dim, dim) if not isinstance(flat, int) else 0
        return root @ root.T + STRENGTH * like(np.eye(dim), root) + flat + curved


def _rows(coefficients, quadratic):
    """Σ_rj coefficients (n, rank, width) times the rows p (rank, width, d) -> (n, d)."""
    rank, width, dim = quadratic.shape
    return coefficients.reshape(-1, rank * width) @ quadratic.reshape(rank * width, dim)


def sigmoid(z):
    """1 / (1 + exp(-z)) without overflow."""
    if is_tensor(z):
        return z.sigmoid()
    small = exp(-abs(z))
    return np.where(z >= 0, 1.0, small).astype(z.dtype) / (1 + small)


def softplus(z):
    """log(1 + exp z) without overflow."""
    return z * (z > 0) + log(1 + exp(-abs(z)))
