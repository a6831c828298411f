"""A tanh network of numpy arrays: how finished maps and test functions are evaluated, in float64 and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ..._core.shapes import Points

Layers: TypeAlias = Sequence[tuple[np.ndarray, np.ndarray]]  # (w (inputs, outputs), b (outputs,)) of each


def evaluate(layers: Layers, x: Points) -> np.ndarray:
    """The same network of numpy arrays, (n, d_0) -> (n, d_last)."""
    for weight, bias in layers[:-1]:
        x = np.tanh(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def evaluate_with_gradient(layers: Layers, x: Points) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (n, 1) of a network with one output, and their gradient by the inputs (n, d_0); numpy."""
    activations = [x]
    for weight, bias in layers[:-1]:
        activations.append(np.tanh(activations[-1] @ weight + bias))
    weight, bias = layers[-1]
    out = activations[-1] @ weight + bias
    delta = np.broadcast_to(weight[:, 0], activations[-1].shape)
    for (weight, _), activation in zip(reversed(layers[:-1]), reversed(activations[1:])):
        delta = (delta * (1 - activation**2)) @ weight.T
    return out, delta
