"""What a block of code costs: CPU seconds and the peak memory of the process."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Self

import psutil

NAN = float("nan")
_lock = threading.Lock()
_open: set["Costs"] = set()  # blocks that are open now, in all threads of the program


class Costs:
    """CPU seconds and peak memory of this process inside a block, read after it.

    Attributes
    ----------
    cpu_seconds : float
        CPU time of all threads, in user and system mode, and of child processes that ended inside the block.
    memory : float
        The largest resident memory of the process while the block ran, in MB (10⁶ bytes), with all that it held before.

    Both are NaN where another block was open at the same time in another thread: the process has one clock. The memory
    is NaN, too, where the system cannot forget an older and higher peak (all but Linux).
    """

    cpu_seconds = memory = NAN

    def __enter__(self) -> Self:
        with _lock:
            self.alone = not _open
            for other in _open:
                other.alone = False
            _open.add(self)
        self.older = 0.0 if _forget_peak() else _peak()
        self.start = cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        used, peak = cpu_seconds() - self.start, _peak()
        with _lock:
            _open.discard(self)
        if self.alone:
            self.cpu_seconds = used
            self.memory = peak if peak > self.older else NAN


def cpu_seconds() -> float:
    """CPU time of this process and of the child processes that it has waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _forget_peak() -> bool:
    """Whether the process now counts its peak memory anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _peak() -> float:
    """The peak of the resident memory, in MB."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peaks = [line.split() for line in lines if line.startswith("VmHWM:")]
        return float(peaks[0][1]) * 1024 / 1e6 if peaks else NAN
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource  # not on every system

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1e6
