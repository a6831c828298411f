"""The page on logistic regression: its code runs, with a shorter chain and fewer, smaller steps than printed."""

import numpy as np
from docs.blocks import blocks


def test_the_blocks_of_the_page_run(capsys):
    first, second, third, fourth, fifth, sixth = (code for code, _ in blocks("logistic.md"))
    names: dict = {}
    exec(
        first.replace("default_rng(1))", "default_rng(1), draws=250, warm_up=50)").replace(".law()", ".law(1.1)"), names
    )
    exec(
        second.replace("batch=512", "batch=256, iterations=5").replace("65_536", "1024").replace("[3.0]", "[0.5]"),
        names,
    )
    assert names["draws"].shape == (4096, 22) and np.all(np.isfinite(names["draws"]))
    exec(third.replace("range(500)", "range(5)"), names)
    assert names["state"].steps == 5
    assert len(capsys.readouterr().out.splitlines()) == 2
    fourth = fourth.replace("batch=256, iterations=120", "batch=64, iterations=2").replace("32_768", "256")
    exec(fourth.replace("[5.0]", "[1.0]").replace("[6.0]", "[1.0]"), names)
    assert names["draws"].shape == (4096, 22)
    fifth = fifth.replace("150, 256", "2, 64").replace("[12.0]", "[3.0]")
    exec(fifth, names)
    assert names["second"].sample(8, np.random.default_rng(0)).shape == (8, 22)
    sixth = sixth.replace("1024", "64").replace("[10.0]", "[1.0]").replace("[300.0]", "[10.0]")
    exec(sixth, names)
    assert len(names["law"].sample(64, np.random.default_rng(0))) == 64
