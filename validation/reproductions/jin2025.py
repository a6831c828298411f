"""Jin et al., Parameterized Wasserstein gradient flow (jin2025).

The examples of the paper and its slides, redone and judged.

    python validation/reproductions/jin2025.py porous_medium --dims 2

Reports go to validation/reports/pwgf_* and icnn_styblinski.
"""

import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where _report and claims are

import _report


def ornstein_uhlenbeck() -> ModuleType:
    """The explicit-Euler recursion of affine maps, and a-posteriori bounds beside the true errors."""
    from parameter_flow import ornstein_uhlenbeck

    return ornstein_uhlenbeck


def styblinski_tang() -> ModuleType:
    """Section 5.1: the Styblinski-Tang flow in d = 2 and 30, against its exact KL(t)."""
    from parameter_flow import styblinski_tang

    return styblinski_tang


def styblinski_tang_by_icnn() -> ModuleType:
    """The same flow in d = 30 by ICNN-JKO."""
    from icnn_jko import styblinski_tang

    return styblinski_tang


def porous_medium() -> ModuleType:
    """Section 5.2: the porous medium equation, (d, m) = (2, 2.4), (5, 3), (15, 2)."""
    from parameter_flow import porous_medium

    return porous_medium


def porous_mixtures() -> ModuleType:
    """Figures 6 and 7: the porous medium equation from two mixtures, beside an exact law of their parts."""
    from parameter_flow import porous_mixtures

    return porous_mixtures


def ring() -> ModuleType:
    """Section 5.3: aggregation to the ring in the plane."""
    from parameter_flow import ring

    return ring


def quadratic() -> ModuleType:
    """The slides: the ten-dimensional quadratic."""
    from parameter_flow import quadratic

    return quadratic


def two_metrics() -> ModuleType:
    """The slides: the flow in the metrics G and Ĝ, on the same problems."""
    from parameter_flow import two_metrics

    return two_metrics


def pictures() -> ModuleType:
    """Figures 1 to 3 and 8, and the quadratic of the slides, drawn from short runs."""
    from parameter_flow import pictures

    return pictures


FIGURES = {
    figure.__name__: figure
    for figure in (
        ornstein_uhlenbeck,
        styblinski_tang,
        styblinski_tang_by_icnn,
        porous_medium,
        porous_mixtures,
        ring,
        quadratic,
        two_metrics,
        pictures,
    )
}

if __name__ == "__main__":
    sys.exit(_report.run(__doc__ or "", FIGURES))
