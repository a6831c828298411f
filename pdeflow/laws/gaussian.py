"""Gaussian laws."""

import numpy as np
from scipy.special import ndtr, ndtri

from .._core.errors import BadInput, NotAvailable
from .._core.validate import draws, levels, numbers, points, readonly, real_array, spd_matrix
from .base import Law


class Gaussian(Law):
    """N(mean, cov) on R^d.

    mean : (d,) or a number (d = 1). cov : (d, d) symmetric positive definite, or a number meaning that multiple of I.
    Symmetry and definiteness are judged to 1e-10 relative; the error prints the smallest eigenvalue.
    """

    def __init__(self, mean, cov):
        mean = np.atleast_1d(real_array(mean, "mean"))
        self.dim = real_array(mean, "mean", ndim=1).shape[0]
        if self.dim == 0:
            raise BadInput("mean is empty. A Gaussian has dimension 1 or more. Pass a number or a (d,) array.")
        self._mean = readonly(mean)
        self._cov = readonly(spd_matrix(cov, self.dim, "cov"))
        self._root = readonly(np.linalg.cholesky(self._cov))

    def sample(self, n, rng):
        n = draws(n, rng)
        return self._mean + rng.standard_normal((n, self.dim)) @ self._root.T

    def log_density(self, x):
        z = np.linalg.solve(self._root, (points(x, self.dim) - self._mean).T)
        return -0.5 * np.sum(z * z, axis=0) - 0.5 * (self.dim * np.log(2 * np.pi) + self._log_det())

    def _log_det(self):
        return 2 * np.sum(np.log(np.diag(self._root)))

    def mean(self):
        return self._mean

    def cov(self):
        return self._cov

    def quantile(self, u):
        return self._line("quantile")[0] + self._line("quantile")[1] * ndtri(levels(u))

    def cdf(self, x):
        mean, deviation = self._line("cdf")
        return ndtr((numbers(x) - mean) / deviation)

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"Gaussian has dim {self.dim}; {question!r} exists in dim 1 only. Use a marginal: Gaussian(mean[i], cov[i, i])."
            )
        return self._mean[0], float(np.sqrt(self._cov[0, 0]))

    def entropy(self):
        return 0.5 * (self.dim * (1 + np.log(2 * np.pi)) + self._log_det())

    def power_integral(self, m):
        return float(
            np.exp(0.5 * (1 - m) * (self.dim * np.log(2 * np.pi) + self._log_det()) - 0.5 * self.dim * np.log(m))
        )

    def spec(self):
        return {"law": "Gaussian", "mean": self._mean.tolist(), "cov": self._cov.tolist()}
