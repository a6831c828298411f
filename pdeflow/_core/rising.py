"""The check that quantile functions rise."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import BadInput
from .shapes import Values
from .short_text import shown

_HALVES = 0.5 ** np.arange(1.0, 53.0)
PROBES = np.unique(np.concatenate([_HALVES, 1 - _HALVES, np.arange(1, 512) / 512]))  # where functions are looked at
PROBES.setflags(write=False)
_NOISE = 1e-9  # of the distance from the median: what an inverse by iteration may err


def require_rising(quantile: Callable[[Values], Any], owner: Any) -> Values:
    """`BadInput` where a quantile function falls from one of some 600 levels to the next, or is NaN; its values there.

    owner : what is named in the message.
    """
    with np.errstate(all="ignore"):
        q = np.asarray(quantile(PROBES), dtype=float)
    require_sorted(q, PROBES, owner)
    return q


def require_sorted(q: Values, levels: Values, owner: Any) -> None:
    """`BadInput` where quantiles q (n,) at increasing levels (n,) fall by more than round-off or are NaN."""
    if q.shape != levels.shape or np.isnan(q).any():
        what = f"shape {q.shape}" if q.shape != levels.shape else f"NaN at level {levels[np.isnan(q)][0]:.6g}"
        raise BadInput(
            f"The quantile function of {shown(owner, 200)} gives {what} for levels of shape {levels.shape}. It must "
            "give one number for each level. Vectorise or correct it."
        )
    with np.errstate(invalid="ignore"):  # of infinite ends
        fall = q[:-1] - q[1:]
    if not (fall > 0).any():
        return
    low, middle, high = np.quantile(q[np.isfinite(q)], [0.25, 0.5, 0.75])
    size = np.abs(q - middle)
    noise = _NOISE * (size[:-1] + size[1:] + high - low) + 1e-12 * (np.abs(q[:-1]) + np.abs(q[1:]))
    if (fall > noise).any():
        i = int(np.argmax(np.where(fall > noise, fall, -np.inf)))
        raise BadInput(
            f"The quantile function of {shown(owner, 200)} falls from {q[i]:.6g} at level {levels[i]:.6g} to "
            f"{q[i + 1]:.6g} at level {levels[i + 1]:.6g}. Quantile functions do not fall. Correct its sign, or sort "
            "what it returns if that is meant.",
            level=float(levels[i]),
        )
