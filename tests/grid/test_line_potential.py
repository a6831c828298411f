import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.line_potential import WithEnds, is_wall, potential_values, values_with_walls, wall_towards


class Walled:
    """x² between -1 and 2, inf outside, handed out without a word."""

    def value(self, x):
        return np.where((x[:, 0] >= -1) & (x[:, 0] <= 2), x[:, 0] ** 2, np.inf)


REFUSING = pf.potentials.FromFunction(lambda x: Walled().value(x))


@pytest.mark.parametrize("potential", [Walled(), REFUSING])
def test_walls_are_found_to_the_last_float(potential):
    assert wall_towards(potential, 0.5, -7.0) == pytest.approx(-1.0, abs=1e-15)
    assert wall_towards(potential, 0.5, 1e3) == pytest.approx(2.0, abs=1e-12)
    assert wall_towards(potential, 0.5, 1.75) == 1.75
    with pytest.raises(pf.BadInput, match="median"):
        wall_towards(potential, 3.0, 4.0)
    assert is_wall(potential, 2.5) and not is_wall(potential, 2.0)


@pytest.mark.parametrize("potential", [Walled(), REFUSING])
def test_values_end_at_the_first_wall(potential):
    x = np.array([1.0, 1.5, 2.5, 1.0])
    assert values_with_walls(potential, x).tolist() == [1.0, 2.25, np.inf, np.inf]
    with pytest.raises(pf.BadInput, match=r"inf at x = \[?2\.5"):
        potential_values(potential, x)


def test_given_ends_are_walls_and_nothing_is_asked_beyond_them():
    ended = WithEnds(pf.potentials.FromFunction(lambda x: np.log(x).sum(-1)), 0.5, None)
    assert wall_towards(ended, 1.0, -3.0) == pytest.approx(0.5, abs=1e-15)
    nan = pf.potentials.FromFunction(lambda x: np.where(x < 0, np.nan, 0.0).sum(-1))
    with pytest.raises(pf.BadInput, match="nan"):
        values_with_walls(nan, np.array([1.0, -1.0]))
