"""VariationalJKO with affine maps on Ornstein-Uhlenbeck flows in d = 1 to 32: SymKL falls as dt² in every dimension.

Each problem is a random draw, to t = 1/2. The law stays Gaussian, so that SymKL is a closed form of its moments.
"""

from variational_ou import gaussian_sym_kl, variational

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
    """d = 1, 2, 4 and one draw each; at paper scale d = 1, 2, 4, ..., 32 and three draws each."""
    dims, draws = ([1, 2, 4], 1) if scale == "quick" else ([1, 2, 4, 8, 16, 32], 3)
    return pf.Study(
        pf.Family(pf.problems.ou, dim=dims, seed=range(draws), horizon=0.5),
        {"variational-jko": variational("linear")},
        {"dt": [1 / 4, 1 / 8, 1 / 16, 1 / 32]},
        {"gaussian_sym_kl": gaussian_sym_kl},
    )
