"""What every metric between samples must do, whichever it is."""

import numpy as np
import pytest

from pdeflow import metrics
from pdeflow.laws import Gaussian, Particles

# name -> the metric, and the power of the unit of length in which its value is
METRICS = {
    "energy_distance": (metrics.energy_distance, 0.5),
    "mmd": (metrics.mmd, 0.0),
    "mmd, multi-scale": (lambda a, b, **kwargs: metrics.mmd(a, b, bandwidth="multi-scale", **kwargs), 0.0),
    "sinkhorn_divergence": (metrics.sinkhorn_divergence, 1.0),
    "max_sliced_w2": (metrics.max_sliced_w2, 1.0),
    "c2st": (metrics.c2st, 0.0),
    "c2st, gaussian": (lambda a, b, **kwargs: metrics.c2st(a, b, classifier="gaussian", **kwargs), 0.0),
    "ksd": (metrics.ksd, -1.0),
}
X = np.random.default_rng(7).standard_normal((60, 3)) * np.array([1.0, 0.5, 2.0])
Y = np.random.default_rng(8).standard_normal((50, 3)) + np.array([1.0, 0.0, 0.0])


@pytest.fixture(params=list(METRICS))
def case(request):
    return METRICS[request.param], request.param == "ksd"


def measured(metric, is_ksd, x, y, scale=1.0, shift=0.0):
    """The metric between the clouds; to the standard Gaussian, in the same units, where it needs a density."""
    truth = Gaussian(np.full(3, shift), scale**2) if is_ksd else Particles(y)
    return metric(Particles(x), truth, rng=np.random.default_rng(3))


def test_units_of_length_and_the_origin(case):
    (metric, power), is_ksd = case
    one = measured(metric, is_ksd, X, Y)
    for scale, shift in ((1e-6, 0.0), (1e3, -5e3)):
        other = measured(metric, is_ksd, scale * X + shift, scale * Y + shift, scale, shift)
        for name in ("value", "stderr"):
            assert getattr(other, name) == pytest.approx(getattr(one, name) * scale**power, rel=1e-6), (name, scale)
        # which half of a cloud a null level is drawn from depends on the generator alone
        known = 1.0 if "c2st" in one.metric else scale**power
        assert other.null == pytest.approx(one.null * known, rel=1e-6)


def test_the_order_of_the_points_does_not_matter(case):
    (metric, _), is_ksd = case
    one, other = measured(metric, is_ksd, X, Y), measured(metric, is_ksd, X[::-1], Y[::-1])
    # sums in another order; the search of a direction ends within 1e-9 of the square
    assert other.value == pytest.approx(one.value, rel=1e-6) and other.stderr == pytest.approx(one.stderr, rel=1e-3)


def test_a_shift_is_detected_and_the_seed_decides_alone(case):
    (metric, _), is_ksd = case
    same, far = measured(metric, is_ksd, Y - np.array([1.0, 0, 0]), Y), measured(metric, is_ksd, X + 3.0, Y)
    assert far.value - far.null > 4 * far.stderr and far.value > same.value
    assert measured(metric, is_ksd, X + 3.0, Y) == far
    assert same.null is not None and same.null > 0 and same.how and same.metric


def test_rigid_motions_change_nothing(case):
    (metric, _), is_ksd = case
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((3, 3)))[0]
    one, other = measured(metric, is_ksd, X, Y), measured(metric, is_ksd, X @ turn, Y @ turn)
    if one.metric == "c2st":  # which splits another half, for it puts points in an order of their coordinates
        assert abs(other.value - one.value) < 4 * np.hypot(one.stderr, other.stderr)
        return
    assert other.value == pytest.approx(one.value, rel=1e-4)  # the best of other random starts
