"""What is asked wrongly ends in an error of the package that names the cure."""

import numpy as np
import pytest
from scipy import stats

import pdeflow as pf
from pdeflow.cli.study import load_validation
from pdeflow.laws import Gaussian, Law, Particles

OU = pf.problems.ou(horizon=0.1)


@pytest.mark.parametrize(
    "ask, near",
    [
        (lambda: pf.metrics.w2(OU.initial, OU.initial, sed=1), "w2"),
        (lambda: pf.metrics.kl(OU.initial, OU.initial, rgn=None), "'rng'"),
        (lambda: pf.metrics.energy_gap(OU.energy, breakpoint=[0.0]), "'breakpoints'"),
        (lambda: pf.metrics.energy_gap(OU.energy)(OU.initial, OU.initial, rgn=None), "'rng'"),
        (lambda: pf.exact(OU, time=[0.1]), "'times'"),
        (lambda: pf.exact_jko(OU, dt=0.1, time=[0.1]), "'times'"),
        (lambda: pf.reference.load("x.h5", overwrit=True), "load"),
        (lambda: pf.reference.make("x", overwrit=True), "'overwrite'"),
        (lambda: pf.checks.law(Gaussian(0.0, 1.0), rgn=None), "'rng'"),
        (lambda: study(pf.metrics.w2).run(stor="x"), "'store'"),
    ],
)
def test_an_unknown_argument_is_named_with_the_nearest_one(ask, near):
    """python/cpython#107944: a misspelt keyword is told the nearest one."""
    with pytest.raises(pf.errors.UnknownField, match=near):
        ask()


def test_an_argument_of_a_method_is_sent_there():
    """No public thread; found beside python/cpython#107944: the store belongs to `Study.run`."""
    with pytest.raises(pf.errors.UnknownField, match=r"Study\(\.\.\.\)\.run\(store=\.\.\.\)"):
        pf.Study(OU, pf.grid.ChangCooper(20), {"dt": [0.1]}, pf.metrics.w2, store="x")


def study(metric):
    return pf.Study(OU, pf.grid.ChangCooper(100), {"dt": [0.1, 0.05]}, {"own": metric})


def test_a_metric_below_zero_is_an_error():
    """autogluon/autogluon#524: an error with the wrong sign. The row said ok."""
    table = study(lambda approximation, truth: -1.0).run(progress=False)
    assert {row["status"] for row in table} == {"bad input"} and "at least 0" in table[0]["why"]


class Flat(Law):
    """A law whose draws have the shape (n,)."""

    dim = 1

    def sample(self, n, rng):
        return rng.standard_normal(n)


def test_draws_of_a_wrong_shape_are_an_error():
    """pymc-devs/pymc#1561: draws of another shape than was asked, and an IndexError far from there."""
    problem = pf.Problem(pf.Energy(pf.potentials.Quadratic(1.0), pf.Entropy()), Flat(), 0.1)
    rng = np.random.default_rng(0)
    for ask in (
        lambda: pf.solve(problem, pf.particle.EulerMaruyama(10), dt=0.1),
        lambda: pf.metrics.mean_error(Flat(), OU.initial, rng=rng),
        lambda: pf.Energy(pf.potentials.Quadratic(1.0)).evaluate(Flat(), rng=rng, n=10),
    ):
        with pytest.raises(pf.BadInput, match=r"sample of Flat.*shape \(n, 1\)"):
            ask()


def test_a_tensor_that_records_gradients_is_told_to_detach():
    """pytorch/pytorch#44023: numpy cannot hold it."""
    torch = pytest.importorskip("torch")
    with pytest.raises(pf.BadInput, match="detach"):
        Particles(torch.zeros(3, 1, requires_grad=True))


def test_a_study_file_that_does_not_exist_is_named_so(tmp_path):
    """No public thread; found by a trial: it was "not a Python file", and the study beside it was not named."""
    (tmp_path / "mine.py").write_text("def study(scale): ...")
    with pytest.raises(pf.BadInput, match=r"There is no file .*mien\.py.*Did you mean .*mine\.py"):
        load_validation(tmp_path / "mien.py")


def test_estimates_are_ordered_by_their_values():
    """No public thread; found by a trial: a bare TypeError for `error < 0.1`."""
    a, b = pf.Estimate(0.05, 0.01), pf.Estimate(0.2)
    assert a < 0.1 <= b and b > a and b >= np.float64(0.2) and not a > b
    with pytest.raises(TypeError):
        assert a < "0.1"


def test_a_tensor_of_another_precision_is_named_with_its_cure():
    """pytorch/pytorch#11951: two types in a message, and no word of the cure."""
    torch = pytest.importorskip("torch")
    weights = torch.eye(1, dtype=torch.float64)

    def value(x):
        return ((x @ (weights if torch.is_tensor(x) else weights.numpy())) ** 2).sum(-1)

    potential = pf.potentials.FromFunction(value)
    problem = pf.Problem(pf.Energy(potential, pf.Entropy()), Gaussian(0.0, 1.0), 0.1)
    with pytest.raises(pf.errors.Unsupported, match=r"W\.to\(x\.dtype\)"):
        pf.neural.VariationalJKO(training=pf.neural.Training(pool=2048)).init(problem, np.random.default_rng(0))


def test_a_formula_that_is_infinite_inside_is_named():
    """scipy/scipy#25968: t.ppf(1e-300, 3) is +inf, which looked like a heavy tail."""
    law = pf.laws.FromQuantile(lambda u: stats.t.ppf(u, 2.05))
    with pytest.raises(pf.NotConverged, match=r"quantile\(1e-300\) of FromQuantile\(dim=1\) is -?inf"):
        pf.metrics.w2(law, Gaussian(0.0, 1.0))
