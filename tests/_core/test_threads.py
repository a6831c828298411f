"""One thread for linear algebra, in blocks that are nested and that overlap in several threads."""

import threading

import numpy as np  # whose BLAS is limited
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pdeflow._core.threads import one_thread


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_the_number_of_threads_comes_back_after_nested_blocks_and_errors():
    assert np.ones((2, 2)) @ np.ones(2) is not None
    before = threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        with one_thread():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
        raise ZeroDivisionError
    assert threads() == before


def test_a_block_that_ends_leaves_another_threads_block_alone():
    with threadpool_limits(limits=2, user_api="blas"):  # the main thread controls OpenBLAS now
        before, seen, opened, go_on = threads(), [], threading.Event(), threading.Event()

        def work():
            with one_thread():
                seen.append(threads())
                opened.set()
                go_on.wait(10)
                seen.append(threads())

        worker = threading.Thread(target=work)
        with one_thread():
            worker.start()
            opened.wait(10)
        go_on.set()
        worker.join()
        assert all(set(numbers) == {1} for numbers in seen) and len(seen) == 2
        assert threads() == before
