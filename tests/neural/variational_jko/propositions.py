"""The two variational formulas of internal energies, as lower bounds by means over samples or quadrature nodes.

Any test function h gives a lower bound; the optimal one gives equality. The functions take values at nodes, so that
the same lines serve training samples, held-out samples and exact quadrature.
"""

import numpy as np

from pdeflow._core.errors import BadInput
from pdeflow._core.validate import real_array


def kl_bound(log_h, log_reference_over_target, h_at_reference, weights=None, reference_weights=None) -> float:
    """1 + E_P[log h + log(μ/Q)] - E_μ h <= KL(P‖Q), with equality for h = P/μ [fan2022iclr Proposition 1; docs/math.md
    5].

    log_h, log_reference_over_target : (n,) log h and log μ/Q at nodes of P. h_at_reference : (k,) h > 0 at nodes of μ.
    weights, reference_weights : of the nodes, each summing to one; None means equal ones. With Q̃ = ZQ in place of Q
    the same expression is a lower bound of KL(P‖Q) - log Z. fan2022iclr lost the fraction μ/Q in print; coded as
    printed it is no bound of the divergence.
    """
    h = real_array(h_at_reference, "h_at_reference", ndim=1)
    if h.min(initial=np.inf) < 0:
        raise BadInput(
            f"h_at_reference has an entry of {h.min():.3g}. A test function must not be negative. Take exp or square."
        )
    return 1 + _mean(np.add(log_h, log_reference_over_target), weights) - _mean(h, reference_weights)


def power_bound(h, h_at_uniform, m, volume, weights=None, uniform_weights=None) -> float:
    """Ω^(1-m) {m/(m-1) E_P h^(m-1) - E_Q h^m} <= ∫P^m dx/(m-1), with equality for h = ΩP, m > 1 [fan2022iclr
    Proposition 2; docs/math.md 5].

    Q is uniform on a set of volume Ω; h counts as zero outside of it, so the bound holds for every P. h : (n,), h >= 0
    at nodes of P. h_at_uniform : (k,), the same at nodes of Q. weights, uniform_weights : as in `kl_bound`.
    """
    h, at_uniform = real_array(h, "h", ndim=1), real_array(h_at_uniform, "h_at_uniform", ndim=1)
    if min(h.min(initial=np.inf), at_uniform.min(initial=np.inf)) < 0:
        raise BadInput("h has negative entries. A test function must not be negative. Take its positive part.")
    first = m / (m - 1) * _mean(h ** (m - 1), weights)
    return volume ** (1 - m) * (first - _mean(at_uniform**m, uniform_weights))


def _mean(values, weights):
    values = np.asarray(values, dtype=float)
    return float(values.mean() if weights is None else values @ np.asarray(weights, dtype=float))
