"""One torch thread: sums are then taken in one order, so that a seed gives the same bits on any number of cores."""

from contextlib import contextmanager

import torch


@contextmanager
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
