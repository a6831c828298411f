"""BackAndForthJKO in time under a potential: first order in dt in the plane, against a reference by other schemes.

Truth: references/rotated_double_well_2d.h5, Chang-Cooper held against finite volumes, a rotated product and particles.
The grid is not along the axes of the wells. Its cells add less than a tenth of the error of the shortest step.
"""

from pathlib import Path

import pdeflow as pf

CLAIMS = [pf.Claim("back-and-forth", "l1", 1.0, 0.1, "jko1998, section 5; docs/math.md 1.1")]
REFERENCE = Path(__file__).resolve().parents[2] / "references" / "rotated_double_well_2d.h5"


def study(scale="quick"):
    """Sweep of dt at t = 0.25 and 0.5."""
    truth = pf.reference.load(REFERENCE)
    cells = 200 if scale == "quick" else 300
    return pf.Study(
        [truth.problem],
        {"back-and-forth": pf.grid.BackAndForthJKO(cells=cells, lower=-3.75, upper=3.75)},
        {"dt": [1 / 16, 1 / 24, 1 / 32, 1 / 48, 1 / 64]},
        {"l1": pf.metrics.l1},
        times=[0.25, 0.5],
        against=truth,
    )
