"""The device a network is trained on: is it there, and has it memory left."""

from contextlib import contextmanager

import torch

from .._core.errors import NotAvailable, NotConverged


@contextmanager
def out_of_memory():
    """A CUDA device out of memory becomes a typed error."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise NotConverged(
            f"the device has no memory left: {str(error).splitlines()[0]} Use a smaller batch, width or pool, or Training(device='cpu')."
        ) from error


def require_device(device):
    """`NotAvailable` unless torch sees the device."""
    if device.startswith("cuda"):
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if there <= int(device.partition(":")[2] or 0):
            raise NotAvailable(
                f"device = {device!r}, but torch sees {there} CUDA devices. Use Training(device='cpu'), or install a CUDA build of torch and a driver."
            )
