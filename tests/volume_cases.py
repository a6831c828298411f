"""What the tests of the steps of FiniteVolume share: lines without threads, and cells in which no step can succeed."""

import numpy as np

from pdeflow.grid.finite_volume.cells import Cells


def alone_on_lines(n, work, *args):
    work(0, n, *args)


def cells_whose_energy_rises():
    """Eight cells of a line, whose energy is larger each time that it is asked for."""

    class Rises(Cells):
        calls = 0

        def evaluate(self, density):
            Rises.calls += 1
            return super().evaluate(density)._replace(energy=float(Rises.calls))

    return Rises((np.arange(9.0),), np.ones(1), np.arange(8.0), None, None, 0.0, False)
