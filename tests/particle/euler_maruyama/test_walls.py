import numpy as np
import pytest

import pdeflow as pf
from pdeflow.particle.euler_maruyama.walls import refuse_reachable_walls, refuse_walls

DISC = pf.potentials.FromFunction(lambda x: np.where((x**2).sum(-1) < 4, 0.0, np.inf), dim=2)


def test_a_particle_beyond_a_wall_is_named():
    refuse_walls(DISC, np.zeros((5, 2)))
    with pytest.raises(pf.Unsupported, match=r"x = \[0.0, 3.0\].*ChangCooper"):
        refuse_walls(DISC, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0], [0.0, 0.0]]))


def test_a_wall_that_noise_may_reach_is_found_and_a_far_one_is_not():
    x = np.zeros((3, 2))
    refuse_reachable_walls(DISC, x, 0.1, 1.0)
    refuse_reachable_walls(DISC, x, 0.0, 0.0)
    with pytest.raises(pf.Unsupported, match="wall"):
        refuse_reachable_walls(DISC, x, 1.0, 1.0)


def test_an_overflow_that_no_particle_climbs_to_is_no_wall():
    overflowing = pf.potentials.FromFunction(lambda x: np.exp(x**2).sum(-1))
    refuse_reachable_walls(overflowing, np.zeros((3, 1)), 10.0, 1.0)
