"""The page on dimensions runs as printed."""

from docs.blocks import run


def test_the_page_prints_what_it_says():
    names = run("dimensions.md")
    # Euler-Maruyama in law has order one in every dimension; errors of independent coordinates add as squares
    assert names["growth"]["lower"] < 0.5 < names["growth"]["upper"]
