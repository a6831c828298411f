"""Answers as text: comments, column names, separators, and the line of whatever is wrong."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.case.text_answers import Block, blocks_of, decoded, law_of_block, text_of


def law(text, answer="samples", dim=1):
    (block,) = blocks_of(text)
    return law_of_block(block, answer, dim, "f")


def test_blocks_begin_at_a_line_that_says_something():
    text = "# made by me\n1\n\n# dt = 0.5, time=1 colour=red\n2\n# a comment\n3\n"
    assert blocks_of(text) == [Block({}, 2, ["1"], [2]), Block({"dt": "0.5", "time": "1"}, 4, ["2", "3"], [5, 7])]
    assert blocks_of("") == blocks_of("# nothing said\n") == []


@pytest.mark.parametrize(
    "text", ["1,2\n3,4", "1 2\n3 4", "x1,x2\n1, 2\n3,4\n", '"x1","x2"\n1e0,2.\n\n3,+4', "\t1  2 \n3\t4"]
)
def test_one_cloud_in_many_spellings(text):
    assert law(text, dim=2).x.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("1\n2,3\n", pf.BadInput, r"f, line 2: 2 number\(s\), '2,3'"),
        ("1\n\n# x\ntwo\n", pf.BadInput, "f, line 4: 'two' is no number"),
        ("y\n1\n2\n", pf.BadInput, "line 1: 'y' is neither numbers nor the names.*x1"),
        ("x1\n", pf.BadInput, "no numbers follow"),
        ("1\nnan\n", pf.Diverged, "f, line 2: samples is nan"),
        ("1\n1e200\n", pf.Diverged, "line 2.*none beyond 1e"),
        ("1\n-inf\n", pf.Diverged, "f, line 2: samples is -inf"),
        ("# rows=3\n1\n2\n", pf.BadInput, "line 1 says rows=3, and 2 follow"),
        ("1\n0x10\n", pf.BadInput, "line 2: '0x10'"),
        ("1\n1_000\n", pf.BadInput, "line 2: '1_000'"),
    ],
)
def test_the_line_of_what_is_wrong_is_named(text, kind, words):
    with pytest.raises(kind, match=words):
        law(text)


def test_mixed_separators_and_decimal_commas_are_refused():
    with pytest.raises(pf.BadInput, match="One way is needed"):
        law("1,2\n3 4\n", dim=2)
    with pytest.raises(pf.BadInput, match="decimals with a point"):
        law("0,5\n1,5\n")
    with pytest.raises(pf.BadInput, match="line 2: byte 2 is no UTF-8 text"):
        decoded(b"1\n\xff", "f")


def test_doubles_survive_the_way_through_text(rng):
    table = rng.standard_normal((20, 2)) * 10.0 ** rng.integers(-300, 99, (20, 2))
    found = law(text_of(("x1", "x2"), table, "# answer=samples dt=1\n"), dim=2)
    assert np.array_equal(found.x, table)
