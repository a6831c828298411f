"""The package works on machines as they are: read-only, without a terminal, with another encoding, with any backend."""

import importlib.util
import io
import sys
import tempfile

import joblib
import numba
import pytest
from numba.core import caching
from threadpoolctl import threadpool_limits

import pdeflow as pf


def copy_of(module):
    """The module, executed once more under another name: what an import does on a machine as it is now."""
    original = importlib.import_module(module)
    spec = importlib.util.spec_from_file_location(f"{module}_copy", original.__file__)
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return original, again


@pytest.mark.parametrize("temporary", ["writable", "not writable"])
def test_compiled_code_needs_no_folder_that_can_be_written_to(monkeypatch, tmp_path, temporary):
    """numba/numba#4032, #5566, polakowo/vectorbt#476, dottxt-ai/outlines#983: no locator available in a container."""
    refuse = classmethod(lambda cls, *_: None)
    monkeypatch.setattr(caching.InTreeCacheLocator, "from_function", refuse)
    monkeypatch.setattr(caching.UserWideCacheLocator, "from_function", refuse)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path if temporary == "writable" else tmp_path / "missing"))
    original, again = copy_of("pdeflow.grid.quantile_jko.pairs")
    assert again._first(2.5, -0.5) == original._first(2.5, -0.5)
    assert bool(list(tmp_path.rglob("*.nbi"))) == (temporary == "writable")


def test_disabling_the_compiler_changes_no_bit(monkeypatch):
    """numba/numba#8812: intrinsics under NUMBA_DISABLE_JIT=1."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    original, again = copy_of("pdeflow.particle.euler_maruyama.noise")
    assert again.log_unit(0.3).hex() == original.log_unit(0.3).hex()
    assert numba.config.DISABLE_JIT == 1


class Products:
    """Sums that BLAS shares out over its threads."""

    def init(self, problem, rng):
        return rng.standard_normal((300, 300))

    def step(self, problem, state, dt, rng):
        return state @ state / 300

    def law(self, state):
        return pf.laws.Particles(state[0])


def test_a_run_has_the_same_bits_whatever_the_threads_of_the_machine():
    """Reported here first: BLAS takes sums in another order for jobs=1 (all cores) and jobs=2 (one core each)."""
    points = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            points.append(pf.solve(pf.problems.ou(), Products(), dt=0.5).final.x.tobytes())
    assert points[0] == points[1]


@pytest.mark.parametrize("backend", ["multiprocessing", "threading"])
def test_a_study_runs_on_every_backend_of_joblib(backend):
    """Reported here first: "multiprocessing" gives no generator and pickles no lambda."""
    study = pf.Study(
        pf.problems.ou(), pf.grid.ChangCooper(40), {"dt": [0.5, 0.25, 0.125]}, {"gap": lambda a, b: a.mean()[0]}
    )
    alone = study.run(progress=False)
    with joblib.parallel_config(backend):
        together = study.run(jobs=2, progress=False)
    assert [row["error"].hex() for row in together] == [row["error"].hex() for row in alone]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
def test_the_command_line_writes_into_every_encoding(monkeypatch, encoding):
    """xinjli/allosaurus#73, pallets/click#3778: redirected output has the code page of Windows."""
    from pdeflow.cli.main import main

    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "argv", ["pdeflow", "list"])
    with pytest.raises(SystemExit) as end:
        main()
    out.flush()
    assert end.value.code == 0 and out.buffer.getvalue()


@pytest.mark.parametrize("words", [["list"], ["no such command"], ["show", "missing.h5"]])
def test_the_command_line_needs_no_streams(monkeypatch, words):
    """tqdm/tqdm#1593, keras-team/keras#8395: sys.stdout and sys.stderr are None, as under pythonw."""
    from pdeflow.cli.main import main

    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "argv", ["pdeflow", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == (0 if words == ["list"] else 3)
