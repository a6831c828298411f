"""The catalogue: named problems of the literature, each with its exact law where one is known.

Every entry is a registered builder: it records its name and arguments, so that a reference file can rebuild it.
"""

import zlib

import numpy as np

from .._core.errors import BadInput, Unsupported
from .._core.validate import count, positive, spd_matrix
from ..energies.energy import Energy
from ..energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from ..energies.internal import Entropy, Power
from ..energies.potentials import DoubleWell, MixturePotential, Quadratic, StyblinskiTang
from ..laws import Barenblatt, Gaussian, GaussianMixture, Semicircle, Uniform
from .exact_flows import LinearFlow, LogRepulsionFlow, NewtonianFlow, PorousMediumFlow
from .problem import Problem
from .registry import register


def _linear(matrix, center, temperature, initial, horizon):
    energy = Energy(potential=Quadratic(matrix, center), internal=Entropy(temperature))
    initial = _start(energy.potential.dim, initial, 1.0)
    flow = _closed(LinearFlow, energy.potential.matrix, energy.potential.center, float(temperature), initial)
    return Problem(energy, initial, horizon, exact=flow)


def _closed(flow, *parameters):
    """The exact flow, or None where it is not closed from that start: solvers treat the problem all the same."""
    try:
        return flow(*parameters)
    except Unsupported:
        return None


@register
def ou(dim=1, matrix=None, center=None, temperature=1.0, initial=None, horizon=1.0, seed=None, ensemble="uniform"):
    """Ornstein-Uhlenbeck: ∂tρ = ∇·(ρ A(x - b)) + T Δρ; the Gaussian law is exact also where A and the start do not
    commute.

    matrix : A, (dim, dim) SPD, default I. center : b, (dim,), default 0. initial : default N(2, I/4) in each
    coordinate.
    From other laws than Gaussians and their mixtures the problem has no exact law (as in heat and mixture_ou).
    seed : draws A and b, and the start becomes N(0, I). ensemble "uniform": random rotation, eigenvalues uniform in
    [0.2, 3], b ~ N(0, I). "mokrov" (the published draws of mokrov2021): A⁻¹ = U(𝟏 + diag(u))Vᵀ with U S Vᵀ the SVD of
    XᵀX, X uniform on
    [0,1]^(d x d), u uniform on [0,1]^d, 𝟏 the matrix of ones; b ~ N(0, I).
    """
    dim = count(dim, "dim")
    if ensemble not in ("uniform", "mokrov"):
        raise BadInput(f"ensemble is {ensemble!r}. It must be 'uniform' or 'mokrov'. Choose one.")
    if seed is None and ensemble == "mokrov":
        raise BadInput("ensemble='mokrov' without a seed. The draw needs one. Pass seed=0, 1, ...")
    if seed is not None:
        if matrix is not None or center is not None:
            raise BadInput("seed= and matrix= or center= are given. seed draws both. Pass either.")
        rng = np.random.default_rng(count(seed, "seed", 0))
        matrix = _uniform_matrix(dim, rng) if ensemble == "uniform" else _mokrov_matrix(dim, rng)
        center = rng.standard_normal(dim)
        initial = Gaussian(np.zeros(dim), 1.0) if initial is None else initial
    matrix = spd_matrix(1.0 if matrix is None else matrix, dim, "matrix")
    initial = Gaussian(np.full(dim, 2.0), 0.25) if initial is None else initial
    return _linear(matrix, np.zeros(dim) if center is None else center, temperature, initial, horizon)


def _uniform_matrix(dim, rng):
    basis, upper = np.linalg.qr(rng.standard_normal((dim, dim)))
    basis = basis * np.sign(np.diag(upper))  # makes the rotation Haar-distributed
    matrix = (basis * rng.uniform(0.2, 3.0, dim)) @ basis.T
    return (matrix + matrix.T) / 2


def _mokrov_matrix(dim, rng):
    x = rng.random((dim, dim))
    u, _, vt = np.linalg.svd(x.T @ x)
    cov = u @ (1.0 + np.diag(rng.random(dim))) @ vt
    matrix = np.linalg.inv((cov + cov.T) / 2)
    return (matrix + matrix.T) / 2


def _start(dim, initial, variance):
    """`initial`, or N(0, variance I) in R^dim if it is None; `BadInput` if it lives in another dimension."""
    if initial is None:
        return Gaussian(np.zeros(count(dim, "dim")), variance)
    if initial.dim != count(dim, "dim"):
        raise BadInput(f"dim = {dim}, but {initial!r} lives in dimension {initial.dim}. They must agree. Pass dim=.")
    return initial


