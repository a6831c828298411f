"""One thread for linear algebra, so that sums are taken in one order: the same bits on any number of cores."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_lock = threading.Lock()
_inside = 0  # blocks that are open now, in all threads of the program
_limited: dict[str, tuple[Any, int]] = {}  # file of a library -> the library, and how many threads it had


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS works with one thread inside the block, and with as many as before after it.

    Blocks may be nested, and open in several threads at a time: a library whose setting is the program's gets its
    threads back when the last block ends. A library that is first loaded inside a block is limited from the next on.
    """
    global _inside
    own, common = _libraries(len(sys.modules))
    before = [(library, library.num_threads) for library in own]
    for library in own:
        library.set_num_threads(1)
    with _lock:
        _inside += 1
        for library in common:
            if library.filepath not in _limited:
                _limited[library.filepath] = library, library.num_threads
                _set_for_all(library, 1)
    try:
        yield
    finally:
        for library, threads in before:
            library.set_num_threads(threads)
        with _lock:
            _inside -= 1
            while not _inside and _limited:
                _set_for_all(*_limited.popitem()[1])


def _set_for_all(library: Any, threads: int) -> None:
    """Set a number that is the program's: threadpoolctl lets only one thread do that, whichever came first."""
    release = getattr(library, "clear_controlling_thread", lambda force: None)  # older versions let any thread
    release(force=True)
    library.set_num_threads(threads)
    release(force=True)


@lru_cache(maxsize=1)
def _libraries(modules: int) -> tuple[list[Any], list[Any]]:
    """The BLAS libraries that are loaded: those with a number of threads for each thread, and those with one for all.

    `modules` counts the modules of Python: one more may have brought another library.
    """
    from threadpoolctl import ThreadpoolController

    loaded: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    loaded = [library for library in loaded if isinstance(library.num_threads, int)]
    own = [item for item in loaded if item.internal_api == "mkl" or getattr(item, "threading_layer", "") == "openmp"]
    return own, [library for library in loaded if library not in own]
