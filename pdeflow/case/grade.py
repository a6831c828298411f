"""grade: what is wrong with a solver, in words: the runs that speak of each kind of mistake, and what they say."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._core.errors import BadInput, Diverged, NotAvailable, NotConverged, PdeflowError, Unsupported
from .._core.shapes import Values
from .._core.short_text import shown
from .._core.validate import count, positive
from ..energies.potentials import as_quadratic
from ..laws import Gaussian, Law, Uniform
from ..method import require_problem_and_method, runs_whole, solve
from ..problems import ou
from ..problems.problem import Problem
from .factors import Factors, Observed, diagnose

MIDDLE = 0.5  # of the time in which the drift lets an offset fall to 1/e: the first of the two times that are compared
STEPS = (8, 16, 32)  # to that time
WIDTH = 0.08  # of a grid: how much of it a law fills that is to show a leak there
PLACES = {"left": 0.0, "middle": 0.5 - WIDTH / 2, "right": 1 - WIDTH}  # where it begins
LEAK = 1e-8  # of the mass, as in GridLaw


class Finding(NamedTuple):
    """A diagnosis, and the numbers that speak for it."""

    diagnosis: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.diagnosis}\n    {self.evidence}"


def default_problem() -> Problem:
    """The problem on which a solver is graded: no two constants are alike, so that mistakes can be told apart."""
    return ou(matrix=1.25, center=0.5, temperature=0.6, initial=Gaussian(2.0, 0.2))


def grade(
    method: Any,
    problem: Problem | None = None,
    *,
    levels: Iterable[float] | None = None,
    seeds: Iterable[int] = range(4),
) -> list[Finding]:
    """What is wrong with a solver of an Ornstein-Uhlenbeck problem on the line, in words.

    Parameters
    ----------
    method : Method
        The solver: an object with init, step and law, or with run (`pdeflow.External`).
    problem : Problem, optional
        A quadratic potential and an entropy on the line, from a Gaussian that is not centred at the minimum. The
        default has the constants A = 1.25, b = 0.5, T = 0.6 and starts at N(2, 0.2).
    levels : (3,) array_like, optional
        The steps dt, each half the one before; by default 1/8, 1/16 and 1/32 of the first time that is looked at, which
        is about half the time of relaxation. A scheme with explicit diffusion on a grid needs smaller ones.
    seeds : iterable of int
        Runs over which random methods are averaged.

    Returns
    -------
    list of Finding
        Empty where nothing was found. That says that the drift, the diffusion, the start and the times are right, and
        that nothing leaks; it does not say which order the scheme has, which a `Study` says.

    Raises
    ------
    BadInput
        For another kind of problem, and for levels that make no sense.

    Notes
    -----
    A drift of c_a times the right strength and a diffusion of c_T times the right one give the mean m and variance v

        m - b = (m_0 - b) e^(-c_a A t),    v = v_0 e^(-2 c_a A t) + c_T T (1 - e^(-2 c_a A t)) / (c_a A).

    Both factors are measured at two times and three steps and are extrapolated to the step zero; what they are, and how
    they change with the step and the time, names the mistake. A factor counts as wrong where it is off by a quarter and
    by five standard errors.
    """
    problem = default_problem() if problem is None else problem
    require_problem_and_method(problem, method)
    model = _model(problem)
    steps = _levels(levels, model)
    first = steps[0] * max(1, round(MIDDLE / model.rate / steps[0]))
    times = (first, 2 * first)
    seeds = [count(seed, "seed", 0) for seed in seeds]
    if not seeds:
        raise BadInput("seeds is empty. A solver is graded on at least one run. Pass seeds=[0].")
    found = _start(method, problem, steps[0])
    runs, errors = _runs(method, problem, steps, times, seeds)
    found += _leaks(method, problem, errors, steps[-1]) + _failures(errors, steps)
    if len(runs) == len(steps) and not found:  # what follows takes the start and the mass for right
        coarse = [first / 2, first / 4, first / 8]
        said = diagnose(
            model, runs, np.array(times), steps, lambda: _runs(method, problem, coarse, times, seeds)[0] or runs
        )
        found += [Finding(*one) for one in said]
        found += _energy(method, problem, steps[-1], times)
    found += _repeatable(method, problem, steps[0], times)
    return found


def _model(problem: Problem) -> Factors:
    """The constants of the problem; `BadInput` where its moments are not those of this model."""
    quadratic = as_quadratic(problem.energy.potential)
    start = problem.initial.as_gaussian()
    fits = problem.dim == 1 and quadratic is not None and start is not None and problem.exact is not None
    if not fits or problem.energy.interaction is not None or problem.energy.internal is None:
        raise BadInput(
            f"The problem is {shown(problem)}. Solvers are graded on a quadratic potential with an entropy on the "
            "line, from a Gaussian, because its moments tell the mistakes apart. Pass pf.problems.ou(...), or nothing."
        )
    assert quadratic is not None and start is not None and problem.exact is not None
    rate, center = float(quadratic.matrix[0, 0]), float(quadratic.center[0])
    offset, variance = float(start.mean()[0]) - center, float(start.cov()[0, 0])
    if abs(offset) < 0.3 * np.sqrt(variance):
        raise BadInput(
            f"The problem starts at {center + offset:g}, the minimum of its potential is at {center:g}. Where they are "
            "so near to each other the drift cannot be seen. Take initial=pf.laws.Gaussian(2.0, 0.2)."
        )
    limit = float(problem.exact(40 / rate).cov()[0, 0])
    return Factors(rate, center, limit * rate, offset, variance)


def _levels(levels: Iterable[float] | None, model: Factors) -> list[float]:
    """Three steps, each half the one before."""
    if levels is None:
        first = round(MIDDLE / model.rate, 1) or MIDDLE / model.rate
        return [first / number for number in STEPS]
    steps = sorted((positive(level, "levels") for level in levels), reverse=True)
    if len(steps) != 3 or not np.allclose(np.array(steps[:2]) / steps[1:], 2, rtol=1e-9):
        raise BadInput(
            f"levels are {shown(steps)}. They must be three steps, each half the one before. Pass [h, h/2, h/4]."
        )
    if steps[0] > 0.25 / model.rate:
        raise BadInput(
            f"levels begin with {steps[0]:g}. The largest step may be a quarter of the time of relaxation, "
            f"{1 / model.rate:g}. Take smaller ones."
        )
    return steps


def _start(method: Any, problem: Problem, dt: float) -> list[Finding]:
    """Whether the method starts where the problem does."""
    if runs_whole(method):
        return []
    try:
        law = solve(problem, method, dt=dt, times=(0.0,)).final
    except PdeflowError:  # the runs will say it
        return []
    mean, variance = float(law.mean()[0]), float(law.cov()[0, 0])
    true_mean, true_variance = float(problem.initial.mean()[0]), float(problem.initial.cov()[0, 0])
    atoms = law.atoms()
    number = np.inf if atoms is None else len(atoms[0])
    deviation = np.sqrt(true_variance)
    if abs(mean - true_mean) > max(0.1, 5 / np.sqrt(number)) * deviation:
        say = f"the mean is {mean:.4g} in place of {true_mean:.4g}"
    elif abs(variance / true_variance - 1) > max(0.2, 5 * np.sqrt(2 / number)):
        say = f"the variance is {variance:.4g} in place of {true_variance:.4g}"
    else:
        return []
    squared = abs(variance / true_variance**2 - 1) < 0.1
    hint = "is the variance taken for the deviation?" if squared else "is problem.initial used?"
    return [Finding(f"the start is another law: {hint}", f"before the first step {say}")]


def _runs(
    method: Any, problem: Problem, steps: Sequence[float], times: Sequence[float], seeds: Sequence[int]
) -> tuple[list[Observed], dict[float, PdeflowError]]:
    """The moments at the two times for every step, and the errors of those steps that have none."""
    runs, errors = [], {}
    for dt in steps:
        try:
            flows = [solve(problem, method, dt=dt, times=times, seed=seed) for seed in seeds[:1]]
            if any(law.atoms() is not None for law in flows[0].laws):
                flows += [solve(problem, method, dt=dt, times=times, seed=seed) for seed in seeds[1:]]
        except PdeflowError as error:
            errors[dt] = error
            continue
        mean = np.array([[float(law.mean()[0]) for law in flow.laws] for flow in flows])
        variance = np.array([[float(law.cov()[0, 0]) for law in flow.laws] for flow in flows])
        atoms = flows[0].final.atoms()
        runs.append(Observed(mean, variance, None if atoms is None else len(atoms[0])))
    return runs, errors


def _leaks(method: Any, problem: Problem, errors: dict[float, PdeflowError], dt: float) -> list[Finding]:
    """What is said of mass that is lost, and where."""
    leaking = [place for place in PLACES if _leaks_at(method, problem, place, dt)]
    if leaking and "middle" not in leaking:
        where = f"the {leaking[0]} end" if len(leaking) == 1 else "both ends"
        hint = "no flux may cross the outermost edge of the grid, and every cell there has the width of the grid"
        return [Finding(f"mass leaks at {where}: is the flux through it zero?", hint)]
    lost = next((str(error) for error in errors.values() if "mass_error" in error.facts), "")
    if not leaking and not lost:
        return []
    hint = "a start in the middle of the grid loses mass too" if leaking else lost
    return [Finding("mass is not conserved: does what leaves a cell enter the next one?", hint)]


def _failures(errors: dict[float, PdeflowError], steps: Sequence[float]) -> list[Finding]:
    """What is said of runs that end in errors, but for mass that is lost."""
    others = {dt: error for dt, error in errors.items() if "mass_error" not in error.facts}
    if not others:
        return []
    dt, error = next(iter(others.items()))
    good = [step for step in steps if step not in errors]
    negative = "min_mass" in error.facts
    if good and (negative or isinstance(error, Diverged)):
        what = "negative masses" if negative else "the run diverges"
        hint = f"{what} at dt = {dt:g}, none at dt = {max(good):g}"
        return [Finding("steps beyond the limit of stability: explicit diffusion needs dt <= h²/(2 T)", hint)]
    if negative:
        hint = "explicit diffusion needs dt <= h²/(2 T); pass smaller levels"
        return [Finding(f"masses become negative at every step: {hint}", f"dt = {dt:g}: {error}")]
    return [Finding(f"the runs end as {error.status!r}", f"dt = {dt:g}: {error}")]


def _leaks_at(method: Any, problem: Problem, place: str, dt: float) -> bool:
    """Whether a run that starts at this place of the method's grid loses mass in one step."""
    if runs_whole(method):
        return False
    try:
        axes = solve(problem, method, dt=dt, times=(0.0,)).final.grid_axes()
        if axes is None:
            return False
        low, high = float(axes[0][0]), float(axes[0][-1])
        begin = low + PLACES[place] * (high - low)
        there = replace(problem, initial=Uniform([begin], [begin + WIDTH * (high - low)]))
        solve(there, method, dt=dt, times=(0.0,))
    except PdeflowError:  # it cannot start there, which is no leak
        return False
    try:
        solve(there, method, dt=dt, times=(dt,))
    except PdeflowError as error:
        return abs(error.facts.get("mass_error", 0.0)) > LEAK
    return False