@register
def heat(dim=1, temperature=1.0, initial=None, horizon=1.0):
    """∂tρ = T Δρ (default N(0, I)); exact from a Gaussian or a Gaussian mixture: Σ_t = Σ_0 + 2 T t I."""
    initial = _start(dim, initial, 1.0)
    flow = _closed(LinearFlow, np.zeros((dim, dim)), np.zeros(dim), float(temperature), initial)
    return Problem(Energy(internal=Entropy(temperature)), initial, horizon, exact=flow)


@register
def mixture_ou(initial=None, matrix=1.2, center=0.4, temperature=1.0, horizon=1.0):
    """A Gaussian mixture under an Ornstein-Uhlenbeck flow stays one: exact multimodal truth in any dimension
    [docs/math.md 10.1].

    initial : default 0.3 N(-1.5, 0.09) + 0.7 N(2, 0.36) on the line. matrix : SPD (d, d) or a multiple of I. center :
    (d,) or a number.
    """
    initial = GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36]) if initial is None else initial
    return _linear(
        spd_matrix(matrix, initial.dim, "matrix"),
        np.broadcast_to(center, (initial.dim,)),
        temperature,
        initial,
        horizon,
    )


@register
def mixture_target(dim, components, half_width, seed=0, temperature=1.0, initial=None, horizon=4.0, ensemble="uniform"):
    """V = -T log q with q = equal weights, unit covariances, means uniform in [-half_width, half_width]^dim drawn by
    `seed`.

    ensemble : "uniform", or "mokrov": the very targets of the published runs of mokrov2021, the same bits. seed is
    then the number of the
    experiment, 0 to 4 (0 alone where one was run), and (dim, components, half_width) is one of (2, 5, 5), (4, 6, 5),
    (6, 7, 5), (8, 8, 5),
    (10, 9, 5), (12, 10, 5), (13, 10, 5), (32, 10, 3).
    initial : default N(0, 16 I), as there. No exact law for t > 0; q itself is stationary.
    """
    k, width, seed = count(components, "components"), positive(half_width, "half_width"), count(seed, "seed", 0)
    if ensemble not in ("uniform", "mokrov"):
        raise BadInput(f"ensemble is {ensemble!r}. It must be 'uniform' or 'mokrov'. Choose one.")
    shape = (k, count(dim, "dim"))
    draw = _mokrov_means if ensemble == "mokrov" else _uniform_means
    target = GaussianMixture(np.full(k, 1 / k), draw(shape, width, seed), 1.0)
    initial = Gaussian(np.zeros(dim), 16.0) if initial is None else initial
    return Problem(Energy(MixturePotential(target, temperature), Entropy(temperature)), initial, horizon)


def _uniform_means(shape, half_width, seed):
    return np.random.default_rng(seed).uniform(-half_width, half_width, shape)


MOKROV = {  # (dim, components, half width): the key of the published configuration
    (2, 5, 5.0): "venus",
    (4, 6, 5.0): "earth",
    (6, 7, 5.0): "mars",
    (8, 8, 5.0): "saturn",
    (10, 9, 5.0): "jupiter",
    (12, 10, 5.0): "uran",
    (13, 10, 5.0): "mercury",
    (32, 10, 3.0): "earth",
}


def _mokrov_means(shape, half_width, seed):
    """The first uniform numbers of torch in single precision, seeded by the crc32 of key, dimension and experiment:
    24 bits of MT19937 each."""
    (components, dim), most = shape, 0 if shape[1] in (13, 32) else 4
    key = MOKROV.get((dim, components, half_width))
    if key is None or seed > most:
        raise BadInput(
            f"ensemble='mokrov' with (dim, components, half_width) = {(dim, components, half_width)} and seed = "
            f"{seed}. The published runs "
            f"are {', '.join(map(str, MOKROV))}, seeds 0 to 4 (13 and 32 dimensions: 0). Take one of them, or "
            "ensemble='uniform'."
        )
    name = f"{key}@{dim}@{seed}pytorch" if most else f"{key}@{dim}pytorch"
    bits = np.random.RandomState(zlib.crc32(name.encode())).randint(0, 2**32, shape, dtype=np.uint32)
    uniform = (bits & 0xFFFFFF).astype(np.float32) * np.float32(2.0**-24)
    return (uniform * np.float32(2 * half_width) - np.float32(half_width)).astype(float)


