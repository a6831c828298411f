"""What compiled code shares: bits of floats, and the same sums for every number of threads."""

import numba
import numpy as np

from pdeflow._core.compiled import BLOCK, alone, bits_of, crew, float_of


@numba.njit
def _there_and_back(x):
    return float_of(bits_of(x))


@numba.njit(nogil=True)
def _mark(begin, end, seen):
    for block in range(begin, end):
        seen[block] += 1


def test_the_bits_of_a_float_come_back():
    for x in (0.1, -0.0, 5e-324, np.inf):
        assert np.float64(_there_and_back(x)).tobytes() == np.float64(x).tobytes()


def test_every_block_is_worked_on_once():
    n = 33 * BLOCK + 5
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        seen = np.zeros(34, dtype=np.int64)
        with crew() as work:
            work(n, _mark, seen)
        assert np.all(seen == 1)
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    seen = np.zeros(34, dtype=np.int64)
    alone(n, _mark, seen)
    assert np.all(seen == 1)
