"""VariationalJKO on Ornstein-Uhlenbeck draws in d = 2 to 32, beside the exact law and the exact JKO sequence of each
draw.

The claim: SymKL to the exact law falls as dt², as that of the JKO sequence itself (a W2 error of order one).
`python validation/reproductions/fan2022.py ornstein_uhlenbeck --scale paper` writes reports/variational_ou/paper.md:
SymKL at t = 0.5 and 0.9 for dt = 0.05 by dimension, the floor (SymKL of the exact JKO iterate of the same A), and
seconds an outer iteration beside an iteration of ICNNJKO.

How SymKL is computed. A linear map keeps a Gaussian law Gaussian, so its moments, and SymKL with them, are closed
forms. The law of a residual map has no
density: the Gaussian of its moments stands for it, from `--samples` draws whose affine base error is removed (see
`moments`), and the column `beyond Gaussian` shows what that leaves out. fan2022iclr fitted Gaussians to 512,000
particles, whose own SymKL is d(d+3)/(2N): 1.1e-3 in d = 32 (docs/math.md 4.4).
"""

import numpy as np

import pdeflow as pf

CLAIMS = [
    pf.Claim(
        "variational-jko",
        "gaussian_sym_kl",
        2.0,
        0.3,
        "docs/math.md 4.2: the time error of JKO is of order one in W2, SymKL is its square",
    )
]


def study(scale="quick"):
    """Three step sizes on a draw in two dimensions; the paper scale takes four and the draws of three seeds."""
    seeds, steps = ([0], [0.2, 0.1, 0.05]) if scale == "quick" else ([0, 1, 2], [0.2, 0.1, 0.05, 0.025])
    problems = [pf.problems.ou(dim=2, seed=seed) for seed in seeds]
    return pf.Study(
        problems, {"variational-jko": variational("linear")}, {"dt": steps}, {"gaussian_sym_kl": gaussian_sym_kl}
    )


MAPS = {
    "linear": pf.neural.Affine(),
    "residual": pf.neural.DeepResidual(),
    "icnn": pf.neural.Convex(),
}  # by their names in reports


def variational(kind):
    rate = 0.025 if kind == "residual" else 0.05
    return pf.neural.VariationalJKO(map=MAPS[kind], learning_rate=rate, training=pf.neural.Training(pool=65_536))


def moments(law, samples=1_000_000, seed=0):
    """The Gaussian of the moments of `law`, and how far it is from Gaussian.

    A push-forward of N(m, S) by affine maps is a Gaussian, found exactly by pushing 2d + 1 points. Else `samples` base
    draws, moved affinely in blocks so that their mean and covariance are those of the base law: then an affine part of
    the map has no sampling error. Second value: the largest of |skewness| and |excess kurtosis| over the coordinates of
    the whitened sample, less nothing; 0 for affine maps.
    """
    if not isinstance(law, pf.laws.PushForward):
        return pf.laws.Gaussian(law.mean(), law.cov()), 0.0
    base, d = law.base, law.dim
    root = np.linalg.cholesky(base.cov())
    probes = base.mean() + np.concatenate([np.zeros((1, d)), root.T, -root.T, 2 * root.T])
    there = law.push(probes)
    columns = there[1 : d + 1] - there[0]
    if np.allclose(there[d + 1 : 2 * d + 1], there[0] - columns, atol=1e-9) and np.allclose(
        there[2 * d + 1 :], there[0] + 2 * columns, atol=1e-9
    ):
        cov = columns.T @ columns
        return pf.laws.Gaussian(there[0], (cov + cov.T) / 2), 0.0
    rng, block, parts = np.random.default_rng(seed), 50_000, []
    for _ in range(max(1, samples // block)):
        z = rng.standard_normal((block, d))
        z -= z.mean(axis=0)
        z = np.linalg.solve(np.linalg.cholesky(z.T @ z / block), z.T).T
        parts.append(law.push(base.mean() + z @ root.T))
    x = np.concatenate(parts)
    mean = x.mean(axis=0)
    cov = np.cov(x.T, bias=True).reshape(d, d)
    white = np.linalg.solve(np.linalg.cholesky(cov), (x - mean).T)
    shape = np.concatenate([(white**3).mean(axis=1), (white**4).mean(axis=1) - 3])
    return pf.laws.Gaussian(mean, cov), float(np.abs(shape).max())


def gaussian_sym_kl(approximation, truth, *, rng=None):
    """SymKL of the Gaussian of the moments of `approximation` to the Gaussian `truth`, in closed form from the moments
    on.
    """
    return pf.metrics.sym_kl(moments(approximation)[0], truth)