@register
def double_well(barrier=1.0, temperature=0.5, initial=None, horizon=2.0):
    """V = barrier (x² - 1)² on the line, from N(1, 1/16) by default. No closed form."""
    initial = Gaussian(1.0, 1 / 16) if initial is None else initial
    return Problem(Energy(DoubleWell(barrier), Entropy(temperature)), initial, horizon)


@register
def styblinski_tang(dim, scale=3 / 50, temperature=1.0, initial=None, horizon=1.8):
    """V = scale Σ(x_i⁴ - 16x_i² + 5x_i) from N(0, I): separable, so its truth is pf.lift(solve(the 1-D problem,
    ChangCooper(...)), dim).

    jin2025 prints 3/50, its slides 1/50: two different problems (docs/math.md 8.3).
    """
    initial = Gaussian(np.zeros(count(dim, "dim")), 1.0) if initial is None else initial
    return Problem(Energy(StyblinskiTang(dim, scale), Entropy(temperature)), initial, horizon)


@register
def porous_medium(dim=1, m=2.0, start=0.002, horizon=0.02):
    """∂tρ = Δρ^m from the Barenblatt law of PDE time `start`; exact(t) is that of start + t [docs/math.md 1]."""
    initial = Barenblatt(dim, m, start)
    return Problem(Energy(internal=Power(m)), initial, horizon, exact=PorousMediumFlow(float(m), 1.0, initial))


@register
def mckean_vlasov_ou(strength=0.5, attraction=1.2, temperature=0.4, initial=None, horizon=1.0):
    """V = strength |x|²/2, W = attraction |x|²/2: mean rate `strength`, covariance rate strength + attraction; exact
    from a Gaussian."""
    initial = Gaussian(1.0, 0.3) if initial is None else initial
    energy = Energy(
        Quadratic(positive(strength, "strength"), np.zeros(initial.dim)),
        Entropy(temperature),
        QuadraticAttraction(attraction),
    )
    quadratic = energy.potential
    flow = _closed(LinearFlow, quadratic.matrix, quadratic.center, float(temperature), initial, float(attraction))
    return Problem(energy, initial, horizon, exact=flow)


@register
def newtonian_1d(initial=None, horizon=1.0):
    """W = x²/2 - |x| on the line: explicit quantiles for any start (default N(0.3, 2.25)); equilibrium uniform on
    mean ± 1."""
    initial = Gaussian(0.3, 2.25) if initial is None else initial
    return Problem(Energy(interaction=PowerLaw(2.0, 1.0)), initial, horizon, exact=NewtonianFlow(initial))


@register
def log_repulsion(attraction=1.0, repulsion=1.0, initial=None, horizon=1.0):
    """W = attraction x²/2 - repulsion log|x| on the line; from a semicircle (default radius 3.4) the law stays one."""
    initial = Semicircle(3.4) if initial is None else initial
    flow = _closed(LogRepulsionFlow, float(attraction), float(repulsion), initial)
    return Problem(Energy(interaction=LogRepulsion(attraction, repulsion)), initial, horizon, exact=flow)


@register
def ring_aggregation(dim=2, a=4.0, b=2.0, initial=None, horizon=10.0):
    """W = |x|^a/a - |x|^b/b from N(0, I/4): towards a shell of radius aggregation.ring_radius(a, b, dim), 1/√3 for
    (4, 2) in the plane."""
    initial = _start(dim, initial, 0.25)
    return Problem(Energy(interaction=PowerLaw(a, b)), initial, horizon)


@register
def aggregation_diffusion(mass=1.0, m=3.0, diffusion=0.1, half_width=3.0, initial=None, horizon=60.0):
    """W = -exp(-|x|²)/π with diffusion Δρ^m in the plane, from the uniform law on [-half_width, half_width]²
    [fan2022iclr section 4.4].

    For total mass M the probability p = ρ/M obeys ∂tp = M ∇·(p∇W*p) + M^(m-1) diffusion Δp^m (docs/math.md 2.3):
    `mass` enters
    through both coefficients.
    """
    mass, width = positive(mass, "mass"), positive(half_width, "half_width")
    initial = Uniform([-width, -width], [width, width]) if initial is None else initial
    energy = Energy(
        internal=Power(m, positive(diffusion, "diffusion") * mass ** (m - 1)),
        interaction=GaussianAttraction(mass / np.pi),
    )
    return Problem(energy, initial, horizon)
