"""External: a program in any language as a method."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._core.errors import BadInput, unknown_field
from .._core.short_text import shown
from .._core.validate import one_of, positive
from ..laws import Law
from ..method import Method
from ..problems.problem import Problem
from .answers import ANSWERS, represented, require_answer
from .program import LARGEST_OUTPUT, run_program
from .result_files import law_of_data

PLACES = ("dt", "time", "steps", "seed", "out")
FIELDS = ("command", "answer", "time_limit", "folder", "environment")


class External(Method):
    """A program in any language, run once for every step, seed and time that a study asks.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments. No shell reads them. In every argument {dt} and {time} are replaced by the step
        and the time (decimals that read back to the same double), {steps} by time/dt, {seed} by the seed, and {out} by
        the name of a file that the program is to write. All other braces stay, but for those of `settings`.
    answer : {"samples", "masses", "quantiles", "moments"}
        What the program answers: rows x1,...,xd of samples; left,right,mass of the cells of a grid; level,quantile from
        level 0 to 1; mean,cov1,...,covd. On its standard output as text, or where {out} is in the command in that file,
        as CSV, NPZ or HDF5 (see `docs/any_language.md`).
    time_limit : float, default 600
        Seconds for one call. Then the program and all processes that it started are ended.
    folder : str or path, optional
        Where the program runs, and where its file is looked for; by default the current folder.
    environment : mapping of str to str, optional
        The whole environment of the program; by default ours is passed on.
    **settings : int, float or str
        What else is replaced in the command, each by its name in braces: cells=200 for {cells}. A study sweeps them
        like the fields of any method.

    Raises
    ------
    BadInput
        For a program that is not there or cannot be executed, a command without {dt}, {time} or {steps}, and other
        fields that make no sense.
    UnknownField
        For a setting that the command does not name.

    Notes
    -----
    What goes wrong in a run ends as a row of the study: `out of time`, `program failed` (an exit code that is not 0,
    with the end of stderr), `bad input` (an answer of the wrong shape, with negative masses, or whose masses do not sum
    to one) and `diverged` (a number that is not finite). Each message names the line.

    The floor is measured from the answer itself: as many samples of the truth, or the truth's masses in the same cells.

    In a store a run is known by the content of the program's file, of all files that the command names, and by the
    fields. Files that the program opens by itself are not seen, and neither is the environment where none is given.
    """

    def __init__(
        self,
        command: Sequence[str],
        answer: str,
        time_limit: float = 600.0,
        *,
        folder: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        **settings: float | str,
    ):
        self.command = _words(command)
        text = " ".join(self.command)
        if sum(f"{{{name}}}" in text for name in ("dt", "time", "steps")) < 2:
            raise BadInput(
                f"command is {shown(list(self.command), 300)}. Two of {{dt}}, {{time}} and {{steps}} must be in it, or "
                "every step would have the same answer. Add them as arguments."
            )
        one_of(answer, "answer", ANSWERS)
        if environment is not None and not isinstance(environment, Mapping):
            raise BadInput(
                f"environment is {shown(environment)}. It must map names to texts. Pass a dict, or None for ours."
            )
        self.answer, self.time_limit = answer, positive(time_limit, "time_limit")
        self.folder, self.environment = folder, environment
        for name, value in settings.items():
            if f"{{{name}}}" not in text or name in PLACES:
                owner = f"External, whose command has no {{{name}}},"
                raise unknown_field(owner, name, FIELDS, "setting")
            setattr(self, name, _setting(value, name))
        self._program()

    @property
    def settings(self) -> dict[str, Any]:
        """What is replaced in the command besides the step, the time, the seed and the file, by name."""
        return {name: value for name, value in vars(self).items() if name not in FIELDS}

    def shown_fields(self) -> dict[str, Any]:
        return dict(vars(self))

    def run(self, problem: Problem, dt: float, times: Sequence[float], seed: int) -> list[Law]:
        """One law per time, each by one call of the program."""
        require_answer(self.answer, problem.dim, "External")
        return [self._law(problem, dt, float(time), seed) for time in times]

    def represent(self, law: Law, answer: Law, rng: np.random.Generator) -> Law:
        """`law` with as many samples, on the same grid or at the same levels as an answer."""
        return represented(self.answer, law, answer, rng)

    def described(self) -> dict[str, Any]:
        """What makes it another method: the content of its files counts, not where they are."""
        program = self._program()
        files = {word: _digest(self._folder() / word) for word in self.command[1:] if (self._folder() / word).is_file()}
        return {
            "external": [self.command, self.answer, float(self.time_limit)],
            "settings": self.settings,
            "environment": None if self.environment is None else dict(self.environment),
            "program": _digest(program),
            "files": files,
        }

    def _folder(self) -> Path:
        return Path(self.folder or ".").absolute()

    def _program(self) -> Path:
        """The file of the program; `BadInput` where there is none."""
        name, folder = self.command[0], self._folder()
        if not folder.is_dir():
            raise BadInput(f"folder is {str(self.folder)!r}. It must be a folder that is there. Make it.")
        path = None if self.environment is None else self.environment.get("PATH", os.defpath)
        has_folder = os.path.dirname(name) != ""
        found = shutil.which(str(folder / name)) if has_folder else shutil.which(name, path=path)
        if found is None:
            where = f"in {str(folder)!r}" if has_folder else "on the search path"
            raise BadInput(
                f"The program {name!r} is not there {where}, or must not be executed. Compile it (cc -O2 -o mysolver "
                "mysolver.c -lm), write ./ before a program of the folder, or name its interpreter first."
            )
        return Path(found)

    def _law(self, problem: Problem, dt: float, time: float, seed: int) -> Law:
        with tempfile.TemporaryDirectory(prefix="pdeflow-") as place:
            out = Path(place) / "answer"
            asked = {"dt": repr(dt), "time": repr(time), "steps": str(round(time / dt)), "seed": str(seed)}
            own = {name: _setting(value, name) for name, value in self.settings.items()}
            values = {**{name: str(value) for name, value in own.items()}, **asked, "out": str(out)}
            words = [_filled(word, values) for word in self.command]
            words[0] = str(self._program())
            data = run_program(words, time_limit=self.time_limit, folder=self._folder(), environment=self.environment)
            where = f"The output of {Path(self.command[0]).name} at dt = {dt!r}, time = {time!r}, seed = {seed}"
            if any("{out}" in word for word in self.command):
                data = _content(out, where)
        return law_of_data(data, self.answer, problem.dim, where, {"dt": dt, "time": time, "seed": seed})


def _words(command: Any) -> tuple[str, ...]:
    """The command as words, `BadInput` for what is none."""
    if isinstance(command, str) or not isinstance(command, Sequence) or not command:
        raise BadInput(
            f"command is {shown(command)}. It must be the list of the program and its arguments, as no shell reads it. "
            'Pass e.g. ["./mysolver", "{dt}", "{time}", "{seed}"].'
        )
    for word in command:
        if not isinstance(word, str) or "\0" in word:
            raise BadInput(f"command has {shown(word, 200)}. Each word must be a text. Write it as a str.")
    return tuple(command)


def _setting(value: Any, name: str) -> int | float | str:
    """A value that can stand in a command: floats by decimals that read back to the same double."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadInput(f"{name} is {shown(value)}. A setting is a number or a text. Pass one.")
    return value


def _filled(word: str, values: Mapping[str, str]) -> str:
    """The word with every {name} of `values` replaced, in one pass."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), word)


def _content(out: Path, where: str) -> bytes:
    """What the program wrote to the file that it was told."""
    if not out.is_file():
        raise BadInput(f"{where}: the file {{out}} was not written. It must hold the answer. Write to that name.")
    if out.stat().st_size > LARGEST_OUTPUT:
        raise BadInput(
            f"{where}: the file {{out}} has {out.stat().st_size} bytes. An answer has at most {LARGEST_OUTPUT}. Write "
            "fewer samples."
        )
    return out.read_bytes()


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(
            f"{str(path)!r} cannot be read: {error.strerror or error}. A study with a store knows a program by the "
            "content of its file. Give yourself the right to read it."
        ) from error
