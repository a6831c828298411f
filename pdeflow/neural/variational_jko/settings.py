"""The fields of VariationalJKO that a study seldom sweeps, grouped."""

from dataclasses import dataclass

from ..._core.errors import BadInput
from ..._core.validate import NamedFields, count, positive


@dataclass(frozen=True)
class Saddle(NamedFields):
    """Shapes of the two networks of a variational JKO step, and how the test function is trained.

    map_width, map_depth : hidden layers of T (residual: tanh; icnn: softplus, each with `rank` squares a neuron). test_width, test_depth : hidden tanh layers
    of h. test_rate : of Adam for h. margin : the reference of the power energy lies in a
    ball (`balls.Balls`), in whitened coordinates, `margin` times as wide as the support (fan2022iclr has a box, of which the ball is 8 % in d = 6).
    """

    map_width: int = 64
    map_depth: int = 2
    rank: int = 1
    test_width: int = 64
    test_depth: int = 2
    test_rate: float = 5e-3
    margin: float = 1.3

    def __post_init__(self):
        for name in ("map_width", "map_depth", "test_width", "test_depth"):
            count(getattr(self, name), name)
        count(self.rank, "rank", 0)
        positive(self.test_rate, "test_rate")
        if not positive(self.margin, "margin") > 1:
            raise BadInput(
                f"margin is {self.margin}. The ball must be wider than the support: above 1. Choose e.g. 1.3."
            )
