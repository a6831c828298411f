"""The neural ODE: its discrete log-determinant beside that of the continuous flow."""

import numpy as np
import torch
from neural.parametric_cases import drawn

from pdeflow.neural import NeuralODE
from pdeflow.neural.maps.parametric import build


def test_the_trace_integral_is_the_log_determinant_up_to_the_integration():
    """A finer integration of the same field: the discrete log|det| tends to ∫ tr ∂f ds at the order of the steps."""
    family, theta, z = drawn(NeuralODE(1, 6, affine=False), 2, size=0.7, n=20)
    _, _, (weight,), (bias,), (mixing,) = family.unpack(theta)
    x, trace, steps = (z - family.center) @ family.inverse_root.T, 0.0, 4000
    for _ in range(steps):  # the midpoint rule
        middle = x + torch.tanh(x @ weight.T + bias) @ mixing.T / (2 * steps)
        slope = 1 - torch.tanh(middle @ weight.T + bias) ** 2
        trace = trace + slope @ (mixing.T * weight).sum(1) / steps
        x = x + torch.tanh(middle @ weight.T + bias) @ mixing.T / steps
    gaps = []
    for number in (2, 4, 8):  # the same field over all steps
        more = build(NeuralODE(number, 6, affine=False), family.center.numpy(), family.root.numpy())
        gaps.append(float((more.tangent(theta.repeat(number), z).log_det - trace).abs().max()))
    assert np.log2(gaps[1] / gaps[2]) > 3.5 and gaps[2] < 1e-3
