"""The device, and what torch and numpy are set to while a neural method works, whatever the host program has set."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from .._core.errors import NotAvailable, NotConverged


@contextmanager
def isolated(*, gradients: bool = False) -> Iterator[None]:
    """Settings of our own inside the block, those of the host program again after it.

    There is one thread, so that sums are taken in one order and a seed gives the same bits on any number of cores;
    single precision as torch's default; no inference mode; numpy's own reaction to floating-point errors.

    Parameters
    ----------
    gradients : bool
        Whether operations on tensors are recorded for automatic differentiation.
    """
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    try:
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        with (
            torch.inference_mode(False),
            torch.set_grad_enabled(gradients),
            np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),
        ):
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)


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
