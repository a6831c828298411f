"""The factors by which a run's drift and diffusion are off, and the mistakes that have such factors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._core.shapes import Values

LEAST = 0.25  # a factor that is off by less is taken for right
SIGMAS = 5.0
NEAR = 0.12  # how near a factor must be to the one that a mistake has
TREND = 0.35  # how near a power of dt must be to 1 or -1


class Observed(NamedTuple):
    """Moments of the runs of one step.

    mean, variance : (seeds, 2), at the two times. number : of particles, None where nothing is sampled.
    """

    mean: np.ndarray
    variance: np.ndarray
    number: int | None


@dataclass(frozen=True)
class Factors:
    """The problem in numbers: m' = -rate (m - center), v' = -2 rate v + 2 temperature.

    offset : m(0) - center. variance : v(0).
    """

    rate: float
    center: float
    temperature: float
    offset: float
    variance: float

    def drift(self, mean: Values, times: Values, center: float | None = None) -> Values:
        """c_a at each time, NaN where the offset has another sign than at the start."""
        shift = self.center if center is None else center
        ratio = (mean - shift) / (self.offset + self.center - shift)
        return np.where(ratio > 0, -np.log(np.where(ratio > 0, ratio, 1.0)) / (self.rate * times), np.nan)

    def diffusion(self, variance: Values, times: Values, drift: float) -> Values:
        """c_T at each time, given c_a."""
        strength = 2 * drift * self.rate
        grown = times if abs(strength) < 1e-6 else -np.expm1(-strength * times) / strength
        return (variance - self.variance * np.exp(-strength * times)) / (2 * self.temperature * grown)


class Measured(NamedTuple):
    """c_a and c_T by step (rows) and time (columns), their limits at the step zero, and standard errors of those."""

    drift: np.ndarray
    diffusion: np.ndarray
    drift_limit: float
    diffusion_limit: float
    drift_error: float
    diffusion_error: float


def diagnose(
    model: Factors,
    runs: Sequence[Observed],
    times: Values,
    steps: Sequence[float],
    coarse: Callable[[], Sequence[Observed]],
) -> list[tuple[str, str]]:
    """(diagnosis, evidence) of what the moments of the runs say; runs from the coarse step to the fine one.

    coarse : gives runs with the steps t/2, t/4 and t/8 of the first time t, where a factor is large even if it is
    proportional to the step.
    """
    found = _measured(model, runs, times)
    one = _alike(model, runs) or _shift(model, runs, times, steps)
    if one:
        return [one]
    if min(abs(found.drift_limit), abs(found.diffusion_limit)) < NEAR:
        far = _measured(model, coarse(), times)
        drift = far.drift if abs(found.drift_limit) < NEAR else found.drift
        diffusion = far.diffusion if abs(found.diffusion_limit) < NEAR else found.diffusion
        drift, diffusion = (  # what is not above the noise has no trend
            np.where(abs(one) > 4 * error / np.sqrt(5), one, np.nan)
            for one, error in ((drift, found.drift_error), (diffusion, found.diffusion_error))
        )
        found = found._replace(drift=drift, diffusion=diffusion)
    return list(_of_factors(model, runs, times, found))


def _measured(model: Factors, runs: Sequence[Observed], times: Values) -> Measured:
    mean = np.array([run.mean.mean(axis=0) for run in runs])
    variance = np.array([run.variance.mean(axis=0) for run in runs])
    drift = np.array([model.drift(row, times) for row in mean])
    given = np.where(np.isfinite(drift[:, 0]), drift[:, 0], 1.0)
    diffusion = np.array([model.diffusion(row, times, c) for row, c in zip(variance, given, strict=True)])
    number, seeds = runs[-1].number, len(runs[-1].mean)
    share = 0.0 if number is None else 1 / np.sqrt(number * seeds)
    grown = 2 * model.temperature * -np.expm1(-2 * model.rate * times[0]) / (2 * model.rate)
    drift_error = share * np.sqrt(variance[-1, 0]) / abs(model.offset) / (model.rate * times[0])
    diffusion_error = share * np.sqrt(2) * variance[-1, 0] / grown
    return Measured(
        drift,
        diffusion,
        float(2 * drift[-1, 0] - drift[-2, 0]),  # of a scheme of order one; of a better one as well
        float(2 * diffusion[-1, 0] - diffusion[-2, 0]),
        float(np.sqrt(5) * drift_error),
        float(np.sqrt(5) * diffusion_error),
    )


def _alike(model: Factors, runs: Sequence[Observed]) -> tuple[str, str] | None:
    """Particles that share their random numbers: their mean walks from seed to seed."""
    run = runs[-1]
    if run.number is None or len(run.mean) < 2:
        return None
    walk = float(run.mean[:, 1].std(ddof=1))
    still = float(np.sqrt(run.variance[:, 1].mean() / run.number))
    if walk < 10 * still or walk < 0.1 * np.sqrt(model.temperature / model.rate):
        return None
    return (
        "all particles get the same random numbers: is one number drawn for the whole cloud?",
        f"the mean differs by {walk:.3g} from seed to seed, where {still:.2g} is the noise of {run.number} particles",
    )


def _shift(model: Factors, runs: Sequence[Observed], times: Values, steps: Sequence[float]) -> tuple[str, str] | None:
    """Answers that are those of one step before or after, for two steps.

    The shift in time, in steps, is extrapolated to the time zero: that of a scheme of order one is proportional to the
    time, and so is that of a wrong drift.
    """
    shifts = []
    for run, dt in zip(runs[:2], steps, strict=False):
        mean = run.mean.mean(axis=0)
        noise = 0.0 if run.number is None else np.sqrt(run.variance.mean() / run.number / len(run.mean))
        if noise / (model.rate * abs(mean - model.center).min() * dt) > 0.05:
            return None
        early, late = (model.drift(mean, times) - 1) * times / dt
        shifts.append(2 * early - late)
    sign = 1 if shifts[0] > 0 else -1
    if not np.all(np.abs(np.array(shifts) - sign) < 0.2):
        return None
    few = "few" if sign < 0 else "many"
    return (
        f"answers are those of one step too {few}: is the state saved before or after the step?",
        f"they lie {shifts[0]:.2f} and {shifts[1]:.2f} steps off, for dt = {steps[0]:g} and {steps[1]:g}",
    )


def _of_factors(model: Factors, runs: Sequence[Observed], times: Values, found: Measured) -> Iterator[tuple[str, str]]:
    drift, diffusion = found.drift_limit, found.diffusion_limit
    drift_wrong = not abs(drift - 1) <= max(LEAST, SIGMAS * found.drift_error)
    diffusion_wrong = not abs(diffusion - 1) <= max(LEAST, SIGMAS * found.diffusion_error)
    elsewhere = _center(model, runs, times) if drift_wrong else None
    if elsewhere is not None:
        yield elsewhere
        drift_wrong = diffusion_wrong = False
    if (
        drift_wrong
        and diffusion_wrong
        and abs(drift - diffusion) < NEAR * abs(drift)
        and drift > 0
        and not _trend(found.drift[:, 0])
    ):
        yield (
            f"time runs {drift:.3g} times as fast as it should: is dt used twice, or the whole equation scaled?",
            f"drift and diffusion are {drift:.3g} and {diffusion:.3g} times the right ones",
        )
        return
    if drift_wrong:
        yield _of_drift(found)
    if diffusion_wrong and np.isfinite(drift):
        yield _of_diffusion(model, found, times)


def _center(model: Factors, runs: Sequence[Observed], times: Values) -> tuple[str, str] | None:
    """A drift of the right strength towards another place: seen from three means."""
    mean = runs[-1].mean.mean(axis=0)
    start = model.offset + model.center
    steps = np.array([mean[0] - start, mean[1] - mean[0]])
    if abs(steps[0]) < 0.05 * abs(model.offset) or steps[1] / steps[0] <= 0:
        return None
    fall = steps[1] / steps[0]
    strength = -np.log(fall) / (model.rate * times[0])
    if abs(strength - 1) > 0.3 or fall > 0.999:
        return None
    place = (mean[0] - fall * start) / (1 - fall)
    if abs(place - model.center) < 0.2 * abs(model.offset):
        return None
    return (
        f"the limit is another law: the drift points to {place:.3g}. Is the centre of the potential left out?",
        f"the mean tends to {place:.3g}, and the minimum of V is at {model.center:.3g}",
    )


def _of_drift(found: Measured) -> tuple[str, str]:
    drift, power = found.drift_limit, _trend(found.drift[:, 0])
    line = f"the drift is {_line(found.drift[:, 0])} times the right one (dt from coarse to fine)"
    if power:
        return f"the drift is scaled by dt^{power:g}: is dt missing, or there twice?", line
    if not np.isfinite(drift):
        return "mass overshoots the minimum of V: the drift is far too strong. Is dt missing?", line
    if abs(drift + 1) < 0.3:
        return "mass moves away from the minimum of V: sign of the gradient?", line
    if abs(drift) < NEAR:
        return "there is no drift: is the gradient of V left out, or is dt there twice?", line
    if abs(drift - 2) < 2 * NEAR:
        return "the drift is twice the right one: factor 2 in the gradient?", line
    if abs(drift - 0.5) < NEAR:
        return "the drift is half the right one: factor 2 in the gradient?", line
    return f"the drift is not the right one, but {drift:.3g} times it", line


def _of_diffusion(model: Factors, found: Measured, times: Values) -> tuple[str, str]:
    factor, power = found.diffusion_limit, _trend(found.diffusion[:, 0])
    variance = model.temperature / model.rate
    drift = found.drift_limit if found.drift_limit > 0 else 1.0
    line = (
        f"the diffusion is {_line(found.diffusion[:, 0])} times the right one (dt from coarse to fine); the variance "
        f"would tend to {factor * variance / drift:.3g}, not {variance:.3g}"
    )
    if power == 1:
        return "the noise is scaled by dt in place of √dt: it must be √(2 T dt) times a normal number", line
    if power == -1:
        growth = float(found.diffusion[-1, 1] / found.diffusion[-1, 0])
        if growth > 1.3:
            return "the noise adds up from step to step: are the same random numbers used in every step?", line
        return "the noise does not get smaller with dt: it must be √(2 T dt) times a normal number", line
    if abs(factor) < NEAR:
        return "there is no diffusion: is the noise left out, or scaled by dt in place of √dt?", line
    if abs(factor - 2) < 2 * NEAR:
        return "the limit is another law: temperature off by 2? (the noise is √(2 T dt), the diffusion T)", line
    if abs(factor - 0.5) < NEAR:
        return "the limit is another law: temperature off by 1/2? (the noise is √(2 T dt), the diffusion T)", line
    return f"the limit is another law: the diffusion is {factor:.3g} times the right one", line


def _trend(factors: Values) -> int:
    """The power of dt, 1 or -1, by which factors are scaled, or 0; factors from the coarse step to the fine one."""
    known = int(np.argmin(np.append(np.isfinite(factors), False)))  # how many from the coarse end
    if known < 2 or np.any(factors[:known] <= 0):
        return 0
    power = np.log2(factors[0] / factors[known - 1]) / (known - 1)
    return int(np.rint(power)) if abs(abs(power) - 1) < TREND else 0


def _line(factors: Values) -> str:
    return ", ".join(f"{factor:.3g}" for factor in factors)
