"""Two names never share a file.

From: sphinx-gallery/sphinx-gallery#1056 (figures that overwrite each other) and python/cpython#88569 (the names that
Windows keeps).
"""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
from cheap_schemes import Contraction

import pdeflow as pf

# pairs that differ in a symbol, in case, behind a long beginning, and in how the words are cut
NAMES = [
    "well +",
    "well -",
    "Well +",
    "",
    "con",
    "\u00e9",
    "e\u0301",
    "a/b",
    "a.b",
    "dot.",
    "dot",
    "x" * 300,
    "x" * 301,
    "🙂",
    "🙃",
]


def test_every_problem_and_metric_of_a_report_has_figures_of_its_own(tmp_path):
    def off(name):
        def metric(approximation, truth, *, rng=None):
            return float(np.abs(approximation.mean() - truth.mean())[0])

        metric.__name__ = name
        return metric

    problems = [dataclasses.replace(pf.problems.ou(horizon=0.25), name=name) for name in NAMES[:2]]
    metrics = {name: off(name) for name in ("w2 a",)}
    table = pf.Study(problems, Contraction(), {"dt": [1 / 4, 1 / 8, 1 / 16]}, metrics).run(progress=False)
    text = pf.report.write(table, tmp_path, title="names").read_text(encoding="utf-8")
    shown = [line.rpartition("](")[2].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(shown) == 3 * 2 and len({name.lower() for name in shown}) == len(shown)
    assert {path.name for path in Path(tmp_path).glob("*.png")} == set(shown)


def test_names_are_files_on_any_system():
    from pdeflow._core.file_names import file_name

    names = [file_name(*words, ending=".png") for words in itertools.product(NAMES, repeat=2)]
    names += [file_name(word, ending=".png") for word in NAMES]
    names += [file_name("a_b", "c"), file_name("a", "b_c"), file_name("a-b", "c"), file_name("a", "b-c")]
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert name.isascii() and len(name) < 128 and not set(name) & set('<>:"/\\|?* ') and name.partition(".")[0]
        assert name.partition(".")[0] not in ("con", "nul", "aux") and not name.startswith(".")
    assert file_name("convergence", "ou", "w2", ending=".png") == "convergence-ou-w2.png"
