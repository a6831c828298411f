"""Every law answers the questions of metrics, schemes and files as its samples, its density and its quantiles do."""

import numpy as np
import pytest
from contract.law_cases import LAWS, LINE

import pdeflow as pf
from pdeflow.laws import AffineMap, Gaussian, GridLaw, KernelDensity, Particles, Product, Quantiles, Radial
from pdeflow.reference import schema

every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
every_line = pytest.mark.parametrize("law", LINE.values(), ids=LINE.keys())
N = 20_000


def near(mean, values):
    """Whether a mean is that of the values, to 5 standard errors."""
    return abs(mean - values.mean()) <= 5 * values.std() / np.sqrt(len(values)) + 1e-12 * (1 + abs(mean))


@every_law
@pytest.mark.parametrize("power", [0.0, 0.7])
def test_the_score_is_the_slope_of_the_log_density(law, power, rng):
    if "score" not in law.answers():
        with pytest.raises(pf.NotAvailable, match="score"):
            law.score(np.zeros((2, law.dim)))
        return
    x = law.sample(200, rng)
    deviation = np.sqrt(np.diag(law.cov()))
    score, weight = law.score(x, power), np.exp(power * law.log_density(x))
    assert score.shape == x.shape
    for i, h in enumerate(1e-5 * deviation):
        step = h * np.eye(law.dim)[i]
        with np.errstate(invalid="ignore"):
            slope = (law.log_density(x + step) - law.log_density(x - step)) / (2 * h) * weight
        inside = np.isfinite(slope)
        # central differences: the third derivative is large near an edge, so the middle of the differences is asked
        error = np.abs(slope - score[:, i])[inside] / (np.abs(score[:, i])[inside] + weight[inside] / deviation[i])
        assert np.median(error) <= 1e-6 and inside.mean() > 0.9


@every_law
def test_the_dissipation_is_finite_where_its_samples_settle(law, rng):
    for power in (0.0, 1.0):
        finite = law.finite_dissipation(power)
        assert finite in (True, False, None)
        if "score" not in law.answers():
            assert finite is not True
    if law.finite_dissipation() and law.has_density():
        assert "score" in law.answers() and np.isfinite(law.score(law.sample(500, rng))).all()


@every_law
def test_the_support_holds_the_samples_and_no_more(law, rng):
    low, high = law.support()
    x = law.sample(N, rng)
    assert low.shape == high.shape == (law.dim,) and np.all(low <= x.min(axis=0)) and np.all(x.max(axis=0) <= high)
    if law.dim == 1 and "quantile" in law.answers():
        assert (low[0], high[0]) == tuple(law.quantile(np.array([0.0, 1.0])))
    elif np.isfinite([low, high]).all() and not law.as_barenblatt():
        # of N draws none lies within a tenth of the width of a face with a probability below 1e-6 for these laws
        assert np.all(x.min(axis=0) - low <= 0.3 * (high - low)) and np.all(high - x.max(axis=0) <= 0.3 * (high - low))


@every_law
def test_densities_and_atoms_exclude_each_other(law, rng):
    dense = law.has_density()
    if dense is False:
        assert "log_density" not in law.answers()
    if "log_density" in law.answers():
        assert dense is True and law.atoms() is None
    if law.atoms() is not None:
        x, weights = law.atoms()
        assert x.shape == (len(weights), law.dim) and weights.sum() == pytest.approx(1, abs=1e-12)
        assert weights @ x == pytest.approx(law.mean(), abs=1e-14) and dense is not True
        drawn = law.sample(50, rng)
        assert all(np.any(np.all(point == x, axis=1)) for point in drawn)


@every_law
def test_gaussians_are_the_same_law(law, rng):
    x = law.sample(20, rng)
    mixture = law.gaussian_components()
    if law.as_gaussian() is not None:
        same = law.as_gaussian()
        assert isinstance(same, Gaussian) and np.array_equal(same.mean(), law.mean())
        assert np.allclose(same.cov(), law.cov(), rtol=1e-15, atol=0)
        assert np.allclose(same.log_density(x), law.log_density(x), rtol=1e-12, atol=1e-12)
        assert mixture is not None
    if mixture is not None:
        weights, parts = mixture
        with np.errstate(under="ignore"):
            density = sum(w * np.exp(part.log_density(x)) for w, part in zip(weights, parts))
        assert np.allclose(np.log(density), law.log_density(x), rtol=1e-10, atol=1e-10)


