"""A case as a folder: README.md, case.json, the initial law as data; and the answers of a method as files."""

import contextlib
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .. import __version__
from .. import reference as references
from .._core.errors import BadInput
from .._core.files import temporary_name
from .._core.short_text import shown
from .._core.validate import count
from ..laws import Law
from ..method import solve
from ..reference.problem_record import recall, record
from .answers import columns_of, table_of, written
from .case import Case
from .equation import equation_of
from .initial_data import initial_data
from .readme import readme
from .text_answers import text_of

SCHEMA = 1


def export(case: Case, folder: str | os.PathLike[str]) -> Path:
    """Write a case as a folder that a program in any language can run.

    Parameters
    ----------
    case : Case
        What is written.
    folder : str or path
        A folder that is not there yet, or is empty. It appears whole or not at all.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadInput
        For a folder that holds something, and for a problem that no builder of the catalogue can rebuild.

    Notes
    -----
    In it are `README.md` (the equation in words and formulas, what is asked, how answers look), `case.json` (the same
    for programs), and `initial/` with the law at time 0 as 10,000 samples, grid masses, quantiles and moments, in CSV
    and together in `initial.h5`; what a law cannot answer is left out and named. Masses lie on a grid that holds all
    but 2e-13 of the mass at time 0 and at all times that are asked.
    """
    facts = record(case.problem)
    if "problem_description" in facts:
        raise BadInput(
            f"The problem {shown(case.problem.name, 200)} holds functions or laws of your own. A case must be rebuilt "
            "from its file. Give its builder to pf.problems.register, with plain arguments."
        )
    with _new_folder(folder) as place:
        data, lacking = initial_data(case)
        for answer, arrays in data.items():
            text = text_of(columns_of(answer, case.problem.dim), table_of(answer, arrays, case.problem.dim))
            _write(place / "initial" / f"{answer}.csv", text)
        (place / "initial" / "initial.h5").write_bytes(_hdf5(data))
        if case.truth is not None:
            stored = case.truth
            references.save(place / "truth.h5", case.problem, stored.trajectory, error=stored.error)
        text = json.dumps(_signed(_facts(case, facts, data, lacking)), indent=1, ensure_ascii=False)
        _write(place / "case.json", text + "\n")
        _write(place / "README.md", readme(case, data, lacking))
    return Path(folder)


def load(folder: str | os.PathLike[str]) -> Case:
    """The case that `export` wrote into a folder.

    Parameters
    ----------
    folder : str or path
        The folder, or its case.json.

    Raises
    ------
    BadInput
        For a folder without a case, a case that was edited, and one that this version cannot rebuild.
    """
    path = Path(folder)
    path = path if path.name == "case.json" else path / "case.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"{str(path)!r} cannot be read: {error.strerror or error}. A case is a folder with a case.json. Write one: "
            "pdeflow case export NAME --out DIR."
        ) from error
    except ValueError as error:
        raise BadInput(f"{path} is no JSON: {error}. It must be as `case export` wrote it. Export it again.") from None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA or facts != _signed(facts):
        raise BadInput(
            f"{path} was edited, or another version of pdeflow wrote it. A case is judged as it was exported. Export "
            "it again, with the levels and times that you want (pdeflow case export --help)."
        )
    problem, note = recall(facts["problem"])
    if problem is None or ("not equal" in note and facts["pdeflow"] != __version__):
        raise BadInput(
            f"{path} is of pdeflow {facts['pdeflow']}, and its problem is {note}. This is {__version__}. Export the "
            "case again with this version."
        )
    truth = references.load(path.parent / "truth.h5") if facts["truth"] == "truth.h5" else None
    return Case(problem, facts["times"], facts["levels"], facts["metrics"], truth, facts["case"])


