"""Claims: what may be claimed, and how the worst verdict is found."""

from functools import partial

import numpy as np
import pytest
from cheap_schemes import Moments, small_study

import pdeflow as pf
from pdeflow._core.errors import BadInput

DTS = [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]


small = partial(small_study, DTS)


@pytest.mark.parametrize(
    "fields",
    [("", "w2", 1, 0.1, "x"), ("m", "w2", "1", 0.1, "x"), ("m", "w2", 1, 0, "x"), ("m", "w2", np.nan, 0.1, "x")],
)
def test_a_claim_that_means_nothing_is_refused(fields):
    with pytest.raises(BadInput):
        pf.Claim(*fields)


def test_claims_end_with_the_worst_verdict():
    table = small(methods={"euler": Moments(), "trapezoidal": Moments(0.5)}).run()
    good, bad = pf.Claim("euler", "moments", 1, 0.1, "x"), pf.Claim("trapezoidal", "moments", 1, 0.1, "x")
    assert (table.claims(good).worst, table.claims(good).exit_code) == ("pass", 0)
    assert (table.claims([good, bad]).worst, table.claims([bad]).exit_code) == ("fail", 1)
    table.claims([good]).assert_all()
    with pytest.raises(AssertionError, match="trapezoidal"):
        table.claims([good, bad]).assert_all()
    assert table.claims([bad]).to_dataframe()["verdict"].tolist() == ["fail"]
