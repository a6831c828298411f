"""What made files.zip and expected.json: run once, with the code of commit 7537ce0, from the root of that checkout.

    PYTHONPATH=$PWD python tests/data/first_edition/make_files.py

It is kept as a document and speaks the names of that commit, so it need not run on later code. files.zip holds
flow_*.h5 and reference_*.h5, which later code must open for ever; they are packed because HDF5 files of so few
numbers are mostly zeros. expected.json holds what the first edition made of them.
tests/reference/test_first_edition.py holds later code against both.
"""

import json
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import pdeflow as pf
from pdeflow.laws import (
    Barenblatt,
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
    ParametricMap,
    PushForward,
    ResidualMap,
    Saddle,
    Shape,
    Training,
    VariationalJKO,
)
from pdeflow.neural.convex_map import Layer
from pdeflow.neural.parametric import build
from pdeflow.neural.signed import shrink
from pdeflow.potentials import FromFunction

FOLDER = Path(__file__).resolve().parent
TIMES = np.array([0.0, 0.1, 0.3])
LEVELS = [0.1, 0.5, 0.9]


def convex(dim, seed, width=3, depth=1, rank=0, pieces=1, sharpness=1.0, signed=False):
    """A convex map far from the identity, with seeded weights."""
    rng, rows = np.random.default_rng(seed), width * pieces
    layers = []
    for depth_so_far in range(depth):
        layers.append(
            Layer(
                rng.standard_normal((rows, dim)),
                rng.standard_normal(rows),
                0.5 * rng.standard_normal((rank, rows, dim)),
                rng.random((rows, width)) / width if depth_so_far else None,
                None if sharpness == 1 else np.geomspace(1, sharpness, width),
            )
        )
    basis, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    move = ConvexMap(
        root=np.eye(dim) + 0.1 * rng.standard_normal((dim, dim)),
        shift=rng.standard_normal(dim),
        layers=tuple(layers),
        weight=0.5 * rng.random(width),
        center=rng.standard_normal(dim),
        basis=basis,
        scale=1.7,
    )
    if not signed:
        return move
    tensors = move.mapped(torch.as_tensor)
    tensors.weight[::2] *= -1e3
    shrink(tensors)
    return tensors.mapped(lambda array: array.numpy())


def linear(dim, seed):
    rng = np.random.default_rng(seed)
    return LinearMap(np.eye(dim) + 0.3 * rng.standard_normal((dim, dim)), rng.standard_normal(dim))


def residual(dim, seed, width=3):
    """A residual map with one hidden layer."""
    rng = np.random.default_rng(seed)
    sizes = [(dim, width), (width, width), (width, dim)]
    layers = tuple((0.5 * rng.standard_normal(size), 0.5 * rng.standard_normal(size[1])) for size in sizes)
    root = np.eye(dim) + 0.2 * np.ones((dim, dim))
    return ResidualMap(
        rng.standard_normal(dim), root, 0.2 * rng.standard_normal((dim, dim)), rng.standard_normal(dim), layers
    )


