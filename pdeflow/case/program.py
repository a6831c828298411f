"""Running a program outside: no shell, a time limit, bounded output, and none of its processes left behind."""

import os
import signal
import subprocess
import tempfile
import time as clock
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from .._core.errors import BadInput, OutOfTime, ProgramFailed
from .._core.short_text import cut, shown

LARGEST_OUTPUT = 2**28  # bytes: what a program may write to each of its two streams
LONGEST_WORDS = 800  # characters of stderr in a message


def run_program(
    words: Sequence[str], *, time_limit: float, folder: Path, environment: Mapping[str, str] | None
) -> bytes:
    """What a program writes to its standard output.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments, as they are: no shell reads them.
    time_limit : float
        Seconds after which it is ended, with all processes that it started.
    folder : Path
        Its current folder.
    environment : mapping or None
        Its environment; None passes on ours.

    Returns
    -------
    bytes
        All of the standard output.

    Raises
    ------
    BadInput
        Where it cannot be started.
    OutOfTime
        Where it takes longer.
    ProgramFailed
        Where it ends with another exit code than 0, by a signal, or writes more than 256 MiB to a stream.
    """
    name = shown(list(words), 300)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
        env = None if environment is None else dict(environment)
        try:  # a session of its own, whose processes can be ended together
            process = subprocess.Popen(list(words), **streams, cwd=folder, env=env, start_new_session=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BadInput(
                f"The program {name} cannot be started in {str(folder)!r}: {reason}. It must be a file that this "
                "machine can execute. Compile it, give it the right to run, or put its interpreter first."
            ) from error
        try:
            _wait(process, time_limit, (out, err), name)
        finally:
            _end(process)
        if process.returncode != 0:
            raise ProgramFailed(
                f"The program {name} ended with {_ending(process.returncode)}. Its stderr: {_last_words(err)}. Exit "
                "code 0 says that an answer is good. Correct the program, or take a smaller step.",
                exit_code=process.returncode,
            )
        out.seek(0)
        return out.read()


def _wait(process: subprocess.Popen, time_limit: float, streams: Sequence[IO[bytes]], name: str) -> None:
    """Return when the program has ended; raise where it takes too long or writes too much."""
    start, pause = clock.monotonic(), 0.001
    while not _has_ended(process):
        if clock.monotonic() - start > time_limit:
            raise OutOfTime(
                f"The program {name} had not ended after {time_limit:g} s and was stopped. Its stderr: "
                f"{_last_words(streams[1])}. Every run must end within time_limit. Raise time_limit=, or make it "
                "faster."
            )
        if any(os.fstat(stream.fileno()).st_size > LARGEST_OUTPUT for stream in streams):
            raise ProgramFailed(
                f"The program {name} wrote more than {LARGEST_OUTPUT} bytes and was stopped. An answer is smaller. "
                "Write one level and time per call, or fewer samples."
            )
        clock.sleep(pause)
        pause = min(2 * pause, 0.05)


def _has_ended(process: subprocess.Popen) -> bool:
    """Whether the program has ended. It is not collected yet, so that its number stays its own until `_end`."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process: subprocess.Popen) -> None:
    """End the program and all that it started and left."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # nobody is left, or (macOS) only one that has ended
            pass
    elif process.returncode is None:
        try:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        except psutil.NoSuchProcess:
            pass
        process.kill()
    process.wait()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    known = {one.value: one.name for one in signal.Signals}
    return f"signal {-code} ({known.get(-code, 'unknown')})"


def _last_words(stream: IO[bytes]) -> str:
    """The end of what a stream holds, or "(nothing)"."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 4 * LONGEST_WORDS))
    text = stream.read().decode("utf-8", "replace").strip()
    return cut(text[-2 * LONGEST_WORDS :], LONGEST_WORDS) if text else "(nothing)"
