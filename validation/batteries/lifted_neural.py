"""Neural methods in d = 30 and d = 10 on laws that are not Gaussian, with their errors split.

Rotated double wells x Styblinski-Tang coordinates in d = 30 and the mexican hat in d = 10, from Gaussians to t = 1/2.
The truth is that of the parts on the line by ChangCooper, the exact JKO sequence that of the parts by QuantileJKO; no
method is told the rotation or the radius. KL(model, truth) is what a method ends with, KL(JKO, truth) what the step dt
costs, and KL(JKO, model) what training adds to it (the other way round it is infinite where a sequence has bounded
support). The excess of the first step is what the JKO functional, ½W2²/dt + F, of the trained step is above that of the
exact one, in units of the temperature.

Run: python validation/batteries/lifted_neural.py [--quick] [--problem NAME] [--out FILE]; exit code 1 where a bar of
ICNNJKO is missed.
"""

import argparse
import pathlib
import sys
import time

import numpy as np

import pdeflow as pf
from pdeflow.laws import Chi

DT, HORIZON = 1 / 32, 1 / 2
TIMES = [DT, 1 / 8, 1 / 4, HORIZON]
DRAWS, INVERTED, STEPPED = (
    20_000,
    1_000,
    4_000,
)  # for KL of a model, KL to one, whose maps are inverted, and functionals
BARS = {"wells": 0.05, "hat": 0.02}
PLACED = pf.neural.Network(directions="curvature")
TRAINED = {
    "wells": pf.neural.ICNNJKO(width=192, iterations=300, network=PLACED),
    "hat": pf.neural.ICNNJKO(width=320, iterations=150, learning_rate=0.1, network=PLACED),
}
OTHERS = {
    "VariationalJKO": pf.neural.VariationalJKO(map=pf.neural.Convex(width=64, depth=1, rank=0), outer=150),
    "PWGF": pf.neural.PWGF(map=pf.neural.Coordinatewise(pieces=12), samples=2000),
}


def problem_named(name):
    """The wells in d = 30 or the hat in d = 10."""
    if name == "wells":
        return pf.problems.rotated_wells(30, horizon=HORIZON)
    return pf.problems.mexican_hat(10, horizon=HORIZON)


def entropy_gap(first, second, draws):
    """KL(first, second) and its standard error as text; a dash where one of them has no density."""
    try:
        found = pf.metrics.kl(first, second, rng=np.random.default_rng(1), n=draws)
    except pf.NotAvailable:
        return float("nan"), "-"
    return found.value, f"{found.value:.4f}" + (f" ± {found.stderr:.4f}" if found.stderr else "")


def exact_first_step(problem, law, x):
    """The points to which the exact JKO step from the first law to `law` moves the points x (n, d)."""
    radius = law.radial_part()
    if radius is not None:  # along the radius, to the same level
        r = np.linalg.norm(x, axis=1)
        return x * (radius.quantile(Chi(problem.dim, np.sqrt(problem.initial.cov()[0, 0])).cdf(r)) / r)[:, None]
    turn, start, y = np.array(problem.structure.rotation), pf.laws.Gaussian(0.0, 1.0), x @ problem.structure.rotation
    factors = law.pushed_from()[0].factors()
    return np.stack([factor.quantile(start.cdf(column)) for factor, column in zip(factors, y.T)], axis=1) @ turn.T


def first_excess(problem, law, move):
    """(Excess of the functional of the first step, its standard error), in nats, for the trained map `move`."""
    x = problem.initial.sample(STEPPED, np.random.default_rng(2))
    energy = problem.energy
    temperature = sum(c for c, _ in energy.internal.terms())
    moved = exact_first_step(problem, law, x)
    values = []
    for y, log_det in ((moved, problem.initial.log_density(x) - law.log_density(moved)), move.with_log_det(x)):
        values.append(((x - y) ** 2).sum(axis=1) / (2 * DT) + energy.potential.value(y) - temperature * log_det)
    excess = (values[1] - values[0]) / temperature
    return float(excess.mean()), float(excess.std() / np.sqrt(len(excess)))


def solved(problem, method, seed):
    """(Trajectory, or the message of a typed error, processor seconds)."""
    began = time.process_time()
    try:
        run = pf.solve(problem, method, dt=DT, times=TIMES, seed=seed)
    except pf.PdeflowError as error:
        run = str(error)
    return run, time.process_time() - began


def lines(name, quick):
    """(text of a table's line, whether the bar is met) for one problem."""
    problem = problem_named(name)
    truth = pf.solve(problem, pf.grid.ChangCooper(cells=2000, time_order=2), dt=1 / 1024, times=TIMES)
    exact = pf.jko_sequence(problem, dt=DT, times=TIMES)
    plain = pf.Problem(problem.energy, problem.initial, problem.horizon)
    runs = [("ICNNJKO", TRAINED[name], seed) for seed in ([0] if quick else [0, 1, 2])]
    for label, method, seed in runs if quick else [*runs, *((label, method, 0) for label, method in OTHERS.items())]:
        run, seconds = solved(plain, method, seed)
        if isinstance(run, str):
            yield f"| {name} | {label} | {seed} | - | {seconds:.0f} | {run[:200]} | | | | |", True
            continue
        for i, t in enumerate(TIMES):
            if t < HORIZON and (label, seed) != ("ICNNJKO", 0):
                continue
            value, text = entropy_gap(run.laws[i], truth.laws[i], DRAWS)
            back, jko, added = (
                entropy_gap(first, second, INVERTED)[1]
                for first, second in (
                    (truth.laws[i], run.laws[i]),
                    (exact.laws[i], truth.laws[i]),
                    (exact.laws[i], run.laws[i]),
                )
            )
            cells, met = "", True
            if i == 0:
                cells = "{:.4f} ± {:.4f}".format(*first_excess(problem, exact.laws[0], run.laws[0].maps[0]))
            if t == HORIZON and label == "ICNNJKO":
                met = value <= BARS[name]
                cells = f"bar {BARS[name]}" + ("" if met else " (missed)")
            columns = [name, label, seed, f"{t:.4g}", f"{seconds:.0f}", text, back, jko, added, cells]
            yield f"| {' | '.join(map(str, columns))} |", met


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed of ICNNJKO, no other method")
    parser.add_argument("--problem", choices=list(BARS), help="only this problem")
    parser.add_argument("--out", type=pathlib.Path, help="write the table here as Markdown")
    options = parser.parse_args()
    table = [
        "| problem | method | seed | t | CPU s | KL(model, truth) | KL(truth, model) | KL(JKO, truth) | KL(JKO, model) "
        "| excess of the first step, or bar |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    missed = 0
    for name in [options.problem] if options.problem else list(BARS):
        for line, met in lines(name, options.quick):
            table.append(line)
            missed += not met
            print(line, flush=True)
    if options.out is not None:
        flags = (" --quick" if options.quick else "") + (f" --problem {options.problem}" if options.problem else "")
        command = f"Made by `python validation/batteries/lifted_neural.py{flags}`."
        text = "\n\n".join(["# " + __doc__.split("\n", 1)[0], __doc__.split("\n\n")[1], "\n".join(table), command])
        options.out.write_text(text + "\n", encoding="utf-8")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
