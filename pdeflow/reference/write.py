"""Writing a reference file: its bytes, built in memory and signed."""

import datetime
import functools
import io
import json
import platform
import subprocess
from pathlib import Path

import h5py
import numpy as np
import scipy

from .. import __version__
from .._core import fingerprint
from .._core.errors import BadInput, BadReference, PdeflowError
from .._core.estimate import Estimate
from .._core.files import write_whole
from .._core.validate import count
from ..laws import GridLaw, Particles
from ..problems.problem import Problem
from ..trajectory import Trajectory
from .place import refuse_other_question, standing, target
from .problem_record import record
from .schema import BLOCK, SCHEMA, Variable, block, content_sha256, encode, shown, text_sha256, with_index_axes

PAIRS = 1 << 28  # most pairs (over all times) for which the free energy of an interaction is summed on saving


def save(
    path,
    problem,
    trajectory,
    *,
    error,
    method=None,
    seed=None,
    title=None,
    source="",
    license="MIT",
    recipe="",
    overwrite=False,
) -> Path:
    """Write `trajectory` as an HDF5 reference file (schema 1) and return its path.

    error : Estimate of the distance of the stored laws from the truth, value >= 0 (a distance, not its square), `metric`
    and `how` said. method : the method that made them (a dataclass is kept by its fields), a text, or None. seed : int or
    None. source : BibTeX key of references.bib. recipe : name of the recipe that made it.

    The laws must be of one kind that a file can hold (else `BadInput`, `NotAvailable`). An existing file is replaced if it is
    a reference that answers the same question (problem and method's config by their hashes); one of another question, and
    any file that is no valid reference, only with overwrite=True (else `BadInput`). What is no regular file (a device, a pipe)
    is never replaced. It is replaced by a whole new file: after a failed write (`BadReference`) the old one is as it was and no
    temporary file is left.
    """
    path = target(path)
    old = None if overwrite else standing(path)
    raw = image(
        problem,
        trajectory,
        error=error,
        method=method,
        seed=seed,
        title=title,
        source=source,
        license=license,
        recipe=recipe,
    )
    refuse_other_question(path, old, raw)
    write_whole(path, lambda file: file.write(raw), error=BadReference)
    return path


def image(problem, trajectory, *, error, method=None, seed=None, title=None, source="", license="MIT", recipe=""):
    """The bytes of the file that `save` would write."""
    _validate(problem, trajectory, error)
    kind, copies, variables = encode(trajectory.times, trajectory.laws)
    energy, left_out = _free_energy(problem, trajectory)
    variables |= energy
    variables = with_index_axes(variables)
    config = fingerprint.canonical({} if method is None or isinstance(method, str) else method)
    name = "not stated" if method is None else method if isinstance(method, str) else type(method).__name__
    attributes = {
        "pdeflow_schema": SCHEMA,
        "title": title or f"{problem.name}: {kind} at {len(trajectory.times)} times, method {name}",
        **record(problem),
        "law": kind,
        **({} if copies is None else {"copies": copies}),
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
    }
    body = _hdf5(attributes, variables)
    return block(body) + body


def _validate(problem, trajectory, error):
    for value, kind, name in (
        (problem, Problem, "problem"),
        (trajectory, Trajectory, "trajectory"),
        (error, Estimate, "error"),
    ):
        if not isinstance(value, kind):
            raise BadInput(
                f"{name} is {shown(value)}. It must be {'an' if kind is Estimate else 'a'} {kind.__name__}. Signature: save(path, problem, trajectory, error=Estimate(...))."
            )
    if not (np.isfinite(error.value) and error.value >= 0 and np.isfinite(error.stderr) and error.stderr >= 0):
        raise BadInput(
            f"error is {error.value} ± {error.stderr}. A reference carries its own error bar, finite and >= 0. Estimate it, e.g. from a halved step."
        )
    if trajectory.dim != problem.dim:
        raise BadInput(
            f"The trajectory has dim {trajectory.dim}, the problem dim {problem.dim}. They must agree. Save each with its own problem."
        )


def _stats(stats):
    numbers = {str(name): value for name, value in stats.items() if _plain_number(value)}
    return {name: int(value) if isinstance(value, np.integer) else value for name, value in numbers.items()}


def _plain_number(value):
    return isinstance(value, int | float | np.integer) and not isinstance(value, bool) and np.isfinite(value)


def _free_energy(problem, trajectory):
    """({"free_energy": Variable} or {}, {"free_energy": why it is left out} or {})."""
    law = trajectory.final
    size = law.mass.size if isinstance(law, GridLaw) else len(law.x) if isinstance(law, Particles) else 0
    if problem.energy.interaction is not None and size**2 * len(trajectory.laws) > PAIRS:
        return {}, {"free_energy": f"{size}² pairs at {len(trajectory.laws)} times are more than {PAIRS}"}
    try:
        values = np.array([float(problem.energy.evaluate(law)) for law in trajectory.laws])
    except PdeflowError as reason:
        return {}, {"free_energy": str(reason)}
    if not np.isfinite(values).all():
        return {}, {"free_energy": f"not finite at t = {trajectory.times[~np.isfinite(values)][0]}"}
    return {"free_energy": Variable(("time",), values, "F of each law, without Monte Carlo")}, {}


def _versions():
    return {
        "h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version, "numpy": np.__version__, "pdeflow": __version__,
        "python": platform.python_version(), "scipy": scipy.__version__,
    }  # fmt: skip


@functools.cache
def _git() -> str:
    """Commit of the package's own checkout, with " dirty" where tracked files were changed; "unknown" outside one."""
    folder = Path(__file__).resolve().parents[1]

    def ask(*words):
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=True
        ).stdout

    try:
        ask("ls-files", "--error-unmatch", "__init__.py")  # installed inside somebody else's repository: not our commit
        commit = ask("rev-parse", "HEAD").strip()
        return f"{commit} dirty" if ask("status", "--porcelain", "--untracked-files=no", ".").strip() else commit
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _hdf5(attributes, variables) -> bytes:
    """The HDF5 part of the file. Times of creation are not tracked, so that equal content gives equal bytes."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", userblock_size=BLOCK) as file:
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
            item.attrs["long_name"], item.attrs["units"] = about, "1"  # "1": every quantity is dimensionless
        for name, (dims, _, _) in variables.items():
            if dims == (name,):
                file[name].make_scale(name)
        for name, (dims, _, _) in variables.items():
            for i, dim in enumerate(dims):
                if dims != (name,):
                    file[name].dims[i].attach_scale(file[dim])
    return memory.getvalue()[BLOCK:]


def _attribute(name, value):
    if isinstance(value, str):
        if "\0" in value:
            raise BadInput(f"{name} is {value!r}. HDF5 texts hold no NUL. Drop it.")
        return value
    if not isinstance(value, int | float):
        raise BadInput(f"{name} is {value!r}. It must be a text. Pass one.")
    return np.int64(value) if isinstance(value, int) else np.float64(value)


__all__ = ["image", "save"]
