"""The progress bar of long loops."""

import sys
from typing import Self


class ProgressBar:
    """A progress bar on stderr; nothing at all where that is no terminal.

    Parameters
    ----------
    wanted : bool
        Whether the caller asked for a bar.
    total : int
        The number of units of work.
    label : str
        What stands before the bar.
    """

    def __init__(self, wanted: bool, total: int, label: str):
        self.bar, self.label = None, label
        if wanted and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task(label, total=total)

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def update(self, done: int, loss: float | None = None) -> None:
        """Show that `done` units are finished, and the loss of the last one where there is one."""
        if self.bar:
            description = self.label if loss is None else f"{self.label}, loss {loss:.4g}"
            self.bar.update(self.task, completed=done, description=description)
