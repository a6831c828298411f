"""JKO of second order in time: QuantileJKO(time_order=2), which is BDF2 in quantile coordinates, has order two in dt.

Truth: the exact law where there is one; on the double well, where there is none, the same scheme at 1/2048, whose limit
dt -> 0 is held against Chang-Cooper in tests/grid/quantile_jko/test_second_order.py. There, too, the energy is seen to
fall at every step of every run of this study. The claim on the double well is made in small steps: its law passes a
potential that is not convex, and the errors of longer ones fall too slowly for their order to be seen.
`time_error` is the error of the exact second-order sequence of docs/math.md 6.3, which leaves no other error.
"""

import pdeflow as pf

SOURCE = "matthes2019; docs/math.md 6.3"
CLAIMS = [pf.Claim("jko-quantile-2", "w2", 2.0, 0.1, SOURCE)]
STEPS = [1 / 32, 1 / 64, 1 / 128, 1 / 256]


def truth(problem, times=None):
    """The exact solution, or a finer run with its own error."""
    return pf.exact(problem, times) if problem.exact is not None else FINER(problem, times)


def study(scale="quick"):
    """Sweep of dt on three problems."""
    return pf.Study(
        [pf.problems.ou(), pf.problems.porous_medium(start=0.2, horizon=1.0), pf.problems.double_well()],
        {"jko-quantile-2": pf.grid.QuantileJKO(2000 if scale == "quick" else 4000, time_order=2)},
        {"dt": STEPS if scale == "quick" else [*STEPS, 1 / 512]},
        {"w2": pf.metrics.w2},
        against=truth,
    )


FINER = pf.finer(pf.grid.QuantileJKO(2000, time_order=2), dt=1 / 2048)
