"""Products of independent laws."""

import numpy as np
from scipy.linalg import block_diag

from .._core.errors import BadInput
from .._core.validate import points
from .base import Law


class Product(Law):
    """The law of (x_1, ..., x_k) with independent blocks x_i ~ laws[i]; dim is the sum of theirs."""

    def __init__(self, laws):
        self.laws = tuple(laws)
        if not self.laws or not all(isinstance(law, Law) for law in self.laws):
            raise BadInput(
                f"Product got {self.laws!r}. It takes a non-empty sequence of laws. Pass e.g. [Gaussian(0, 1)] * 3."
            )
        self.dim = sum(law.dim for law in self.laws)
        ends = np.cumsum([law.dim for law in self.laws])
        self._slices = [slice(end - law.dim, end) for end, law in zip(ends, self.laws)]

    def sample(self, n, rng):
        return np.concatenate([law.sample(n, rng) for law in self.laws], axis=1)

    def log_density(self, x):
        x = points(x, self.dim)
        return sum(law.log_density(x[:, block]) for law, block in zip(self.laws, self._slices))

    def mean(self):
        return np.concatenate([law.mean() for law in self.laws])

    def cov(self):
        return block_diag(*[law.cov() for law in self.laws])

    def quantile(self, u):
        return self._only("quantile").quantile(u)

    def cdf(self, x):
        return self._only("cdf").cdf(x)

    def _only(self, question):
        if self.dim != 1:
            raise self._lacks(question, "it exists in dim 1 only")
        return self.laws[0]

    def answers(self):
        return [name for name in super().answers() if all(name in law.answers() for law in self.laws)]

    def entropy(self):
        return float(sum(law.entropy() for law in self.laws))

    def power_integral(self, m):
        return float(np.prod([law.power_integral(m) for law in self.laws]))

    def spec(self):
        return {"law": "Product", "laws": [law.spec() for law in self.laws]}
