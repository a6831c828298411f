"""Standard normals as a function of (key, particle, step, coordinate): no state, so no order to depend on.

Bits: Philox4x32-10 [salmon2011, section 3.3], a bijection of a 128-bit counter under a 64-bit key. The counter is
(pair of particles, coordinate, step low, step high); all words are 32 bits held in 64-bit integers, so that the loop
over pairs vectorises on any SIMD width. Its 128 bits make one Box-Muller pair: one coordinate of two particles of the
same block, which lie 64 apart (see `add_normals`).

Transform: the radius is √(-2 log u) with u = k 2⁻⁵², k = 1, ..., 2⁵²; hence |z| <= √(104 log 2) = 8.49, passed by an
exact normal with probability below 2⁻⁵². log is the series of 2 artanh(f/(2+f)) on [1/√2, √2), the angle lies in one
quarter of the circle where sine and cosine are their Taylor series, and two more bits choose the quarter. Truncation
stays below 3e-15 relative.
"""

import numpy as np

from ..._core.compiled import BLOCK, FMA, bits_of, compiled, float_of

MULTIPLY_0, MULTIPLY_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW_WORD, HALF_WORD = np.uint64(0xFFFFFFFF), np.uint64(32)
LAST_BIT, SIGN_SHIFT = np.uint64(1), np.uint64(63)
EXPONENT_OF_ONE, MANTISSA_MASK, MANTISSA_BITS = (
    np.uint64(0x3FF0000000000000),
    np.uint64(0x000FFFFFFFFFFFFF),
    np.uint64(52),
)
DROPPED_BITS = np.uint64(12)
ROOT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)  # of 1/√2: mantissas are centred on one in the logarithm
LOG_2, QUARTER_TURN = float(np.log(2.0)), float(np.pi / 2)
HALF_BLOCK = BLOCK // 2  # part of the definition of the stream


@compiled(inline="always")
def _philox_round(c0, c1, c2, c3, k0, k1):
    p0, p1 = MULTIPLY_0 * c0, MULTIPLY_1 * c2
    return (p1 >> HALF_WORD) ^ c1 ^ k0, p1 & LOW_WORD, (p0 >> HALF_WORD) ^ c3 ^ k1, p0 & LOW_WORD


@compiled(inline="always")
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10: four counter words and two key words (uint64, each < 2³²) -> four random words."""
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)  # written out: LLVM vectorises no loop around an inner loop
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + WEYL_0) & LOW_WORD, (k1 + WEYL_1) & LOW_WORD
    c0, c1, c2, c3 = _philox_round(c0, c1, c2, c3, k0, k1)
    return c0, c1, c2, c3


@compiled(inline="always", fastmath=FMA, error_model="numpy")
def log_unit(u):
    """log u for normal u in (0, 1]: e log 2 + 2 artanh(f/(2+f)) with u = 2^e (1+f) and 1+f in [1/√2, √2).

    Its error is below 3e-16 |log u| + 1e-16 |f|.
    """
    shifted = bits_of(u) + (EXPONENT_OF_ONE - ROOT_HALF_BITS)
    exponent = np.int64(shifted >> MANTISSA_BITS) - np.int64(1023)
    f = float_of((shifted & MANTISSA_MASK) + ROOT_HALF_BITS) - 1.0
    s = f / (2.0 + f)
    w = s * s
    series = 1 / 15 + w * (1 / 17 + w * (1 / 19))
    series = 1 / 9 + w * (1 / 11 + w * (1 / 13 + w * series))
    series = 1 / 3 + w * (1 / 5 + w * (1 / 7 + w * series))
    return np.float64(exponent) * LOG_2 + 2.0 * (s + s * w * series)


@compiled(inline="always", fastmath=FMA, error_model="numpy")
def cos_sin_quarter(t):
    """cos and sin of (π/2) t for |t| <= 1/2 by their Taylor series; error below 3e-16."""
    a = QUARTER_TURN * t
    w = a * a
    c = 1 / 479001600 + w * (-1 / 87178291200 + w * (1 / 20922789888000))
    c = 1 / 40320 + w * (-1 / 3628800 + w * c)
    c = 1.0 + w * (-1 / 2 + w * (1 / 24 + w * (-1 / 720 + w * c)))
    s = -1 / 39916800 + w * (1 / 6227020800 + w * (-1 / 1307674368000))
    s = 1 / 120 + w * (-1 / 5040 + w * (1 / 362880 + w * s))
    return c, a * (1.0 + w * (-1 / 6 + w * s))


@compiled(inline="always", fastmath=FMA, error_model="numpy")
def normal_pair(c0, c1, c2, c3, k0, k1):
    """Two independent standard normals from the counter (c0, c1, c2, c3) under the key (k0, k1)."""
    a, b, c, d = philox(c0, c1, c2, c3, k0, k1)
    radius_word, angle_word = (a << HALF_WORD) | b, (c << HALF_WORD) | d
    u = 2.0 - float_of((radius_word >> DROPPED_BITS) | EXPONENT_OF_ONE)  # (0, 1]
    r = np.sqrt(-2.0 * log_unit(u))
    cos, sin = cos_sin_quarter(float_of((angle_word >> DROPPED_BITS) | EXPONENT_OF_ONE) - 1.5)
    swap = (angle_word & LAST_BIT) != 0  # reflection in the diagonal, then in the origin: the four quarters
    r = float_of(bits_of(r) ^ ((angle_word >> LAST_BIT) << SIGN_SHIFT))
    return r * (sin if swap else cos), r * (cos if swap else sin)


@compiled(fastmath=FMA, error_model="numpy")
def add_normals(block, coordinate, step, k0, k1, low, high):
    """Add the normals of a block's particles at one step and coordinate to `low` and `high`, (HALF_BLOCK,) each.

    Lane j of a block holds one Box-Muller pair: particles block BLOCK + j (low) and block BLOCK + HALF_BLOCK + j
    (high). Two separate arrays, because LLVM drops to scalar code where it cannot prove rows of one array apart.
    """
    first = np.uint64(block) * np.uint64(HALF_BLOCK)
    word_1, word_2, word_3 = np.uint64(coordinate), np.uint64(step) & LOW_WORD, np.uint64(step) >> HALF_WORD
    for j in range(HALF_BLOCK):
        one, two = normal_pair(first + np.uint64(j), word_1, word_2, word_3, k0, k1)
        low[j] += one
        high[j] += two


@compiled(error_model="numpy")
def normals(key, first_step, steps, particles, dim):
    """The stream itself, (steps, particles, dim) from step `first_step` on, for tests and for a look.

    key : (2,) uint64 below 2³².
    """
    out = np.empty((steps, particles, dim))
    for s in range(steps):
        for i in range(dim):
            for block in range((particles + BLOCK - 1) // BLOCK):
                low, high = np.zeros(HALF_BLOCK), np.zeros(HALF_BLOCK)
                add_normals(block, i, first_step + s, key[0], key[1], low, high)
                start = block * BLOCK
                for j in range(min(BLOCK, particles - start)):
                    out[s, start + j, i] = low[j] if j < HALF_BLOCK else high[j - HALF_BLOCK]
    return out
