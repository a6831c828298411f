"""Every method through the same properties: mass, positivity, energy decay, equilibrium, determinism, the floor, and
saving."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy
from pdeflow.energies.potentials import FromFunction
from pdeflow.laws import Gaussian, GaussianMixture, Particles, Uniform

GRIDS = {
    "chang-cooper": pf.grid.ChangCooper(cells=200),
    "chang-cooper-2": pf.grid.ChangCooper(cells=200, time_order=2),
    "quantile-jko": pf.grid.QuantileJKO(points=150),
    "quantile-jko-2": pf.grid.QuantileJKO(points=150, time_order=2),
    "quantile-jko-uniform": pf.grid.QuantileJKO(points=150, grading="uniform"),
    "cvxopt-jko": pf.grid.CvxoptJKO(cells=120),
    "back-and-forth-jko": pf.grid.BackAndForthJKO(cells=200),
    "entropic-jko": pf.grid.EntropicJKO(cells=200, regularisation=0.01),
    "finite-volume": pf.grid.FiniteVolume(cells=200),
    "finite-volume-implicit": pf.grid.FiniteVolume(cells=200, stepping="implicit", time_order=1),
    "blob": pf.particle.Blob(cells=150),
}
METHODS = {
    **GRIDS,
    "euler-maruyama": pf.particle.EulerMaruyama(particles=4000),
    "proximal-recursion": pf.particle.ProximalRecursion(particles=1000),
    "icnn-jko": pf.neural.ICNNJKO(
        width=8, iterations=40, batch=512, training=pf.neural.Training(pool=4096, dtype="float64")
    ),
    "pwgf": pf.neural.PWGF(map=pf.neural.Planar(layers=4), samples=1000),
    "pfpe": pf.neural.PFPE(map=pf.neural.Planar(layers=3), samples=500, features=30),
    "dual-jko": pf.neural.DualJKO(bumps=20),
    "variational-jko": pf.neural.VariationalJKO(
        map=pf.neural.Convex(width=8, depth=1),
        outer=40,
        batch=512,
        dual=pf.neural.DualNetwork(width=16),
        training=pf.neural.Training(pool=4096, dtype="float64"),
    ),
}
CLOUDS = ("euler-maruyama", "proximal-recursion")  # points without a density, or with values that lack a constant
NETWORKS = ("icnn-jko", "pwgf", "pfpe", "variational-jko")
every = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
deterministic = pytest.mark.parametrize("method", GRIDS.values(), ids=GRIDS.keys())

OU = pf.problems.ou(initial=Gaussian(1.0, 0.25), temperature=0.5)
DT = 0.125


@pytest.fixture(scope="module", autouse=True)
def _optional_packages():
    pytest.importorskip("torch")
    pytest.importorskip("cvxopt")


@pytest.fixture(scope="module")
def runs():
    return {name: pf.solve(OU, method, dt=DT, times=[0.0, 0.25, 0.5], seed=1) for name, method in METHODS.items()}


def bits(law):
    for name in ("mass", "q", "x"):
        if hasattr(law, name):
            return getattr(law, name)
    return law.sample(20, np.random.default_rng(0))


@pytest.mark.parametrize("name", METHODS)
def test_mass_and_positivity(runs, name):
    # 1e-13 a step is round-off of sums over some hundred cells
    assert checks.mass(runs[name], tolerance=1e-12) <= 1e-12
    assert checks.positivity(runs[name], tolerance=0.0) == 0 or runs[name].laws[0].min_mass >= 0


@pytest.mark.parametrize("name", [name for name in METHODS if name not in CLOUDS])
def test_the_energy_falls(runs, name):
    rise = checks.energy_decay(OU, runs[name], rng=np.random.default_rng(0), n=20_000)
    assert rise < -0.01  # it falls by 0.2 and more over these times


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_has_no_entropy_but_its_potential_energy_falls(runs, name):
    with pytest.raises(pf.NotAvailable, match="density"):
        checks.energy_decay(OU, runs[name], rng=np.random.default_rng(0))
    potential = replace(OU, energy=Energy(potential=OU.energy.potential))
    assert checks.energy_decay(potential, runs[name]) < -0.05


@pytest.mark.parametrize("name", METHODS)
def test_the_mean_moves_as_the_scheme_says(runs, name):
    """Implicit Euler contracts the mean by 1/(1+dt) a step, explicit Euler by 1 - dt, higher orders as e^(-dt)."""
    means = [1.0, 1 / (1 + DT)]
    while len(means) < 5:
        means.append((4 * means[-1] - means[-2]) / (3 + 2 * DT))  # BDF2 after one step of implicit Euler
    higher = {
        "chang-cooper-2": np.exp(-DT),
        "finite-volume": np.exp(-DT),
        "pwgf": np.exp(-DT),
        "pfpe": np.exp(-DT),
        "blob": np.exp(-DT),
        "quantile-jko-2": means[4] ** 0.25,
    }
    factor = {**dict.fromkeys(CLOUDS, 1 - DT), **higher}.get(name, 1 / (1 + DT))
    # a grid errs by the square of its cells (locking for the coarse program), a cloud by 4/√n deviations, a short
    # training by some percent
    bound = {
        "euler-maruyama": 5 * 0.6 / np.sqrt(4000),
        "proximal-recursion": 5 * 0.6 / np.sqrt(1000),
        "cvxopt-jko": 0.05,
        "icnn-jko": 0.08,
        "variational-jko": 0.02,
        "quantile-jko-uniform": 5e-3,
        "chang-cooper-2": 2e-3,
        "finite-volume-implicit": 4e-3,  # its reconstruction has the shape of the start of a step: dt² a step
    }.get(name, 1e-3)
    law = runs[name].final
    mean = law.mean()[0] if "mean" in law.answers() else law.sample(100_000, np.random.default_rng(0)).mean()
    assert abs(mean - factor**4) < bound
    assert abs(mean - 1.0) > 4 * bound  # and it has moved


@every
def test_same_seed_same_bits_and_saving_often_changes_nothing(runs, method):
    name = next(key for key, value in METHODS.items() if value is method)
    again = pf.solve(OU, method, dt=DT, times=[0.5], seed=1)
    assert np.array_equal(bits(again.final), bits(runs[name].final))
    assert again.stats["steps"] == 4


@every
def test_the_start_represents_the_initial_law(runs, method):
    name = next(key for key, value in METHODS.items() if value is method)
    start = runs[name].at(0.0)
    bound = {
        "euler-maruyama": 0.05,
        "proximal-recursion": 0.1,
        "icnn-jko": 1e-9,
        "pwgf": 1e-9,
        "pfpe": 1e-9,
        "variational-jko": 1e-9,
        "cvxopt-jko": 0.05,
        "quantile-jko-uniform": 0.05,
    }.get(name, 0.01)
    distance = pf.metrics.w2(start, OU.initial, rng=np.random.default_rng(0)) if name not in NETWORKS else None
    if distance is not None:
        assert distance.value < bound
    else:
        x = np.linspace(-1, 2, 7)[:, None]
        assert np.allclose(start.log_density(x), OU.initial.log_density(x), atol=bound)


@every
def test_the_floor_of_a_law_of_its_own_kind_is_zero(runs, method):
    """init takes what law gives: starting at a run's own law changes nothing (networks start from samples of it)."""
    name = next(key for key, value in METHODS.items() if value is method)
    law = runs[name].final
    if isinstance(law, Particles):  # a cloud is resampled, as any law is: the same law up to sampling
        state = method.init(replace(OU, initial=law), np.random.default_rng(0))
        assert abs(method.law(state).mean()[0] - law.mean()[0]) < 5 * np.sqrt(law.cov()[0, 0] / 4000)
        return
    if name == "proximal-recursion":  # the density of its law is known at draws only: there is nothing to start from
        with pytest.raises(pf.Unsupported, match="density values"):
            method.init(replace(OU, initial=law), np.random.default_rng(0))
        return
    again = method.law(method.init(replace(OU, initial=law), np.random.default_rng(0)))
    if name in NETWORKS:
        x = np.linspace(0, 1, 5)[:, None]
        assert np.allclose(again.log_density(x), law.log_density(x), atol=1e-10)
    else:
        u = np.linspace(0.05, 0.95, 19)
        # its automatic domain follows the new start: half a cell; a mollifier adds 2ε² = 0.008 to the variance
        cell = {"cvxopt-jko": 0.2, "blob": 0.02}.get(name, 1e-10)
        assert np.allclose(again.quantile(u), law.quantile(u), atol=cell)