def _energy(method: Any, problem: Problem, dt: float, times: Sequence[float]) -> list[Finding]:
    """Whether the energy of the laws rises, where they have one."""
    try:
        flow = solve(problem, method, dt=dt, times=(0.0, *times), seed=0)
        values = [float(problem.energy.evaluate(law)) for law in flow.laws]
    except (NotAvailable, NotConverged, Unsupported):
        return []
    exact = problem.exact
    assert exact is not None
    fall = values[0] - float(problem.energy.evaluate(exact(times[-1])))
    if max(np.diff(values)) <= 0.05 * abs(fall):
        return []
    line = ", ".join(f"{value:.4g}" for value in values)
    return [
        Finding("energy rises: sign of the gradient?", f"the energy is {line} at t = 0, {times[0]:g}, {times[1]:g}")
    ]


def _repeatable(method: Any, problem: Problem, dt: float, times: Sequence[float]) -> list[Finding]:
    """Whether one seed gives one answer."""
    try:
        laws: list[Law] = [solve(problem, method, dt=dt, times=times[:1], seed=7).final for _ in range(2)]
    except PdeflowError:
        return []
    pairs: list[tuple[Values, Values]] = list(zip(*(law.coordinates() for law in laws), strict=True))
    if all(np.array_equal(one, other) for one, other in pairs):
        return []
    hint = "draw random numbers from the rng that init and step are given (a program: from its seed)"
    return [Finding("one seed gives two answers", hint)]