@every_law
def test_kinds_are_the_same_law(law):
    for kind in (law.as_barenblatt(), law.as_semicircle()):
        if kind is not None:
            assert np.array_equal(kind.mean(), law.mean()) and np.array_equal(kind.cov(), law.cov())
    family = law.scale_family()
    if family is not None:
        _, center, spread = family
        assert np.allclose(center, law.mean(), atol=1e-15) and len(spread) in (1, law.dim)
        assert np.sum(spread**2) == pytest.approx(np.trace(law.cov()), rel=1e-12)


@every_law
def test_blocks_are_independent(law, rng):
    assert law.blocks([law.dim]) == (law,) or law.factors() is not None or law.scale_family()[0][0] == "Uniform"
    for sizes in ([1] * law.dim, [1, law.dim - 1], [law.dim - 1, 1], [law.dim + 1]):
        if min(sizes) == 0:
            continue
        blocks = law.blocks(sizes)
        if blocks is None:
            continue
        assert [part.dim for part in blocks] == sizes
        assert np.allclose(np.concatenate([part.mean() for part in blocks]), law.mean(), atol=1e-14)
        if "log_density" in law.answers():
            x = law.sample(20, rng)
            ends = np.cumsum(sizes)
            logs = [part.log_density(x[:, end - part.dim : end]) for part, end in zip(blocks, ends)]
            assert np.allclose(sum(logs), law.log_density(x), rtol=1e-12, atol=1e-12)


@every_line
def test_linear_pieces_are_the_quantile_function(law):
    pieces = law.linear_pieces()
    if pieces is None:
        return
    levels, q = pieces
    assert levels[0] == 0 and levels[-1] == 1 and np.all(np.diff(levels) >= 0) and np.all(np.diff(q) >= 0)
    u = np.linspace(0, 1, 998)[1:-1]
    u = u[np.abs(u[:, None] - levels).min(axis=1) > 1e-9]
    i = np.searchsorted(levels, u, side="right") - 1
    value = q[i] + (q[i + 1] - q[i]) * (u - levels[i]) / (levels[i + 1] - levels[i])
    assert np.allclose(value, law.quantile(u), rtol=1e-12, atol=1e-12)


@every_law
def test_cell_masses_are_those_of_the_samples(law, rng):
    if law.dim > 3:
        return
    mean, deviation = law.mean(), np.sqrt(np.diag(law.cov()))
    axes = [m + s * np.linspace(-1.3, 1.7, 5 + i) for i, (m, s) in enumerate(zip(mean, np.maximum(deviation, 1e-9)))]
    cells = law.cell_masses(axes)
    if cells is None:
        assert (law.dim > 1 and "log_density" in law.answers()) or law.has_density() is False
        return
    assert cells.mass.shape == tuple(len(edges) - 1 for edges in axes) and cells.how.startswith("cell masses")
    assert cells.mass.sum() + cells.outside == pytest.approx(1, abs=1e-10)
    counts, _ = np.histogramdd(law.sample(N, rng), bins=axes)
    assert np.all(np.abs(counts / N - cells.mass) <= 5 * np.sqrt(cells.mass / N) + 5 / N)


@every_law
def test_projections_have_the_projected_moments(law, rng):
    direction = rng.standard_normal(law.dim)
    direction /= np.linalg.norm(direction)
    flat = law.projected(direction)
    if flat is not None:
        assert flat.dim == 1 and flat.mean()[0] == pytest.approx(law.mean() @ direction, rel=1e-12, abs=1e-12)
        assert flat.cov()[0, 0] == pytest.approx(direction @ law.cov() @ direction, rel=1e-12, abs=1e-12)


@every_law
def test_means_of_functions_and_of_pairs_are_those_of_the_samples(law, rng):
    def square(x):
        assert x.ndim == 2 and x.shape[1] == law.dim
        return (x**2).sum(axis=1)

    exact = law.mean_of(square)
    if exact is not None:
        assert exact.stderr == 0
        assert exact.value == pytest.approx(np.trace(law.cov()) + law.mean() @ law.mean(), rel=1e-9)
        wave = law.mean_of(lambda x: np.cos(x.sum(axis=1)))
        assert near(wave.value, np.cos(law.sample(N, rng).sum(axis=1)))
    gap = np.linalg.norm(law.sample(N, rng) - law.sample(N, rng), axis=1)
    for p in (0.0, 1.0, 1.5, 2.0, 4.0):
        exact = law.mean_pair_power(p)
        if exact is not None:
            assert near(exact.value, gap**p if p else np.log(gap)) and exact.stderr == 0
    assert law.mean_pair_power(2.0) is not None


