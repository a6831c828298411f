"""Writing a reference file: its bytes, built in memory and signed."""

import datetime
import functools
import io
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy

from .. import __version__
from .._core.errors import BadInput, BadReference, PdeflowError
from .._core.estimate import Estimate
from .._core.files import place_of, write_whole
from .._core.short_text import shown
from .._core.validate import count, known_arguments
from ..laws import Law
from ..problems.problem import Problem
from ..trajectory import Trajectory
from .problem_record import config_text, other_flow, record, same_question
from .read import Attributes, contents, parse
from .schema import SCHEMA, Variable, content_sha256, encode, seal, text_sha256, with_index_axes

PAIRS = 1 << 28  # most pairs (over all times) for which the free energy of an interaction is summed on saving


@known_arguments
def save(
    path: str | os.PathLike[str],
    problem: Problem,
    trajectory: Trajectory,
    *,
    error: Estimate,
    method: Any = None,
    seed: int | None = None,
    title: str | None = None,
    source: str = "",
    license: str = "MIT",
    recipe: str = "",
    checks_made: Mapping[str, float | str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a trajectory as an HDF5 reference file (schema 2).

    Parameters
    ----------
    path : str or path
        An existing file is replaced if it is a reference that answers the same question (problem and method's config by
        their hashes).
    problem : Problem
        What the trajectory solves.
    trajectory : Trajectory
        The answer to `problem`: one that knows what it answers (its `problem`) must have the same energy and start.
        Its laws must be of one kind that a file can hold. A user's own laws are stored as the masses of grid cells or
        as samples, and the attribute `law_note` says which (references/README.md).
    error : Estimate
        Distance of the stored laws from the truth (a distance, not its square), with `metric` and `how`.
    method : Method or str, optional
        What made them; a dataclass is kept by its fields.
    seed : int, optional
        Seed of the run.
    title : str, optional
        One line for people.
    source : str
        BibTeX key of references.bib.
    license : str
        License of the data.
    recipe : str
        Name of the recipe that made it.
    checks_made : mapping of str to float or str, optional
        What was measured before it was stored, by name: {"l1 to FiniteVolume(cells=256) at t = 1": 2e-4}. Kept in the
        file, shown by `describe_file`, found in `provenance["checks_made"]`.
    overwrite : bool
        Whether to replace a reference of another question, and a file that is not a valid reference. What is not a
        regular file (a device, a pipe) is never replaced.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    BadInput
        For a trajectory that answers another problem, laws of several kinds or shapes, an error bar that is not finite
        and >= 0, and a path that is taken.
    NotAvailable
        For laws that no file can hold.
    BadReference
        Where the file cannot be written; the old one is then as it was, and no temporary file is left.
    """
    path = target(path)
    old = None if overwrite else standing(path)
    how = {"method": method, "seed": seed, "title": title, "source": source, "license": license, "recipe": recipe}
    how["checks_made"] = checks_made
    raw = image(problem, trajectory, error=error, **how)
    refuse_other_question(path, old, raw)
    write_whole(path, lambda file: file.write(raw), error=BadReference)
    return path


def target(path: str | os.PathLike[str]) -> Path:
    """The path to write to, or `BadInput` if it does not name a regular file in an existing folder."""
    place = place_of(path)
    if place.exists() and not place.is_file():
        raise BadInput(
            f"{place} exists and is not a regular file (a device, pipe or socket). A reference is a file. Choose "
            "another name."
        )
    if not place.parent.is_dir():
        raise BadInput(
            f"The folder {place.parent} does not exist. A file is written into an existing folder. Create it first."
        )
    return place


def standing(path: Path) -> Attributes | None:
    """Attributes of the reference at `path`, or None where nothing is; `BadInput` where something else is."""
    if not path.exists():
        return None
    try:
        return contents(path)[0]
    except BadReference as error:
        raise BadInput(
            f"{path} exists and is not a valid reference file ({error}) It is not replaced. Choose another name, "
            "remove it, or pass overwrite=True."
        ) from error


def refuse_other_question(path: Path, old: Attributes | None, raw: bytes) -> None:
    """`BadInput` where the file at `path`, of the attributes `old`, answers another question than the file `raw`."""
    if old is None:
        return
    new = parse(raw)[0]
    if same_question(old, new):
        return
    raise BadInput(
        f"{path} exists and answers another question: it holds {_question(old)}; the new file is {_question(new)}. It "
        "is not replaced. Choose another name, or pass overwrite=True."
    )


def _question(attributes: Attributes) -> str:
    facts = (
        f"problem {attributes['problem']} {attributes['params']}, method {attributes['method']} {attributes['config']}"
    )
    facts = facts if len(facts) <= 300 else f"{facts[:297]}..."
    return f"{facts} (problem {attributes['problem_sha256'][:12]}, config {attributes['config_sha256'][:12]})"


def image(
    problem: Problem,
    trajectory: Trajectory,
    *,
    error: Estimate,
    method: Any = None,
    seed: int | None = None,
    title: str | None = None,
    source: str = "",
    license: str = "MIT",
    recipe: str = "",
    checks_made: Mapping[str, float | str] | None = None,
) -> bytes:
    """The bytes of the file that `save` would write."""
    _validate(problem, trajectory, error)
    kind, copies, variables, law_note = encode(trajectory.times, trajectory.laws)
    energy, left_out = _free_energy(problem, trajectory)
    variables |= energy
    variables = with_index_axes(variables)
    config = config_text({} if method is None or isinstance(method, str) else method)
    name = "not stated" if method is None else method if isinstance(method, str) else type(method).__name__
    attributes = {
        "pdeflow_schema": SCHEMA,
        "title": title or f"{problem.name}: {kind} at {len(trajectory.times)} times, method {name}",
        **record(problem),
        "law": kind,
        **({} if copies is None else {"copies": copies}),
        **({} if not law_note else {"law_note": law_note}),
        "method": name,
        "config": config,
        "config_sha256": text_sha256(config),
        "content_sha256": content_sha256(variables),
        "seed": "none" if seed is None else count(seed, "seed", 0),
        "versions": json.dumps(_versions(), sort_keys=True),
        "git": _git(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "status": "complete",
        "error_metric": error.metric,
        "error": float(error.value),
        "error_stderr": float(error.stderr),
        "error_how": error.how,
        "source": source,
        "license": license,
        "Conventions": "CF-1.11",
        "stats": json.dumps(_stats(trajectory.stats), sort_keys=True),
        "left_out": json.dumps(left_out, sort_keys=True),
        "recipe": recipe,
        **({} if checks_made is None else {"checks_made": _checks_text(checks_made)}),
    }
    body = _hdf5(attributes, variables)
    return body + seal(body)


def _validate(problem: Problem, trajectory: Trajectory, error: Estimate) -> None:
    for value, kind, name in (
        (problem, Problem, "problem"),
        (trajectory, Trajectory, "trajectory"),
        (error, Estimate, "error"),
    ):
        if not isinstance(value, kind):
            raise BadInput(
                f"{name} is {shown(value, 80)}. It must be {'an' if kind is Estimate else 'a'} {kind.__name__}. Call "
                "save(path, problem, trajectory, error=Estimate(...))."
            )
    if not (np.isfinite(error.value) and error.value >= 0 and np.isfinite(error.stderr) and error.stderr >= 0):
        raise BadInput(
            f"error is {error.value} ± {error.stderr}. A reference carries its own error bar, finite and >= 0. "
            "Estimate it, e.g. from a halved step."
        )
    if trajectory.dim != problem.dim:
        raise BadInput(
            f"The trajectory has dim {trajectory.dim}, the problem dim {problem.dim}. They must agree. Save each with "
            "its own problem."
        )
    _require_answer(problem, trajectory.problem)


def _require_answer(problem: Problem, answered: Any) -> None:
    """`BadInput` where a trajectory knows that it answers another question than `problem`. Names may differ."""
    if answered is None or answered is problem:
        return
    if not isinstance(answered, Problem):
        raise BadInput(
            f"The trajectory answers {shown(answered, 300)}, and is to be stored as the truth of problem "
            f"{shown(problem.name, 80)}. A reference holds the flow of a problem itself, not what was made of it. "
            "Save the run of solve, or pf.exact."
        )
    other = other_flow(problem, answered)
    if other:
        raise BadInput(
            f"The trajectory answers {other} A reference must be the truth of its problem. Pass the problem that was "
            "solved; where the two are one flow, written in two ways, Trajectory(flow.times, flow.laws) leaves that "
            "open."
        )


def _checks_text(checks: Mapping[str, float | str]) -> str:
    if not isinstance(checks, Mapping) or not all(
        isinstance(name, str) and (isinstance(value, str) or _plain_number(value)) for name, value in checks.items()
    ):
        raise BadInput(
            f"checks_made is {shown(checks)}. It is a mapping of names to finite numbers or words. Pass "
            '{"weak residual": 2e-6}.'
        )
    return json.dumps({name: value if isinstance(value, str) else float(value) for name, value in checks.items()})


def _stats(stats: Mapping[str, Any]) -> dict[str, int | float]:
    numbers = {str(name): value for name, value in stats.items() if _plain_number(value)}
    return {name: int(value) if isinstance(value, np.integer) else value for name, value in numbers.items()}


def _plain_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer) and not isinstance(value, bool) and bool(np.isfinite(value))


def _nodes(law: Law) -> int:
    """How many points stand for the law where pairs of them are summed: atoms or cells, 0 for a closed form."""
    atoms, axes = law.atoms(), law.grid_axes()
    if atoms is not None:
        return len(atoms[0])
    return 0 if axes is None else math.prod(len(edges) - 1 for edges in axes)


def _free_energy(problem: Problem, trajectory: Trajectory) -> tuple[dict[str, Variable], dict[str, str]]:
    """({"free_energy": Variable} or {}, {"free_energy": why it is left out} or {})."""
    size = _nodes(trajectory.final)
    if problem.energy.interaction is not None and size**2 * len(trajectory.laws) > PAIRS:
        return {}, {"free_energy": f"{size}² pairs at {len(trajectory.laws)} times are more than {PAIRS}"}
    try:
        values = np.array([float(problem.energy.evaluate(law)) for law in trajectory.laws])
    except PdeflowError as reason:
        return {}, {"free_energy": str(reason)}
    if not np.isfinite(values).all():
        return {}, {"free_energy": f"not finite at t = {trajectory.times[~np.isfinite(values)][0]}"}
    return {"free_energy": Variable(("time",), values, "F of each law, without Monte Carlo")}, {}


def _versions() -> dict[str, str]:
    return {
        "h5py": h5py.__version__,
        "hdf5": h5py.version.hdf5_version,
        "numpy": np.__version__,
        "pdeflow": __version__,
        "python": platform.python_version(),
        "scipy": scipy.__version__,
    }


@functools.cache
def _git() -> str:
    """Commit of the package's own checkout, with " dirty" where tracked files were changed; "unknown" outside one."""
    folder = Path(__file__).resolve().parents[1]

    def ask(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=True
        ).stdout

    try:
        ask("ls-files", "--error-unmatch", "__init__.py")  # installed inside somebody else's repository: not our commit
        commit = ask("rev-parse", "HEAD").strip()
        return f"{commit} dirty" if ask("status", "--porcelain", "--untracked-files=no", ".").strip() else commit
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _hdf5(attributes: Mapping[str, Any], variables: Mapping[str, Variable]) -> bytes:
    """The HDF5 part of the file. Times of creation are not tracked, so that equal content gives equal bytes."""
    memory = io.BytesIO()
    sets: dict[str, h5py.Dataset] = {}
    with h5py.File(memory, "w") as file:
        for name, value in attributes.items():
            file.attrs[name] = _attribute(name, value)
        for name in sorted(variables):
            _, data, about = variables[name]
            chunks = data.shape if data.nbytes <= 1 << 20 else True
            item = file.create_dataset(
                name,
                data=np.asarray(data, dtype="<f8"),
                chunks=chunks,
                compression="gzip",
                shuffle=True,
                fletcher32=True,
            )
            sets[name] = item
            item.attrs["long_name"], item.attrs["units"] = about, "1"  # "1": every quantity is dimensionless
        for name, (dims, _, _) in variables.items():
            if dims == (name,):
                sets[name].make_scale(name)
        for name, (dims, _, _) in variables.items():
            for i, dim in enumerate(dims):
                if dims != (name,):
                    sets[name].dims[i].attach_scale(sets[dim])
    return memory.getvalue()


def _attribute(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if "\0" in value:
            raise BadInput(f"{name} is {value!r}. HDF5 texts hold no NUL. Remove it.")
        return value
    if not isinstance(value, int | float):
        raise BadInput(f"{name} is {value!r}. It must be a text. Pass a str.")
    return np.int64(value) if isinstance(value, int) else np.float64(value)
