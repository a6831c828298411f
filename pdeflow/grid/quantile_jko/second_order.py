"""JKO of second order in time: BDF2 in quantile coordinates, where W2 is the distance of a flat space.

With quantile functions X the step minimises F(X) + 3/(4 dt) |X - Y|² over all of them, |.| the norm of L²(0, 1) and
Y = (4 X_k - X_{k-1})/3: a JKO step of length 2 dt/3 from Y, which need not be a quantile function.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike

from ..._core.errors import NotAvailable
from ..._core.shapes import Values
from ..._core.validate import positive
from ...laws import Barenblatt, Gaussian, Law, Semicircle
from ...problems import Problem
from ...problems.exact_jko import jko_iterates
from ...trajectory import Trajectory, of_iterates

STEP_SHARE = 2 / 3  # of dt: the length of the JKO step from Y


def extrapolated(now: Values, before: Values) -> Values:
    """Y = (4 X_k - X_{k-1})/3, from which the next step starts."""
    return now + (now - before) / 3


def exact_second_order(problem: Problem, dt: float, times: ArrayLike) -> Trajectory:
    """The exact iterates of the scheme: one JKO step of length dt, then BDF2.

    Where the JKO sequence stays in a family of laws c + s z, so does this one: Y has the centre (4 c_k - c_{k-1})/3 and
    the scale (4 s_k - s_{k-1})/3, and the exact JKO step of length 2 dt/3 from it is the next iterate.

    Raises
    ------
    NotAvailable
        Beyond Gaussians, Barenblatt profiles and semicircles on the line, and where the scale of Y is not positive.
    """
    dt = positive(dt, "dt")
    return of_iterates(_iterates(problem, dt), times, dt)


def _iterates(problem: Problem, dt: float) -> Iterator[Law]:
    """The laws after 0, 1, 2, ... steps."""
    before = problem.initial
    yield before
    now = _jko_step(problem, before, dt)
    while True:
        yield now
        before, now = now, _jko_step(problem, _extrapolated_law(now, before), STEP_SHARE * dt)


def _jko_step(problem: Problem, start: Law, dt: float) -> Law:
    """The exact JKO step from a law."""
    return next(islice(jko_iterates(Problem(problem.energy, start, problem.horizon), dt), 1, None))


def _extrapolated_law(now: Law, before: Law) -> Law:
    """The law whose quantile function is (4 X_k - X_{k-1})/3, for two laws of one family on the line."""
    center, scale = extrapolated(_center_and_scale(now), _center_and_scale(before)).tolist()
    if not scale > 0:
        raise NotAvailable(
            f"A step of the second-order sequence shrinks the law more than fourfold, from {before!r} to {now!r}. The "
            "law that is extrapolated from the two has then no positive scale. Use a smaller dt."
        )
    if now.as_gaussian() is not None:
        return Gaussian(center, scale**2)
    profile = now.as_barenblatt()
    return Semicircle(scale, center) if profile is None else Barenblatt.of_scale(1, profile.m, scale, [center])


def _center_and_scale(law: Law) -> Values:
    """(c, s) of a law of c + s z on the line, z of a fixed law; `NotAvailable` where the family is not known."""
    gaussian, profile, semicircle = law.as_gaussian(), law.as_barenblatt(), law.as_semicircle()
    if law.dim == 1 and gaussian is not None:
        return np.array([gaussian.mean()[0], np.sqrt(gaussian.cov()[0, 0])])
    if law.dim == 1 and profile is not None:
        return np.array([profile.center[0], profile.scale])
    if semicircle is not None:
        return np.array([semicircle.center, semicircle.radius])
    raise NotAvailable(
        f"The second-order sequence through {law!r} has no closed form here. Closed are Gaussians, Barenblatt profiles "
        "and semicircles on the line. Compare with pf.finer, or with pf.exact itself."
    )
