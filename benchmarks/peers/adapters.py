"""Other codes as methods of pdeflow: each solves a problem of a potential and entropy on its own grid of the plane.

Each has the one verb `run(problem, dt, times, seed)`. All start from exact cell masses and answer with cell masses.
What their schemes leave negative is set to zero and the sum divided out, because a `GridLaw` is a probability law; how
much that was is kept in `REMARKS`. dt is not used: they have steps of their own.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import pdeflow as pf

REMARKS: dict[str, list[str]] = {}


def cell_edges(box, cells):
    return [np.linspace(-half, half, cells + 1) for half in box]


def law_of(name, edges, masses):
    """The law of a code's cell masses, its negative cells and its loss of mass noted."""
    masses = np.asarray(masses, dtype=float)
    negative, total = float(-np.minimum(masses, 0).sum()), float(masses.sum())
    REMARKS.setdefault(name, []).append(f"mass {total - 1:+.1e}, negative cells {negative:.1e}")
    masses = np.maximum(masses, 0)
    return pf.laws.GridLaw(edges, masses / masses.sum())


def potential_on(problem, x):
    return problem.energy.potential.value(x)


@dataclass(frozen=True)
class PyPDE(pf.Method):
    """py-pde: central differences, scipy's RK23 on compiled right-hand sides; an equation is compiled once a grid."""

    cells: int = 88
    box: tuple[float, float] = (2.4, 2.8)
    rtol: float = 1e-3
    atol: float = 1e-6

    def run(self, problem: Any, dt: float, times: Any, seed: int) -> list[Any]:
        equation, grid = _equation(problem, self.cells, self.box)
        return [self._law(problem, equation, grid, float(t)) for t in times]

    def _law(self, problem, equation, grid, time):
        import pde

        edges = cell_edges(self.box, self.cells)
        volume = np.prod([edge[1] - edge[0] for edge in edges])
        start = pde.ScalarField(grid, problem.initial.cell_masses(edges).mass / volume)
        result = equation.solve(
            start, t_range=time, tracker=None, solver="scipy", method="RK23", rtol=self.rtol, atol=self.atol
        )
        return law_of("py-pde", edges, result.data * volume)


@lru_cache(maxsize=8)
def _equation(problem, cells, box):
    """∂c = Δc + ∇·(c∇V) with no flux; the boundary values of c ∂V are zero, else py-pde loses mass."""
    import pde

    grid = pde.CartesianGrid([(-half, half) for half in box], [cells] * 2)
    slope = problem.energy.potential.grad(grid.cell_coords.reshape(-1, 2)).reshape(cells, cells, 2)
    fields = {name: pde.ScalarField(grid, slope[..., k]) for k, name in enumerate(("fx", "fy"))}
    zero = {"value": 0}
    equation = pde.PDE(
        {"c": "laplace(c) + d_dx(c*fx) + d_dy(c*fy)"},
        bc={"derivative": 0},
        bc_ops={"c:d_dx": zero, "c:d_dy": zero},
        consts=fields,
    )
    return equation, grid


@dataclass(frozen=True)
class FPlanck(pf.Method):
    """fplanck: jump rates by exp(-ΔV/2T), scipy's expm_multiply: no error in time."""

    cells: int = 100
    box: tuple[float, float] = (2.4, 2.8)

    def run(self, problem: Any, dt: float, times: Any, seed: int) -> list[Any]:
        if not hasattr(np, "product"):
            setattr(np, "product", np.prod)  # noqa: B010  # fplanck 0.2.2 was written for numpy 1
        import fplanck
        from scipy.constants import k as boltzmann

        edges = cell_edges(self.box, self.cells)
        extent = [2 * half for half in self.box]
        solver = fplanck.fokker_planck(
            temperature=1 / boltzmann,
            drag=1.0,
            extent=extent,
            resolution=[side / self.cells * (1 + 1e-12) for side in extent],  # else one cell more, by round-off
            potential=lambda x, y: potential_on(problem, np.stack([x.ravel(), y.ravel()], 1)).reshape(x.shape),
            boundary=fplanck.boundary.reflecting,
        )
        start = problem.initial.cell_masses(edges).mass
        return [law_of("fplanck", edges, solver.propagate(lambda *x: start.copy(), float(t))) for t in times]


@dataclass(frozen=True)
class FiPy(pf.Method):
    """FiPy: implicit Euler with exponentially fitted fluxes, sparse LU in every step."""

    cells: int = 100
    box: tuple[float, float] = (2.4, 2.8)
    steps: int = 100

    def run(self, problem: Any, dt: float, times: Any, seed: int) -> list[Any]:
        import fipy

        edges = cell_edges(self.box, self.cells)
        widths = [edge[1] - edge[0] for edge in edges]
        mesh = fipy.Grid2D(dx=widths[0], dy=widths[1], nx=self.cells, ny=self.cells) - [[half] for half in self.box]
        slope = fipy.FaceVariable(mesh=mesh, rank=1, value=problem.energy.potential.grad(mesh.faceCenters.value.T).T)
        mass = problem.initial.cell_masses(edges).mass
        volume = widths[0] * widths[1]
        density = fipy.CellVariable(mesh=mesh, value=mass.T.ravel() / volume)  # x runs fastest in FiPy
        equation = fipy.TransientTerm() + fipy.ExponentialConvectionTerm(coeff=-slope) == fipy.DiffusionTerm(coeff=1.0)
        laws, now = [], 0.0
        for t in times:
            count = max(1, round(self.steps * (t - now)))
            for _ in range(count):
                equation.solve(var=density, dt=(t - now) / count, solver=fipy.LinearLUSolver())
            now = float(t)
            laws.append(law_of("FiPy", edges, density.value.reshape(self.cells, self.cells).T * volume))
        return laws
