"""judge: the answers of a program, as files, through the same study as a method in Python."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from .._core.errors import BadInput
from .._core.short_text import shown
from .._core.validate import text
from ..laws import Law
from ..method import Method
from ..problems.problem import Problem
from ..study import Study, Table
from .answers import represented
from .case import Case
from .export import load
from .result_files import SUFFIXES, Result, agree, read_results

Key = tuple[float, float, int]  # dt, time, seed


@dataclass(frozen=True)
class Answers(Method):
    """Answers that were computed elsewhere, as a method that runs as a whole.

    answer : what they are. laws : by (dt, time, seed).
    """

    answer: str
    laws: Mapping[Key, Law]

    def run(self, problem: Problem, dt: float, times: Sequence[float], seed: int) -> list[Law]:
        """The laws that were read."""
        return [self.laws[float(dt), float(time), seed] for time in times]

    def represent(self, law: Law, answer: Law, rng: np.random.Generator) -> Law:
        """`law` with as many samples, on the same grid or at the same levels as an answer."""
        return represented(self.answer, law, answer, rng)


def judge(
    case: Case | str | os.PathLike[str],
    results: str | os.PathLike[str],
    *,
    name: str = "results",
    jobs: int = 1,
    progress: bool = True,
) -> Table:
    """The table of a study of answers that a program wrote.

    Parameters
    ----------
    case : Case, or str or path
        The case, or the folder that `export` wrote.
    results : str or path
        A folder of CSV, NPZ and HDF5 files, or one file, with one answer for each level and time of the case, and for
        each seed that occurs; see `docs/any_language.md`.
    name : str
        What the table calls the program.
    jobs : int
        Workers of joblib.
    progress : bool
        Whether to show how far it is.

    Returns
    -------
    Table
        Its orders, floors and claims are those of any study. Floors are those of the answers: as many samples, the same
        cells. `seconds` are those of reading.

    Raises
    ------
    BadInput, Diverged
        Before anything is compared, for the first file that is no answer (the message names file and line), for answers
        of two kinds, for one that is missing, that nobody asked for or that is there twice.
    """
    case = case if isinstance(case, Case) else load(case)
    text(name, "name")
    try:
        place = Path(results)
    except TypeError:
        raise BadInput(f"results is {shown(results)}. It must be a file or a folder. Pass its name.") from None
    found = read_results(place, case.problem.dim)
    laws = _arranged(case, found, place)
    answer = found[0].answer
    study = Study(
        case.problem,
        {name or "results": Answers(answer, laws)},
        {"dt": case.levels},
        case.measured(answer),
        times=case.times,
        against=case.against(),
        seeds=sorted({seed for _, _, seed in laws}),
    )
    return study.run(jobs=jobs, progress=progress)


def _arranged(case: Case, found: Sequence[Result], place: Path) -> dict[Key, Law]:
    """The laws by step, time and seed of the case; `BadInput` unless every one is there once, all of one kind."""
    results: dict[Key, Result] = {}
    first = found[0]
    for one in found:
        if one.answer != first.answer:
            raise BadInput(
                f"{one.where} is an answer of {one.answer}, {first.where} of {first.answer}. All must be of one kind, "
                "because they are compared in the same metrics. Judge them one kind at a time."
            )
        key = (
            _asked(one.dt, case.levels, "dt", one.where),
            _asked(one.time, case.times, "time", one.where),
            one.seed,
        )
        if key in results:
            raise BadInput(
                f"{one.where} and {results[key].where} both are dt={key[0]!r} time={key[1]!r} seed={key[2]}. Each "
                "answer may be there once. Remove one, or give it another seed."
            )
        results[key] = one
    seeds = sorted({seed for _, _, seed in results})
    missing = [key for key in product(case.levels, case.times, seeds) if key not in results]
    if missing:
        dt, time, seed = missing[0]
        raise BadInput(
            f"{str(place)!r} lacks {len(missing)} of {len(missing) + len(results)} answers, the first of them "
            f"dt={dt!r} time={time!r} seed={seed}. Every step and time of the case must be there for every seed."
            f"{_overlooked(place)} Write it."
        )
    return {key: one.law for key, one in results.items()}


def _asked(value: float, asked: Sequence[float], key: str, where: str) -> float:
    """The number of the case that `value` is, to 1e-9."""
    near = min(asked, key=lambda one: abs(one - value))
    if not agree(near, value):
        raise BadInput(
            f"{where} says {key}={value!r}. The case asks for {', '.join(map(repr, asked))}. Write 17 digits, or "
            "export the case with other levels or times."
        )
    return near


def _overlooked(place: Path) -> str:
    """A sentence on files of a folder that are no results by their names, or ""."""
    others = (
        [] if place.is_file() else sorted(one.name for one in place.iterdir() if one.suffix.lower() not in SUFFIXES)
    )
    return f" Not read, as their names do not end with {', '.join(SUFFIXES)}: {shown(others, 200)}." if others else ""