def parametric(kind, dim, seed, size=0.15, **shape):
    """A parametric map away from the identity, in coordinates that are neither centred nor isotropic."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.eye(dim) + 0.3 * np.ones((dim, dim))) * 0.7
    family = build(kind, rng.standard_normal(dim), root, Shape(**shape))
    theta = family.start(torch.Generator().manual_seed(seed)).numpy() + size * rng.standard_normal(family.size)
    return ParametricMap(family, theta)


def flows():
    """{name of the file: PushForward}."""
    normal = Gaussian(0.3, 1.2)
    plane = Gaussian([0.2, -0.1], [[1.0, 0.3], [0.3, 0.8]])
    mixture = GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36])
    mixture_2d = GaussianMixture([0.4, 0.6], [[-1.0, 0.0], [1.0, 0.5]], [np.eye(2) * 0.5, [[0.4, 0.1], [0.1, 0.3]]])
    uniform, uniform_2d = Uniform(-1.0, 2.0), Uniform([-1.0, 0.0], [1.0, 0.5])
    profile, profile_2d = Barenblatt(1, 2.0, 0.2), Barenblatt(2, 2.4, 0.1, [0.1, -0.2])
    product = Product([Gaussian(0.5, 0.3), Uniform(-1.0, 1.0)])
    trained = pf.solve(
        pf.problems.ou(),
        ICNNJKO(width=3, iterations=20, batch=64, training=Training(pool=256)),
        dt=0.25,
        times=[0.5],
    ).final
    moved = pf.solve(
        pf.problems.mixture_ou(), PWGF(samples=200, shape=Shape(layers=2), integrator="euler"), dt=0.02, times=[0.02]
    ).final
    return {
        "convex_1d": PushForward(normal, [convex(1, 1)]),
        "convex_2d": PushForward(plane, [convex(2, 3)]),
        "convex_rank_pieces_1d": PushForward(mixture, [convex(1, 4, width=2, depth=2, rank=1, pieces=2)]),
        "convex_rank_pieces_sharp_2d": PushForward(
            uniform_2d, [convex(2, 5, width=2, depth=2, rank=1, pieces=2, sharpness=4.0)]
        ),
        "convex_signed_1d": PushForward(normal, [convex(1, 6, signed=True)]),
        "convex_signed_2d": PushForward(product, [convex(2, 7, width=4, sharpness=3.0, signed=True)]),
        "linear_1d": PushForward(profile, [linear(1, 8)]),
        "linear_2d": PushForward(Ring(0.8, [0.1, 0.3]), [linear(2, 9), linear(2, 10)]),
        "residual_map_1d": PushForward(uniform, [residual(1, 11)]),
        "residual_map_2d": PushForward(plane, [residual(2, 12)]),
        "affine_1d": PushForward(mixture, [parametric("affine", 1, 13)]),
        "affine_2d": PushForward(mixture_2d, [parametric("affine", 2, 14)]),
        "planar_1d": PushForward(normal, [parametric("planar", 1, 15, layers=3)]),
        "planar_2d": PushForward(product, [parametric("planar", 2, 16, layers=3)]),
        "planar_alone_1d": PushForward(Semicircle(1.3, 0.2), [parametric("planar", 1, 17, layers=2, affine=False)]),
        "planar_alone_2d": PushForward(plane, [parametric("planar", 2, 18, layers=2, affine=False)]),
        "residual_1d": PushForward(uniform, [parametric("residual", 1, 19, size=0.05, layers=2, width=3)]),
        "residual_2d": PushForward(profile_2d, [parametric("residual", 2, 20, size=0.03, layers=2, width=2)]),
        "residual_alone_2d": PushForward(
            plane, [parametric("residual", 2, 21, size=0.5, layers=2, width=3, affine=False)]
        ),
        "ode_1d": PushForward(normal, [parametric("ode", 1, 23, layers=2, width=3)]),
        "ode_2d": PushForward(mixture_2d, [parametric("ode", 2, 24, layers=2, width=3)]),
        "coordinatewise_1d": PushForward(uniform, [parametric("coordinatewise", 1, 26, width=5)]),
        "coordinatewise_2d": PushForward(product, [parametric("coordinatewise", 2, 27, width=4)]),
        "no_map_2d": PushForward(Product([mixture, profile]), []),
        "several_maps_1d": PushForward(
            normal,
            [
                convex(1, 31),
                LinearMap([[-0.8]], [0.1]),
                parametric("planar", 1, 32, layers=2),
                parametric("coordinatewise", 1, 33, width=4),
            ],
        ),
        "several_maps_2d": PushForward(
            product,
            [
                linear(2, 34),
                convex(2, 35, width=2, rank=1),
                parametric("affine", 2, 36),
                parametric("ode", 2, 37, layers=1, width=2),
                residual(2, 38, width=2),
            ],
        ),
        "trained_icnn_jko_1d": trained,
        "trained_pwgf_1d": moved,
    }


def facts_of_flow(law):
    """What the first edition answers about the law of a file."""
    points = law.base.sample(5, np.random.default_rng(7))
    pushed = law.push(points)
    facts = {
        "repr": repr(law),
        "base": repr(law.base),
        "answers": law.answers(),
        "points": points.tolist(),
        "pushed": pushed.tolist(),
        "sample": law.sample(3, np.random.default_rng(11)).tolist(),
    }
    for name in ("mean", "cov"):
        if name in law.answers():
            facts[name] = getattr(law, name)().tolist()
    if "log_density" in law.answers():
        try:
            facts["log_density"] = law.log_density(pushed).tolist()
        except pf.NotAvailable as reason:  # answers() of this edition forgets to ask the base law
            facts["no_log_density"] = str(reason)
    if "quantile" in law.answers():
        facts["quantile"] = law.quantile(LEVELS).tolist()
    if "cdf" in law.answers():
        facts["cdf"] = law.cdf(pushed[:, 0]).tolist()
    try:
        drawn, log_density = law.sample_with_log_density(3, np.random.default_rng(11))
        facts["sample_with_log_density"] = [drawn.tolist(), log_density.tolist()]
    except pf.NotAvailable as reason:
        facts["no_sample_with_log_density"] = str(reason)
    return facts


def tilted_well(x):
    """V(x) = (x² - 1)² + x/3, a user's potential that no catalogue can rebuild."""
    return ((x**2 - 1) ** 2 + x / 3).sum(-1)


