"""The package works on machines as they are: read-only, without a terminal, with another encoding, with any backend."""

import importlib.util
import tempfile

import numba
import pytest
from numba.core import caching


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
