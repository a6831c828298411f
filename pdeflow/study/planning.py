"""plan: how many levels, seeds and samples make the verdicts of a study conclusive, from a short pilot run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._core.errors import BadInput, NotAvailable, PdeflowError
from .._core.short_text import shown
from .._core.validate import count, known_arguments, positive
from .._core.value import Value
from .claim import Claim
from .pilot import PILOT_LEVELS, Cost, Pilot, Seen, seen
from .study import Study
from .table import Table

# seeds of a pilot that grows: at first, before no study is found to be enough, and where half of the study is too cheap
FIRST_SEEDS, HOPELESS_SEEDS, NO_MORE = 4, 12, 2
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
MORE_SAMPLES = (1, 4, 16, 64)


@dataclass(frozen=True, eq=False)
class Plan(Value):
    """What `plan` found.

    Parameters
    ----------
    study : Study
        The study that was planned, ready to run.
    levels : tuple
        Levels of its swept axis.
    seeds : int
        How many seeds it has.
    samples : int or None
        The value of the field that counts samples, None where none was named.
    seconds : float
        What its runs will cost, in seconds of one worker, without the metrics.
    conclusive : float
        The predicted chance that all claims end as `pass`, if they are true.
    why : str
        What the prediction rests on.
    pilot : Table
        The runs that it rests on.
    """

    study: Study = field(repr=False)
    levels: tuple[Any, ...]
    seeds: int
    samples: int | None
    seconds: float
    conclusive: float
    why: str
    pilot: Table = field(repr=False)

    def __str__(self):
        more = "" if self.samples is None else f", {self.samples} samples"
        return (
            f"{len(self.levels)} levels {', '.join(f'{level:g}' for level in self.levels)}, {self.seeds} seed(s){more}"
            f": conclusive with probability {self.conclusive:.2f}, about {self.seconds:.3g} s ({self.why})"
        )


@known_arguments
def plan(
    study: Study,
    claims: Claim | Iterable[Claim],
    *,
    pilot: Table | Callable[[Study], Table] | None = None,
    samples: str | None = None,
    share: float = 0.9,
    most_levels: int = 9,
    seed: int = 0,
) -> Plan:
    """The cheapest levels, seeds and samples for which the claims, if they are true, will most likely end as `pass`.

    Parameters
    ----------
    study : Study
        What is to be planned; one axis is swept. Its coarsest level and the ratio of its first two are kept.
    claims : Claim or iterable of Claim
        Orders, exact or at least, that are to be judged.
    pilot : Table, or callable, optional
        A short run of the same study, which is used as it is: its coarsest levels, three or more, with two seeds or
        more where the method is random. Or a function (study) -> Table that runs parts of the study, such as
        `lambda part: part.run(store="runs", jobs=4)`: then, as by default, the pilot grows by itself.
    samples : str, optional
        A field of the methods that counts samples, such as "particles": it may grow up to 64 times. Noise and floor
        fall by its square root, and seconds grow in proportion.
    share : float
        The chance wanted, below 1.
    most_levels : int
        How many levels are allowed.
    seed : int
        Of the simulated studies.

    Returns
    -------
    Plan
        With the study that it describes, and what that will cost.

    Raises
    ------
    BadInput
        For a study that sweeps several axes, for claims without an order, and for a pilot without errors to go by.
    NotAvailable
        Where no allowed combination reaches the chance that is wanted.

    Notes
    -----
    The errors of the pilot are taken for a h^p (1 + b r + c r²) with the order claimed; (b, c) are drawn from the prior
    of `fit_order` with weights by how well they describe the pilot, and a is drawn beside them. The standard deviation
    over seeds is drawn from what the pilot leaves possible, pooled over its levels; the floor is the measured one. With
    these, 300 studies are simulated for each combination and judged as `Table.claims` does. Seconds are those of the
    pilot: c₀ + c₁/h where dt is swept, else a power of h.

    A pilot that grows begins with the three coarsest levels and four seeds. As long as it has less than half of the
    seeds that the plan wants (times the samples), at one of the levels, it takes the next level or up to twice the
    seeds, and the plan is made again: few seeds on coarse levels tell so little of the error on finer ones that plans
    cost up to six times too much. Its runs have the seeds 0, 1, 2, ..., which are those of the planned study: with a
    `store` they are not made twice.
    """
    claims = _orders_claimed(study, claims)
    name, steps = _one_axis(study)
    share, most = positive(share, "share"), count(most_levels, "most_levels", 4)
    if share >= 1:
        raise BadInput(f"share is {share:g}. It must be below 1, for no noise is bounded. Pass e.g. 0.9.")
    size = None if samples is None else _size(study, samples, {claim.method for claim in claims})
    if not (pilot is None or isinstance(pilot, Table) or callable(pilot)):
        raise BadInput(
            f"pilot is {shown(pilot)}. It is a Table, a function (study) -> Table, or None for a pilot that grows by "
            "itself. Pass one of these."
        )
    search = _Search(claims, name, steps, size is not None, share, most, seed)
    if isinstance(pilot, Table):
        table, found = pilot, search.found(pilot)
    else:
        table, found = _grown(study, search, _run if pilot is None else pilot)
    if found.seeds == 0:
        raise NotAvailable(
            f"Of the studies with up to {most} levels and {SEEDS[-1]} seeds the best is conclusive with probability "
            f"{found.chance:.2f} ({found.why}), and {share:g} is wanted. A plan needs claims that the pilot does not "
            "contradict, and noise and floors that can be averaged out. Name the field that counts samples "
            "(samples='particles'), allow more levels, or ask for a smaller share."
        )
    fields = {} if size is None else {str(samples): size * found.factor}
    planned = _changed(study, {name: found.levels}, range(found.seeds), fields)
    return Plan(
        planned, found.levels, found.seeds, fields.get(str(samples)), found.seconds, found.chance, found.why, table
    )


@dataclass(frozen=True)
class _Found:
    """The cheapest design that reaches the share; with no seeds the best chance that was met.

    factor : by how many times the samples grow. why : what it rests on.
    """

    chance: float
    levels: tuple[Any, ...] = ()
    seeds: int = 0
    factor: int = 1
    seconds: float = np.inf
    noisy: bool = True
    why: str = ""


@dataclass(frozen=True)
class _Search:
    """What is looked for: designs of the claims that reach the share, among those allowed."""

    claims: list[Claim]
    name: str
    steps: tuple[Any, ...]
    more_samples: bool
    share: float
    most: int
    seed: int

    def found(self, pilot: Table) -> _Found:
        """The cheapest design by what the pilot shows."""
        shown_of = [one for claim in self.claims for one in seen(pilot, claim)]
        cost = Cost(pilot, {claim.method for claim in self.claims})
        designs = [
            (levels, np.array([pilot.step_size(level) for level in levels]), factor)
            for factor in (MORE_SAMPLES if self.more_samples else MORE_SAMPLES[:1])
            for levels in (_levels(self.steps, n) for n in range(4, self.most + 1))
        ]
        best = _cheapest(designs, shown_of, cost, self.share, np.random.default_rng(self.seed))
        return replace(best, noisy=any(one.spread > 0 for one in shown_of), why=_grounds(shown_of))


def _run(study: Study) -> Table:
    return study.run(progress=False)


def _grown(study: Study, search: _Search, run: Callable[[Study], Table]) -> tuple[Table, _Found]:
    """The runs of a pilot that grows until it has half the seeds of the plan, and the plan."""
    pilot = Pilot(lambda levels, seeds: run(_changed(study, {search.name: levels}, seeds, {})))
    levels, seeds = PILOT_LEVELS, FIRST_SEEDS
    while True:
        table = pilot.grow(_levels(search.steps, levels), seeds)
        found = search.found(table)
        if not found.noisy or (found.seeds == 0 and seeds >= HOPELESS_SEEDS):
            return table, found
        if found.seeds == 0:
            seeds = min(2 * seeds, HOPELESS_SEEDS)
            continue
        wanted = -(-found.seeds * found.factor // 2)
        if wanted <= NO_MORE or all(pilot.seeds(level) >= wanted for level in found.levels):
            return table, found
        levels, seeds = max(levels, min(levels + 1, len(found.levels))), min(wanted, 2 * seeds)


def _cheapest(designs, seen_of, cost, share, rng) -> _Found:
    """The cheapest design that reaches the share; with no seeds the best chance met.

    designs : of (levels, h, factor of samples).
    """
    best, found = 0.0, _Found(0.0)
    all_seeds = SEEDS if any(one.spread > 0 for one in seen_of) else SEEDS[:1]
    for levels, h, factor in designs:
        price = factor * cost.of(h)
        tried, at = [seeds for seeds in all_seeds if seeds * price < found.seconds], -1
        while tried:  # the chance grows with the seeds: if the most do not do, none does
            seeds = tried[at]
            chance = min(one.chance(h, seeds, factor, rng) for one in seen_of)
            best = max(best, chance)
            if chance >= share:
                found = _Found(chance, levels, seeds, factor, seeds * price)
                tried = tried[:at]
            else:
                tried = [] if at == -1 else tried[at + 1 :]
            at = len(tried) // 2
    return found if found.seeds else _Found(best)


def _orders_claimed(study: Study, claims: Claim | Iterable[Claim]) -> list[Claim]:
    listed = [claims] if isinstance(claims, Claim) else list(claims)
    if not listed or not all(isinstance(claim, Claim) and claim.expected is not None for claim in listed):
        raise BadInput(
            f"claims are {shown(listed)}. A plan is for claims of a finite order; exact methods and invariants need no "
            "levels. Pass pf.Claim(method, metric, order, tolerance, source)."
        )
    for claim in listed:
        if claim.method not in study.methods:
            raise BadInput(
                f"A claim is of the method {claim.method!r}. The study has: {', '.join(study.methods)}. Use one of "
                "these."
            )
    return listed


def _one_axis(study: Study) -> tuple[str, tuple[Any, ...]]:
    """The name of the swept axis as it was given, and its levels, coarsest first."""
    free = [name for name, levels in study.sweep.given.items() if not callable(levels)]
    if study.family is not None or len(free) != 1 or len(study.sweep.given[free[0]]) < 2:
        raise BadInput(
            f"The study sweeps {', '.join(axis.name for axis in study.axes)}. A plan is for one axis with two levels "
            "or more, which give its ratio. Plan a study that sweeps one of them."
        )
    counts = next(axis.counts for axis in study.axes if not axis.follows)
    return free[0], tuple(sorted(study.sweep.given[free[0]], reverse=not counts))


def _levels(steps: Sequence[Any], n: int) -> tuple[Any, ...]:
    """n levels from the first of `steps` on, with the ratio of its first two."""
    first, ratio = steps[0], steps[1] / steps[0]
    levels = [first * ratio**k for k in range(n)]
    return tuple(round(level) for level in levels) if isinstance(first, int) else tuple(levels)


def _size(study: Study, samples: str, methods: set[str]) -> int:
    """The value of the field that counts samples."""
    found = {getattr(study.methods[name], samples, None) for name in methods if name in study.methods}
    size = found.pop() if len(found) == 1 else None
    if isinstance(size, bool) or not isinstance(size, int):
        raise BadInput(
            f"samples is {samples!r}. It must name a field of whole numbers that all claimed methods have, with one "
            "value. Possible: 'particles' for pf.particle.EulerMaruyama."
        )
    return size


def _changed(study: Study, sweep: dict[str, Any], seeds: range, fields: dict[str, int]) -> Study:
    """The study with other levels and seeds, and other fields of the methods that have them."""
    methods = {}
    for name, method in study.methods.items():
        known = {field: value for field, value in fields.items() if field in study.sweep.fields[name]}
        methods[name] = study.changed(name, known) if known else method
        if isinstance(methods[name], PdeflowError):
            raise methods[name]
    return Study(
        list(study.problems.values()),
        methods,
        {**study.sweep.given, **sweep},
        study.metrics,
        dt=study.dt,
        times=study.times,
        against=study.against,
        seeds=seeds,
        floors=study.floors,
    )


def _grounds(seen_of: Sequence[Seen]) -> str:
    """What the prediction rests on."""
    worst = max(seen_of, key=lambda one: one.spread / one.error.min())
    return (
        f"{len(seen_of)} claim(s); the noisiest is {worst.claim.method} in {worst.claim.metric}, with a finest error "
        f"of {worst.error.min():.3g}, {worst.spread:.2g} of noise a seed, and a floor of {worst.floor:.2g}"
    )