def tilted_well_gradient(x):
    return 4 * x * (x**2 - 1) + 1 / 3


def references():
    """{name of the file: (problem, trajectory, keywords of save)}."""
    rng = np.random.default_rng(5)
    edges = [np.cumsum(rng.random(n) + 0.1) for n in (5, 4)]

    def masses(*shape):
        mass = rng.random(shape)
        return mass / mass.sum()

    covariance = np.array([[1.3, 0.1], [0.1, 0.7]])
    mine = pf.Problem(
        "tilted_well",
        {},
        pf.Energy(FromFunction(tilted_well, tilted_well_gradient, dim=1), pf.Entropy(0.5)),
        Gaussian(1.0, 1 / 16),
        0.5,
    )
    quantile = pf.grid.QuantileJKO(points=9)
    solved = pf.solve(mine, quantile, dt=0.1, times=[0.1, 0.3])
    well = pf.problems.double_well()
    chang = pf.grid.ChangCooper(cells=12, lower=-2.5, upper=2.5)
    gridded = pf.solve(well, chang, dt=0.1, times=TIMES)
    ou, ou_2d, ou_3d = pf.problems.ou(), pf.problems.ou(2), pf.problems.ou(3)
    porous = pf.problems.porous_medium(2, 2.4, 0.1, 1.0)
    walkers = pf.particle.EulerMaruyama(particles=6)
    levels = [0, 0.1, 1 / 3, 0.7, 1]
    mixture = [
        GaussianMixture([0.3, 0.7], [[-1.0 - t, 0.1], [2.0, t / 3]], [[[1.0, 0.2], [0.2, 0.7]], np.eye(2) * (1 + t)])
        for t in TIMES
    ]
    weights = [None, masses(5), np.full(5, 1 / 5)]
    block = GridLaw(np.array([0.0, 1 / 3, 1.0]), [0.25, 0.75])
    moved = replace(ou, initial=Uniform(-1.0, 1.0), horizon=2.0)
    flow = PWGF(samples=500, shape=Shape(layers=2), integrator="heun")
    cases = {
        "users_potential": (mine, solved, {"method": quantile, "seed": 0}),
        "grid_1d": (well, gridded, {"method": chang, "seed": 3}),
        "grid_2d": (ou_2d, pf.Trajectory(TIMES, [GridLaw(edges, masses(4, 3)) for _ in TIMES]), {"method": "by hand"}),
        "particles_2d": (
            ou_2d,
            pf.Trajectory(TIMES, [Particles(rng.standard_normal((5, 2)), w) for w in weights]),
            {"method": flow, "seed": 1},
        ),
        "particles_1d": (ou, pf.solve(ou, walkers, dt=0.1, times=[0.1]), {"method": walkers, "seed": 0}),
        "quantiles": (
            well,
            pf.Trajectory(TIMES, [Quantiles(np.sort(rng.random(5)), levels) for _ in TIMES]),
            {"method": pf.grid.CvxoptJKO(cells=50, lower=-2.0, upper=2.0)},
        ),
        "gaussian_1d": (ou, pf.exact(ou, TIMES), {"source": "jko1998"}),
        "gaussian_2d": (
            ou_2d,
            pf.Trajectory(TIMES, [Gaussian([t / 3, 0.1], covariance * (1 + t)) for t in TIMES]),
            {"method": ICNNJKO(width=8, network=Network(depth=2, rank=1), training=Training(pool=4096))},
        ),
        "mixture_2d": (
            ou_2d,
            pf.Trajectory(TIMES, mixture),
            {"method": VariationalJKO(map="linear", networks=Saddle(map_width=8), training=Training(pool=2048))},
        ),
        "product_gaussian": (ou_3d, pf.Trajectory([0.5], [Product([Gaussian(0.3, 0.1)] * 3)]), {}),
        "product_grid": (ou_3d, pf.Trajectory([0.5], [Product([block] * 3)]), {}),
        "barenblatt": (porous, pf.Trajectory(TIMES, [Barenblatt(2, 2.4, 0.1 + t, [t / 3, 0.1]) for t in TIMES]), {}),
        "ring": (
            pf.problems.ring_aggregation(),
            pf.Trajectory(TIMES, [Ring(1 / 3 + t, [0.1, t]) for t in TIMES]),
            {"recipe": "none of the catalogue"},
        ),
        "semicircle": (pf.problems.log_repulsion(), pf.exact(pf.problems.log_repulsion(), TIMES), {}),
        "uniform_and_another_start": (
            moved,
            pf.Trajectory([0.0, 0.5], [Uniform(-1.0, 1.0), Uniform(-0.7, 0.7)]),
            {"method": PFPE(features=20)},
        ),
    }
    return cases


