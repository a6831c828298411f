"""The device, and what torch and numpy are set to while a neural method works, whatever the host program has set."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

import numpy as np
import torch

from .._core.errors import NotAvailable, NotConverged

DEVICES = ("cpu", "cuda")


class _SinglePrecision:
    """Single precision as torch's default while at least one block works.

    The default belongs to the whole process: where blocks of several threads overlap, the first to enter keeps what
    the host program had, and the last to leave gives it back.
    """

    def __init__(self):
        self.lock, self.inside, self.before = Lock(), 0, torch.float32

    def __enter__(self):
        with self.lock:
            if self.inside == 0:
                self.before = torch.get_default_dtype()
                torch.set_default_dtype(torch.float32)
            self.inside += 1

    def __exit__(self, *fault):
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                torch.set_default_dtype(self.before)


_single_precision = _SinglePrecision()


@contextmanager
def isolated(*, gradients: bool = False) -> Iterator[None]:
    """Settings of our own inside the block, those of the host program again after it.

    There is one thread, so that sums are taken in one order and a seed gives the same bits on any number of cores;
    single precision as torch's default, and products of matrices in full precision; the processor as the default
    device; no automatic casting to half precision, no inference mode, no search for anomalies, which replaces typed
    errors by its own; numpy's own reaction to floating-point errors. What the block draws from torch's default
    generator is taken back.

    Parameters
    ----------
    gradients : bool
        Whether operations on tensors are recorded for automatic differentiation.
    """
    threads, anomalies = torch.get_num_threads(), torch.is_anomaly_enabled()
    products = torch.get_float32_matmul_precision()
    with ExitStack() as settings:
        settings.callback(torch.set_num_threads, threads)
        settings.callback(torch.set_rng_state, torch.get_rng_state())  # a user's function may draw
        torch.set_num_threads(1)
        settings.enter_context(_single_precision)
        if products != "highest":
            settings.callback(torch.set_float32_matmul_precision, products)
            torch.set_float32_matmul_precision("highest")
        if anomalies:
            settings.enter_context(torch.autograd.set_detect_anomaly(False))
        for device in DEVICES:
            if torch.is_autocast_enabled(device):
                settings.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":  # asked first, as a mode costs time at every operation
            settings.enter_context(torch.device("cpu"))
        settings.enter_context(torch.inference_mode(False))
        settings.enter_context(torch.set_grad_enabled(gradients))
        settings.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        yield


@contextmanager
def out_of_memory() -> Iterator[None]:
    """A CUDA device out of memory becomes a `NotConverged` that says what to make smaller."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise NotConverged(
            f"the device has no memory left: {str(error).splitlines()[0]} Use a smaller batch, width or pool, or "
            "Training(device='cpu')."
        ) from error


def require_device(device: str) -> None:
    """`NotAvailable` unless torch sees the device."""
    if device.startswith("cuda"):
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if there <= int(device.partition(":")[2] or 0):
            raise NotAvailable(
                f"device = {device!r}, but torch sees {there} CUDA devices. Use Training(device='cpu'), or install a "
                "CUDA build of torch and a driver."
            )
