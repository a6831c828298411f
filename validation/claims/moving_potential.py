"""Schemes in time under a quadratic potential whose centre moves, V(t, x), against the exact laws (docs/math.md 4).

A step that takes the potential of the wrong time, or that of the start, loses its order.
"""

import numpy as np

import pdeflow as pf

SOURCE = "docs/math.md 4"
CLAIMS = [
    pf.Claim("chang-cooper 1", "mean_error", 1.0, 0.1, SOURCE),
    pf.Claim("chang-cooper 2", "mean_error", 2.0, 0.1, SOURCE),
    pf.Claim("chang-cooper 2", "w2", 2.0, 0.1, SOURCE),
    pf.Claim("euler-maruyama", "mean_error", 1.0, 0.1, "talay1990; docs/math.md 4.3"),
]


def center(time):
    """b(t), which turns back before the horizon."""
    return np.sin(3 * time)


def study(scale="quick") -> pf.Study:
    """dt = 1/8 to 1/64 and 4 seeds (quick), or to 1/256 and 8 seeds (paper); 4e5 particles."""
    paper = scale == "paper"
    cells = 12_800 if paper else 3200
    return pf.Study(
        problems=pf.problems.ou(
            matrix=1.3, center=center, temperature=0.4, initial=pf.laws.Gaussian(1.0, 0.25), horizon=1.0
        ),
        methods={
            "chang-cooper 1": pf.grid.ChangCooper(cells=cells),
            "chang-cooper 2": pf.grid.ChangCooper(cells=cells, time_order=2),
            "euler-maruyama": pf.particle.EulerMaruyama(particles=400_000),
        },
        sweep={"dt": [2.0**-k for k in range(3, 9 if paper else 7)]},
        metrics={"mean_error": pf.metrics.mean_error, "w2": pf.metrics.w2},
        times=[0.5, 1.0],
        seeds=range(8 if paper else 4),
    )
