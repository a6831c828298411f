"""Energy: F(ρ) = ∫V dρ + ∫U(ρ) dx + ½∬W(x-y) dρ(x) dρ(y), and its evaluation on laws."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.validate import count
from ..laws import Gaussian, GaussianMixture, GridLaw, Law, Particles, Quantiles, Ring, Semicircle, Uniform
from ..laws.quantiles import level_integral
from .interactions import power_terms
from .potentials import Quadratic


@dataclass(frozen=True)
class Energy:
    """F(ρ) = ∫V dρ + ∫U(ρ) dx + ½∬W(x-y) dρ dρ; a slot that is None contributes nothing.

    potential : has `dim`, `value`, `grad` (see `pdeflow.potentials`). internal : `Entropy` or `Power`.
    interaction : has `value`, `grad` (see `pdeflow.interactions`). The flow is ∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)).
    """

    potential: Any = None
    internal: Any = None
    interaction: Any = None

    def __post_init__(self):
        if self.potential is None and self.internal is None and self.interaction is None:
            raise BadInput(
                "Energy() has three empty slots. It needs a potential, an internal energy or an interaction. Name one."
            )
        for slot, needs in (
            ("potential", ("dim", "value")),
            ("internal", ("of_law", "per_mass")),
            ("interaction", ("value", "grad")),
        ):
            part = getattr(self, slot)
            missing = [name for name in needs if part is not None and not hasattr(part, name)]
            if missing:
                raise BadInput(
                    f"{slot}={part!r} lacks {', '.join(missing)}. {'An' if slot.startswith('i') else 'A'} {slot} must have {', '.join(needs)}. See pdeflow.{'energy' if slot == 'internal' else slot + 's'}."
                )

    def evaluate(self, law: Law, *, rng=None, n: int = 100_000) -> Estimate:
        """F(law) in closed form where there is one, else by quadrature (dim 1, grids), else by n Monte Carlo draws.

        `how` says which, by slot. Monte Carlo needs `rng`; without it, `NotAvailable`. A cloud of particles has no
        internal energy (it is infinite): `NotAvailable`. For a cloud, a kernel with W(0) = ∞ leaves out the pairs i = j.
        """
        parts = []
        if self.potential is not None:
            parts.append(("potential", *_potential_energy(self.potential, law, rng, n)))
        if self.internal is not None:
            parts.append(("internal", *_internal_energy(self.internal, law, rng, n)))
        if self.interaction is not None:
            parts.append(("interaction", *_interaction_energy(self.interaction, law, rng, n)))
        ways = {how for *_, how in parts}
        how = ways.pop() if len(ways) == 1 else ", ".join(f"{slot}: {how}" for slot, _, _, how in parts)
        stderr = float(np.sqrt(sum(error**2 for _, _, error, _ in parts)))
        return Estimate(float(sum(value for _, value, _, _ in parts)), stderr, how, "energy")


def _monte_carlo(values, n):
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)), f"Monte Carlo, n = {n}"


def _generator(rng, slot, law):
    if rng is None:
        raise NotAvailable(
            f"The {slot} energy of {law!r} has no closed form or quadrature here. Monte Carlo is possible. Pass rng=np.random.default_rng(seed)."
        )
    return rng


def _has(law, *questions):
    return all(question in law.answers() for question in questions)


def _potential_energy(potential, law, rng, n):
    if isinstance(potential, Quadratic) and _has(law, "mean", "cov"):
        offset = law.mean() - potential.center
        return 0.5 * np.sum(potential.matrix * law.cov()) + 0.5 * offset @ potential.matrix @ offset, 0.0, "closed form"
    if isinstance(law, Particles):
        return law.weights @ potential.value(law.x), 0.0, "closed form"
    if isinstance(law, GridLaw):
        x, share = _cell_nodes(law)
        return law.mass.ravel() @ (potential.value(x).reshape(law.mass.size, -1) @ share), 0.0, "quadrature"
    if law.dim == 1 and _has(law, "quantile"):
        return _line_mean(law, lambda x: potential.value(x[:, None])), 0.0, "quadrature"
    return _monte_carlo(potential.value(law.sample(count(n, "n", 2), _generator(rng, "potential", law))), n)


def _line_mean(law, function):
    """E function(X) for a 1-D law with quantiles, by quadrature over the level; function : (n,) -> (n,).

    The mean is linear in the law, so a mixture is taken component by component (its quantile function is nearly
    discontinuous between separated components) and a piecewise linear quantile function piece by piece.
    """
    if isinstance(law, GaussianMixture):
        means = [_line_mean(part, function) if w > 0 else 0.0 for w, part in zip(law.weights, law.components)]
        return float(law.weights @ means)
    if isinstance(law, Quantiles):
        z, w = leggauss(6)
        x = law.q[:-1, None] + np.diff(law.q)[:, None] * (z + 1) / 2
        return float(np.diff(law.levels) @ (function(x.ravel()).reshape(x.shape) @ w) / 2)
    return level_integral(lambda u: function(law.quantile(u)))


def _cell_nodes(law, nodes=3):
    """Gauss points of every cell, (cells · nodes^d, d), and their weights within a cell, (nodes^d,)."""
    z, w = leggauss(nodes)
    per_axis = [center[:, None] + np.diff(axis)[:, None] * z / 2 for center, axis in zip(law.centers, law.axes)]
    cells = np.indices(law.mass.shape).reshape(law.dim, -1)
    inner = np.indices((nodes,) * law.dim).reshape(law.dim, -1)
    x = np.stack([axis[c][:, i] for axis, c, i in zip(per_axis, cells, inner)], axis=-1)
    return x.reshape(-1, law.dim), np.prod((w / 2)[inner], axis=0)


def _internal_energy(internal, law, rng, n):
    if isinstance(law, Particles):
        raise NotAvailable(
            f"{law!r} has no density, so ∫U(ρ)dx is infinite. Use a law with a density (GridLaw, Quantiles, PushForward)."
        )
    try:
        return internal.of_law(law).value, 0.0, "closed form"
    except NotAvailable:
        pass  # no closed form: integrate
    if law.dim == 1 and _has(law, "quantile", "log_density"):
        return _line_mean(law, lambda x: internal.per_mass_of_log(law.log_density(x))), 0.0, "quadrature"
    if not _has(law, "log_density") and type(law).sample_with_log_density is Law.sample_with_log_density:
        raise NotAvailable(
            f"{law!r} does not give a density, so ∫U(ρ)dx is infinite or unknown. Possible: laws with log_density. Use one of these."
        )
    _, log_density = law.sample_with_log_density(count(n, "n", 2), _generator(rng, "internal", law))
    return _monte_carlo(internal.per_mass_of_log(log_density), n)


def sphere_mean_power(p: float, dim: int) -> float:
    """Mean of |x - y|^p over independent uniform points of the unit sphere of R^dim [docs/math.md 2.1]; p = 0 gives 1."""
    from scipy.special import gammaln

    if dim == 1:
        return 2.0 ** (p - 1)
    half = (dim - 1) / 2
    return float(
        np.exp(p * np.log(2) + gammaln(half + p / 2) + gammaln(dim - 1) - gammaln(half) - gammaln(dim - 1 + p / 2))
    )


def _mean_pair_power(law, p):
    """E|X-Y|^p (p = 0: E log|X-Y|) for independent X, Y ~ law, with the way it was got, or None."""
    if p == 2 and _has(law, "mean", "cov"):
        return 2 * np.trace(law.cov()), "closed form"
    if p == 4 and isinstance(law, Gaussian):
        double = 2 * law.cov()
        return np.trace(double) ** 2 + 2 * np.sum(double * double), "closed form"
    if p == 1 and law.dim == 1 and _has(law, "quantile"):
        if isinstance(law, GridLaw | Quantiles):
            return _mean_gap(law), "closed form"
        return 2 * level_integral(lambda u: (2 * u - 1) * law.quantile(u)), "quadrature"
    if isinstance(law, Ring) and p > 0:
        return law.radius**p * sphere_mean_power(p, law.dim), "closed form"
    if p == 0 and isinstance(law, Semicircle):
        return np.log(law.radius / 2) - 0.25, "closed form"
    if p == 0 and isinstance(law, Uniform) and law.dim == 1:
        return np.log(law.high[0] - law.low[0]) - 1.5, "closed form"
    return None


def _mean_gap(law):
    """E|X-Y| = 2∫F(1-F)dx for a piecewise linear distribution function F: its integral over each piece is closed."""
    if isinstance(law, Quantiles):
        level, x = law.levels, law.q
    else:
        level, x = np.concatenate([[0.0], np.cumsum(law.mass)]), law.axes[0]
    a, b = level[:-1], level[1:]
    return 2 * (np.diff(x) @ ((a + b) / 2 - (a * a + a * b + b * b) / 3))


def _interaction_energy(kernel, law, rng, n):
    from .mean_field import mean_energy  # not at the top: it brings in numba

    if isinstance(law, Particles):
        return mean_energy(kernel, law.x, law.weights), 0.0, "closed form"
    terms = power_terms(kernel)
    if terms is not None:
        means = [_mean_pair_power(law, p) for _, p in terms]
        if all(mean is not None for mean in means):
            value = 0.5 * sum(c / (p if p else 1) * mean[0] for (c, p), mean in zip(terms, means))
            return value, 0.0, "quadrature" if any(mean[1] == "quadrature" for mean in means) else "closed form"
    if isinstance(law, GridLaw) and not getattr(kernel, "singular", False):
        # every pair of nodes counts: three nodes an axis of a cell where that is cheap, the centres of fine grids
        x, share = _cell_nodes(law, nodes=3 if law.mass.size * 3**law.dim <= 4096 else 1)
        return mean_energy(kernel, x, np.multiply.outer(law.mass.ravel(), share).ravel()), 0.0, "quadrature"
    rng = _generator(rng, "interaction", law)
    n = count(n, "n", 2)
    return _monte_carlo(0.5 * kernel.value(law.sample(n, rng) - law.sample(n, rng)), n)
