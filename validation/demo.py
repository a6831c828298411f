"""The demo: ground truth to HDF5, then all methods of the spine against it.

`make demo` runs this file. It writes, into --out (default out/demo), the HDF5 ground truth of an Ornstein-Uhlenbeck and
a Barenblatt problem, runs one study on each, prints the orders with intervals, floors and verdicts, and leaves figures
and reports. Finished runs are kept in --out/runs: a second call redoes nothing. Exit code: 0 if every claim passes.
"""

import argparse
import inspect
import sys
import time
from pathlib import Path

import pdeflow as pf
from pdeflow import plot, report

HERE = Path(__file__).resolve().parent
STEPS = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
LOCKING_CELLS = [100, 200, 400]


def ornstein_uhlenbeck():
    """Five methods on ∂tρ = ∇·(ρx) + Δρ from N(2, 1/4) to t = 1."""
    methods = {
        "chang-cooper": pf.grid.ChangCooper(cells=1600),
        "jko-cvxopt": pf.grid.CvxoptJKO(),
        "jko-quantile": pf.grid.QuantileJKO(points=1000),
        "euler-maruyama": pf.particle.EulerMaruyama(particles=4_000_000),
        "icnn-jko": pf.neural.ICNNJKO(),
    }
    claims = [
        pf.Claim("chang-cooper", "w2", 1.0, 0.15, "changcooper1970; implicit Euler"),
        pf.Claim("jko-cvxopt", "w2", 1.0, 0.15, "jko1998; docs/math.md 6.1"),
        pf.Claim("jko-quantile", "w2", 1.0, 0.15, "jko1998; docs/math.md 4.2"),
        pf.Claim("euler-maruyama", "w2", 1.0, 0.15, "talay1990"),
        pf.Claim("icnn-jko", "w2", 1.0, 0.25, "mokrov2021"),
    ]
    return pf.problems.ou(), methods, claims


def barenblatt():
    """Both JKO solvers on ∂tρ = Δ(ρ²) from the Barenblatt law of time 0.2 to 1.2."""
    methods = {"jko-cvxopt": pf.grid.CvxoptJKO(), "jko-quantile": pf.grid.QuantileJKO(points=1000)}
    problem = pf.problems.porous_medium(dim=1, m=2.0, start=0.2, horizon=1.0)
    return problem, methods, [pf.Claim(name, "w2", 1.0, 0.15, "jko1998; docs/math.md 1.1") for name in methods]


def locking(out, jobs):
    """The CVXOPT program on fixed grids: as dt -> 0 mass sticks to its cell, and the error grows."""
    problem, _, _ = barenblatt()
    methods = {f"{cells} cells": pf.grid.CvxoptJKO(cells=cells) for cells in LOCKING_CELLS}
    study = pf.Study(problem, {**methods, "automatic": pf.grid.CvxoptJKO()}, {"dt": STEPS}, {"w2": pf.metrics.w2})
    table = study.run(store=out / "runs", jobs=jobs)
    title, *_ = inspect.cleandoc(locking.__doc__).splitlines()
    return report.write(table, out / "locking", title=title, command="make demo", expected=1.0, tolerance=0.15)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/demo"))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    start, codes = time.perf_counter(), []
    options.out.mkdir(parents=True, exist_ok=True)
    for name in ("ou_1d", "barenblatt_1d_m2"):
        path = pf.reference.make(HERE.parent / "references" / "recipes" / f"{name}.py", options.out)
        faults = pf.reference.check(path)
        print(f"ground truth: {path} ({'valid' if not faults else faults})")
        codes.append(3 if faults else 0)
    for name, make in (("ou", ornstein_uhlenbeck), ("barenblatt", barenblatt)):
        problem, methods, claims = make()
        title, *about = inspect.cleandoc(make.__doc__).splitlines()
        print("\n" + "\n".join([title, *about]))
        study = pf.Study(problem, methods, {"dt": STEPS}, {"w2": pf.metrics.w2})
        table = study.run(store=options.out / "runs", jobs=options.jobs)
        print(f"orders, against an expected order of one\n{table.orders('w2', expected=1.0, tolerance=0.15)}\n")
        verdicts = table.claims(claims)
        print(f"claims\n{verdicts}")
        path = report.write(
            table,
            options.out / name,
            title=title,
            text="\n".join(about),
            claims=claims,
            command="make demo",
            expected=1.0,
            tolerance=0.15,
        )
        flow = pf.solve(
            problem, methods["jko-quantile"], dt=STEPS[-1], times=[t * problem.horizon for t in (0.25, 0.5, 1.0)]
        )
        plot.density(flow, truth=problem).savefig(path.parent / "density.png", dpi=130)
        print(f"report: {path}")
        codes.append(verdicts.exit_code)
    print(f"\n{inspect.getdoc(locking)}\nreport: {locking(options.out, options.jobs)}")
    print(f"\n{time.perf_counter() - start:.0f} s; everything is in {options.out}")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
