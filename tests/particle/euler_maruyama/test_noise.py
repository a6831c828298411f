"""The noise stream: its generator against published vectors, its transform against numpy, its law by statistics."""

import numpy as np
import pytest
from scipy import stats

from pdeflow.particle.euler_maruyama.noise import BLOCK, HALF_BLOCK, log_unit, normals, philox

LOW = 0xFFFFFFFF
KEY = np.array([0xA4093822, 0x299F31D0], dtype=np.uint64)


def philox_by_hand(counter, key):
    """Philox4x32-10 on Python integers, from the definition in salmon2011."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k, q & LOW, (p >> 32) ^ d ^ m, p & LOW
        k, m = (k + 0x9E3779B9) & LOW, (m + 0xBB67AE85) & LOW
    return a, b, c, d


@pytest.mark.parametrize(
    "counter, key, answer",  # the known-answer vectors that come with salmon2011's Random123
    [
        ([0] * 4, [0] * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ([LOW] * 4, [LOW] * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_generator_gives_the_published_words(counter, key, answer):
    assert philox_by_hand(counter, key) == answer
    assert philox(*(np.uint64(word) for word in (*counter, *key))) == answer


def normal_by_hand(particle, step, coordinate):
    """The documented stream, one normal, with the logarithm and the sine of the C library."""
    block, lane = divmod(particle, BLOCK)
    counter = (block * HALF_BLOCK + lane % HALF_BLOCK, coordinate, step & LOW, step >> 32)
    a, b, c, d = philox_by_hand(counter, [int(k) for k in KEY])
    radius, angle = (a << 32) | b, (c << 32) | d
    u = 1 - (radius >> 12) * 2.0**-52
    t = np.pi / 2 * ((angle >> 12) * 2.0**-52 - 0.5)
    pair = (np.cos(t), np.sin(t)) if not angle & 1 else (np.sin(t), np.cos(t))
    return (-1) ** (angle >> 1 & 1) * np.sqrt(-2 * np.log(u)) * pair[lane >= HALF_BLOCK]


@pytest.mark.parametrize("first_step", [0, 2**32 - 1])  # the second passes into the high word of the step
def test_stream_is_what_its_page_says(first_step):
    z = normals(KEY, first_step, 2, 300, 3)
    expected = [[[normal_by_hand(p, first_step + s, i) for i in range(3)] for p in range(300)] for s in range(2)]
    np.testing.assert_allclose(z, expected, rtol=1e-14, atol=1e-15)  # both sides within a few ulp of exact


def test_logarithm_reaches_the_ends_of_its_range():
    u = np.concatenate([2.0 ** -np.arange(53.0), 1 - 2.0**-52 * np.arange(1, 50), np.linspace(0.4, 1, 1001)])
    ours = np.array([log_unit(v) for v in u])
    np.testing.assert_allclose(ours, np.log(u), rtol=1e-15, atol=0)
    assert np.sqrt(-2 * ours.min()) == pytest.approx(8.4904, abs=1e-3)  # √(104 log 2): the farthest normal there is


def test_law_of_the_stream():
    n, powers, beyond = 0, np.zeros(4), np.zeros(3)
    for part in range(4):
        z = normals(KEY, 1000 * part, 50, 20_000, 3).ravel()
        n += z.size
        powers += [np.sum(z**k) for k in (1, 2, 3, 4)]
        beyond += [np.sum(np.abs(z) > limit) for limit in (3, 4, 5)]
    moments, exact = powers / n, np.array([0, 1, 0, 3])
    error = np.sqrt(np.array([1, 2, 15, 96]) / n)  # variances of z, z², z³, z⁴ under N(0, 1)
    assert np.all(np.abs(moments - exact) < 4 * error)
    expected = 2 * n * stats.norm.sf([3, 4, 5])  # 5 sigma: 6.9 of 1.2e7
    assert np.all(np.abs(beyond - expected) < 4 * np.sqrt(expected))
    assert beyond[2] > 0
    assert stats.kstest(z[:1_000_000], "norm").pvalue > 1e-3


def test_nothing_is_correlated():
    z = normals(KEY, 0, 40, 2 * BLOCK, 24)
    other = normals(KEY + np.array([1, 0], dtype=np.uint64), 0, 40, 2 * BLOCK, 24)
    pairs = {
        "steps": (z[1:], z[:-1]),
        "particles": (z[:, 1:], z[:, :-1]),
        "the two of a Box-Muller pair": (z[:, :HALF_BLOCK], z[:, HALF_BLOCK:BLOCK]),
        "blocks": (z[:, :BLOCK], z[:, BLOCK:]),
        "coordinates": (z[:, :, 1:], z[:, :, :-1]),
        "keys": (z, other),
        "step and coordinate": (z[1:, :, :-1], z[:-1, :, 1:]),
    }
    for name, (a, b) in pairs.items():
        for f in (lambda v: v, lambda v: (v * v - 1) / np.sqrt(2), lambda v: np.sign(v)):
            score = np.sum(f(a) * f(b)) / np.sqrt(a.size)  # N(0, 1) if independent
            assert abs(score) < 4.5, name  # 21 scores: false alarm below 2e-4
