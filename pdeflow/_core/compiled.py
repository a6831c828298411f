"""What compiled code on particles shares: the block, the threads that work on blocks, and the bits of a float64.

Particles are worked on in blocks of BLOCK, and sums over particles are taken block by block in a fixed order: the same
bits for every number of threads.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# Particles of a block. The number is part of the definition of EulerMaruyama's noise stream, so that it never changes
# between versions; numba's cache on disk relies on that, for it looks at the file of a function alone.
BLOCK = 128
FMA = {"contract"}  # one rounding for a*b + c: fixed when compiled, the same for every thread count


@intrinsic
def _float_of(typing, bits):
    """The float64 that has these 64 bits."""
    if bits != types.uint64:
        return None
    return types.float64(types.uint64), lambda context, builder, sig, args: builder.bitcast(args[0], ir.DoubleType())


@intrinsic
def _bits_of(typing, number):
    """The 64 bits of a float64."""
    if number != types.float64:
        return None
    return types.uint64(types.float64), lambda context, builder, sig, args: builder.bitcast(args[0], ir.IntType(64))


# numba calls an intrinsic with one argument less than its definition has, which a type checker cannot know
float_of: Any = _float_of
bits_of: Any = _bits_of


@contextmanager
def crew() -> Iterator[Callable[..., None]]:
    """Threads for compiled work: run(n, work, *args) calls work(begin, end, *args) over the blocks of n particles.

    There are as many threads as numba has.
    Threads are made for this context only: nothing outlives it that a forked or spawned worker could trip over.
    """
    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:

        def run(n, work, *args):
            blocks = -(-n // BLOCK)
            share = max(1, -(-blocks // (4 * threads)))  # four shares per thread, so that a slow core delays little
            if threads == 1 or share >= blocks:
                work(0, blocks, *args)
                return
            tasks = [pool.submit(work, b, min(b + share, blocks), *args) for b in range(0, blocks, share)]
            for task in tasks:
                task.result()

        yield run


def alone(n: int, work: Callable[..., None], *args: Any) -> None:
    """What a crew does, on the calling thread: for work too short to share."""
    work(0, -(-n // BLOCK), *args)
