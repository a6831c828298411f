"""Energies against independent quadrature, samples, and the numbers of the literature."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

import pdeflow as pf
from pdeflow.energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from pdeflow.energies.potentials import DoubleWell, Quadratic
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
from pdeflow.laws.ring import sphere_mean_power

MIXTURE = GaussianMixture([0.3, 0.0, 0.7], [-1.5, 9.0, 2.0], [0.09, 1.0, 0.36])
GRID = GridLaw(np.array([-1.0, -0.5, 0.0, 0.7, 2.0]), [0.2, 0.0, 0.5, 0.3])
QUANTILES = Quantiles([-1.0, 0.0, 0.2, 3.0], [0.0, 0.2, 0.6, 1.0])
LINE = {
    "gaussian": Gaussian(0.4, 0.3),
    "mixture": MIXTURE,
    "uniform": Uniform(-1.0, 2.0),
    "barenblatt": Barenblatt(1, 2.5, 0.5, [0.2]),
    "semicircle": Semicircle(1.3, 0.1),
    "grid": GRID,
    "quantiles": QUANTILES,
    "from-quantile": FromQuantile(MIXTURE.quantile),
    "product": Product([Semicircle(1.3)]),
}
SPACE = {
    "gaussian": Gaussian([1.0, -0.5], [[1.0, 0.4], [0.4, 0.6]]),
    "mixture": GaussianMixture([0.25, 0.75], [[0.0, 1.0], [1.0, -1.0]], [0.3, 0.1]),
    "uniform": Uniform([-1.0, 0.0], [1.0, 0.5]),
    "barenblatt": Barenblatt(2, 2.0, 0.3, [0.5, 0.0]),
    "ring": Ring(0.7, [0.1, -0.2]),
    "product": Product([Semicircle(1.0), Gaussian(0.5, 0.2)]),
    "grid": GridLaw(([0.0, 0.5, 1.0], [-1.0, 0.0, 0.5]), [[0.1, 0.2], [0.3, 0.4]]),
    "particles": Particles([[0.0, 1.0], [1.0, -0.5], [0.3, 0.3]], [0.2, 0.5, 0.3]),
}
# W = a|z|²/2 as a kernel that has no closed form anywhere
KERNELS = {
    "newtonian": PowerLaw(2.0, 1.0),
    "quartic": PowerLaw(4.0, 2.0),
    "quadratic": QuadraticAttraction(1.7),
    "gaussian": GaussianAttraction(),
    "log": LogRepulsion(1.2, 0.7),
}
line = pytest.mark.parametrize("law", LINE.values(), ids=LINE.keys())
space = pytest.mark.parametrize("law", SPACE.values(), ids=SPACE.keys())


def line_mean(law, function):
    """E function(X) by scipy's adaptive quadrature, over the level between the kinks of the law's quantile function."""
    if isinstance(law, GridLaw):
        edges, density = law.axes[0], law.density
        return sum(d * quad(function, a, b, epsabs=1e-13)[0] for d, a, b in zip(density, edges[:-1], edges[1:]))
    if isinstance(law, Quantiles):
        pieces = zip(law.q[:-1], law.q[1:], np.diff(law.levels))
        return sum(w * quad(function, a, b, epsabs=1e-13)[0] / (b - a) for a, b, w in pieces)
    law = MIXTURE if isinstance(law, FromQuantile) else law
    ends = law.quantile(np.array([1e-18, 0.01, 0.3, 0.5, 0.99, 1 - 1e-16]))
    return sum(
        quad(lambda x: function(x) * np.exp(law.log_density(np.array([[x]]))[0]), a, b, epsabs=1e-13, limit=200)[0]
        for a, b in pairwise(ends)
    )


@line
def test_potential_energy_on_the_line(law):
    well, bowl = DoubleWell(0.7), Quadratic(1.3, 0.2)
    estimate = pf.Energy(potential=well).evaluate(law)
    assert estimate.value == pytest.approx(line_mean(law, lambda x: 0.7 * (x * x - 1) ** 2), rel=2e-9)
    assert estimate.stderr == 0 and estimate.how == "quadrature" and estimate.metric == "energy"
    estimate = pf.Energy(potential=bowl).evaluate(law)
    assert estimate.value == pytest.approx(line_mean(law, lambda x: 0.65 * (x - 0.2) ** 2), rel=2e-9)
    assert estimate.how == law.moments_how  # "quadrature" of a law given by its quantiles


@line
@pytest.mark.parametrize("internal", [pf.Entropy(0.6), pf.Power(2.0), pf.Power(3.5, 0.1)], ids=repr)
def test_internal_energy_on_the_line(law, internal):
    energy = pf.Energy(internal=internal)
    if "log_density" not in law.answers():
        with pytest.raises(pf.NotAvailable, match="density"):
            energy.evaluate(law, rng=np.random.default_rng(0))
        return

    def per_mass(x):
        r = max(np.exp(law.log_density(np.array([[x]]))[0]), 1e-300)
        if isinstance(internal, pf.Entropy):
            return internal.temperature * np.log(r)
        return internal.coefficient * r ** (internal.m - 1) / (internal.m - 1)

    estimate = energy.evaluate(law)
    assert estimate.value == pytest.approx(line_mean(law, per_mass), rel=1e-8, abs=1e-9)
    assert estimate.stderr == 0
    assert estimate.how == ("quadrature" if law is MIXTURE else "closed form")


@pytest.fixture(scope="module")
def gaps():
    """The differences of 200,000 pairs of draws of a law, which all kernels share."""
    known = {}

    def of(law):
        if id(law) not in known:
            pairs = np.random.default_rng(9)
            known[id(law)] = law.sample(200_000, pairs) - law.sample(200_000, pairs)
        return known[id(law)]

    return of


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
@line
def test_interaction_energy_on_the_line_is_half_the_double_mean(law, kernel, rng, gaps):
    energy = pf.Energy(interaction=kernel)
    estimate = energy.evaluate(law, rng=rng, n=20_000)
    twin = MIXTURE if isinstance(law, FromQuantile) else law  # the same law, but fast to sample
    w = kernel.value(gaps(twin))
    deviation = np.hypot(0.5 * w.std() / np.sqrt(len(w)), estimate.stderr)
    # three Gauss nodes per cell are exact to degree 5 in each variable; a Gaussian kernel is no such polynomial
    rough = 2e-3 * abs(estimate.value) if isinstance(law, GridLaw) else 1e-12
    assert abs(estimate.value - 0.5 * w.mean()) <= 5 * deviation + rough
    if estimate.stderr > 0:
        assert estimate.how == "Monte Carlo, n = 20000"
        with pytest.raises(pf.NotAvailable, match=r"Pass rng="):
            energy.evaluate(law)
    else:
        assert energy.evaluate(law) == estimate


@space
def test_every_slot_in_the_plane_agrees_with_samples(law, rng):
    potential = DoubleWell(0.5, dim=2)
    pairs = np.random.default_rng(11)
    gaps = law.sample(50_000, pairs) - law.sample(50_000, pairs)  # all kernels share them
    for slot, energy in {
        "potential": pf.Energy(potential=potential),
        "quadratic": pf.Energy(potential=Quadratic([[2.0, 0.5], [0.5, 1.0]], [0.3, 0.0])),
        "entropy": pf.Energy(internal=pf.Entropy(0.8)),
        "power": pf.Energy(internal=pf.Power(2.0)),
        **{name: pf.Energy(interaction=kernel) for name, kernel in KERNELS.items()},
    }.items():
        if energy.internal is not None and isinstance(law, Ring | Particles):
            with pytest.raises(pf.NotAvailable, match="density"):
                energy.evaluate(law, rng=rng)
            continue
        estimate = energy.evaluate(law, rng=rng, n=50_000)
        draws = np.random.default_rng(11)
        if energy.internal is not None:
            _, log_density = law.sample_with_log_density(50_000, draws)
            values = energy.internal.per_mass_of_log(log_density)
        elif energy.potential is not None:
            values = energy.potential.value(law.sample(50_000, draws))
        else:
            if isinstance(law, Particles) and energy.interaction.singular:
                continue  # the sampled pairs coincide; test_a_cloud_leaves_out_its_own_pairs has this case
            values = 0.5 * energy.interaction.value(gaps)
        deviation = np.hypot(values.std() / np.sqrt(len(values)), estimate.stderr)
        # |x - y| has its kink inside the cells, where the nine Gauss nodes of this coarse grid see it only roughly
        rough = 0.03 * abs(estimate.value) if isinstance(law, GridLaw) and slot == "newtonian" else 1e-12
        rough = 2e-3 * abs(estimate.value) if isinstance(law, GridLaw) and slot == "gaussian" else rough
        assert abs(estimate.value - values.mean()) <= 5 * deviation + rough, slot
        assert ("Monte Carlo" in estimate.how) == (estimate.stderr > 0)


def test_the_slots_add_up_and_how_names_them():
    law = Gaussian(0.4, 0.3)
    parts = [
        pf.Energy(potential=DoubleWell()),
        pf.Energy(internal=pf.Entropy(0.5)),
        pf.Energy(interaction=QuadraticAttraction(2.0)),
    ]
    whole = pf.Energy(DoubleWell(), pf.Entropy(0.5), QuadraticAttraction(2.0)).evaluate(law)
    assert whole.value == pytest.approx(sum(part.evaluate(law).value for part in parts), rel=1e-14)
    assert whole.how == "potential: quadrature, internal: closed form, interaction: closed form"


def test_literature_values_with_the_half():
    newton, log = pf.Energy(interaction=PowerLaw(2.0, 1.0)), pf.Energy(interaction=LogRepulsion())
    assert newton.evaluate(Uniform(-1, 1)).value == pytest.approx(-1 / 6, rel=1e-12)
    assert log.evaluate(Semicircle(np.sqrt(2))).value == pytest.approx(3 / 8 + np.log(2) / 4, rel=1e-14)
    assert log.evaluate(Semicircle(np.sqrt(2))).how == "closed form"
    # E|X-Y| of a Gaussian is 2 deviation/√π
    assert newton.evaluate(Gaussian(0.3, 2.25)).value == pytest.approx(
        0.5 * (2.25 - 2 * 1.5 / np.sqrt(np.pi)), rel=1e-12
    )
    for d in (1, 2, 3, 10):  # the shell of W = |x|⁴/4 - |x|²/2: E = -d/(8(d+1))
        ring = Ring(np.sqrt(d / (2 * (d + 1))), np.zeros(d))
        assert pf.Energy(interaction=PowerLaw()).evaluate(ring).value == pytest.approx(-d / (8 * (d + 1)), rel=1e-12)
    fast = PowerLaw(3.0, 2.0)  # docs/math.md 2.1: -0.0578297133 at 3π/16
    assert pf.Energy(interaction=fast).evaluate(Ring(3 * np.pi / 16)).value == pytest.approx(-0.0578297133, abs=1e-10)


def test_log_kernel_of_a_uniform_law_is_its_double_integral():
    exact = dblquad(lambda y, x: np.log(x - y), 0, 1, 0, lambda x: x)[0] * 2
    value = pf.Energy(interaction=LogRepulsion(1.0, 1.0)).evaluate(Uniform(0, 1)).value
    assert value == pytest.approx(0.5 * (1 / 12 - exact), rel=1e-7)  # dblquad has a logarithm at the edge


def test_a_cloud_leaves_out_its_own_pairs_where_they_are_infinite():
    x, weights = np.array([0.0, 1.0, 3.0]), np.array([0.2, 0.5, 0.3])
    by_hand = sum(
        0.5 * weights[i] * weights[j] * ((x[i] - x[j]) ** 2 / 2 - np.log(abs(x[i] - x[j])))
        for i in range(3) for j in range(3) if i != j
    )  # fmt: skip
    assert pf.Energy(interaction=LogRepulsion()).evaluate(Particles(x, weights)).value == pytest.approx(
        by_hand, rel=1e-14
    )


def test_a_grid_whose_mass_is_off_by_the_tolerated_bit_has_an_energy():
    law = GridLaw(np.array([0.0, 1.0, 2.0]), [0.5 + 5e-9, 0.5])
    assert np.isfinite(pf.Energy(DoubleWell(), pf.Entropy(), GaussianAttraction()).evaluate(law).value)


def test_barenblatt_energy_is_its_power_integral():
    for d, m, t in ((1, 2.0, 0.3), (2, 2.4, 0.6), (15, 2.0, 1.5), (1, 1.001, 1.0), (3, 20.0, 2.0)):
        law = Barenblatt(d, m, t)
        assert pf.Energy(internal=pf.Power(m)).evaluate(law).value == pytest.approx(law.energy(), rel=1e-10)


def test_the_power_tends_to_the_entropy():
    # (r^m - r)/(m-1) -> r log r, [docs/math.md 0]; the difference is (m-1) E log²ρ / 2
    law = Gaussian(0.0, 0.04)
    m = 1 + 1e-6
    power = pf.Energy(internal=pf.Power(m)).evaluate(law).value - 1 / (m - 1)
    assert power == pytest.approx(pf.Energy(internal=pf.Entropy()).evaluate(law).value, abs=1e-5)


@pytest.mark.parametrize("dim, p", [(1, 3.0), (2, 1.0), (2, 4.0), (3, -1.0), (10, 2.0), (2, 0.0)])
def test_sphere_means(dim, p, rng):
    x, y = (Ring(1.0, np.zeros(dim)).sample(100_000, rng) for _ in range(2))
    r = np.linalg.norm(x - y, axis=1)
    if dim == 1:
        r = r[r > 0] if p < 0 else r
    values = r**p
    assert abs(sphere_mean_power(p, dim) - values.mean()) <= 5 * values.std() / np.sqrt(len(r)) + 1e-12


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: pf.Energy(), "three empty slots"),
        (lambda: pf.Energy(potential=3.0), "lacks dim, value"),
        (lambda: pf.Energy(internal="entropy"), "lacks of_law, per_mass"),
        (lambda: pf.Energy(interaction=lambda z: z), "lacks value, grad"),
        (lambda: pf.Entropy(0.0), "temperature is 0"),
        (lambda: pf.Entropy(-1.0), "temperature is -1"),
        (lambda: pf.Power(1.0), "Use Entropy"),
        (lambda: pf.Power(np.nan), "m is nan"),
        (lambda: pf.Power(2.0, -1.0), "coefficient is -1"),
        (lambda: pf.Energy(internal=pf.Entropy), "internal is the class Entropy. It must be an object"),
        (lambda: pf.Energy(internal=2), "internal=2 lacks of_law, per_mass.*Take one of Entropy, Power"),
    ],
)
def test_bad_energies(build, message):
    with pytest.raises(pf.BadInput, match=message):
        build()


def test_a_potential_made_from_a_radial_one_is_not_taken_for_radial():
    class Tilted(pf.energies.lifted.EvenPolynomial):
        def value(self, x):
            return super().value(x) + 3.0 * x[:, 0]

    potential, law = Tilted([0.0, 1.0], 3), Gaussian(np.zeros(3), 1.0)
    found = pf.Energy(potential).evaluate(law, rng=np.random.default_rng(0), n=40_000)
    assert found.value == pytest.approx(3.0, abs=5 * found.stderr)  # E|x|² = 3; along one direction alone it was 7.8
