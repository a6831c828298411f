"""Fan et al., Variational Wasserstein gradient flow (fan2022, fan2022iclr): the tables and figures, redone and judged.

    python validation/reproductions/fan2022.py ring --scale paper

Reports go to validation/reports/variational_*. The sections named below are those of the ICLR submission (fan2022iclr).
"""

import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where _report and claims are

import _report


def ornstein_uhlenbeck() -> ModuleType:
    """Section 4.2: Ornstein-Uhlenbeck draws in d = 2 to 32, beside the exact JKO sequence."""
    from variational_jko import ornstein_uhlenbeck

    return ornstein_uhlenbeck


def figure3() -> ModuleType:
    """Figure 3: variational and convex-network JKO steps on the same draws, with seconds."""
    from variational_jko import figure3

    return figure3


def mixtures() -> ModuleType:
    """Section 4.1: sampling Gaussian mixtures, two moons and d = 8 and 13."""
    from variational_jko import mixtures

    return mixtures


def porous_medium() -> ModuleType:
    """Section 4.3: the porous medium equation, beside the exact JKO sequence and the grid program."""
    from variational_jko import porous_medium

    return porous_medium


def aggregation_diffusion() -> ModuleType:
    """Section 4.4: aggregation-diffusion in the plane, beside finite volumes."""
    from variational_jko import aggregation_diffusion

    return aggregation_diffusion


def published_times() -> ModuleType:
    """Figures 5 and 8 at their own times, by finite volumes, for three equations."""
    from variational_jko import published_times

    return published_times


def ring() -> ModuleType:
    """Appendix B.2: aggregation to the ring and to the semicircle."""
    from variational_jko import ring

    return ring


def semicircle() -> ModuleType:
    """Appendix B.2, Example 2: the semicircle from N(0, 1)."""
    from variational_jko import semicircle

    return semicircle


def bounds() -> ModuleType:
    """Propositions 1 and 2: lower bounds of internal energies by trained test functions."""
    from variational_jko import bounds

    return bounds


FIGURES = {
    figure.__name__: figure
    for figure in (
        ornstein_uhlenbeck,
        figure3,
        mixtures,
        porous_medium,
        aggregation_diffusion,
        published_times,
        ring,
        semicircle,
        bounds,
    )
}

if __name__ == "__main__":
    sys.exit(_report.run(__doc__ or "", FIGURES))