def write_results(case: Case, method: Any, folder: str | os.PathLike[str], *, seeds: Iterable[int] = (0,)) -> Path:
    """Run a method on a case and write its answers as files, one CSV for each level, time and seed.

    Parameters
    ----------
    case : Case
        What is solved.
    method : Method
        How it is solved. Clouds are written as samples, grids as masses, piecewise linear quantiles as such, all else
        by its moments.
    folder : str or path
        A folder that is not there yet, or is empty.
    seeds : iterable of int
        One run each.

    Returns
    -------
    Path
        The folder, which `judge` takes as results.

    Raises
    ------
    PdeflowError
        What `solve` raises, and `BadInput` for a folder that holds something.
    """
    seeds = [count(seed, "seed", 0) for seed in seeds]  # an iterator gives them once, and each level needs them
    with _new_folder(folder) as place:
        for level in case.levels:
            for seed in seeds:
                flow = solve(case.problem, method, dt=level, times=case.times, seed=seed)
                for time, law in zip(case.times, flow.laws, strict=True):
                    answer, arrays = as_answer(law)
                    table = table_of(answer, arrays, case.problem.dim)
                    head = f"# answer={answer} dt={level!r} time={time!r} seed={seed} rows={len(table)}\n"
                    name = f"dt={level!r}_time={time!r}_seed={seed}.csv"
                    _write(place / name, text_of(columns_of(answer, case.problem.dim), table, head))
    return Path(folder)


def as_answer(law: Law) -> tuple[str, dict[str, np.ndarray]]:
    """The kind of answer that a law is by its own data, and its arrays: nothing is sampled."""
    atoms, axes = law.atoms(), law.grid_axes()
    if atoms is not None and np.ptp(atoms[1]) == 0:
        return "samples", {"samples": atoms[0]}
    if axes is not None:
        return "masses", written("masses", law, np.random.default_rng(0), 0, axes)
    pieces = law.linear_pieces()
    if pieces is not None and np.all(np.diff(pieces[0]) > 0):
        return "quantiles", {"level": pieces[0], "quantile": pieces[1]}
    return "moments", {"mean": law.mean(), "cov": law.cov()}


class _new_folder(contextlib.AbstractContextManager[Path]):
    """A folder under a temporary name, moved to its place when its block ends well, and removed when it does not."""

    def __init__(self, folder: str | os.PathLike[str]):
        try:
            self.place = Path(folder).absolute()
            taken = self.place.exists() and (not self.place.is_dir() or any(self.place.iterdir()))
        except (TypeError, ValueError, OSError) as error:
            raise BadInput(
                f"The folder is {shown(folder, 200)}: {error}. It must name a folder. Pass another."
            ) from None
        if taken:
            raise BadInput(f"{str(folder)!r} is there and not empty. Nothing is overwritten. Choose another name.")

    def __enter__(self) -> Path:
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            self.temporary = temporary_name(self.place)
            self.temporary.mkdir()
        except OSError as error:
            raise BadInput(
                f"{str(self.place)!r} cannot be written: {error.strerror or error}. A case needs a folder of its own. "
                "Choose a place that you may write to."
            ) from error
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                os.replace(self.temporary, self.place)
            except OSError as error:
                shutil.rmtree(self.temporary, ignore_errors=True)
                raise BadInput(
                    f"{str(self.place)!r} cannot be written: {error.strerror or error}. Something may have been put "
                    "there meanwhile. Choose another name."
                ) from error
        else:
            shutil.rmtree(self.temporary, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _hdf5(data: Mapping[str, Mapping[str, np.ndarray]]) -> bytes:
    """A file with one group for each kind: its arrays, and as attributes what it is, at time 0."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for answer, arrays in data.items():
            group = file.create_group(answer)
            group.attrs["answer"], group.attrs["time"] = answer, 0.0
            for name, array in arrays.items():
                group.create_dataset(name, data=array)
    return memory.getvalue()


def _facts(case: Case, facts: Mapping[str, Any], data: Mapping[str, Any], lacking: Mapping[str, str]) -> dict[str, Any]:
    """What stands in case.json."""
    equation, dim = equation_of(case.problem), case.problem.dim
    return {
        "schema": SCHEMA,
        "case": case.name,
        "pdeflow": __version__,
        "dim": dim,
        "equation": equation.formula,
        "constants": equation.constants,
        "times": case.times,
        "levels": case.levels,
        "metrics": case.metrics,
        "answers": {
            answer: {"columns": columns_of(answer, dim), "metrics": list(case.measured(answer))}
            for answer in case.answers()
        },
        "initial": {answer: f"initial/{answer}.csv" for answer in data},
        "not_in_initial": lacking,
        "truth": "exact law" if case.truth is None else "truth.h5",
        "problem": facts,
    }


def _signed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with the digest of all the others."""
    plain = json.loads(json.dumps({key: value for key, value in facts.items() if key != "sha256"}))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return {**plain, "sha256": hashlib.sha256(text.encode()).hexdigest()}
