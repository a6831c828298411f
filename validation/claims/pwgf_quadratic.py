"""PWGF on the ten-dimensional quadratic of the slides of jin2025: first order in the step for affine maps.

V = ½(x - μ)ᵀΣ⁻¹(x - μ) with the Σ and μ of docs/math.md 9, from N(0, I).
"""

import numpy as np

import pdeflow as pf

CLAIMS = [pf.Claim("euler", "w2", 1.0, 0.05, "docs/math.md 4.3 and 9: the halving ratio is 2")]
COV = np.diag([1, 1, 1, 1, 1, 0.25, 1, 1, 0.25, 0.25])
COV[:2, :2] = [[0.625, -0.375], [-0.375, 0.625]]
CENTER = [1, 1, 0, 0, 1, 2, 0, 0, 2, 3]
TIMES = [0.25, 2.0]


def problem():
    start = pf.laws.Gaussian(np.zeros(10), 1.0)
    return pf.problems.ou(10, np.linalg.inv(COV), CENTER, 1.0, start, 2.0)


def study(scale="quick"):
    method = pf.neural.PWGF(map=pf.neural.Affine(), samples=100, integrator=pf.neural.Euler())
    steps = [0.025, 0.0125, 0.00625] if scale == "quick" else [0.01, 0.005, 0.0025, 0.00125]
    return pf.Study([problem()], {"euler": method}, {"dt": steps}, {"w2": pf.metrics.w2}, times=TIMES)
