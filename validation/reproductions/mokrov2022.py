"""Mokrov et al., Large-scale Wasserstein gradient flows (mokrov2021), and the thesis (mokrov2022): redone and judged.

    python validation/reproductions/mokrov2022.py mixtures --dims 2 8 12 --seeds 0 1 2 3 4
    python validation/reproductions/mokrov2022.py competitors --draw

Reports go to validation/reports/icnn_* and validation/reports/competitors. Published figures stand in
published_mokrov2021.json and competitors/published.csv.
"""

import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where _report and claims are

import _report


def ornstein_uhlenbeck() -> ModuleType:
    """Ornstein-Uhlenbeck draws by dimension, beside the exact JKO sequence and the published runs."""
    from icnn_jko import ornstein_uhlenbeck

    return ornstein_uhlenbeck


def mixtures() -> ModuleType:
    """Convergence to the published Gaussian mixtures."""
    from icnn_jko import mixtures

    return mixtures


def targets() -> ModuleType:
    """Whether the catalogue's draws are the targets of the published runs."""
    from icnn_jko import targets

    return targets


def proximal_recursion() -> ModuleType:
    """The rows of the proximal recursion in figures 2, 4 and 6, by the authors' estimator."""
    from competitors import proximal_recursion

    return proximal_recursion


def table2() -> ModuleType:
    """Bayesian logistic regression against a long exact chain."""
    from logistic_regression import table2

    return table2


def competitors() -> ModuleType:
    """The rows of Figures 2, 4 and 6: every method's SymKL against the dimension, with its floor."""
    from competitors import rows

    return rows


def figure5() -> ModuleType:
    """Nonlinear filtering by method, beside the published runs."""
    from filtering import figure5

    return figure5


def bearings() -> ModuleType:
    """A filter in the plane that sees directions only."""
    from filtering import bearings

    return bearings


FIGURES = {
    figure.__name__: figure
    for figure in (ornstein_uhlenbeck, mixtures, targets, proximal_recursion, table2, competitors, figure5, bearings)
}

if __name__ == "__main__":
    sys.exit(_report.run(__doc__ or "", FIGURES))
