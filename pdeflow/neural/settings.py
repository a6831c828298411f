"""The fields of ICNNJKO that a study seldom sweeps, grouped."""

import re
from dataclasses import dataclass

from .._core.errors import BadInput
from .._core.validate import NamedFields, count, one_of, positive


@dataclass(frozen=True)
class Network(NamedFields):
    """Shape of the convex network beside its width.

    depth : hidden layers (softplus), each fed by the layer before and by the point. rank : squares (pᵀy)² in every neuron's
    argument, 0 for affine arguments; mokrov2021 has depth 1 and rank 5. A full-rank quadratic is always there. Depth 1 suits
    laws near Gaussian.
    pieces : arguments of a neuron log(1 + Σ_p exp(β z_p)) / β, 1 for softplus; as many as there are modes suit flows towards several modes, whose
    potential is a smooth maximum of so many functions. sharpness : β of the last neuron of a layer; that of the first is 1, and they grow
    geometrically. A law that tears into modes needs kinks that are sharp in its units (10 to 30); a Gaussian flow needs none, and learns noise with them.
    signed : neurons may enter with negative weights as far as the quadratic provably outweighs them (`signed.py`): for mass that crosses between modes that overlap,
    in few dimensions. Of plain neurons only: depth 1, rank 0, pieces 1.
    """

    depth: int = 1
    rank: int = 0
    pieces: int = 1
    sharpness: float = 1.0
    signed: bool = False

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
                f"signed = True with depth = {self.depth}, rank = {self.rank}, pieces = {self.pieces}. Only the curvature of plain neurons is bounded here: depth 1, rank 0, pieces 1. "
                "Take these, or signed=False."
            )


@dataclass(frozen=True)
class Training(NamedFields):
    """Where and how ICNNJKO trains.

    pool : particles that stand for the law between steps. A network of p parameters fits their accidents too: relative to the exact JKO iterate
    that costs SymKL of the order p/pool (Ornstein-Uhlenbeck, d = 6, ten steps, width 32: 6.0e-4 with 65,536 particles, 1.3e-4 with 262,144,
    0.4e-4 with fresh particles, where the time error itself is 4.0e-3). dtype : "float32" or "float64"; finished maps are evaluated in float64.
    device : "cpu", "cuda" or "cuda:1" ... (`NotAvailable` if it is absent). tolerance : a step ends when the norm of the measured
    gradient of dt F/s² falls below tolerance·dt; 0 spends all iterations.
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

    def require_batch(self, batch):
        """`BadInput` unless a batch fits into the pool."""
        if batch > self.pool:
            raise BadInput(
                f"batch = {batch} is larger than pool = {self.pool}. A batch is a block of the pool. Enlarge the pool."
            )
