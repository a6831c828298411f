"""A process of its own for work that has a budget of CPU seconds: it can be ended inside a compiled step."""

from __future__ import annotations

import json
import math
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from typing import Any, BinaryIO

import joblib
import psutil

from .._core.costs import cpu_seconds
from .._core.errors import OutOfTime

Tell = Callable[[str, Any], None]  # called with the name of the part of the work that begins, and what is known by then
POLL, LOOKS = 0.05, 40  # seconds between two looks at the clock of the process, or this share of the budget if more
ASLEEP = 60.0  # seconds without any CPU time after which work counts as stuck
_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from pdeflow.study.worker import serve; serve()"
_mine = threading.local()  # the worker of each thread


class Worker:
    """A process that does one piece of work after another, until one of them runs out of time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CODE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the study, which ends the worker
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.send, self.messages = self.process.stdin, queue.SimpleQueue[bytes]()
        self.reader = threading.Thread(target=_collect, args=(self.process.stdout, self.messages), daemon=True)
        self.reader.start()
        self.stop = weakref.finalize(self, _end, self.process, self.reader)

    def ask(self, work: Callable[..., Any], arguments: tuple[Any, ...], budget: float) -> Any:
        """work(*arguments, tell=...); `OutOfTime` with what was told last in its `known`, and the process is gone."""
        try:
            _write(self.send, _packed((work, arguments, budget)))
            return self._answer(budget)
        except BaseException:  # also Ctrl-C: work goes on nowhere
            self.stop()
            raise

    def _answer(self, budget: float) -> Any:
        part, known, begun = "to begin", None, math.inf  # no time is counted before the first part has begun
        used, moved, poll = 0.0, time.monotonic(), max(POLL, budget / LOOKS)
        while True:
            try:
                data = self.messages.get(timeout=poll)
            except queue.Empty:
                last, used = used, max(self._cpu_seconds() - begun, 0.0)
                moved = time.monotonic() if used > last + poll / 5 or math.isinf(begun) else moved
                if used > budget:
                    what = f"had used {used:.3g} CPU seconds when it was ended"
                    raise _out_of_time(part, what, budget, known) from None
                if time.monotonic() - moved > ASLEEP:
                    raise _out_of_time(part, f"had not computed for {ASLEEP:g} s", budget, known) from None
                continue
            if not data:
                raise self._gone(part, budget, known)
            kind, content = pickle.loads(data)
            if kind == "part":
                (part, known, begun), used, moved = content, 0.0, time.monotonic()
            elif kind == "answer":
                return content
            else:
                error, text = content
                raise error from _Traceback(text)

    def _gone(self, part: str, budget: float, known: Any) -> Exception:
        """The error for a process that ended without an answer."""
        if self.process.wait() == -_XCPU:  # the system's own limit, which is for a worker that nobody watches
            return _out_of_time(part, "was ended by the system's limit of CPU time", budget, known)
        return RuntimeError(
            f"The process of a run with a budget ended with exit code {self.process.returncode} in the part {part!r}, "
            "without an answer. A crash or a lack of memory looks like this. Run it without budget= to see more."
        )

    def _cpu_seconds(self) -> float:
        """CPU time of the process and of all its descendants."""
        try:
            process = psutil.Process(self.process.pid)
            used = sum(process.cpu_times()[:4])  # of itself and of what it waited for; Linux adds time without CPU
            return used + sum(sum(child.cpu_times()[:2]) for child in process.children(recursive=True))
        except psutil.Error:  # one of them has just ended
            return 0.0


_XCPU = 24  # SIGXCPU, where there is one


class _Traceback(Exception):
    """Where in the worker an error came from."""

    def __init__(self, text: str):
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


def _out_of_time(part: str, what: str, budget: float, known: Any) -> OutOfTime:
    return OutOfTime(
        f"The part {part!r} {what}. The budget is {budget:g} CPU seconds for each part of a run. Raise budget=, or "
        "take a smaller problem.",
        known=known,
    )


def within(budget: float, work: Callable[..., Any], *arguments: Any) -> Any:
    """work(*arguments, tell=...) in a process of its own, which is ended where a part of it takes more CPU seconds.

    Parameters
    ----------
    budget : float
        CPU seconds for each part; `work` says by tell(name, known) when one begins.
    work : callable
        A function of a module.
    *arguments
        What it is called with; they travel to the process.

    Raises
    ------
    OutOfTime
        With the attribute `known`, what `work` told at the beginning of the part that was ended.
    """
    worker = getattr(_mine, "worker", None)
    if worker is None or not worker.stop.alive or worker.process.poll() is not None:
        worker = _mine.worker = Worker()
    return worker.ask(work, arguments, budget)


def dismiss() -> None:
    """End the worker of this thread, if there is one."""
    worker = getattr(_mine, "worker", None)
    if worker is not None:
        worker.stop()


def _end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    """End a process and all that it started."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        family = []
    process.kill()
    for child in family:
        try:
            child.kill()
        except psutil.Error:  # it ended by itself
            continue
    process.wait()
    reader.join(5)
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # what was still to be written has no reader
            continue


def _write(pipe: BinaryIO | Any, data: bytes) -> None:
    try:
        pipe.write(len(data).to_bytes(8, "little") + data)
        pipe.flush()
    except (BrokenPipeError, ValueError):  # the process is gone, which the reader sees
        return


def _read(pipe: BinaryIO | Any) -> bytes:
    """The next message, empty where the other end is gone."""
    head = pipe.read(8)
    data = pipe.read(int.from_bytes(head, "little")) if len(head) == 8 else b""
    return data if len(data) == int.from_bytes(head, "little") else b""


def _collect(pipe: BinaryIO | Any, messages: queue.SimpleQueue[bytes]) -> None:
    data = b"?"
    while data:
        data = _read(pipe)
        messages.put(data)


def serve() -> None:
    """The loop of the process: read work, do it, write the answer; it ends when nobody is there to ask."""
    source, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the work prints goes to stderr, and it finds nothing to read
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    while task := _read(source):
        try:
            work, arguments, budget = pickle.loads(task)

            def tell(part: str, known: Any, budget: float = budget) -> None:
                _limit(budget)
                _write(answers, _packed(("part", (part, known, cpu_seconds()))))

            _write(answers, _packed(("answer", work(*arguments, tell=tell))))
        except BaseException as error:
            _write(answers, _packed_error(error, traceback.format_exc()))
            raise SystemExit(1) from None  # the error is raised again where the work was asked for


def _packed(thing: Any) -> bytes:
    """The bytes of anything, also of what a script of a user defines."""
    return pickle.dumps(joblib.wrap_non_picklable_objects(thing, keep_wrapper=False))


def _packed_error(error: BaseException, text: str) -> bytes:
    try:
        return _packed(("error", (error, text)))
    except (pickle.PicklingError, TypeError, AttributeError):  # it holds what cannot travel
        return _packed(("error", (RuntimeError(f"{type(error).__name__}: {error}"), text)))


def _limit(budget: float) -> None:
    """Let the system end this process somewhat after its budget, should the one that watches it be gone."""
    if sys.platform == "win32":
        return
    import resource  # not on every system

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + 1.5 * budget + 5)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
