"""Tanh networks in numpy: their values, and their gradient against differences."""

import itertools

import numpy as np

from pdeflow.neural.maps.tanh_network import evaluate, evaluate_with_gradient


def network(sizes, rng):
    return tuple((rng.standard_normal((a, b)), rng.standard_normal(b)) for a, b in itertools.pairwise(sizes))


def test_a_network_without_hidden_layers_is_affine(rng):
    ((weight, bias),) = layers = network((3, 2), rng)
    x = rng.standard_normal((5, 3))
    np.testing.assert_array_equal(evaluate(layers, x), x @ weight + bias)


def test_the_gradient_is_that_of_differences(rng):
    layers, x, step = network((3, 6, 5, 1), rng), rng.standard_normal((7, 3)), 1e-6
    value, gradient = evaluate_with_gradient(layers, x)
    np.testing.assert_array_equal(value, evaluate(layers, x))
    slopes = [(evaluate(layers, x + step * e) - evaluate(layers, x - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(gradient, np.concatenate(slopes, axis=1), rtol=1e-7, atol=1e-8)
