"""What compiled code shares: how it is compiled and kept, blocks of particles and their threads, the bits of a float64,
an exponential that vectorises.

Particles are worked on in blocks of BLOCK, and sums over particles are taken block by block in a fixed order: the same
bits for every number of threads.
"""

import contextlib
import os
import pickle
import stat
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

# Particles of a block. The number is part of the definition of EulerMaruyama's noise stream, so that it never changes
# between versions; numba's cache on disk relies on that, for it looks at the file of a function alone.
BLOCK = 128
SETTINGS: Any = config  # of numba, which gives them their names when it is imported
FMA = {"contract"}  # one rounding for a*b + c: fixed when compiled, the same for every thread count
LOG_2E, LOG_2_HIGH, LOG_2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
BIAS, MANTISSA_BITS = np.int64(1023), np.uint64(52)
Run = Callable[..., None]  # of a `crew`: run(n, work, *args)


class _Cache(FunctionCache):
    """numba's cache of one function, in which a full disk or a damaged file costs a compilation and no more."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except OSError:  # forbidden, or gone
            return None
        except (EOFError, pickle.UnpicklingError):  # cut short by a crash: numba would read it again before it writes
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # a full or read-only disk: what was compiled is used
            super().save_overload(sig, data)


def compiled(*, cache: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` for every machine: the same code, and so the same bits, wherever the package runs.

    Parameters
    ----------
    cache : bool
        Whether machine code is kept on disk: where numba keeps it (NUMBA_CACHE_DIR, `__pycache__` beside the file, the
        user's cache folder), in a folder of the user's own among the temporary files where none of these can be
        written to, and not at all where that cannot be had.
    **options
        What `numba.njit` takes.

    Notes
    -----
    NUMBA_DISABLE_JIT, with which users debug functions of their own, does not reach ours: Python rounds a b + c twice,
    where the compiled code rounds once.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        with _compiling():
            dispatcher: Any = numba.njit(**options)(function)
        compile_for = dispatcher.compile

        def compile_even_if_disabled(types: Any) -> Any:
            with _compiling():
                return compile_for(types)

        dispatcher.compile = compile_even_if_disabled
        found = _cache_of(function) if cache else None
        if found is not None:
            dispatcher._cache = found  # what its own `enable_caching` sets
        return dispatcher

    return decorate


@contextmanager
def _compiling() -> Iterator[None]:
    """numba compiles inside the block, disabled or not; one thread at a time, for the switch is global."""
    with global_compiler_lock:
        SETTINGS.reload_config()  # else numba itself would read the environment again inside the block
        disabled, SETTINGS.DISABLE_JIT = SETTINGS.DISABLE_JIT, 0
        try:
            yield
        finally:
            SETTINGS.DISABLE_JIT = disabled


def _cache_of(function: Callable[..., Any]) -> _Cache | None:
    """The place on disk for the machine code of a function, or None where there is none to write to."""
    try:
        return _Cache(function)
    except RuntimeError:  # numba: no locator available
        folder = private_folder()
    if folder is None:
        return None
    chosen, SETTINGS.CACHE_DIR = SETTINGS.CACHE_DIR, str(folder)
    try:
        return _Cache(function)
    except RuntimeError:
        return None
    finally:
        SETTINGS.CACHE_DIR = chosen


def private_folder() -> Path | None:
    """A folder among the temporary files that only this user can write to, or None where that cannot be had.

    What lies in it is executed, so that a folder of somebody else's, a link, or one that others may write to is not
    used.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"  # the temporary folder of Windows is the user's own
    try:
        folder = Path(tempfile.gettempdir()) / f"pdeflow-{user}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        facts = folder.lstat()
    except OSError:
        return None
    private = user == "user" or (facts.st_uid == user and not facts.st_mode & 0o077)
    return folder if stat.S_ISDIR(facts.st_mode) and private else None


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


@compiled(inline="always", fastmath=FMA, error_model="numpy")
def exp_negative(t):
    """e^t for t <= 0 without a branch, so that loops over it vectorise; 0 below t = -708.

    Its relative error is below 4e-16. t = k log 2 + r with |r| <= log(2)/2 (Cody and Waite), the series of e^r to r¹³,
    and 2^k by its bits.
    """
    safe = max(t, -708.0)
    k = np.floor(safe * LOG_2E + 0.5)
    r = (safe - k * LOG_2_HIGH) - k * LOG_2_LOW
    s = 1 / 39916800 + r * (1 / 479001600 + r * (1 / 6227020800))
    s = 1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * s))
    s = 1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * s))
    s = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * s))))
    return (s if t >= -708.0 else 0.0) * float_of(np.uint64(np.int64(k) + BIAS) << MANTISSA_BITS)


@contextmanager
def crew(block: int = BLOCK) -> Iterator[Run]:
    """Threads for compiled work: run(n, work, *args) calls work(begin, end, *args) over the blocks of n particles.

    There are as many threads as numba has. `block` is how many particles make a block.
    Threads are made for this context only: nothing outlives it that a forked or spawned worker could trip over.
    """
    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:

        def run(n, work, *args):
            blocks = -(-n // block)
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
