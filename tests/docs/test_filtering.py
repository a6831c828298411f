"""The page on filtering prints what it says."""

from docs.blocks import run


def test_the_page_prints_what_it_says():
    names = run("filtering.md", rel=2e-3)
    assert names["truth"].times[-1] == 5.0
