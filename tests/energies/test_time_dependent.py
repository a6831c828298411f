"""Potentials that change with time: what they give at a time, and that nothing is answered without one."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.potentials import DoubleWell, Quadratic
from pdeflow.energies.time_dependent import Moving, MovingQuadratic
from pdeflow.laws import Gaussian, Particles

X = np.array([[0.5], [-1.0]])
QUADRATIC = MovingQuadratic(np.array([[2.0]]), lambda t: 3 * t)
WELL = Moving(lambda t: DoubleWell(1 + t))


def test_the_potential_of_a_time_is_an_ordinary_one():
    assert QUADRATIC.at(0.5).value(X) == pytest.approx([1.0, 6.25], rel=1e-15)
    assert QUADRATIC.at(0.5).grad(X).ravel() == pytest.approx([-2.0, -5.0], rel=1e-15)
    assert WELL.at(1.0) == DoubleWell(2.0)
    energy = pf.Energy(WELL, pf.Entropy())
    assert energy.time_dependent and not energy.at(1.0).time_dependent
    assert energy.at(1.0) == pf.Energy(DoubleWell(2.0), pf.Entropy())
    still = pf.Energy(DoubleWell())
    assert still.at(1.0) is still


@pytest.mark.parametrize("potential", [QUADRATIC, WELL], ids=["quadratic", "any"])
@pytest.mark.parametrize("question", ["value", "grad", "hessian"])
def test_nothing_is_answered_without_a_time(potential, question):
    with pytest.raises(pf.Unsupported, match=f"depends on time and has no {question}"):
        getattr(potential, question)(X)


@pytest.mark.parametrize("potential", [QUADRATIC, WELL], ids=["quadratic", "any"])
@pytest.mark.parametrize("law", [Gaussian(0.0, 1.0), Particles(X)], ids=["gaussian", "cloud"])
def test_energies_and_their_metrics_ask_for_a_time(potential, law):
    energy = pf.Energy(potential)
    for ask in (energy.evaluate, lambda law: pf.metrics.energy_gap(energy)(law, law)):
        with pytest.raises(pf.Unsupported, match=r"energy\.at\(t\)"):
            ask(law)
    assert np.isfinite(pf.metrics.free_energy(energy.at(0.5))(law, law).value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Moving(3), "function of the time"),
        (lambda: Moving(lambda t: 3).at(0.0), "a potential of dim 1"),
        (lambda: Moving(lambda t: Quadratic(np.eye(2))).at(0.0), "a potential of dim 1"),
        (lambda: Moving(lambda t: WELL).at(0.0), "depends on time itself"),
        (lambda: WELL.at(-1.0), "finite and >= 0"),
        (lambda: WELL.at(np.nan), "finite and >= 0"),
        (lambda: MovingQuadratic(np.eye(2), [0.0, 1.0]), "function of the time"),
        (lambda: MovingQuadratic(np.eye(2), lambda t: [1.0, 2.0, 3.0]), r"must be \(2,\) or a number"),
        (lambda: MovingQuadratic(np.eye(2), lambda t: [1.0]), r"shape \(1,\)"),
        (lambda: MovingQuadratic(np.eye(2), lambda t: np.nan), "center"),
        (lambda: MovingQuadratic(-np.eye(2), lambda t: 0.0), "matrix"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(pf.BadInput, match=message):
        make()
