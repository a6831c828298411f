"""A diffusion that is observed with noise, and its posteriors by any method that solves its equation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd, lcm
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._core.arrays import is_tensor
from ..._core.errors import BadInput, NotAvailable, Unsupported
from ..._core.shapes import Points, Values
from ..._core.short_text import shown
from ..._core.validate import (
    called_with,
    count,
    instance_of,
    known_arguments,
    positive,
    real,
    real_array,
    saved_times,
    spd_matrix,
)
from ..._core.value import Value
from ...energies.energy import Energy
from ...energies.internal import Entropy
from ...energies.potentials import FromFunction
from ...laws import Gaussian, GaussianLikelihood
from ...laws.log_weights import weights_at
from ...method import solve
from ...particle import EulerMaruyama
from ...problems.problem import Problem
from ...trajectory import Trajectory, exact, time_grid
from .alternation import Alternation


@dataclass(frozen=True)
class ObservedThrough(Value):
    """log p(value | x) as a function of x: a user's log-likelihood of one observation."""

    log_likelihood: Callable[[Points, Any], Values]
    value: Any

    def __call__(self, x: Points) -> Values:
        return weights_at(lambda x: self.log_likelihood(x, self.value), x, "log_likelihood")


@dataclass(frozen=True, eq=False)
class Filter(Value):
    """A diffusion dX = -∇V dt + √(2T) dW that is observed with noise at some times.

    Parameters
    ----------
    problem : Problem
        Its Fokker-Planck equation, from the law of X at time 0; the horizon is the time up to which it is followed.
    times : (k,) array
        When it is observed: increasing, above 0.
    values : (k,), (k, m) array
        What is observed, one row for each time. Without log_likelihood these are X plus noise, (k, d).
    variance : float or (d, d) array, optional
        Of the noise, which is Gaussian, at every observation: one number for σ² of each coordinate, or the covariance;
        1 by default. In units of x². None beside log_likelihood.
    log_likelihood : callable, optional
        log_likelihood(x, value): the log density of the observation `value` where X is x, (n, d) -> (n,), in place of
        Gaussian noise.

    Raises
    ------
    BadInput
        For times that do not increase, values that do not match them, a variance that is not positive definite, and one
        beside log_likelihood.
    Unsupported
        For a potential that depends on time, and for energies that are not those of a diffusion: interactions, and
        internal energies other than the entropy.

    Notes
    -----
    `run` alternates two steps: predict, which is `solve` from the law so far, and correct, which is Bayes' rule
    (`laws.reweighting`). So what filters follows from the method:

    - `grid.ChangCooper` multiplies cell masses: the truth of [mokrov2022, §4.5] on the line and in the plane;
    - `particle.EulerMaruyama` is the bootstrap filter: weights, systematic resampling [gordon1993; docs/math.md 13.4];
    - `neural.ICNNJKO` is [mokrov2022, Algorithm 3] as mended in docs/math.md 11: the maps B_1, ..., B_k move the start,
      and the posterior at t_k is the law of B_k(... B_1(x_0)) for x_0 of p_0 reweighted by all likelihoods along its
      path (eq. (18)). On the line x_0 is drawn exactly through its quantile function (`sampler=laws.Stratified()` with
      less noise), unless sampler= names Metropolis-Hastings chains as published; in more dimensions it must. The
      published algorithm draws fresh batches
      from the chains; here a method with a pool takes it once after each observation, and pushes it along;
    - `neural.VariationalJKO` with convex maps is filtered in the same way; what it holds out are later places of the
      chains, and depend on those that it trains on as draws of one chain do;
    - `neural.DualJKO` multiplies its density by the likelihoods;
    - `grid.QuantileJKO` is the JKO filter with no error of optimisation or sampling.

    `exact` is the Kalman filter, where the problem has an exact flow of Gaussians.
    """

    problem: Problem
    times: Values
    values: Any
    variance: Any = None
    log_likelihood: Callable[[Points, Any], Values] | None = None

    def __post_init__(self) -> None:
        instance_of(self.problem, "problem", Problem)
        if self.problem.energy.time_dependent:
            raise Unsupported(
                f"V = {shown(self.problem.energy.potential, 300)} depends on time. A filter starts the clock of its "
                "problem anew after each observation, so V must not. Take a potential without time."
            )
        self._require_diffusion()
        times = saved_times(self.times)
        values = real_array(self.values, "values")
        if not times[0] > 0 or values.ndim not in (1, 2) or len(values) != len(times):
            raise BadInput(
                f"times are {shown(times.tolist())}, values have shape {values.shape}. Times must be above 0 and "
                "increase, with one value or row each. Match them."
            )
        if self.log_likelihood is None:
            values = values[:, None] if values.ndim == 1 else values
            if values.shape[1] != self.problem.dim:
                raise BadInput(
                    f"values have shape {values.shape}, the problem has dim {self.problem.dim}. Without log_likelihood "
                    "each value is a noisy place, of that dimension. Reshape them, or pass log_likelihood=."
                )
            variance: Any = 1.0 if self.variance is None else self.variance
            spd_matrix(variance, self.problem.dim, "variance")
            object.__setattr__(self, "variance", variance)
        elif not callable(self.log_likelihood):
            raise BadInput(
                f"log_likelihood is {shown(self.log_likelihood, 200)}. It must be a function (x, value) -> (n,) of "
                "points x (n, d). Pass one, or variance= for Gaussian noise."
            )
        else:
            called_with(self.log_likelihood, f"log_likelihood {shown(self.log_likelihood, 200)}", ("x", "value"))
        if self.log_likelihood is not None and self.variance is not None:
            raise BadInput(
                f"variance is {shown(self.variance)} beside log_likelihood {shown(self.log_likelihood, 200)}. A "
                "log-likelihood is a function of (x, value) that knows its noise. Pass one of the two."
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)

    def _require_diffusion(self) -> None:
        """`Unsupported` unless the flow is that of independent paths, for which Bayes' rule holds."""
        energy = self.problem.energy
        entropic = energy.internal is None or all(m == 1 for _, m in energy.internal.terms() or ((1.0, 0),))
        if energy.interaction is not None or not entropic:
            raise Unsupported(
                f"{shown(energy, 300)} is not the energy of a diffusion dX = -∇V dt + √(2T) dW. The law of a path "
                "given its observations follows that equation alone: with others the posterior would act on itself. "
                "Filter a problem with a potential and Entropy."
            )

    @classmethod
    def simulated(
        cls, problem: Problem, times: ArrayLike, variance: Any = 1.0, *, seed: int = 0, dt: float = 1e-3
    ) -> Filter:
        """The filter of one path drawn by Euler-Maruyama, observed with Gaussian noise.

        Parameters
        ----------
        problem : Problem
            The diffusion.
        times : (k,) array
            When it is observed, multiples of dt.
        variance : float or (d, d) array
            Of the noise, in units of x².
        seed : int
            Of the path and the noise.
        dt : float
            The step of the path, in units of time.
        """
        instance_of(problem, "problem", Problem)
        cov, (path_seed, noise_seed) = spd_matrix(variance, problem.dim, "variance"), _seeds(seed, 2)
        path = solve(problem, EulerMaruyama(particles=1), dt=dt, times=times, seed=path_seed)
        places = np.concatenate([law.sample(1, np.random.default_rng(0)) for law in path.laws])
        noise = Gaussian(np.zeros(problem.dim), cov).sample(len(places), np.random.default_rng(noise_seed))
        return cls(problem, path.times, places + noise, variance)

    def log_weight(self, k: int) -> Any:
        """The log-likelihood of observation k as a function of x, (n, d) -> (n,)."""
        if self.log_likelihood is None:
            return GaussianLikelihood(self.values[k], self.variance)
        return ObservedThrough(self.log_likelihood, self.values[k])

    @known_arguments
    def run(
        self,
        method: Any,
        *,
        dt: float,
        until: float | None = None,
        times: ArrayLike | None = None,
        seed: int = 0,
        sampler: Any = None,
        least_effective: float = 10.0,
    ) -> Trajectory:
        """The laws of X given all observations up to each time.

        Parameters
        ----------
        method : Method
            What predicts: anything that `solve` takes.
        dt : float
            Its step, which divides the times of the observations, in units of time.
        until : float, optional
            The last time, after which observations are not used. By default the horizon of the problem, beyond which
            there must be none then.
        times : (k,) array, optional
            More times at which laws are kept, multiples of dt up to `until`.
        seed : int
            Of the method's draws, of resampling, of chains, and of draws for the evidence.
        sampler : laws.Stratified or laws.MetropolisHastings, optional
            What draws from the posterior of a flow of maps, see Notes of the class.
        least_effective : float
            How many particles must carry the posterior after each observation, by 1/Σw². With fewer than ten its mean
            errs by more than 0.3 deviations, and the weights, most of which one or two particles have, do not tell by
            how much; 1 accepts that, as filters do that recover later.

        Returns
        -------
        Trajectory
            Laws at the observations (after them), at `times` and `until`. Its `stats` hold `log_evidence`, the log of
            the density of all values used, and `observations`: for each `time`, its `log_evidence`, and
            `effective_size` (1/Σw² of weighted particles) or `acceptance` (of the chains). In more than one dimension a
            flow of maps knows the evidence by 4,096 draws only; then `log_evidence_stderr` is its standard error, from
            the spread between chains where these are fewer (infinite for one, and where fewer than ten draws have most
            of the likelihood).

        Raises
        ------
        BadInput
            For times that are no multiples of dt, observations beyond the horizon without `until`, and a sampler where
            nothing needs one. For an observation that the predicted law cannot hold: cells too wide or a domain too
            small for it, particles of which too few carry the posterior, and pieces of a quantile function
            between which its density jumps by more than 0.3 nats in the mean over the posterior.
        Unsupported
            For laws that cannot be reweighted (see `laws.reweighting`), and methods that only end where the flow does.
        """
        if not getattr(method, "follows_flow", True):
            raise Unsupported(
                f"{shown(method, 200)} has its own way to the Gibbs law, and another time than the diffusion. A filter "
                "predicts the law at the next observation. Take a method that follows the flow, such as EulerMaruyama."
            )

        def predict(start: Problem, ends: Values, child: int) -> Trajectory:
            return solve(start, method, dt=dt, times=ends, seed=child)

        return self._alternate(predict, dt, until, times, seed, sampler, positive(least_effective, "least_effective"))

    def exact(self, until: float | None = None, times: ArrayLike | None = None) -> Trajectory:
        """The exact posteriors where the problem's flow and the update are closed: the Kalman filter.

        Parameters
        ----------
        until, times
            As in `run`.

        Raises
        ------
        NotAvailable
            Where the problem has no exact flow from its law, or from a posterior: with log_likelihood that of the first
            observation is the last that is exact.
        """
        return self._alternate(self._closed, None, until, times, 0, None, 1.0)

    def _closed(self, start: Problem, ends: Values, _: int) -> Trajectory:
        """The exact flow from the law so far."""
        try:
            return exact(start, ends)
        except NotAvailable as error:
            noise = "Gaussian noise" if self.log_likelihood is None else "log_likelihood"
            raise NotAvailable(
                f"Problem {shown(start.name, 80)} observed with {noise} has no closed flow from "
                f"{shown(start.initial, 300)}. Exact is Kalman's filter: variance=, and a flow of Gaussians or their "
                "mixtures. In its place take run(grid.ChangCooper(), dt=...), the truth but for its cells, or "
                "run(particle.EulerMaruyama(), dt=...), the bootstrap filter."
            ) from error

    def _alternate(
        self,
        predict: Callable[..., Trajectory],
        dt: Any,
        until: Any,
        times: Any,
        seed: int,
        sampler: Any,
        least_effective: float,
    ) -> Trajectory:
        if until is None and self.times[-1] > self.problem.horizon * (1 + 1e-12):
            raise BadInput(
                f"The last observation is at time {self.times[-1]:g}, the horizon of the problem is "
                f"{self.problem.horizon:g}. A run uses all observations, or those up to `until`. Pass until=."
            )
        until = self.problem.horizon if until is None else positive(real(until, "until"), "until")
        used = int(np.searchsorted(self.times, until * (1 + 1e-12), side="right"))
        kept = np.unique(np.concatenate([self.times[:used], [until], [] if times is None else saved_times(times)]))
        kept = kept[np.append(True, np.diff(kept) > 1e-9 * until)]
        if kept[-1] > until * (1 + 1e-9) or kept[0] <= 0:
            raise BadInput(
                f"times are {shown(times)}, until = {until:g}. Laws are kept above 0 and up to `until`. Change one."
            )
        if dt is not None:
            _require_steps(self.times[:used], positive(dt, "dt"))
            time_grid(kept, dt)
        run = Alternation(self, predict, sampler, least_effective, _seeds(seed, 3 * used + 2))
        for k, begin in enumerate([0.0, *self.times[:used]]):
            end = self.times[k] if k < used else until
            inside = kept[(kept > begin + 1e-9 * until) & (kept <= end + 1e-9 * until)]
            if len(inside):
                run.predict(begin, inside)
            if k < used:
                run.correct(k)
        return run.trajectory(kept)


