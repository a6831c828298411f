"""Reconstructed densities at the faces: never negative, linear where they can be; rates by blocks of lines."""

from itertools import pairwise

import numpy as np

from pdeflow.grid.finite_volume.reconstruction import axis_rates, upper_shares


def faces_of(density):
    shares = np.empty((1, len(density)))
    upper_shares(0, 1, density[None], shares)
    return shares[0] * density, (2 - shares[0]) * density


def test_linear_densities_are_reconstructed_and_none_is_negative():
    line = 1.0 + 0.2 * np.arange(9)
    upper, lower = faces_of(line)
    assert np.allclose(upper, line + 0.1, rtol=1e-15) and np.allclose(lower, line - 0.1, rtol=1e-15)
    steep = np.random.default_rng(0).random(2000) ** 6
    steep[::7] = 0.0
    for faces in faces_of(steep):
        assert faces.min() >= -1e-16  # round-off of (2 - share) times the density
    # the limiter: twice the smaller of the differences, where the central slope is too steep
    upper, _ = faces_of(np.array([0.0, 0.1, 1.0]))
    assert np.isclose(upper[1], 0.1 + 0.1)


def test_rates_by_blocks_of_lines_are_the_same_bits():
    shape = (3, 7, 5)
    density, field, slope, pressure = np.random.default_rng(0).random((4, *shape))
    for flat in (shape, (1, 7, 15)):
        parts = [part.reshape(flat) for part in (density, field, slope, pressure)]
        lines = flat[0] if flat[0] > 1 else flat[2]
        results = []
        for cuts in ([0, lines], list(range(lines + 1))):
            rate, speed = np.zeros(flat), np.zeros(lines)
            for begin, end in pairwise(cuts):
                axis_rates(begin, end, *parts, True, 0.1, rate, speed)
            results.append((rate, speed))
        assert all(np.array_equal(one, other) for one, other in zip(*results))
        assert np.abs(results[0][0]).max() > 1.0


def test_densities_at_the_end_of_the_range_of_floats_divide_nothing_by_zero():
    density = np.array([1.0, 1e-200, 5e-324, 0.0]).reshape(1, 4, 1)
    field = np.log(np.maximum(density, 5e-324))
    rate, speed = np.zeros(density.shape), np.zeros(1)
    axis_rates(0, 1, density, field, 0 * field, density, True, 0.1, rate, speed)
    assert np.isfinite(rate).all() and rate.sum() == 0 and speed[0] < 1e4