def facts_of_reference(path):
    """What the first edition says about the file."""
    reference = pf.reference.load(path)
    attributes = reference.provenance
    names = (
        "problem", "params", "overrides", "problem_sha256", "problem_note", "law", "copies", "method", "config",
        "config_sha256", "content_sha256", "seed", "error_metric", "error_how", "source", "recipe", "left_out", "stats",
        "problem_description", "problem_source",
    )  # fmt: skip
    return {
        **{name: attributes[name] for name in names if name in attributes},
        "check": pf.reference.check(path),
        "rebuilt": reference.problem is not None,
        "error": [reference.error.value, reference.error.stderr],
        "times": reference.times.tolist(),
        "laws": [repr(law) for law in reference.trajectory.laws],
        "mean": [law.mean().tolist() for law in reference.trajectory.laws],
        "cov": [law.cov().tolist() for law in reference.trajectory.laws],
        "sample": reference.trajectory.final.sample(2, np.random.default_rng(3)).tolist(),
    }


def pack(folder):
    """All files of the folder in files.zip, with a fixed date."""
    with zipfile.ZipFile(FOLDER / "files.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def main():
    expected = {"commit": "7537ce0", "levels": LEVELS, "flows": {}, "references": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for name, law in flows().items():
            path = pf.reference.save_flow(folder / f"flow_{name}.h5", *law.to_data())
            again = PushForward.from_data(*pf.reference.load_flow(path))
            expected["flows"][path.name] = facts_of_flow(again)
        error = pf.Estimate(1.0 / 3.0, 1e-3 / 7.0, "made up for a test", "w2")
        for name, (problem, trajectory, keywords) in references().items():
            path = folder / f"reference_{name}.h5"
            pf.reference.save(path, problem, trajectory, error=error, **keywords)
            expected["references"][path.name] = facts_of_reference(path)
        pack(folder)
    text = json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=False)
    (FOLDER / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
