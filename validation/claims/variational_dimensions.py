"""VariationalJKO with affine maps on Ornstein-Uhlenbeck flows in d = 1 to 32: SymKL falls as dt² in every dimension.

Each problem is a random draw, to t = 1/2. The law stays Gaussian, so that SymKL is a closed form of its moments.
"""

import variational_ou

import pdeflow as pf

CLAIMS = variational_ou.CLAIMS


def study(scale="quick"):
    """d = 1, 2, 4 and one draw each; at paper scale d = 1, 2, 4, ..., 32 and three draws each."""
    dims, draws = ([1, 2, 4], 1) if scale == "quick" else ([1, 2, 4, 8, 16, 32], 3)
    return pf.Study(
        pf.Family(pf.problems.ou, dim=dims, seed=range(draws), horizon=0.5),
        {"variational-jko": variational_ou.variational("linear")},
        {"dt": [1 / 4, 1 / 8, 1 / 16, 1 / 32]},
        {"gaussian_sym_kl": variational_ou.gaussian_sym_kl},
    )
