"""The kinds of maps that neural methods take, each with the settings that it has and no others."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import BadInput
from .._core.validate import count
from .._core.value import Value


@dataclass(frozen=True)
class Affine(Value):
    """T(x) = A x + b with A and b free: `PWGF`, `PFPE` and `VariationalJKO` take it, and it has no settings.

    Gaussian flows under quadratic energies and Barenblatt flows of the porous medium equation stay in this class.
    """


@dataclass(frozen=True)
class Planar(Value):
    """A chain of planar layers x + u tanh(w·x + b), invertible by construction: for `PWGF` and `PFPE` [rezende2015].

    Parameters
    ----------
    layers : int
        Number of layers; 40 as in [jin2025].
    affine : bool
        Whether an affine map v + U x follows the layers, with U and v among the parameters. Gaussian flows,
        contractions and the porous medium from a Barenblatt law are then represented exactly. [jin2025] has none.
    """

    layers: int = 40
    affine: bool = True

    def __post_init__(self):
        count(self.layers, "layers")
        _flag(self.affine, "affine")


@dataclass(frozen=True)
class Residual(Value):
    """A chain of residual layers x + A tanh(W x + b), A (d, width), W (width, d): for `PWGF` and `PFPE`.

    Far from the identity a layer may fold, which the methods notice and refuse with `Diverged`.

    Parameters
    ----------
    layers : int
        Number of layers.
    width : int
        Neurons of a layer.
    affine : bool
        Whether an affine map follows, as in `Planar`.
    """

    layers: int = 4
    width: int = 16
    affine: bool = True

    def __post_init__(self):
        count(self.layers, "layers")
        count(self.width, "width")
        _flag(self.affine, "affine")


@dataclass(frozen=True)
class DeepResidual(Value):
    """T(x) = A x + b + N(x) with one tanh network N of several hidden layers: for `VariationalJKO` [fan2022iclr].

    Nothing keeps such a map invertible, so the law that it pushes has samples and no density.

    Parameters
    ----------
    width : int
        Neurons of a hidden layer of N.
    depth : int
        Number of hidden layers of N.
    """

    width: int = 64
    depth: int = 2

    def __post_init__(self):
        count(self.width, "width")
        count(self.depth, "depth")


@dataclass(frozen=True)
class NeuralODE(Value):
    """The flow of x' = A_s tanh(W_s x + b_s) over unit time by RK4 steps: for `PWGF` and `PFPE`.

    Parameters
    ----------
    steps : int
        Number of steps; each has a field of its own.
    width : int
        Neurons of the field of a step.
    affine : bool
        Whether an affine map follows, as in `Planar`.
    """

    steps: int = 4
    width: int = 16
    affine: bool = True

    def __post_init__(self):
        count(self.steps, "steps")
        count(self.width, "width")
        _flag(self.affine, "affine")


@dataclass(frozen=True)
class Coordinatewise(Value):
    """An increasing cubic spline of every coordinate, for laws whose coordinates are independent: `PWGF`, `PFPE`.

    Parameters
    ----------
    pieces : int
        Pieces of a spline at the start, at least 3; pieces that stretch during the flow are halved.
    """

    pieces: int = 24

    def __post_init__(self):
        count(self.pieces, "pieces", 3)


@dataclass(frozen=True)
class Convex(Value):
    """The gradient of an input-convex network, which is invertible: for `VariationalJKO`.

    Parameters
    ----------
    width : int
        Neurons of a hidden layer (softplus).
    depth : int
        Number of hidden layers.
    rank : int
        Squares (pᵀx)² in the argument of every neuron; 0 for affine arguments.
    """

    width: int = 64
    depth: int = 2
    rank: int = 1

    def __post_init__(self):
        count(self.width, "width")
        count(self.depth, "depth")
        count(self.rank, "rank", 0)


def require_kind(value, name: str, kinds: tuple[type, ...]) -> None:
    """Raise `BadInput` unless `value` is an object of one of the classes `kinds`, which pdeflow.neural exports."""
    if not isinstance(value, kinds):
        possible = ", ".join(f"{kind.__name__}(...)" for kind in kinds)
        raise BadInput(
            f"{name} is {value!r}. It must be one of {possible}. Pass an object, e.g. pf.neural.{kinds[0].__name__}()."
        )


def _flag(value, name):
    if not isinstance(value, bool):
        raise BadInput(f"{name} is {value!r}. It must be True or False. Choose one.")
