"""How maps are trained: the learning rate over a step, Adam on one vector, and convex maps with their constraints."""

from __future__ import annotations

import math

import torch

from ..settings import Network
from .convex import ConvexMap
from .signed import shrink

WAIT = 0.2  # share of the budget in which only what is affine learns: else a network takes that up, badly in the tails
FASTER = 5.0  # how much faster weights learn where the neurons are where they belong already


def schedule(iteration: int, most: int) -> float:
    """The share of the learning rate: a linear rise over a tenth of the budget (at most 20), then a cosine to zero."""
    rise = max(1, min(20, most // 10))
    return min(1.0, (iteration + 1) / rise) * (1 + math.cos(math.pi * iteration / most)) / 2


class Adam:
    """Adam on one vector whose gradient is known in closed form.

    For such a vector it costs less than `torch.optim.Adam`, which suits many arrays with automatic differentiation, and
    with shared=True the second moment is one number, the mean square, so that the step keeps the direction of the mean
    gradient.
    """

    def __init__(self, parameters: torch.Tensor, betas: tuple[float, float], shared: bool = False):
        self.parameters, self.betas, self.shared, self.count = parameters, betas, shared, 0
        self.first = torch.zeros_like(parameters)
        self.second = (
            torch.zeros((), dtype=parameters.dtype, device=parameters.device)
            if shared
            else torch.zeros_like(parameters)
        )

    def step(self, gradient: torch.Tensor, rate: float) -> None:
        """Changes the parameters by one step against the gradient."""
        self.count += 1
        fade, slow = self.betas
        self.first.lerp_(gradient, 1 - fade)
        if self.shared:
            self.second.lerp_(gradient.square().mean(), 1 - slow)
        else:
            self.second.mul_(slow).addcmul_(gradient, gradient, value=1 - slow)
        size = (self.second / (1 - slow**self.count)).sqrt_().add_(1e-10)
        self.parameters.addcdiv_(self.first, size, value=-rate / (1 - fade**self.count))

    def norm(self) -> float:
        """Norm of the mean gradient."""
        return (self.first.norm() / (1 - self.betas[0] ** max(1, self.count))).item()


class ConvexTraining:
    """A convex map whose arrays are torch tensors that record gradients, in the groups that training treats alike.

    Attributes
    ----------
    map : ConvexMap
        Of tensors, changed in place.
    groups : list of (dict of str to tensor, float)
        The quadratic, the hidden layers and the weights that keep the network convex, each with the number by which the
        learning rate is divided.
    wait : float
        Share of the budget in which only the quadratic learns.
    bounded : dict of str to tensor
        The weights that must be >= 0: none where the quadratic may outweigh negative ones (`signed`).
    """

    def __init__(self, start: ConvexMap, network: Network, dtype: torch.dtype, device: str):
        self.map = start.mapped(lambda array: torch.tensor(array, dtype=dtype, device=device))
        self.signed = network.signed
        groups = self.map.parameter_groups()
        for array in groups.all().values():
            array.requires_grad_()
        placed = network.directions == "curvature"  # neurons that are where they belong need not wait
        together = len(self.map.weight) / (self.map.dim if placed else 1)  # neurons along one direction
        divisor = math.sqrt(max(1.0, together)) / (FASTER if placed else 1.0)
        self.wait = 0.0 if placed else WAIT
        self.groups = [
            (groups.quadratic, 1.0),
            (groups.hidden, 1.0),
            (groups.nonnegative, divisor),
        ]
        self.bounded = {} if self.signed else groups.nonnegative

    def project(self) -> None:
        """Back to convex networks: negative weights become zero, or as small as the quadratic outweighs."""
        with torch.no_grad():
            for array in self.bounded.values():
                array.clamp_(min=0)
            if self.signed:
                shrink(self.map)

    def finished(self) -> ConvexMap:
        """The map of numpy arrays in float64, as it is now."""
        return self.map.mapped(lambda array: array.detach().cpu().numpy().astype(float))
