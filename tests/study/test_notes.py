"""Notes beside verdicts: errors that level off, and those that do not."""

import numpy as np
import pytest

import pdeflow as pf

H = 2.0 ** -np.arange(2, 9)


@pytest.mark.parametrize(
    ("error", "keywords", "at"),
    [
        (np.hypot(H, 0.05) * (1 + 0.01 * np.sin(3 / H)), {}, "errors level off at 0.0507 from h = 0.125 down"),
        (np.hypot(H, 0.05)[:4], {}, "0.44 fall: the errors begin to level off near 0.059"),
        (H + 0.1, {}, "begin to level off near 0.104"),
        (H + 0.02, {"floor": 1e-3}, "level off at 0.02 from h = 0.0312 down, above the measured floor 0.001"),
    ],
)
def test_errors_that_level_off_are_not_sent_to_finer_levels(error, keywords, at):
    found = pf.fit_order(H[: len(error)], error, expected=1, **keywords)
    assert found.verdict in ("fail", "inconclusive") and at in found.why, found.why
    assert "finer levels do not lower" in found.why and "the truth, whose own error is 0)" in found.why
    assert "coarser or more levels" not in found.why and "more levels or seeds" not in found.why


@pytest.mark.parametrize(
    ("error", "keywords"),
    [
        (H * np.array([1, 1.6, 0.8, 1.4, 1, 1.2, 0.9]), {}),  # scatter
        (H + 1e-3 / H, {}),  # errors that rise again
        (H**4 + 0.01 * H, {"order": 4}),  # order 4 becomes order 1
        (H**0.8, {}),  # another order
        (np.hypot(H, 0.05)[:4], {"stderr": 0.02}),  # noise may do that
        (H + 0.02, {}),  # passes: the plateau is excused, and said
    ],
)
def test_other_errors_do_not_level_off(error, keywords):
    order = keywords.pop("order", 1)
    found = pf.fit_order(H[: len(error)], error, expected=order, **keywords)
    assert "finer levels do not lower" not in found.why and "begin to level off" not in found.why, found.why


def test_a_truth_whose_error_is_not_known_is_named_where_errors_level_off():
    found = pf.fit_order(H, H + 0.1, expected=1, truth_error=np.nan)
    assert found.verdict == "inconclusive" and "the truth, whose own error is not known)" in found.why
