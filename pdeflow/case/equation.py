"""The equation of a problem in words and formulas, with its constants, for people without pdeflow."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._core.errors import NotAvailable
from ..problems.problem import Problem
from ..problems.registry import CATALOGUE

GENERAL = "∂ρ/∂t = ∇·( ρ ∇( U'(ρ) + V + W*ρ ) )"


class Equation(NamedTuple):
    """formula : the equation. words : what it means. particles : the same for particles, or "". constants : by name."""

    formula: str
    words: str
    particles: str
    constants: Mapping[str, Any]


def equation_of(problem: Problem) -> Equation:
    """The equation of a problem of the catalogue; for others the general one with the energy's parts."""
    known = _KNOWN.get(problem.name)
    if known is not None and problem.name in CATALOGUE:
        return known(problem)
    build = CATALOGUE.get(problem.name)
    words = (inspect.getdoc(build) or "").split("\n\n")[0].replace("\n", " ") if build else ""
    energy = problem.energy
    slots = {"V": energy.potential, "U": energy.internal, "W": energy.interaction}
    parts = {name: repr(part) for name, part in slots.items() if part is not None}
    absent = [name for name in slots if name not in parts]
    gone = f"There is no {' and no '.join(absent)}." if absent else ""
    return Equation(GENERAL, f"{words} {gone}".strip(), "", {**parts, **problem.params})


def initial_in_words(problem: Problem) -> str:
    """The law at time 0: its parameters and, in its own words, its density."""
    law = problem.initial
    try:
        spec = json.dumps(law.spec())
    except NotAvailable:
        spec = repr(law)
    words = (inspect.getdoc(type(law)) or "").split("\nParameters\n")[0].strip()
    return f"`{spec}`\n\n{words}"


def _drift(problem: Problem) -> Equation:
    quadratic, temperature = problem.energy.potential, problem.params["temperature"]
    return Equation(
        "∂ρ/∂t = ∇·( ρ A (x - b) ) + T Δρ",
        "Mass drifts towards b with the velocity -A (x - b), and diffuses.",
        "dX = -A (X - b) dt + √(2 T) dB",
        {"A": quadratic.matrix.tolist(), "b": quadratic.center.tolist(), "T": temperature},
    )


def _heat(problem: Problem) -> Equation:
    return Equation("∂ρ/∂t = T Δρ", "Mass diffuses.", "dX = √(2 T) dB", {"T": problem.params["temperature"]})


def _porous(problem: Problem) -> Equation:
    return Equation(
        "∂ρ/∂t = Δ( ρ^m )",
        "Mass diffuses the faster the denser it lies; it fills a ball whose edge moves at a finite speed.",
        "",
        {"m": problem.params["m"]},
    )


def _mean_field(problem: Problem) -> Equation:
    names = {"a": "strength", "c": "attraction", "T": "temperature"}
    return Equation(
        "∂ρ/∂t = ∇·( ρ ( a x + c (x - mean of ρ) ) ) + T Δρ",
        "Mass drifts towards 0 and towards its own mean, and diffuses.",
        "dX_i = -( a X_i + c (X_i - mean of all X_j) ) dt + √(2 T) dB_i",
        {name: problem.params[given] for name, given in names.items()},
    )


def _newtonian(problem: Problem) -> Equation:
    return Equation(
        "∂ρ/∂t = ∂/∂x( ρ ∂/∂x(W*ρ) ),  W(x) = x²/2 - |x|",
        "Mass attracts mass linearly from afar and repels it with a constant force; nothing diffuses.",
        "dx_i/dt = -( x_i - mean of all x_j ) + (1/n) Σ_j sign(x_i - x_j)",
        {},
    )


def _log_repulsion(problem: Problem) -> Equation:
    return Equation(
        "∂ρ/∂t = ∂/∂x( ρ ∂/∂x(W*ρ) ),  W(x) = a x²/2 - r log|x|",
        "Mass attracts mass linearly from afar and repels it like one over the distance; nothing diffuses.",
        "dx_i/dt = -a ( x_i - mean of all x_j ) + (r/n) Σ_{j≠i} 1/(x_i - x_j)",
        {"a": problem.params["attraction"], "r": problem.params["repulsion"]},
    )


def _double_well(problem: Problem) -> Equation:
    return Equation(
        "∂ρ/∂t = ∂/∂x( ρ V'(x) ) + T ∂²ρ/∂x²,  V(x) = B (x² - 1)²",
        "Mass slides into two wells at -1 and 1 and diffuses across the barrier between them.",
        "dX = -4 B X (X² - 1) dt + √(2 T) dB",
        {"B": problem.params["barrier"], "T": problem.params["temperature"]},
    )


_KNOWN: Mapping[str, Callable[[Problem], Equation]] = {
    "ou": _drift,
    "mixture_ou": _drift,
    "heat": _heat,
    "porous_medium": _porous,
    "mckean_vlasov_ou": _mean_field,
    "newtonian_1d": _newtonian,
    "log_repulsion": _log_repulsion,
    "double_well": _double_well,
}
