"""Pilot runs: what is added to them, and what they show."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.errors import BadInput
from pdeflow.study import Table
from pdeflow.study.pilot import Cost, Pilot, seen

CLAIM = pf.Claim("m", "mean", 1, 0.1, "x")


def row(dt, seed, error, **changes):
    zeros = dict.fromkeys(("floor", "truth_error", "first_call_seconds", "cpu_seconds", "memory", "steps"), 0.0)
    names = {"problem": "p", "method": "m", "metric": "mean", "status": "ok", "why": ""}
    unknown = dict.fromkeys(("null", "time_error", "scale"), np.nan)
    found = {"dt": dt, "seed": seed, "time": 1.0, "error": error, "stderr": 0.0, "seconds": 1 + 2 / dt}
    return {**names, **zeros, **unknown, **found, **changes}


def table(levels, seeds, spread=0.01):
    """Errors dt + spread (seed - 1) or so."""
    return Table([row(dt, seed, dt + spread * ((seed % 3) - 1)) for dt in levels for seed in seeds], "dt")


def test_a_pilot_runs_only_what_is_missing():
    asked = []

    def run(levels, seeds):
        asked.append((levels, seeds))
        return table(levels, seeds)

    pilot = Pilot(run)
    pilot.grow((0.5, 0.25), 3)
    pilot.grow((0.5, 0.25), 2)
    whole = pilot.grow((0.5, 0.25, 0.125), 5)
    assert asked == [((0.5, 0.25), range(3)), ((0.5, 0.25), range(3, 5)), ((0.125,), range(5))]
    assert len(whole.rows) == 15 and pilot.seeds(0.125) == 5 and pilot.seeds(0.0625) == 0
    assert {(r["dt"], r["seed"]) for r in whole.rows} == {(dt, s) for dt in (0.5, 0.25, 0.125) for s in range(5)}


def test_levels_with_many_seeds_tell_the_noise():
    """Three seeds have the deviation 0.01 at each level; a level of one seed tells nothing and takes over the rest."""
    rows = [*table((0.5, 0.25, 0.125), range(3)).rows, *table((0.0625,), range(1)).rows]
    (found,) = seen(Table(rows, "dt"), CLAIM)
    assert found.spread == pytest.approx(0.01, rel=1e-12) and found.freedom == 6
    np.testing.assert_allclose(found.stderr, 0.01 / np.sqrt([3, 3, 3, 1]), rtol=1e-12)
    # chi-square with 6 degrees of freedom: E 6/chi² = 1.5, by 200 draws to a tenth or so
    assert np.mean(found.spreads(np.random.default_rng(0)) ** 2) == pytest.approx(1.5e-4, rel=0.35)


def test_the_metrics_own_noise_counts_where_there_is_one_seed():
    rows = [row(dt, 0, dt, stderr=0.02) for dt in (0.5, 0.25, 0.125)]
    (found,) = seen(Table(rows, "dt"), CLAIM)
    assert found.spread == pytest.approx(0.02) and found.freedom == np.inf
    assert np.all(found.spreads(np.random.default_rng(0)) == found.spread)


def test_curves_spread_as_the_pilot_lets_them():
    """The curves pass through exact errors, and scatter about noisy ones by the noise of their seeds."""
    steps, rng = np.array([0.5, 0.25, 0.125]), np.random.default_rng(0)
    (exact,) = seen(table((0.5, 0.25, 0.125), range(2), spread=0.0), CLAIM)
    near = exact.curves(steps, rng) / steps
    assert np.abs(near - 1).max() < 0.06  # errors without noise are taken to be known to 1 %
    (loud,) = seen(table((0.5, 0.25, 0.125), range(3), spread=0.04), CLAIM)
    scatter = loud.curves(steps, rng).std(axis=0)
    # its own seeds alone tell the coarsest error (300 draws know a deviation to 4 %), coarser levels tell the others
    assert 0.85 * loud.stderr[0] < scatter[0] < 1.15 * loud.stderr[0] and scatter[2] < 0.8 * loud.stderr[2]


def test_seconds_are_a_constant_and_a_rate():
    cost = Cost(table((0.5, 0.25, 0.125), range(2)), {"m"})
    assert cost.of(np.array([0.5, 0.0625])) == pytest.approx(2 + 2 / 0.5 + 2 / 0.0625)


def test_a_pilot_without_errors_is_refused():
    bad = Table([row(dt, 0, np.nan) for dt in (0.5, 0.25, 0.125)], "dt")
    with pytest.raises(BadInput, match="A plan goes by 3 errors"):
        seen(bad, CLAIM)
