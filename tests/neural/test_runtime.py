"""Settings of the host program change no result of a neural method, and are left as they were."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.runtime import isolated, out_of_memory, require_device

TRAINING = pf.neural.Training(pool=1024)
METHODS = {
    "icnn-jko": pf.neural.ICNNJKO(width=4, iterations=5, batch=128, training=TRAINING),
    "variational-jko": pf.neural.VariationalJKO(outer=5, batch=128, training=TRAINING),
    "pwgf": pf.neural.PWGF(map=pf.neural.Planar(layers=2), samples=100, integrator=pf.neural.Euler()),
    "pfpe": pf.neural.PFPE(map=pf.neural.Planar(layers=2), samples=100, features=10, integrator=pf.neural.Euler()),
}


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


HOSTS = {
    "double precision as the default": lambda: default_dtype(torch.float64),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "numpy raises": lambda: np.errstate(all="raise"),
}


def numbers(method):
    problem = pf.problems.mixture_ou(horizon=0.1)
    flow = pf.solve(problem, method, dt=0.05, seed=2)
    last = [value for value in flow.history[-1].values() if isinstance(value, float)]
    return flow.final.sample(50, np.random.default_rng(0)).tobytes(), last


@pytest.mark.parametrize("name", METHODS)
def test_what_the_host_program_has_set_changes_no_bit(name):
    expected = numbers(METHODS[name])
    for host, setting in HOSTS.items():
        with setting():
            assert numbers(METHODS[name]) == expected, host


def test_the_settings_of_the_host_program_come_back_even_after_an_error():
    def settings():
        return (
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            np.geterr(),
        )

    with default_dtype(torch.float64), torch.inference_mode(), np.errstate(all="raise"):
        before = settings()
        with pytest.raises(ZeroDivisionError), isolated(gradients=True):
            assert settings()[:4] == (1, torch.float32, True, False) and np.geterr()["over"] == "warn"
            _ = 1 / 0
        assert settings() == before
    with isolated():
        assert not torch.is_grad_enabled()


def test_a_device_without_memory_or_without_a_driver_is_a_typed_error(monkeypatch):
    with (
        pytest.raises(pf.NotConverged, match=r"no memory left: CUDA out of memory\. Use a smaller batch"),
        out_of_memory(),
    ):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    require_device("cpu"), require_device("cuda"), require_device("cuda:0")
    with pytest.raises(pf.NotAvailable, match="sees 1 CUDA devices"):
        require_device("cuda:1")


def test_without_torch_a_name_that_needs_it_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import pdeflow as pf\n"
        "pf.neural.Network(depth=2), pf.neural.Training(), pf.neural.ConvexMap\n"
        "for name in ('ICNNJKO', 'VariationalJKO', 'PWGF', 'PFPE'):\n"
        "    try:\n"
        "        getattr(pf.neural, name)\n"
        "    except pf.NotAvailable as error:\n"
        "        assert f'pdeflow.neural.{name} needs torch' in str(error) and 'pip install' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError(name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