@deterministic
def test_the_stationary_law_stays(method):
    law = Gaussian(0.0, 0.5)
    final = pf.solve(replace(OU, initial=law), method, dt=0.5, times=[2.0]).final
    name = next(key for key, value in METHODS.items() if value is method)
    # W2 to the Gaussian after four long steps: the discrete equilibrium differs from it by what the mesh can hold
    # entropic transport warms the law by ε/(2 dt) = 0.01, which is 0.007 of a deviation
    # and a mollifier adds 2ε² = 0.012 to the variance of a law, which is 0.009 of its deviation
    bound = {"quantile-jko-uniform": 0.02, "cvxopt-jko": 2e-3, "entropic-jko": 0.01, "blob": 0.01}.get(name, 5e-4)
    assert pf.metrics.w2(final, law).value < bound
    if name.startswith("chang-cooper"):
        # exact cell masses differ from the scheme's own fixed point by the square of the cell
        assert checks.equilibrium(OU, method, law, dt=0.5, steps=4, tolerance=5e-5) < 5e-5
    gibbs = replace(OU, initial=final)
    # four steps of BDF2 have come to 2e-3 of the equilibrium on the mesh, eight would to 1e-5
    # and the mollifier narrows the cloud by 0.01 of a deviation, at whose seventh the outermost particle is
    drift = {"quantile-jko-uniform": 0.05, "quantile-jko-2": 3e-3, "blob": 0.1}.get(name, 1e-3)
    assert checks.equilibrium(gibbs, method, final, dt=0.5, steps=1, tolerance=drift) <= drift


