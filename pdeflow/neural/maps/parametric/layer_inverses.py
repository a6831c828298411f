"""Inverting layers x + A tanh(Wx + b), point by point."""

import torch
from torch import Tensor

INVERSE_TOLERANCE = 1e-11  # of a whole map: round-off times the condition of forty layers


def ridge(w: Tensor, b: Tensor, u: Tensor, y: Tensor, most: int = 200) -> tuple[Tensor, int]:
    """(x, steps) with x + u tanh(w·x + b) = y for w·u > -1.

    One increasing equation a + (w·u) tanh(a + b) = w·y per point.

    Newton's step where it stays inside the shrinking bracket, bisection elsewhere, until the bracket is empty or the
    equation holds to round-off.
    """
    inner, goal = w @ u, y @ w
    low, high = goal - inner.abs(), goal + inner.abs()  # |tanh| <= 1
    a, steps = goal.clone(), 0
    while steps < most:
        steps += 1
        h = torch.tanh(a + b)
        excess = a + inner * h - goal
        low, high = torch.where(excess < 0, a, low), torch.where(excess >= 0, a, high)
        step = a - excess / (1 + inner * (1 - h * h))
        new = torch.where((step > low) & (step < high), step, 0.5 * (low + high))
        still = (excess.abs() > 1e-16 * (1 + goal.abs())) & (new > low) & (new < high)
        if not still.any():
            break
        a = torch.where(still, new, a)
    return y - torch.tanh(a + b)[:, None] * u, steps


def contraction(weight: Tensor, mixing: Tensor) -> float:
    """The largest |A| |W| (spectral norms) of all layers.

    Below 1 every layer is invertible, as tanh' <= 1 [behrmann2019].
    """
    sizes = torch.linalg.matrix_norm(weight, 2) * torch.linalg.matrix_norm(mixing, 2)
    return float(sizes.max()) if len(sizes) else 0.0


def newton(w: Tensor, b: Tensor, a: Tensor, y: Tensor, most: int = 100) -> tuple[Tensor, int]:
    """(x, steps) with x + A tanh(Wx + b) = y for |A||W| < 1: Newton, or the fixed-point step where that is better."""
    x, steps = y - torch.tanh(y @ w.T + b) @ a.T, 0
    one = torch.eye(y.shape[1], dtype=y.dtype)
    size = 1 + y.norm(dim=1)
    while steps < most:
        steps += 1
        h = torch.tanh(x @ w.T + b)
        gap = y - x - h @ a.T
        if bool((gap.norm(dim=1) <= 4e-16 * size).all()):
            break
        step = torch.linalg.solve(one + (a * (1 - h * h)[:, None, :]) @ w, gap[:, :, None])[:, :, 0]
        trial = x + step
        worse = (y - trial - torch.tanh(trial @ w.T + b) @ a.T).norm(dim=1) > 0.5 * gap.norm(dim=1)
        fixed = x + gap  # contracts by |A||W| < 1
        new = torch.where(worse[:, None], fixed, trial)
        if bool((new == x).all()):
            break
        x = new
    return x, steps
