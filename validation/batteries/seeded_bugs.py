"""Solvers, problems, truths and metrics with one thing wrong each, and the correct ones beside them.

Each is judged by one claim in a study that a user would write, on 10 draws of the problem (and, for particles, of the
noise); where a study has several times, the worst verdict counts. The bars:

- no bug ends `pass` in any draw;
- one that is wrong in kind (its errors go to another limit, or its order is another than claimed) ends `fail` in at
  least 8 of 10 draws, or `error` where what it hands out is no law or its metric no number;
- nothing correct ends `fail` or `error` on the same draws.

Not wrong in kind is what only limits how small an error can be, or makes it noisier: there `inconclusive` is right too.
So it is for a start that is another than stated, and a step that ignores dt, under a claim of an order alone: the first
is part of the measured floor, the second makes errors that follow no order. Each has a second study whose claim (of the
law at time 0, of the exact discrete sequence) says `fail`.
A second table has bugs that leave the claim true. They end `pass`, and rightly; beside each stands what sees it.

Run: python validation/batteries/seeded_bugs.py [--quick] [--out FILE]; the exit code is 1 where a bar is missed.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np

for folder in (Path(__file__).resolve().parents[2] / "tests", Path(__file__).resolve().parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

# the folders above are not on the path of a script
import grade  # noqa: E402
import slips  # noqa: E402
from cheap_schemes import Moments, moment_distance  # noqa: E402
from own_solvers import (  # noqa: E402
    AttractedJKO,
    Cloud,
    Lagged,
    RungeKutta,
    Saved,
    Sweeps,
    Trapezoidal,
    Walled,
    attracted,
    cell_l1,
    uniform_distance,
    walled,
)

import pdeflow as pf  # noqa: E402
from pdeflow.laws import Gaussian  # noqa: E402

WORDS = ("pass", "inconclusive", "fail", "error")
SHARE = 0.8  # of the draws, in which a bug that is wrong in kind must fail
DT = {"dt": [1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128]}
CLOUD_DT = {"dt": [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]}
STUDENTS = 10_000  # particles


def name_of(metric):
    """The name of a metric."""
    return getattr(metric, "__name__", "metric").replace("<lambda>", "as named")


@dataclass(frozen=True)
class Study:
    """What is swept and claimed of which problems: (draw) -> problem."""

    name: str
    problem: Callable[[int], pf.Problem]
    claim: dict[str, Any]
    metric: Callable[..., Any] = moment_distance
    sweep: dict[str, list[Any]] = field(default_factory=lambda: DT)
    more: dict[str, Any] = field(default_factory=dict)
    beside: tuple[Callable[..., Any], ...] = ()  # metrics of other studies that the same runs serve

    def verdicts(self, method, draw):
        """The worst verdict on the claim for each metric."""
        more = dict(self.more)
        if isinstance(method, Cloud | grade.Cloud):
            more["seeds"] = range(4 * draw, 4 * draw + 4)
        metrics = {name_of(metric): metric for metric in (*self.beside, self.metric)}
        table = pf.Study(self.problem(draw), {"method": method}, self.sweep, metrics, **more).run(progress=False)
        claims = {name: pf.Claim("method", name, source="this battery", **self.claim) for name in metrics}
        return {name: table.claims(claim).worst for name, claim in claims.items()}

    @property
    def claimed(self):
        """The claim in words."""
        ((kind, value),) = ((key, one) for key, one in self.claim.items() if key != "tolerance")
        if kind == "order":
            return "exact" if value == np.inf else f"order {value:g}"
        return f"{kind.replace('_', ' ')} {value}"


@dataclass(frozen=True)
class Bug:
    """Something wrong, what is right beside it, and the study of both. kind : whether it is wrong in kind."""

    name: str
    wrong: Any
    right: Any
    study: Study
    kind: bool = True
    right_study: Study | None = None


def coupled(count):
    """The first seeds whose matrix has a coupling of the axes that can be seen."""
    seeds = (seed for seed in range(100) if abs(pf.problems.ou(dim=2, seed=seed).energy.potential.matrix[0, 1]) > 0.4)
    return [seed for _, seed in zip(range(count), seeds, strict=False)]


COUPLED = coupled(10)


def plane(draw):
    """An Ornstein-Uhlenbeck flow in the plane, whose axes are coupled and whose start does not commute with it."""
    root = np.random.default_rng([draw, 1]).standard_normal((2, 2)) / 2
    start = Gaussian([1.5, -1.0], root @ root.T + 0.2 * np.eye(2))
    return pf.problems.ou(dim=2, seed=COUPLED[draw], initial=start)


def line(draw):
    """The default flow on the line, then random ones that are on their way at the horizon."""
    rng = np.random.default_rng([draw, 2])
    if draw == 0:
        return pf.problems.ou()
    start = Gaussian(rng.choice([-1, 1]) * rng.uniform(1, 2.5), rng.uniform(0.2, 1.0))
    return pf.problems.ou(matrix=rng.uniform(0.5, 1.5), temperature=rng.uniform(0.3, 1.5), initial=start)


def crowd(draw):
    """A cloud that attracts itself."""
    return attracted(np.random.default_rng([draw, 3]))


def walls(draw):
    """A heat flow between walls."""
    return walled(np.random.default_rng([draw, 4]))


def still(draw):
    """The uniform law between walls, which no time changes."""
    problem = walls(draw)
    flow = replace(problem.exact, amplitudes=())
    return replace(problem, initial=flow(0.0), exact=flow)


def wide(draw):
    """The heat flow from a Gaussian, whose tails end long before the grid does."""
    rng = np.random.default_rng([draw, 5])
    return pf.problems.heat(temperature=0.5, initial=Gaussian(rng.uniform(-0.4, 0.4), rng.uniform(0.25, 0.45)))


CELLS = {"sweep": {"cells": [12, 16, 24, 32, 48]}, "metric": cell_l1, "more": {"dt": 1.0}}
SEEN_IN = (pf.metrics.w2, pf.metrics.cov_error, pf.metrics.mean_error)
CLOUDS = {"sweep": CLOUD_DT, "more": {"times": [0.5, 1.0]}, "beside": SEEN_IN}
MOMENTS = {order: Study("ou, dim 2", plane, {"order": order}) for order in (1, 2)}
CROWD = {order: Study("mckean_vlasov_ou, dim 2", crowd, {"order": order}) for order in (1, 2)}
CROWD_JKO = Study("the same against exact_jko", crowd, {"order": np.inf}, more={"against": pf.exact_jko})
SPACE = Study("heat between walls", walls, {"order": 2}, **CELLS)
UNIFORM = Study(
    "the same from its limit",
    still,
    {"invariant": "zero", "tolerance": 1e-10},
    uniform_distance,
    CELLS["sweep"],
    CELLS["more"],
)
W2 = Study("ou, particles", line, {"order": 1}, pf.metrics.w2, **CLOUDS)
COVARIANCE = replace(W2, metric=pf.metrics.cov_error)
HIGH = Study("ou, dim 2, six levels", plane, {"order": 4}, sweep={"dt": [2.0**-k for k in range(2, 8)]})
STUDENT = Study("ou, particles", grade.problem_of, {"order": 1}, pf.metrics.w2, CLOUD_DT)


START = Study("ou, dim 2, at its start", plane, {"invariant": "zero", "tolerance": 1e-10}, more={"times": [0.0]})
STUDENT_START = Study(
    "ou, particles, at its start",
    grade.problem_of,
    {"invariant": "zero", "tolerance": 0.05},
    pf.metrics.w2,
    CLOUD_DT,
    {"times": [0.0]},
)
AT_START = (
    "mean starts elsewhere",
    "covariance starts as its square",
    "law halves the covariance",
    "start elsewhere",
    "variance for deviation",
)
FINE = {"dt": [2.0**-k for k in range(5, 11)]}  # where a small fault is as large as the error


def new_bugs() -> Iterator[Bug]:
    """The ten that came with this battery, some in several solvers."""
    yield Bug("drift at the old time", Trapezoidal(bug="drift at the old time"), Trapezoidal(), MOMENTS[2])
    for study in (W2, COVARIANCE):
        yield Bug("half the noise variance", Cloud("half the noise variance"), Cloud(), study)
    yield Bug("one sweep too few", Sweeps(sweeps=1), Sweeps(), MOMENTS[2])
    for bug in ("half the width of the last cell", "twice the width of the first cell"):
        for study in (SPACE, UNIFORM):
            yield Bug(bug, Walled(bug=bug), Walled(), study)
    for bug in ("dt squared in the drift", "dt squared in the noise"):
        yield Bug(bug, Trapezoidal(bug=bug), Trapezoidal(), MOMENTS[2])
    yield Bug("dt squared in the drift", Cloud("dt squared in the drift"), Cloud(), W2)
    for part in ("interaction", "entropy", "energy"):
        for study in (CROWD[1], CROWD_JKO):
            yield Bug(f"{part} counted twice", AttractedJKO(bug=f"{part} counted twice"), AttractedJKO(), study)
    for method, study, sold in ((Lagged, CROWD, "potential"), (Saved, MOMENTS, "law")):
        bug = f"{sold} of the step before"
        yield Bug(bug, method(bug=bug), method(), study[2])
        sized = replace(study[1], name=study[1].name + ", its exact sequence known")
        yield Bug(bug, method(1.0, bug=bug), method(1.0), sized)
    for bug in ("in every step", "in pairs of steps"):
        for study in (W2, COVARIANCE):
            yield Bug(f"the same numbers {bug}", Cloud(f"the same numbers {bug}"), Cloud(), study)
    yield Bug("one number for all particles", Cloud("one number for all particles"), Cloud(), W2)
    for study in (W2, COVARIANCE):
        bug = "the numbers of the start in the first step"
        yield Bug(bug, Cloud(bug), Cloud(), study)
    bug = "the same numbers for every seed"
    yield Bug(bug, Cloud(bug), Cloud(), W2, kind=False)
    yield Bug("float32 accumulation", RungeKutta(precision="float32"), RungeKutta(), HIGH, kind=False)


def old_bugs() -> Iterator[Bug]:
    """Those that were there before: in tests/slips.py and in the battery of `grade`."""
    for bug in slips.LINEAR:
        for theta, order in ((1.0, 1), (0.5, 2)):
            study = replace(MOMENTS[order], sweep=FINE) if "one part" in bug else MOMENTS[order]
            kind = bug not in ("rounded to four digits", "frozen step", *AT_START)  # the latter by other claims
            yield Bug(bug, slips.Broken(theta, bug), slips.Broken(theta), study, kind)
            if bug in AT_START:
                yield Bug(bug, slips.Broken(theta, bug), slips.Broken(theta), START)
    for bug in slips.MCKEAN:
        yield Bug(bug, slips.Broken(bug=bug), slips.Broken(), CROWD[1])
    yield Bug("first step taken twice", slips.OneStepMore(0.5), Moments(0.5), MOMENTS[2])
    yield Bug("explicit Euler sold as order 2", Moments(0.0), Moments(0.5), MOMENTS[2])
    yield Bug("trapezoidal with weight 0.45", Moments(0.45), Moments(0.5), MOMENTS[2], kind=False)
    sequence = replace(
        MOMENTS[1], name="ou, dim 2, against exact_jko", claim={"order": np.inf}, more={"against": pf.exact_jko}
    )
    for bug in slips.JKO:
        yield Bug(bug, slips.GaussianJKO(bug=bug), slips.GaussianJKO(), sequence)
    for bug, change in slips.CHANGES.items():
        yield Bug(bug, slips.Swap(Moments(), change), Moments(), MOMENTS[1])
    for order, theta in ((1, 1.0), (2, 0.5)):
        shifted = replace(MOMENTS[order], more={"against": slips.later})
        yield Bug("truth of a later time", Moments(theta), Moments(theta), shifted, order == 2, MOMENTS[order])
    for name, metric in slips.METRICS.items():
        if name not in ("signed", "forgets an offset"):
            kind = name not in ("always zero", "always one")
            study = replace(MOMENTS[1], metric=metric)
            yield Bug(f"metric: {name}", Moments(), Moments(), study, kind, MOMENTS[1])
    grid = Study("heat, cells", wide, {"order": 2}, cell_l1, {"cells": [24, 36, 54, 80, 120]}, {"dt": 1.0})
    for bug in slips.GRID:
        yield Bug(bug, slips.Cells(bug=bug), slips.Cells(), grid)
    for bug in grade.CLOUDS:
        if bug != "numbers of its own":
            study = STUDENT_START if bug in AT_START else STUDENT
            yield Bug(f"student: {bug}", grade.Cloud(bug, STUDENTS), grade.Cloud("", STUDENTS), study)


def true_claims() -> Iterator[tuple[Bug, str]]:
    """Bugs that leave the claim true, and what sees them."""
    mean = replace(W2, metric=pf.metrics.mean_error)
    yield (
        Bug("half the noise variance", Cloud("half the noise variance"), Cloud(), mean),
        "the mean does not know the noise: W2, the covariance",
    )
    yield (
        Bug("the same steps for every seed", Cloud("the same steps for every seed"), Cloud(), W2),
        "every run is right, and the standard error too small: only a look at the code",
    )
    for method, study, sold in ((Lagged, CROWD, "potential"), (Saved, MOMENTS, "law")):
        bug = f"{sold} of the step before"
        silent = replace(study[1], name=study[1].name + ", no exact sequence")
        yield (
            Bug(bug, method(1.0, bug=bug, silent=True), method(1.0, silent=True), silent),
            "another scheme of order 1: the size, where exact_sequence is given",
        )
    yield (
        Bug(
            "metric: signed",
            Moments(),
            Moments(),
            replace(MOMENTS[1], metric=slips.METRICS["signed"]),
            False,
            MOMENTS[1],
        ),
        "an error of order 1 where it is positive; where it is not, it is refused",
    )
    offset = replace(MOMENTS[1], metric=slips.METRICS["forgets an offset"])
    yield (
        Bug("metric: forgets an offset", Moments(), Moments(), offset, False, MOMENTS[1]),
        "the offset is measured as a floor and taken out: finer levels, where the errors end at the floor",
    )
    short = replace(HIGH, name="ou, dim 2, four levels", claim={"at_least": 3.5})
    short = replace(short, sweep={"dt": [1 / 4, 1 / 8, 1 / 16, 1 / 32]})
    yield (
        Bug("float32 accumulation", RungeKutta(precision="float32"), RungeKutta(), short),
        "the errors are far above 1e-7: finer levels, or a claim that is exact",
    )
    yield (
        Bug(
            "student: numbers of its own",
            grade.Cloud("numbers of its own", STUDENTS),
            grade.Cloud("", STUDENTS),
            STUDENT,
        ),
        "the law is right, and no run can be repeated: `pdeflow grade`",
    )


def counted(method, study, draws, known):
    """Counts of the verdicts over the draws."""
    key = repr(method), str(study.claim), study.name, str(study.sweep), str(study.more)
    key += () if study.metric in study.beside else (name_of(study.metric),)
    fresh = isinstance(method, slips.Swap) or name_of(study.metric) == "as named" or key not in known
    if fresh:
        known[key] = joblib.Parallel(n_jobs=2)(joblib.delayed(study.verdicts)(method, draw) for draw in range(draws))
    return Counter(found[name_of(study.metric)] for found in known[key])


def shown(counts):
    """The counts in words."""
    return ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])


def missed(bug, wrong, right, draws):
    """The bars that are missed, in words."""
    found = []
    if wrong["pass"]:
        found.append("passes")
    if bug.kind and wrong["fail"] + wrong["error"] < SHARE * draws:
        found.append("too seldom fail")
    if right["fail"] + right["error"]:
        found.append("the correct one fails")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 draws in place of 10")
    parser.add_argument("--only", default="", help="bugs whose names have this in them")
    parser.add_argument("--out", type=Path, help="write the tables to this file")
    options = parser.parse_args()
    draws, known, bad = (2 if options.quick else 10), {}, 0
    head = [
        "| bug | study | claim | metric | verdicts | of the correct one | wrong in kind |",
        "|---|---|---|---|---|---|---|",
    ]
    lines, number = ["# Seeded bugs", "", f"Verdicts over {draws} draws.", ""], 0
    for title, bugs in (("New", new_bugs()), ("Older", old_bugs())):
        lines += [f"## {title}", "", *head]
        for bug in bugs:
            if options.only not in bug.name:
                continue
            wrong = counted(bug.wrong, bug.study, draws, known)
            right = counted(bug.right, bug.right_study or bug.study, draws, known)
            said, number = missed(bug, wrong, right, draws), number + 1
            bad += bool(said)
            lines.append(row(bug, wrong, right, "yes" if bug.kind else "no", said))
            print(lines[-1], flush=True)
        lines.append("")
    lines += ["## Bugs that leave the claim true", "", head[0].replace("wrong in kind", "what sees it"), head[1]]
    for bug, seen in true_claims():
        if options.only in bug.name:
            wrong = counted(bug.wrong, bug.study, draws, known)
            right = counted(bug.right, bug.right_study or bug.study, draws, known)
            bad += bool(right["fail"] + right["error"])
            lines.append(row(bug, wrong, right, seen, ()))
            print(lines[-1], flush=True)
    lines += ["", f"{number} studies of bugs; bars missed: {bad}."]
    text = "\n".join(lines) + "\n"
    print(lines[-1])
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(bad > 0)


def row(bug, wrong, right, last, said):
    """A line of a table."""
    cells = [bug.name, bug.study.name, bug.study.claimed, name_of(bug.study.metric), shown(wrong), shown(right), last]
    return f"| {' | '.join(cells)} |" + (f" {', '.join(said)}" if said else "")


if __name__ == "__main__":
    sys.exit(main())
