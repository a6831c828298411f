"""InteractingParticles in time: order 1, 2 and 4 of the Runge-Kutta schemes, for an interaction that is not quadratic.

A cloud of 100 points in the plane follows W = |x|⁴/4 - |x|²/2 towards its ring. All runs start from the same points,
which are the initial law of the problem, so that nothing is left but the steps; the truth is the fourth order with
steps of 1/512, whose own error is below that of all others.
"""

import numpy as np

import pdeflow as pf

CLAIMS = [
    pf.Claim("order 1", "w2", 1.0, 0.1, "explicit Euler"),
    pf.Claim("order 2", "w2", 2.0, 0.1, "Heun"),
    pf.Claim("order 4", "w2", 4.0, 0.2, "classical Runge-Kutta"),
]


def same_points(problem, times):
    """The truth: the same points by far shorter steps of fourth order, and their error by steps twice as long."""
    finer, coarser = (
        pf.solve(problem, pf.particle.InteractingParticles(particles=100), dt=dt, times=times)
        for dt in (2.0**-9, 2.0**-8)
    )
    return pf.Trajectory(finer.times, finer.laws, {"coarser": coarser})


def study(scale="quick") -> pf.Study:
    """Steps of 1/4 to 1/64 (quick), or to 1/128 (paper)."""
    points = pf.laws.Particles(0.5 * np.random.default_rng(0).standard_normal((100, 2)))
    energy = pf.Energy(interaction=pf.interactions.PowerLaw(4.0, 2.0))
    return pf.Study(
        problems=[pf.Problem(energy, points, 1.0, name="ring from 100 points")],
        methods={
            f"order {order}": pf.particle.InteractingParticles(particles=100, time_order=order) for order in (1, 2, 4)
        },
        sweep={"dt": [2.0**-k for k in range(2, 8 if scale == "paper" else 7)]},
        metrics={"w2": pf.metrics.w2},
        times=[1.0],
        against=same_points,
    )
