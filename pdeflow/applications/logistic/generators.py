"""The artificial data of Breiman, drawn exactly: two Gaussians apart, two Gaussians of two sizes, mixed waves."""

import numpy as np

from ..._core.validate import count, draws
from .data import DataSet

FEATURES = 20  # of twonorm and ringnorm
WAVE = np.maximum(6 - np.abs(np.arange(1, 22) - 11), 0.0)  # of height 6 about the 11th of 21 places


def twonorm(n: int, rng: np.random.Generator) -> DataSet:
    """n points of N(a, I) in R²⁰ with label +1 and N(-a, I) with label -1, each with chance 1/2.

    All entries of a are 2/√20. The Bayes rule is the sign of Σ s_i, of error Φ(-2) = 0.02275 [breiman1998].
    """
    n = count(draws(n, rng), "n")
    labels = _coin(n, rng)
    return DataSet(rng.standard_normal((n, FEATURES)) + labels[:, None] * 2 / np.sqrt(FEATURES), labels)


def ringnorm(n: int, rng: np.random.Generator) -> DataSet:
    """n points of N(0, 4 I) in R²⁰ with label +1 and N(a, I) with label -1, each with chance 1/2.

    All entries of a are 2/√20 [breiman1998]. The values of KEEL's file `ring` were written as whole thousandths without
    their trailing zeros, so that 0.840 stands there as 84: about a tenth of them are too small by a factor of ten.
    """
    n = count(draws(n, rng), "n")
    labels = _coin(n, rng)[:, None]
    x = rng.standard_normal((n, FEATURES))
    return DataSet(np.where(labels > 0, 2 * x, x + 2 / np.sqrt(FEATURES)), labels[:, 0])


def waveform(n: int, rng: np.random.Generator) -> DataSet:
    """n points of 21 places: u h_1 + (1 - u) h_2 + noise, u uniform on [0, 1], the noise N(0, I) [breiman1984].

    The waves h are triangles of height 6 about the places 11, 15 and 7. Class 1 mixes the waves about 11 and 15, class
    2 those about 11 and 7, class 3 those about 15 and 7. Label +1 is class 1, a third of the points; the others are -1,
    as in the benchmark of two classes of [ratsch2001].
    """
    n = count(draws(n, rng), "n")
    kind = rng.integers(3, size=n)
    waves = np.stack([WAVE, np.roll(WAVE, 4), np.roll(WAVE, -4)])
    first, second = np.array([0, 0, 1])[kind], np.array([1, 2, 2])[kind]
    u = rng.random((n, 1))
    x = u * waves[first] + (1 - u) * waves[second] + rng.standard_normal((n, waves.shape[1]))
    return DataSet(x, np.where(kind == 0, 1.0, -1.0))


def _coin(n, rng):
    return rng.integers(2, size=n) * 2.0 - 1.0