def _require_steps(times: Values, dt: float) -> None:
    """`BadInput` where a step of length dt does not end at every observation."""
    off = np.abs(np.rint(times / dt) * dt - times) > 1e-9 * np.maximum(times, dt)
    if not off.any():
        return
    found = float(times[np.argmax(off)])
    parts = [Fraction(float(t)).limit_denominator(10**6) for t in times]
    common = Fraction(gcd(*(part.numerator for part in parts)), lcm(*(part.denominator for part in parts)))
    fits = float(common / ceil(common / Fraction(dt)))
    fine = np.all(np.abs(np.rint(times / fits) * fits - times) <= 1e-9 * np.maximum(times, fits))
    advice = f"Use dt = {fits:.12g}, which divides all their times." if fine else "Round their times to such multiples."
    raise BadInput(
        f"The observation at time {found:.12g} is at no multiple of dt = {dt:.12g} (time/dt = {found / dt:.12g}). A "
        f"step must end at every observation, to 1e-9. {advice}"
    )


def _seeds(seed: int, n: int) -> list[int]:
    """n seeds of their own from one."""
    return [int(s) for s in np.random.SeedSequence(count(seed, "seed", 0)).generate_state(n, np.uint32)]


def ripples(horizon: float = 5.0) -> Problem:
    """The diffusion of the published experiment: V = sin(2πx)/π + x²/4, T = 1, from N(0, 1) [mokrov2022, §4.5].

    Parameters
    ----------
    horizon : float
        The time up to which it is followed, > 0.
    """
    potential = FromFunction(_ripples, grad=_ripples_slope, dim=1)
    return Problem(Energy(potential, Entropy()), Gaussian(0.0, 1.0), horizon, name="ripples")


def _ripples(x: Any) -> Any:
    z = x[:, 0]
    wave = (2 * np.pi * z).sin() if is_tensor(z) else np.sin(2 * np.pi * z)
    return wave / np.pi + z * z / 4


def _ripples_slope(x: Any) -> Any:
    wave = (2 * np.pi * x).cos() if is_tensor(x) else np.cos(2 * np.pi * x)
    return 2 * wave + x / 2
