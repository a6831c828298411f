"""PWGF with affine maps on Ornstein-Uhlenbeck flows: order 1, 2 and 4 in the step for euler, heun and rk4; the explicit-Euler recursion itself.

With T = Uz + v of a Gaussian base law the projection error is zero and the law stays Gaussian: what is left is the integrator. The steps of euler must be
U ← U - h(AU - D U⁻ᵀ Σ_0⁻¹), v ← v - hA(v - b) in the coordinates of the base law N(0, I) [MATH.md 4.3], whatever the samples are.
`python validation/pwgf_ou.py` writes reports/pwgf_ou/recursion.md: the largest gap of mean and covariance to that recursion, and W2 to the exact law.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import pdeflow as pf

HERE = Path(__file__).resolve().parent
SOURCE = "jin2025, Algorithm 4.1; MATH.md 4.3"
CLAIMS = [
    pf.Claim("euler", "w2", 1.0, 0.1, SOURCE), pf.Claim("heun", "w2", 2.0, 0.1, SOURCE), pf.Claim("rk4", "w2", 4.0, 0.1, SOURCE),
]  # fmt: skip


def problems():
    start = pf.laws.Gaussian([0.5, 1.0], [[2.0, 0.9], [0.9, 0.6]])
    return [
        pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25)),
        pf.problems.ou(2, [[1.5, 0.5], [0.5, 0.8]], [1.0, -0.5], 0.5, start, 0.5),
    ]


def study(scale="quick"):
    """W2 on the line, and in the plane where matrix and start do not commute."""
    methods = {name: pf.neural.PWGF(map="affine", samples=500, integrator=name) for name in ("euler", "heun", "rk4")}
    steps = [1 / 64, 1 / 128, 1 / 256] if scale == "quick" else [1 / 64, 1 / 128, 1 / 256, 1 / 512, 1 / 1024]
    return pf.Study(problems(), methods, {"dt": steps}, {"w2": pf.metrics.w2})


def recursion(problem, dt, steps):
    """Mean and covariance after `steps` explicit-Euler steps of the parameters, from the exact Ĝ = I and ∇F [MATH.md 4.3]."""
    potential, temperature = problem.energy.potential, problem.energy.internal.temperature
    u, v = np.linalg.cholesky(problem.initial.cov()), problem.initial.mean()
    for _ in range(steps):
        u, v = (
            u - dt * (potential.matrix @ u - temperature * np.linalg.inv(u).T),
            v - dt * potential.matrix @ (v - potential.center),
        )
    return v, u @ u.T


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "reports" / "pwgf_ou" / "recursion.md")
    options = parser.parse_args()
    lines = ["| problem | samples | dt | steps | max gap of the mean | max gap of the covariance |", "|" + " --- |" * 6]
    for problem in [*problems(), pf.problems.ou(6, seed=1), pf.problems.ou(12, seed=2)]:
        for samples in (2000, 200 if problem.dim < 12 else 500):
            steps, dt = 50, 0.01
            method = pf.neural.PWGF(map="affine", samples=samples, integrator="euler")
            law = pf.solve(problem, method, dt=dt, times=[steps * dt]).final
            mean, cov = recursion(problem, dt, steps)
            lines.append(
                f"| ou, d = {problem.dim} | {samples} | {dt} | {steps} | {np.abs(law.mean() - mean).max():.1e} | {np.abs(law.cov() - cov).max():.1e} |"
            )
    text = (
        "# Affine maps on Ornstein-Uhlenbeck flows\n\n"
        f"Made by `python validation/pwgf_ou.py {' '.join(sys.argv[1:])}`. Gap of the run to the explicit-Euler recursion of MATH.md 4.3; the bar is 1e-12.\n\n"
    ).replace(" `.", "`.")
    text += "\n".join(lines) + "\n"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
