"""The progress of long loops: a bar in a terminal, a line that moves in a notebook, a line now and then elsewhere."""

import sys
import time
from threading import Event, Thread
from typing import Any, Self

EVERY = 10.0  # seconds between two lines where stderr is no terminal
_AT_MOST_EVERY = 0.2  # seconds between two changes of the line in a notebook
# what a stream raises that is closed, cannot encode, lost its reader, or lacks a method
_REFUSALS = (AttributeError, OSError, RuntimeError, TypeError, ValueError)


class ProgressBar:
    """The progress of `total` units of work on stderr; it never stands in the way of the work.

    In a terminal it is a bar, in a notebook one line that is written anew, and elsewhere (a file, a pipe, a log) a line
    every ten seconds, so that short loops are silent there. Where stderr is missing, closed or refuses, nothing is
    shown.

    Parameters
    ----------
    wanted : bool
        Whether the caller asked for it; else nothing is shown anywhere.
    total : int
        The number of units of work.
    label : str
        What stands before the bar.
    """

    def __init__(self, wanted: bool, total: int, label: str):
        self.label, self.total, self.done, self.loss = label, total, 0, None
        self.display: Any = _Lines(self) if wanted else None
        if wanted and _in_notebook():
            self.display = _Cell(self)
        elif wanted and _is_terminal():
            self.display = _Bar(self)

    def __enter__(self) -> Self:
        self.start = time.monotonic()
        self._tell("begin")
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("end")

    def update(self, done: int, loss: float | None = None) -> None:
        """Show that `done` units are finished, and the loss of the last one where there is one."""
        self.done, self.loss = done, loss
        self._tell("change")

    def line(self) -> str:
        """The state in words."""
        elapsed = time.monotonic() - self.start
        loss = "" if self.loss is None else f", loss {self.loss:.4g}"
        left = f", about {elapsed * (self.total / self.done - 1):.0f} s left" if 0 < self.done < self.total else ""
        return f"{self.label}: {self.done} of {self.total} after {elapsed:.0f} s{left}{loss}"

    def _tell(self, what: str) -> None:
        if self.display is not None:
            try:
                getattr(self.display, what)()
            except _REFUSALS:
                self.display = None


class _Bar:
    """A bar of rich in a terminal."""

    def __init__(self, progress: ProgressBar):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = progress
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task(progress.label, total=progress.total)

    def begin(self) -> None:
        self.bar.start()

    def change(self) -> None:
        loss = "" if self.progress.loss is None else f", loss {self.progress.loss:.4g}"
        self.bar.update(self.task, completed=self.progress.done, description=self.progress.label + loss)

    def end(self) -> None:
        self.bar.stop()


class _Cell:
    """A line under the cell of a notebook, which changes in place."""

    def __init__(self, progress: ProgressBar):
        self.progress, self.last = progress, 0.0
        self.show = sys.modules["IPython"].display.display

    def _data(self) -> dict[str, str]:
        return {"text/plain": self.progress.line()}

    def begin(self) -> None:
        self.handle = self.show(self._data(), raw=True, display_id=True)

    def change(self) -> None:
        if time.monotonic() - self.last >= _AT_MOST_EVERY:
            self.last = time.monotonic()
            self.handle.update(self._data(), raw=True)

    def end(self) -> None:
        self.handle.update(self._data(), raw=True)


class _Lines:
    """A line every ten seconds, also while a single unit of work takes longer than that."""

    def __init__(self, progress: ProgressBar):
        self.progress, self.over = progress, Event()
        self.clock = Thread(target=self._write, name="pdeflow progress", daemon=True)

    def begin(self) -> None:
        self.clock.start()

    def change(self) -> None:
        pass  # the clock looks at it

    def end(self) -> None:
        self.over.set()
        self.clock.join()

    def _write(self) -> None:
        while not self.over.wait(EVERY):
            try:
                sys.stderr.write(self.progress.line().encode("ascii", "replace").decode() + "\n")
                sys.stderr.flush()
            except _REFUSALS:
                return


def _is_terminal() -> bool:
    try:
        return bool(sys.stderr.isatty())
    except _REFUSALS:
        return False


def _in_notebook() -> bool:
    """Whether an IPython kernel runs the program, which shows output under its cells."""
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None and hasattr(ipython, "display")
