"""Energy: F(ρ) = ∫V dρ + ∫U(ρ) dx + ½∬W(x-y) dρ(x) dρ(y), and its evaluation on laws."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._core.arrays import underflow_is_zero
from .._core.errors import BadInput, NotAvailable, Unsupported
from .._core.estimate import Estimate
from .._core.validate import count
from .._core.value import Value
from ..laws import Law
from ..laws.draws import drawn
from ..laws.line_integrals import density_mean
from .interactions import power_terms
from .potentials import as_quadratic
from .time_dependent import is_time_dependent


@dataclass(frozen=True)
class Energy(Value):
    """F(ρ) = ∫V dρ + ∫U(ρ) dx + ½∬W(x-y) dρ(x) dρ(y); a slot that is None contributes nothing.

    Its flow is ∂tρ = ∇·(ρ∇(U'(ρ) + V + W*ρ)).

    Parameters
    ----------
    potential : Potential, optional
        V, with `dim`, `value` and `grad` (see `pdeflow.potentials`).
    internal : InternalEnergy, optional
        U: `Entropy`, `Power`, their sums, or your own.
    interaction : Interaction, optional
        W, with `value` and `grad` (see `pdeflow.interactions`).
    """

    potential: Any = None
    internal: Any = None
    interaction: Any = None

    def __post_init__(self):
        if self.potential is None and self.internal is None and self.interaction is None:
            raise BadInput(
                "Energy() has three empty slots. It needs a potential, an internal energy or an interaction. Name one."
            )
        for slot, needs, kinds in (
            ("potential", ("dim", "value"), "pdeflow.potentials"),
            ("internal", ("of_law", "per_mass"), "Entropy, Power and their sums"),
            ("interaction", ("value", "grad"), "pdeflow.interactions"),
        ):
            part = getattr(self, slot)
            if isinstance(part, type):
                raise BadInput(
                    f"{slot} is the class {part.__name__}. It must be an object. Pass {slot}={part.__name__}(...)."
                )
            missing = [name for name in needs if part is not None and not hasattr(part, name)]
            if missing:
                raise BadInput(
                    f"{slot}={part!r} lacks {', '.join(missing)}. It must have {', '.join(needs)}. Take one of "
                    f"{kinds}, or write a subclass as docs/extend.md shows."
                )

    @property
    def time_dependent(self) -> bool:
        """Whether V depends on time: then `evaluate` answers only for the energy of one time, ``energy.at(t)``."""
        return is_time_dependent(self.potential)

    def at(self, time: float) -> "Energy":
        """The energy with the potential V(time, x), in units of the problem's time; itself where V does not change."""
        return replace(self, potential=self.potential.at(time)) if self.time_dependent else self

    @underflow_is_zero
    def evaluate(
        self,
        law: Law,
        *,
        rng: np.random.Generator | None = None,
        n: int = 100_000,
        breakpoints: Sequence[float] = (),
    ) -> Estimate:
        """F(law) in closed form where there is one, else by quadrature (dimension 1, grids), else by Monte Carlo.

        Parameters
        ----------
        law : Law
            Where F is evaluated. For a cloud, a kernel with W(0) = ∞ leaves out the pairs i = j.
        rng : Generator, optional
            Needed for Monte Carlo.
        n : int
            How many points are drawn then, at least 2.
        breakpoints : (k,)
            On the line: the ends and the middle of narrow features of the potential (see Notes), in units of x.

        Returns
        -------
        Estimate
            `how` says, slot by slot, which way was taken.

        Raises
        ------
        NotAvailable
            Where draws are needed and rng is None, and for the internal energy of a law without a density.
        Unsupported
            For a potential that depends on time: evaluate ``energy.at(t)``.
        NotConverged
            Where a quadrature misses 1e-9 of the integral of the absolute value.

        Notes
        -----
        On the line the potential is integrated over the levels of the law (of each component of a mixture). No sampling
        sees every feature of a function, so the resolution is this: a feature of V is seen where it holds 1/2000 of the
        mass and 1/8 of the mass between two neighbouring of the levels 1/2, 1/4, 1/8, ... from either end; in the
        middle of a Gaussian that is a width of 1.3e-3 standard deviations. A law on a grid is seen in cells of 1/1024
        of its range, or in its own where they are smaller. Where V has narrower features, name them by `breakpoints`.
        """
        if self.time_dependent:
            raise Unsupported(
                f"The energy has V = {self.potential!r}, which depends on time. An energy has a value at a given time. "
                "Evaluate energy.at(t), with the t of the law."
            )
        parts = []
        if self.potential is not None:
            parts.append(("potential", *_potential_energy(self.potential, law, rng, n, breakpoints)))
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
            f"The {slot} energy of {law!r} has no closed form or quadrature here. Monte Carlo is possible. Pass "
            f"rng=np.random.default_rng(seed){', or add a quantile() to the law' if law.dim == 1 else ''}."
        )
    return rng


def _has(law, *questions):
    return all(question in law.answers() for question in questions)


def _potential_energy(potential, law, rng, n, breakpoints):
    if as_quadratic(potential) is not None and _has(law, "mean", "cov"):
        offset = law.mean() - potential.center
        value = 0.5 * np.sum(potential.matrix * law.cov()) + 0.5 * offset @ potential.matrix @ offset
        return value, 0.0, law.moments_how
    if "radial" in vars(type(potential)) and potential.radial:  # a subclass may have another value
        direction = np.eye(1, law.dim)
        mean = law.mean_of_radius(lambda r: potential.value(r * direction))
        if mean is not None:
            return mean.value, 0.0, mean.how
    mean = law.mean_of(potential.value, breakpoints) if len(breakpoints) else law.mean_of(potential.value)
    if mean is not None:
        return mean.value, 0.0, mean.how
    return _monte_carlo(potential.value(drawn(law, count(n, "n", 2), _generator(rng, "potential", law))), n)


def _internal_energy(internal, law, rng, n):
    if law.has_density() is False:
        raise NotAvailable(
            f"{law!r} has no density, so ∫U(ρ)dx is infinite. Use a law with a density (GridLaw, Quantiles, "
            "PushForward)."
        )
    try:
        known = internal.of_law(law)
        return known.value, known.stderr, known.how
    except NotAvailable:
        pass  # no closed form: integrate

    def per_mass(x):
        logs = law.log_density(x)
        full = np.isfinite(logs)  # an empty cell of a grid has no mass, whatever its energy per mass
        return np.where(full, internal.per_mass_of_log(np.where(full, logs, 0.0)), 0.0)

    if law.dim == 1 and _has(law, "log_density") and law.gaussian_components() is not None:
        return density_mean(law, internal.per_mass_of_log), 0.0, "quadrature"
    mean = law.mean_of(per_mass) if _has(law, "log_density") else None
    if mean is not None:
        return mean.value, 0.0, mean.how
    if not _has(law, "log_density"):  # a pushed law may know the density at its own draws; others say what they lack
        law.sample_with_log_density(0, np.random.default_rng(0))
    _, log_density = law.sample_with_log_density(count(n, "n", 2), _generator(rng, "internal", law))
    return _monte_carlo(internal.per_mass_of_log(log_density), n)


def _interaction_energy(kernel, law, rng, n):
    from .mean_field import mean_energy  # not at the top: it brings in numba

    atoms = law.atoms()
    if atoms is not None:
        return mean_energy(kernel, *atoms), 0.0, "closed form"
    terms = power_terms(kernel)
    if terms is not None:
        means = [law.mean_pair_power(p) for _, p in terms]
        if all(mean is not None for mean in means):
            value = 0.5 * sum(c / (p if p else 1) * mean.value for (c, p), mean in zip(terms, means))
            return value, 0.0, "quadrature" if any(mean.how == "quadrature" for mean in means) else "closed form"
    difference = law.difference()
    if difference is not None and law.dim == 1:
        return 0.5 * difference.mean_of(kernel.value, (0.0,)).value, 0.0, "quadrature"
    # every pair of nodes counts: three nodes per axis of a cell where that is cheap, the centres of fine grids
    nodes = None if getattr(kernel, "singular", False) else law.quadrature_nodes(4096)
    if nodes is not None:
        return mean_energy(kernel, *nodes), 0.0, "quadrature"
    rng = _generator(rng, "interaction", law)
    n = count(n, "n", 2)
    return _monte_carlo(0.5 * kernel.value(drawn(law, n, rng) - drawn(law, n, rng)), n)
