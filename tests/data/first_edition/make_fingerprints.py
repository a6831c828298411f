"""What made fingerprints.json: run once, with the code of commit 7537ce0, from the root of that checkout.

    PYTHONPATH=$PWD python tests/data/first_edition/make_fingerprints.py

It is kept as a document and speaks the names of that commit, so it need not run on later code. The file holds
the canonical text and the SHA-256 of built-in things by a label;
tests/reference/test_first_edition.py builds the same things today.
"""

import json
from pathlib import Path

import numpy as np

import pdeflow as pf
from pdeflow.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from pdeflow.laws import (
    Barenblatt,
    FromQuantile,
    Gaussian,
    GaussianMixture,
    GridLaw,
    Particles,
    Product,
    Quantiles,
    Ring,
    Semicircle,
    Uniform,
)
from pdeflow.neural import (
    ICNNJKO,
    PFPE,
    PWGF,
    ConvexMap,
    LinearMap,
    Network,
    PushForward,
    Saddle,
    Shape,
    Training,
    VariationalJKO,
)
from pdeflow.neural.convex_map import Layer
from pdeflow.potentials import DoubleWell, FromFunction, MixturePotential, Quadratic, StyblinskiTang


def things():
    """{label: built-in thing}: what a study or a reference file of the first edition may have named so."""
    arguments = {"mixture_target": {"dim": 2, "components": 3, "half_width": 5.0}, "styblinski_tang": {"dim": 3}}
    mixture = GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36])
    ou = pf.problems.ou()
    trajectory = pf.Trajectory([0.0, 0.5], [Gaussian(0.0, 1.0), Gaussian(0.1, 0.8)])
    found = {f"problem {name}": make(**arguments.get(name, {})) for name, make in pf.problems.CATALOGUE.items()}
    found |= {
        "problem ou, dim 2": pf.problems.ou(dim=2, matrix=[[1.5, 0.5], [0.5, 0.8]], center=[1.0, -0.5]),
        "problem ou, start uniform": pf.problems.ou(initial=Uniform(-1.0, 1.0)),
        "problem heat, dim 2": pf.problems.heat(2, horizon=0.1),
        "problem porous_medium, dim 2": pf.problems.porous_medium(2, 2.4, 0.1, 0.5),
        "problem aggregation_diffusion, mass 9": pf.problems.aggregation_diffusion(mass=9.0),
        "problem custom": pf.Problem("mine", {"a": 1}, pf.Energy(DoubleWell(2.0), pf.Power(2.0)), Uniform(-1, 1), 0.5),
        "problem of ou, as references name it": {"name": ou.name, "energy": ou.energy, "initial": ou.initial},
        "method ChangCooper": pf.grid.ChangCooper(),
        "method ChangCooper, other": pf.grid.ChangCooper(cells=100, lower=-3.0, upper=3.5, time_order=2),
        "method CvxoptJKO": pf.grid.CvxoptJKO(),
        "method CvxoptJKO, other": pf.grid.CvxoptJKO(cells=50, lower=-2.0, upper=2.0, kkt="default"),
        "method QuantileJKO": pf.grid.QuantileJKO(),
        "method QuantileJKO, other": pf.grid.QuantileJKO(points=50, grading="uniform"),
        "method EulerMaruyama": pf.particle.EulerMaruyama(),
        "method EulerMaruyama, other": pf.particle.EulerMaruyama(particles=500, brownian_step=0.01),
        "method ICNNJKO": ICNNJKO(),
        "method ICNNJKO, other": ICNNJKO(
            width=16,
            iterations=50,
            batch=256,
            learning_rate=0.02,
            logdet="stochastic",
            particles="fresh",
            network=Network(depth=2, rank=1, pieces=2, sharpness=4.0),
            training=Training(pool=4096, dtype="float64", tolerance=0.0),
        ),
        "method ICNNJKO, signed": ICNNJKO(network=Network(sharpness=10, signed=True)),
        "method VariationalJKO": VariationalJKO(),
        "method VariationalJKO, other": VariationalJKO(
            map="residual",
            scheme="forward-backward",
            outer=50,
            inner=2,
            batch=256,
            networks=Saddle(map_width=16, map_depth=1, rank=0, test_width=8, test_depth=1, test_rate=1e-3, margin=1.5),
            training=Training(pool=1024),
        ),
        "method VariationalJKO, linear": VariationalJKO(map="linear"),
        "method PWGF": PWGF(),
        "method PWGF, other": PWGF(
            map="residual",
            samples=500,
            shape=Shape(layers=2, width=3, affine=False),
            solver="minres",
            damping=1e-6,
            integrator="rk4",
            tolerance=1e-3,
        ),
        "method PWGF, affine": PWGF(map="affine"),
        "method PWGF, ode": PWGF(map="ode"),
        "method PWGF, coordinatewise": PWGF(map="coordinatewise", shape=Shape(width=8)),
        "method PFPE": PFPE(),
        "method PFPE, other": PFPE(map="planar", shape=Shape(layers=5), features=20, remainder=0.1, integrator="euler"),
        "group Network": Network(),
        "group Training": Training(),
        "group Saddle": Saddle(),
        "group Shape": Shape(),
        "potential Quadratic": Quadratic(2.0),
        "potential Quadratic, dim 2": Quadratic([[1.5, 0.5], [0.5, 0.8]], [1.0, -0.5]),
        "potential DoubleWell": DoubleWell(),
        "potential StyblinskiTang": StyblinskiTang(2),
        "potential MixturePotential": MixturePotential(mixture, 0.5),
        "potential FromFunction": FromFunction(np.exp, np.exp, dim=2),
        "kernel PowerLaw": PowerLaw(),
        "kernel PowerLaw, other": PowerLaw(2.0, 1.0),
        "kernel QuadraticAttraction": QuadraticAttraction(),
        "kernel LogRepulsion": LogRepulsion(),
        "kernel GaussianAttraction": GaussianAttraction(),
        "internal Entropy": pf.Entropy(),
        "internal Power": pf.Power(2.4, 0.5),
        "energy": pf.Energy(Quadratic(1.0), pf.Entropy(0.5), PowerLaw()),
        "law Gaussian": Gaussian([0.1, 0.2], [[1.0, 0.3], [0.3, 0.8]]),
        "law GaussianMixture": mixture,
        "law Uniform": Uniform([-1.0, 0.0], [1.0, 0.5]),
        "law Barenblatt": Barenblatt(2, 2.4, 0.1),
        "law Semicircle": Semicircle(2.0, 0.1),
        "law Ring": Ring(0.5, [0.1, 0.2]),
        "law Product": Product([Gaussian(0.0, 1.0), Uniform(0, 1)]),
        "law Product of tables": Product([Quantiles([0.0, 1.0], [0.0, 1.0]), Gaussian(0.0, 1.0)]),
        "law GridLaw": GridLaw(np.array([0.0, 1.0, 3.0]), [0.25, 0.75]),
        "law GridLaw, many cells": GridLaw(np.linspace(0.0, 1.0, 33), np.full(32, 1 / 32)),
        "law GridLaw, dim 2": GridLaw([np.array([0.0, 1.0, 3.0]), np.array([0.0, 0.5])], [[0.25], [0.75]]),
        "law Particles": Particles(np.arange(40.0).reshape(20, 2)),
        "law Particles, weighted": Particles(np.arange(3.0), [0.25, 0.25, 0.5]),
        "law Quantiles": Quantiles([0.0, 0.5, 2.0], [0.0, 0.25, 1.0]),
        "law FromQuantile": FromQuantile(np.exp),
        "law PushForward, linear": PushForward(Gaussian(0.0, 1.0), [LinearMap([[2.0]], [1.0])]),
        "law PushForward, convex": PushForward(
            Gaussian(0.0, 1.0),
            [
                ConvexMap(
                    root=np.array([[1.0]]),
                    shift=np.array([0.5]),
                    layers=(Layer(np.array([[1.0], [-0.5]]), np.array([0.25, 0.5]), np.zeros((0, 2, 1))),),
                    weight=np.array([0.5, 1.0]),
                    center=np.array([0.125]),
                    basis=np.array([[1.0]]),
                    scale=1.5,
                )
            ],
        ),
        "truth exact": pf.exact,
        "truth exact_jko": pf.exact_jko,
        "truth finer": pf.finer(pf.grid.ChangCooper(cells=800, time_order=2), dt=1 / 512),
        "truth Trajectory": trajectory,
        "metric energy_gap": pf.metrics.energy_gap(ou.energy),
        "plain data": {"b": [1, 2.5, None, True], "a": "é", "c": np.arange(20.0), "d": float("inf"), "e": slice(0, 2)},
    }
    names = ("w2", "sliced_w2", "bures", "kl", "sym_kl", "l1", "l2", "mean_error", "cov_error")
    return found | {f"metric {name}": getattr(pf.metrics, name) for name in names}


def main():
    prints = {
        label: {"canonical": pf.fingerprint.canonical(thing), "sha256": pf.fingerprint.sha256(thing)}
        for label, thing in things().items()
    }
    text = json.dumps(prints, indent=1, sort_keys=True, ensure_ascii=False)
    (Path(__file__).resolve().parent / "fingerprints.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