@every
def test_what_a_method_cannot_treat_it_refuses_by_type(method):
    plane = pf.problems.ring_aggregation()
    porous = pf.problems.porous_medium(2, 2.0, 0.1, 0.5)
    refused = []
    for problem in (plane, porous):
        try:
            method.init(problem, np.random.default_rng(0))
        except pf.Unsupported as error:
            refused.append(problem.name)
            assert len(str(error)) > 40
    # the plane with Power is beyond all but these
    neural = pf.neural.PWGF | pf.neural.PFPE | pf.neural.VariationalJKO
    able = neural | pf.grid.FiniteVolume | pf.grid.BackAndForthJKO | pf.grid.EntropicJKO | pf.particle.Blob
    assert "porous_medium" in refused or isinstance(method, able)
    potential = FromFunction(lambda x: np.where(x[:, 0] > 0.9, np.nan, x[:, 0] ** 2), dim=1)
    broken = pf.Problem(Energy(potential, Entropy()), Gaussian(0.0, 1.0), 0.5, name="broken")
    with pytest.raises(pf.PdeflowError) as failure:
        pf.solve(broken, method, dt=0.25, times=[0.25])
    assert isinstance(failure.value, pf.BadInput | pf.Unsupported)


MOVING = pf.problems.ou(center=np.sin, initial=Gaussian(1.0, 0.25), temperature=0.5)


@pytest.mark.parametrize("name", METHODS)
def test_a_potential_that_changes_with_time_is_followed_or_refused(name):
    """No method takes V(0, x) for V(t, x): not in `solve`, and not in a loop of one's own."""
    method = METHODS[name]
    if name.startswith("chang-cooper") or name == "euler-maruyama":
        final = pf.solve(MOVING, method, dt=1 / 64, times=[1.0]).final
        # the error of the mean is below 1e-2 with its sampling error; a centre that stays at 0 is off by 0.30
        assert abs(final.mean()[0] - MOVING.exact(1.0).mean()[0]) < 0.03
        state = method.init(MOVING, np.random.default_rng(0))
        with pytest.raises(pf.Unsupported, match="called without one"):
            method.step(MOVING, state, DT, np.random.default_rng(0))
        return
    with pytest.raises(pf.Unsupported, match="knows no time"):
        pf.solve(MOVING, method, dt=DT, times=[0.25])
    with pytest.raises(pf.Unsupported, match="depends on time"):
        rng = np.random.default_rng(0)
        method.step(MOVING, method.init(MOVING, rng), DT, rng)


@every
def test_fields_are_checked_by_name_and_value(method):
    kind = type(method)
    first = next(iter(vars(method)))
    with pytest.raises(pf.UnknownField, match=f"Did you mean '{first}'"):
        kind(**{first + "s": 3})
    for bad in (0, -5, 2.5, "many"):
        with pytest.raises(pf.BadInput, match=first):
            replace(method, **{first: bad})
    names = {type(part).__name__: type(part) for part in (method, *vars(method).values())}  # fields may be grouped
    assert hash(method) == hash(replace(method)) and eval(repr(method), names) == method
    with pytest.raises((AttributeError, TypeError)):
        setattr(method, first, 3)


@every
def test_other_starts(method):
    """Separated components and a compact law run too: the laws stay probability laws."""
    for initial in (GaussianMixture([0.3, 0.7], [-1.0, 1.0], [0.04, 0.1]), Uniform(-0.5, 1.5)):
        if isinstance(method, pf.neural.PWGF | pf.neural.PFPE) and isinstance(initial, Uniform):
            with pytest.raises(pf.Unsupported, match="edge"):  # the velocity of a jump has infinite energy
                method.init(replace(OU, initial=initial), np.random.default_rng(0))
            continue
        flow = pf.solve(replace(OU, initial=initial), method, dt=0.25, times=[0.25], seed=2)
        assert checks.mass(flow, tolerance=1e-12) <= 1e-12
        x = flow.final.sample(2000, np.random.default_rng(0))
        assert np.all(np.isfinite(x)) and abs(x.mean() - initial.mean()[0] * 0.8) < 0.1
