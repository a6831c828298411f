"""What compiled code shares: how it is kept, bits of floats, and the same sums for every number of threads."""

import os
import tempfile

import numba
import numpy as np
import pytest

from pdeflow._core.compiled import (
    BLOCK,
    _cache_of,
    alone,
    bits_of,
    compiled,
    crew,
    exp_negative,
    float_of,
    private_folder,
)


@numba.njit
def _there_and_back(x):
    return float_of(bits_of(x))


@numba.njit(nogil=True)
def _mark(begin, end, seen):
    for block in range(begin, end):
        seen[block] += 1


def test_the_bits_of_a_float_come_back():
    for x in (0.1, -0.0, 5e-324, np.inf):
        assert np.float64(_there_and_back(x)).tobytes() == np.float64(x).tobytes()


def test_the_exponential_is_that_of_the_library():
    t = -np.concatenate([np.linspace(0, 50, 20_001), np.linspace(50, 708, 2001)])
    mine = np.array([exp_negative(value) for value in t])
    assert np.max(np.abs(mine / np.exp(t) - 1)) < 5e-16
    assert exp_negative(-709.0) == 0.0 and exp_negative(-np.inf) == 0.0 and exp_negative(-0.0) == 1.0


def test_every_block_is_worked_on_once():
    n = 33 * BLOCK + 5
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        seen = np.zeros(34, dtype=np.int64)
        with crew() as work:
            work(n, _mark, seen)
        assert np.all(seen == 1)
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    seen = np.zeros(34, dtype=np.int64)
    alone(n, _mark, seen)
    assert np.all(seen == 1)


def _double(x):
    return 2 * x


def test_a_full_disk_and_a_damaged_cache_cost_a_compilation(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    cache = _cache_of(_double)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache._cache_file, "_save_index", full)
        function = compiled(cache=True)(_double)
        function._cache = cache
        assert function(1.5) == 3.0
    assert compiled(cache=True)(_double)(1.5) == 3.0
    (index,) = tmp_path.rglob("*.nbi")
    index.write_bytes(index.read_bytes()[:40])
    assert compiled(cache=True)(_double)(1.5) == 3.0


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="the temporary folder of Windows is the user's own")
def test_machine_code_is_taken_from_nobody_else(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = private_folder()
    assert folder is not None and folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    assert private_folder() == folder
    folder.chmod(0o770)
    assert private_folder() is None
    folder.chmod(0o700)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert private_folder() is None
    folder.unlink()
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    assert private_folder() is None  # made by somebody else