@every_law
def test_nodes_stand_for_the_law(law):
    for most in (0, 10_000):
        nodes = law.quadrature_nodes(most)
        assert (nodes is None) == (law.grid_axes() is None)
        if nodes is not None:
            x, weights = nodes
            assert weights.sum() == pytest.approx(1, abs=1e-12) and weights @ x == pytest.approx(law.mean(), abs=1e-12)
            assert len(x) == law.mass.size * (3**law.dim if most else 1)


@every_law
def test_fields_name_their_axes_and_are_those_of_the_files(law):
    fields = law.fields()
    if fields is None:
        assert law.factors() is not None or type(law).__name__ in ("FromQuantile", "Mixture", "Radial", "Reweighted")
        return
    sizes = {}
    for name, (axes, array) in fields.items():
        assert len(axes) == np.ndim(array), name
        for axis, size in zip(axes, np.shape(array)):
            assert sizes.setdefault(axis, size) == size, (name, axis)
    variables = schema.encode(np.array([0.0, 1.0]), [law, law]).variables
    for name, (axes, array) in fields.items():
        constant = axes == (name,)
        assert variables[name].dims == (axes if constant else ("time", *axes)), name
        assert np.array_equal(variables[name].data if constant else variables[name].data[1], array), name


@every_line
def test_steps_are_a_density(law):
    steps = law.density_steps()
    assert (steps is not None) == isinstance(law, GridLaw | Quantiles)
    if steps is not None and law.has_density():
        edges, heights = steps
        assert np.diff(edges) @ heights == pytest.approx(1, abs=1e-12)
        middle = (edges[1:] + edges[:-1])[:, None] / 2
        with np.errstate(divide="ignore"):
            assert np.allclose(np.log(heights), law.log_density(middle), rtol=1e-12)


@every_law
def test_coordinates_change_where_the_law_does(law):
    assert all(isinstance(array, np.ndarray) for array in law.coordinates())
    if not isinstance(law, GridLaw | Particles | KernelDensity | Quantiles | Radial):
        assert all(np.array_equal(a, b) for a, b in zip(law.coordinates(), (law.mean(), law.cov())))
    assert abs(law.mass_error) <= 1e-8 and law.min_mass >= -1e-12


@every_law
def test_pushed_laws_have_the_pushed_moments(law, rng):
    matrix = np.eye(law.dim) + 0.3 * np.triu(np.ones((law.dim, law.dim)), 1)
    shift = np.arange(law.dim, dtype=float) + 1
    moved = law.pushed(AffineMap(matrix, shift))
    assert moved.mean() == pytest.approx(matrix @ law.mean() + shift, rel=1e-12, abs=1e-12)
    assert np.allclose(moved.cov(), matrix @ law.cov() @ matrix.T, rtol=1e-12, atol=1e-12)
    first, again = (each.sample(7, np.random.default_rng(3)) for each in (law, moved))
    if not isinstance(moved, Gaussian):
        assert np.allclose(first @ matrix.T + shift, again, rtol=1e-12, atol=1e-12)


def test_blocks_of_products_are_merged_and_split():
    first, second, third = Gaussian(0.0, 1.0), Gaussian([1.0, 2.0], np.diag([1.0, 4.0])), LINE["uniform"]
    law = Product([first, second, third])
    assert law.factors() == (first, second, third) == law.blocks([1, 2, 1])
    pair, rest = law.blocks([3, 1])
    assert pair.factors() == (first, second) and rest is third
    split = law.blocks([1, 1, 1, 1])
    assert [part.mean()[0] for part in split] == [0.0, 1.0, 2.0, 1.5]
    assert law.blocks([2, 2])[0].cov().tolist() == [[1.0, 0.0], [0.0, 1.0]]
    tilted = Product([Gaussian([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]]), third])
    assert tilted.blocks([1, 2]) is None and tilted.blocks([2, 1]) == tilted.laws and law.blocks([2]) is None
