"""The score of base laws: λ^q ∇log λ in closed form, finite at the edge of a support."""

import numpy as np

from ..._core.errors import Unsupported
from ...energies.internal import Entropy, Power
from ...energies.potentials import MixturePotential
from ...laws import Barenblatt, Gaussian, GaussianMixture, Product, Uniform
from ...laws.push_forward import PushForward


def exponent(internal):
    """q of the density's power in δF: 0 for Entropy, m - 1 for Power(m) with m > 1; else `Unsupported`."""
    if isinstance(internal, Entropy):
        return 0.0
    if isinstance(internal, Power) and internal.m > 1:
        return internal.m - 1
    raise Unsupported(
        f"The internal energy is {internal!r}. Parametric flows know Entropy and Power(m) with m > 1. Use one of these, or a grid method."
    )


def draw_with_score(law, n, rng, q):
    """n points of `law` (n, d), log λ there (n,), λ^q ∇log λ (n, d) and λ^q (n,). `Unsupported` where the law has no score."""
    _require(law, q)
    if isinstance(law, Product):
        return _joined([draw_with_score(part, n, rng, q) for part in law.laws])
    if not isinstance(law, PushForward):
        return with_score(law, law.sample(n, rng), q)
    x, log_density, score, weight = draw_with_score(law.base, n, rng, q)
    for move in law.maps:
        x, volume, score = move.with_score(x, score, weight)
        thinner = np.exp(-q * volume)  # ρ^q = λ^q thinner
        log_density, score, weight = log_density - volume, score * thinner[:, None], weight * thinner
    return x, log_density, score, weight


def _joined(parts):
    """The same of a product, from those of its independent parts: each score is multiplied by the λ^q of the others."""
    scores = []
    for i, (_, _, score, _) in enumerate(parts):
        others = np.prod([weight for j, (*_, weight) in enumerate(parts) if j != i], axis=0)
        scores.append(score * np.reshape(others, (-1, 1)))
    x, logs = np.concatenate([x for x, *_ in parts], axis=1), np.sum([log for _, log, *_ in parts], axis=0)
    return x, logs, np.concatenate(scores, axis=1), np.prod([weight for *_, weight in parts], axis=0)


def with_score(law, x, q):
    """The points, log λ, λ^q ∇log λ and λ^q at the points x of a Gaussian, a mixture or a Barenblatt law."""
    log_density = law.log_density(x)
    weight = np.exp(q * log_density) if q else np.ones(len(x))
    if isinstance(law, Barenblatt):
        # λ^(m-1) = s^(-d(m-1)) inner, so that λ^q ∇log λ = s^(-dq) inner^(q/(m-1) - 1) ∇inner/(m-1)
        offset, power = x - law.center, 1 / (law.m - 1)
        inner = np.maximum(law.constant - law.k * (offset**2).sum(1) / law.scale**2, 0.0)
        shape = inner ** (q * power - 1) * law.scale ** (-law.dim * q)
        return x, log_density, (-2 * law.k * power / law.scale**2) * shape[:, None] * offset, weight
    if isinstance(law, GaussianMixture):
        return x, log_density, -MixturePotential(law).grad(x) * weight[:, None], weight
    return x, log_density, -np.linalg.solve(law.cov(), (x - law.mean()).T).T * weight[:, None], weight


def _require(law, q):
    """`Unsupported` unless ∫λ^(2q)|∇log λ|² dλ is finite and its integrand known."""
    if isinstance(law, Product):
        for part in law.laws:
            _require(part, q)
    elif isinstance(law, PushForward):
        _require(law.base, q)
        for move in law.maps:
            if not hasattr(move, "with_score"):
                raise Unsupported(
                    f"The initial law is moved by {type(move).__name__}, whose score is not known. Parametric maps have one. Start from the law "
                    "of a PWGF run, or from a Gaussian, a mixture or a Barenblatt law."
                )
    elif isinstance(law, Uniform) or (isinstance(law, Barenblatt) and law.m >= 2 + 2 * q):
        raise Unsupported(
            f"{law!r} dissipates infinitely at the edge of its support under this internal energy, so that its velocity has no projection. Possible: laws "
            "whose density falls to zero smoothly enough. Start from a Gaussian, a mixture or a Barenblatt law of this m."
        )
    elif not isinstance(law, Gaussian | GaussianMixture | Barenblatt):
        raise Unsupported(
            f"The score ∇log λ of {law!r} is not known in closed form. Known: Gaussian, GaussianMixture, Barenblatt, Product of these, PushForward "
            "of these by parametric maps. Start from one of them."
        )
