"""First neurons of a convex network: along the axes in which the curvature of the potential differs most from its mean.

A step of length dt moves mass by -dt ∇(V + θ log ρ) in first order, so ∇²ψ = I - dt ∇²(V + θ log ρ). What the
quadratic of the network holds of it is the mean over the law; left for the neurons is -dt (∇²V(x) - E ∇²V) and the like
of log ρ. Neurons are functions of one direction each, whose curvature has the rank-one matrix a aᵀ: they are needed in
directions that are eigenvectors of that difference. Where V is a sum of functions of d directions, however turned,
these are its eigenvectors at every point. Random directions have to turn into them, all at once, by stochastic
gradients: measured on double wells and Styblinski-Tang coordinates in d = 30 (dt = 1/32, width 192, 250 iterations),
the first step ends 0.70 above the minimum of ½W2²/dt + F from random directions, and 0.04 from these.

Frames are drawn anew at every step, which starts at the identity. Neurons that stay where they are cannot undo the
roughness that they left in other directions than theirs: on the mexican hat in d = 10 (width 320, 50 iterations, batch
512, rate 0.1) KL to the truth went from 0.086 at t = 1/4 to 0.078 at t = 1/2 with the neurons of the step before, and
from 0.034 to 0.029 with new ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..._core.errors import Unsupported
from ..._core.shapes import Matrix, Numbers, Points
from ..maps.convex import ConvexMap, Layer
from .jko_functional import JKOFunctional

DIFFERENCE = 0.1  # of gradients, in units of the law: far above the round-off of single precision
NEAR_MEAN = 0.3  # share of a particle's distance from the mean at which a neuron bends: the curvature varies most there
MEAN_OF = 64  # points whose mean Hessian stands for that of the quadratic, and that stand for the law in W * ρ
REACHED = 0.02, 0.98  # quantiles of the law along an axis between which neurons that stay are spaced evenly
KINK = 1.75  # |a| of neurons that stay, times the distance between two of them: bumps of curvature overlap by half
STEEPEST = 3.0  # |a| of neurons that stay, at most, times the standard deviation along a
PROJECTED = 16_384  # particles whose quantiles these are
STEEP = 1.5, 3.0  # |a|, in units of the law: a neuron bends over about 3.5/|a|, so over 2.3 to 1.2 standard deviations


def along_curvature(
    start: ConvexMap, functional: JKOFunctional, x: Points, generator: torch.Generator, staying: bool = False
) -> ConvexMap:
    """The map with its neurons along eigenvectors of ∇²(V + W * ρ) - E ∇²(V + W * ρ), bent near the mean.

    Neurons come in frames: the d eigenvectors at one random particle, by falling size of their eigenvalue. So every
    axis of a separable problem has the same number of neurons. A neuron bends where a random particle lies, brought
    nearer to the mean by `NEAR_MEAN`; the lengths of a are drawn log-uniformly from `STEEP`.

    Parameters
    ----------
    start : ConvexMap
        Of numpy arrays, with one layer of neurons of one piece.
    functional : JKOFunctional
        In the coordinates of x.
    x : (n, d) array
        Particles of the law, in the dtype of training.
    generator : torch.Generator
        Draws particles, lengths and signs.
    staying : bool
        Whether training leaves the neurons where they are. Then the k-th frame bends at the k-th of evenly spaced
        points between the quantiles `REACHED` of the law along each axis, over about the distance between two.

    Raises
    ------
    Unsupported
        For an energy without potential and interaction, and where second differences are not finite.
    """
    if functional.potential is None and functional.kernel is None:
        raise Unsupported(
            "directions = 'curvature' for an energy without potential and interaction. The directions are those in "
            "which these are curved. Use Network(directions='random')."
        )
    layer, dim = start.layers[0], x.shape[1]
    rows, frames = len(layer.linear), -(-len(layer.linear) // dim)
    drawn = torch.randint(0, len(x), (max(MEAN_OF, frames) + MEAN_OF,), generator=generator).numpy()
    points, others = x[drawn[MEAN_OF:]], x[drawn[:MEAN_OF]]
    with np.errstate(invalid="ignore"):  # what is not finite is refused
        hessian = hessian_of(functional, points, others, start.basis, DIFFERENCE * start.scale)
    if not np.isfinite(hessian).all():
        raise Unsupported(
            "Second differences of the potential or the interaction are not finite at particles of the law. They must "
            "be, to tell directions. Use Network(directions='random')."
        )
    values, vectors = np.linalg.eigh((hessian - hessian.mean(axis=0))[:frames])
    order = np.argsort(-abs(values), axis=1, kind="stable")
    axes = np.take_along_axis(vectors, order[:, None, :], axis=2).swapaxes(1, 2).reshape(-1, dim)[:rows]
    if staying:
        linear, bias = _evenly(axes, (x[:PROJECTED] - start.center) @ start.basis / start.scale)
        return replace(start, layers=(Layer(linear, bias, layer.quadratic, layer.mixing, layer.sharpness),))
    uniform = torch.rand(2, rows, generator=generator, dtype=torch.float64).numpy()
    low, high = np.log(STEEP)
    size = np.exp(low + (high - low) * uniform[0]) * np.where(uniform[1] < 0.5, -1.0, 1.0)
    linear = size[:, None] * axes
    at = x[torch.randint(0, len(x), (rows,), generator=generator).numpy()]
    bias = -NEAR_MEAN * (linear * ((at - start.center) @ start.basis / start.scale)).sum(axis=1)
    neurons = Layer(linear, bias, layer.quadratic, layer.mixing, layer.sharpness)
    return replace(start, layers=(neurons,))


def _evenly(axes: Numbers, y: Points) -> tuple[Numbers, Numbers]:
    """(a, b) of neurons along unit `axes` (rows, d), frame by frame, spaced evenly over the points y (n, d)."""
    dim = axes.shape[1]
    along = y @ axes.T
    low, high = np.quantile(along, REACHED, axis=0)
    last = max(1, -(-len(axes) // dim) - 1)
    level = (np.arange(len(axes)) // dim) / last if len(axes) > dim else np.full(len(axes), 0.5)
    size = np.minimum(KINK * last / (high - low), STEEPEST / along.std(axis=0))
    return size[:, None] * axes, -size * (low + level * (high - low))


def hessian_of(functional: JKOFunctional, x: Points, others: Numbers, basis: Matrix, step: float) -> Numbers:
    """Central differences of the gradient at x (n, d) along the columns of `basis`, in these axes, (n, d, d)."""
    columns = []
    for axis in basis.T:
        ahead, behind = (_gradient(functional, x + sign * step * axis, others) for sign in (1.0, -1.0))
        columns.append((ahead - behind) @ basis / (2 * step))
    hessian = np.stack(columns, axis=2)
    return (hessian + hessian.swapaxes(1, 2)) / 2


def _gradient(functional: JKOFunctional, x: Points, others: Numbers) -> Points:
    """∇(V + W * ρ), (n, d), with the particles `others` (m, d) for ρ."""
    coordinates, total = functional.coordinates, torch.zeros(())
    y = torch.tensor(x, dtype=getattr(torch, str(others.dtype)), requires_grad=True)
    if functional.potential is not None:
        total = total + coordinates.asked(functional.potential.value, functional.potential, y).sum()
    if functional.kernel is not None:
        apart: Any = (y[:, None, :] - torch.as_tensor(others)).reshape(-1, x.shape[1])
        total = total + functional.kernel.value(coordinates.differences(apart)).sum() / len(others)
    return torch.autograd.grad(total, y)[0].double().numpy()
