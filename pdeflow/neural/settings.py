"""The fields of the neural JKO schemes that a study seldom sweeps, grouped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._core.errors import BadInput
from .._core.validate import count, one_of, positive
from .._core.value import Value


@dataclass(frozen=True)
class Network(Value):
    """Shape of the convex network of `ICNNJKO` beside its width. A full-rank quadratic is always there.

    Parameters
    ----------
    depth : int
        Hidden layers (softplus), each fed by the layer before and by the point. Depth 1 suits laws near Gaussian.
    rank : int
        Squares (pᵀy)² in every neuron's argument, 0 for affine arguments; [mokrov2021] has depth 1 and rank 5.
    pieces : int
        Arguments of a neuron log(1 + Σ_p exp(β z_p)) / β, 1 for softplus; as many as there are modes suit flows towards
        several modes, whose potential is a smooth maximum of so many functions.
    sharpness : float
        β of the last neuron of a layer; that of the first is 1, and they grow geometrically. A law that tears into
        modes needs kinks that are sharp in its units (10 to 30); a Gaussian flow needs none, and learns noise with
        them.
    signed : bool
        Whether neurons may enter with negative weights as far as the quadratic provably outweighs them
        (`maps/signed.py`): for mass that crosses between modes that overlap, in few dimensions. Of plain neurons only:
        depth 1, rank 0, pieces 1.
    directions : {"random", "curvature"}
        Of the neurons. "random": normal deviates at the first step, later steps start at the map before. "curvature":
        frames of axes in which the curvature of the potential differs most from its mean, drawn anew at every step,
        which starts at the identity (`icnn_jko/curvature_frames.py` says why); rates are then those of `ICNNJKO` times
        the length of the last move over that of the first, and weights learn faster. For laws far from Gaussian in many
        dimensions; of plain neurons only.
    neurons : {"trained", "fixed"}
        "fixed", with directions="curvature" and signed=True: neurons stay where each step places them, evenly between
        the quantiles of the law along their axes. What is left enters ψ linearly and is found by Newton steps on
        batches, at rates 1 and then 1, 1/2, 1/3, ... (`icnn_jko/newton_steps.py`). Eight neurons a dimension, 20 to 40
        iterations. For potentials whose curvature has the same axes everywhere, as sums of functions of single
        coordinates have however rotated, in up to 64 dimensions; where the axes turn from place to place, as for a
        potential of |x|, neurons have to be trained.
    """

    depth: int = 1
    rank: int = 0
    pieces: int = 1
    sharpness: float = 1.0
    signed: bool = False
    directions: str = field(default="random", metadata={"later": True})
    neurons: str = field(default="trained", metadata={"later": True})

    def __post_init__(self):
        count(self.depth, "depth")
        count(self.rank, "rank", 0)
        count(self.pieces, "pieces")
        if not positive(self.sharpness, "sharpness") >= 1:
            raise BadInput(
                f"sharpness is {self.sharpness}. It must be at least 1, the sharpness of the first neuron. Enlarge it."
            )
        if not isinstance(self.signed, bool):
            raise BadInput(f"signed is {self.signed!r}. It must be True or False. Choose one.")
        if self.signed and (self.depth, self.rank, self.pieces) != (1, 0, 1):
            raise BadInput(
                f"signed = True with depth = {self.depth}, rank = {self.rank}, pieces = {self.pieces}. Only the "
                "curvature of "
                "plain neurons is bounded here: depth 1, rank 0, pieces 1. Take these, or signed=False."
            )
        one_of(self.directions, "directions", ("random", "curvature"))
        one_of(self.neurons, "neurons", ("trained", "fixed"))
        if self.neurons == "fixed" and (self.directions, self.signed, self.sharpness) != ("curvature", True, 1.0):
            raise BadInput(
                f"neurons = 'fixed' with directions = {self.directions!r}, signed = {self.signed}, sharpness = "
                f"{self.sharpness}. Neurons that stay must lie along axes of the problem, are as sharp as their "
                "distance asks for, and Newton steps know no bounds. Take directions='curvature', signed=True and "
                "sharpness=1, or neurons='trained'."
            )
        if self.directions == "curvature" and (self.depth, self.rank, self.pieces) != (1, 0, 1):
            raise BadInput(
                f"directions = 'curvature' with depth = {self.depth}, rank = {self.rank}, pieces = {self.pieces}. "
                "Only a neuron of one direction has an axis: depth 1, rank 0, pieces 1. Take these, or "
                "directions='random'."
            )


@dataclass(frozen=True)
class Training(Value):
    """Where and how `ICNNJKO` and `VariationalJKO` train.

    Parameters
    ----------
    pool : int
        Particles that stand for the law between steps. A network of p parameters fits their accidents too: relative to
        the exact JKO iterate that costs SymKL of the order p/pool (Ornstein-Uhlenbeck, d = 6, ten steps, width 32:
        6.0e-4 with 65,536 particles, 1.3e-4 with 262,144, 0.4e-4 with fresh particles, where the time error itself is
        4.0e-3).
    dtype : {"float32", "float64"}
        Finished maps are evaluated in float64 whatever it is.
    device : str
        "cpu", "cuda" or "cuda:1" ... (`NotAvailable` if it is absent).
    tolerance : float
        Of ICNNJKO: a step ends when the norm of the measured gradient of dt F/s² falls below tolerance·dt; 0 spends all
        iterations.
    """

    pool: int = 262_144
    dtype: str = "float32"
    device: str = "cpu"
    tolerance: float = 1e-3

    def __post_init__(self):
        count(self.pool, "pool")
        one_of(self.dtype, "dtype", ("float32", "float64"))
        if not isinstance(self.device, str) or not re.fullmatch(r"cpu|cuda(:[0-9]+)?", self.device):
            raise BadInput(
                f"device is {self.device!r}. It must be 'cpu', 'cuda' or 'cuda:0', 'cuda:1', ... Choose one."
            )
        if self.tolerance != 0:
            positive(self.tolerance, "tolerance")

    def require_batch(self, batch: int) -> None:
        """`BadInput` unless a batch fits into the pool."""
        if batch > self.pool:
            raise BadInput(
                f"batch = {batch} is larger than pool = {self.pool}. A batch is a block of the pool. Enlarge the pool."
            )

    def require_no_tolerance(self, method: str) -> None:
        """`BadInput` where the tolerance was set for a method that spends all its iterations."""
        if self.tolerance != Training.tolerance:
            raise BadInput(
                f"tolerance = {self.tolerance} has no effect on {method}, which spends all its iterations. Only "
                "ICNNJKO stops "
                "by it. Leave it out of Training(...)."
            )


@dataclass(frozen=True)
class DualNetwork(Value):
    """The network of the test function h of `VariationalJKO`, and how it is trained.

    Parameters
    ----------
    width, depth : int
        Neurons of a hidden tanh layer, and how many layers.
    rate : float
        Learning rate of Adam for h.
    margin : float
        Of one power as internal energy: its reference lies in a ball, in whitened coordinates, `margin` > 1 times as
        wide as the support ([fan2022iclr] has a box, of which the ball is 8 % in d = 6).
    """

    width: int = 64
    depth: int = 2
    rate: float = 5e-3
    margin: float = 1.3

    def __post_init__(self):
        count(self.width, "width")
        count(self.depth, "depth")
        positive(self.rate, "rate")
        if not positive(self.margin, "margin") > 1:
            raise BadInput(
                f"margin is {self.margin}. The ball must be wider than the support: above 1. Choose e.g. 1.3."
            )
