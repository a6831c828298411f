"""The laws that the contract tests ask, awkward on purpose: empty cells, zero weights, extreme exponents."""

import numpy as np

from pdeflow.laws import (
    Barenblatt,
    Chi,
    FromQuantile,
    Gaussian,
    GaussianLikelihood,
    GaussianMixture,
    GridLaw,
    KernelDensity,
    Mixture,
    Particles,
    Product,
    Quantiles,
    Radial,
    Reweighted,
    Ring,
    Semicircle,
    Uniform,
)

SPD3 = np.array([[2.0, 0.9, 0.1], [0.9, 1.0, -0.3], [0.1, -0.3, 0.5]])
MIXTURE = GaussianMixture([0.3, 0.0, 0.7], [-1.5, 5.0, 2.0], [0.09, 1.0, 0.36])
GRID = GridLaw(np.array([-1.0, -0.5, 0.0, 0.7, 2.0, 3.0]), [0.0, 0.2, 0.0, 0.8, 0.0])

LINE = {
    "gaussian": Gaussian(1.5, 0.04),
    "gaussian-wide": Gaussian(-3.0, 400.0),
    "mixture": MIXTURE,
    "mixture-apart": GaussianMixture([0.5, 0.5], [-4.0, 4.0], 0.01),
    "uniform": Uniform(-2.0, 5.0),
    "uniform-tiny": Uniform(1.0, 1.0 + 1e-6),
    "barenblatt-1.001": Barenblatt(1, 1.001, 1.0),
    "barenblatt-1.5": Barenblatt(1, 1.5, 1e-6, center=[0.3]),
    "barenblatt-2": Barenblatt(1, 2.0, 0.002),
    "barenblatt-3": Barenblatt(1, 3.0, 50.0, center=-1.0),
    "barenblatt-20": Barenblatt(1, 20.0, 1.0),
    "semicircle": Semicircle(1.7, center=0.4),
    "semicircle-tiny": Semicircle(1e-5),
    "chi": Chi(3, 0.7),
    "chi-1": Chi(1, 2.0),
    "chi-100": Chi(100, 0.5),
    "grid": GRID,
    "particles": Particles([3.0, -1.0, 0.5, 0.5, 7.0], [0.0, 0.25, 0.25, 0.5, 0.0]),
    "particles-equal": Particles(np.linspace(-1, 2, 7) ** 3),
    "kernel-density": KernelDensity([3.0, -1.0, 0.5, 0.4, 7.0], [0.0, 0.25, 0.25, 0.25, 0.25]),
    "quantiles": Quantiles([-1.0, 0.0, 0.2, 3.0], [0.0, 0.2, 0.6, 1.0]),
    "quantiles-atom": Quantiles([-1.0, 0.5, 0.5, 1.0], [0.0, 0.3, 0.7, 1.0]),
    "from-quantile": FromQuantile(lambda u: np.sin(np.pi * (u - 0.5))),
    "from-quantile-gap": FromQuantile(MIXTURE.quantile),
    "product-1": Product([Semicircle(2.0)]),
    "reweighted": Reweighted(Barenblatt(1, 2.0, 0.5), GaussianLikelihood(0.3, 0.1)),
}
SPACE = {
    "gaussian-3": Gaussian([1.0, -2.0, 0.5], SPD3),
    "gaussian-15": Gaussian(np.arange(15.0), 0.3),
    "mixture-2": GaussianMixture([0.25, 0.75], [[0.0, 3.0], [1.0, -1.0]], [[[1.0, 0.4], [0.4, 0.5]], np.eye(2) * 0.1]),
    "uniform-2": Uniform([-1.0, 2.0], [0.0, 7.0]),
    "barenblatt-2": Barenblatt(2, 2.4, 0.1, center=[1.0, -1.0]),
    "barenblatt-5": Barenblatt(5, 3.0, 1.5),
    "barenblatt-15": Barenblatt(15, 2.0, 1.0, center=np.linspace(-1, 1, 15)),
    "barenblatt-15-20": Barenblatt(15, 20.0, 0.5),
    "ring": Ring(0.6, center=[1.0, 2.0]),
    "ring-10": Ring(2.0, center=np.zeros(10)),
    "ring-1": Ring(2.0, center=[0.5]),
    "radial-2": Radial(Chi(5, 0.7), 2),
    "radial-10": Radial(Chi(10, 0.5), 10),
    "radial-grid": Radial(GridLaw(np.array([0.5, 1.0, 1.2, 2.0]), [0.3, 0.5, 0.2]), 3),
    "radial-quantiles": Radial(Quantiles([0.3, 0.5, 0.9, 1.4], [0.0, 0.2, 0.6, 1.0]), 4),
    "mixture-kinds": Mixture([0.2, 0.8], [Gaussian([2.0, 2.0], 0.1), Uniform([-1.0, -1.0], [1.0, 1.0])]),
    "mixture-fronts": Mixture([0.5, 0.5], [Barenblatt(2, 2.0, 0.1), Barenblatt(2, 3.0, 0.2, [0.5, 0.0])]),
    "mixture-ring": Mixture([0.5, 0.5], [Ring(0.5), Gaussian([0.0, 0.0], 1.0)]),
    "product": Product([Gaussian(0.0, 1.0), Uniform([0.0, 1.0], [1.0, 3.0]), Semicircle(1.0)]),
    "product-partial": Product([Particles([1.0, 2.0]), Gaussian(0.0, 1.0)]),
    "grid-2": GridLaw(([0.0, 1.0, 3.0], [-1.0, 0.0, 0.5, 2.0]), [[0.1, 0.0, 0.2], [0.3, 0.4, 0.0]]),
    "grid-3": GridLaw(([0.0, 1.0], [0.0, 1.0, 2.0], [0.0, 0.5]), [[[0.25], [0.75]]]),
    "kernel-density-2": KernelDensity([[0.0, 1.0], [3.0, 4.0], [-1.0, 0.5], [1.0, -2.0]], [0.5, 0.25, 0.0, 0.25]),
    "particles-3": Particles([[0.0, 1, 2], [3, 4, 5], [-1, 0, 7]], [0.5, 0.0, 0.5]),
}
LAWS = {**{f"1d {name}": law for name, law in LINE.items()}, **SPACE}
