"""Answers: each kind becomes the law that it is, is written and read back to the bit, or is refused with its place."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.case.answers import (
    ANSWERS,
    Moments,
    arrays_of,
    columns_of,
    from_table,
    law_of,
    represented,
    require_answer,
    table_of,
    written,
)
from pdeflow.laws import Gaussian, Particles

GRIDS = {1: [np.linspace(-9, 9, 61)], 2: [np.linspace(-9, 9, 25), np.linspace(-8, 10, 31)]}


def at(name, index):
    return f"f, {name}{list(index)}"


@pytest.mark.parametrize(("answer", "dim"), [(a, d) for a in ANSWERS for d in (1, 2) if (a, d) != ("quantiles", 2)])
def test_what_is_written_is_read_back_to_the_bit(answer, dim, rng):
    law = Gaussian(np.full(dim, 0.5), np.eye(dim) + 0.25)
    arrays = written(answer, law, rng, 50, GRIDS[dim])
    assert tuple(arrays) == arrays_of(answer, dim)
    table = table_of(answer, arrays, dim)
    assert table.shape[1] == len(columns_of(answer, dim))
    shuffled = rng.permutation(len(table)) if answer == "masses" else np.arange(len(table))  # cells in any order
    back, place = from_table(answer, table[shuffled], dim, "f", range(2, len(table) + 2))
    assert all(np.array_equal(back[name], arrays[name]) for name in arrays)
    if answer == "masses":
        row = int(np.flatnonzero(shuffled == 0)[0])
        assert place("mass", (0,) * dim) == f"f, line {row + 2}"
    found = law_of(answer, back, dim, "f", place)
    assert np.allclose(found.mean(), law.mean(), atol=1.0) and found.dim == dim


def test_moments_answer_their_two_questions_and_no_others(rng):
    law = Moments(np.array([1.0]), np.array([[2.0]]))
    assert law.answers() == ["mean", "cov"] and law == Moments([1.0], [[2.0]]) != Moments([1.0], [[3.0]])
    for ask in (lambda: law.sample(3, rng), lambda: law.quantile(0.5), lambda: law.log_density(np.zeros((1, 1)))):
        with pytest.raises(pf.NotAvailable):
            ask()


def test_the_representation_of_a_law_is_that_of_the_answer(rng):
    law = Gaussian(1.0, 0.5)
    cloud = represented("samples", law, Particles(np.zeros(77)), rng)
    assert cloud.x.shape == (77, 1)
    moments = represented("moments", law, Moments([0.0], [[1.0]]), rng)
    assert moments.mean() == 1.0 and moments.cov() == 0.5
    like = law_of("quantiles", {"level": np.linspace(0, 1, 11), "quantile": np.arange(11.0)}, 1, "f", at)
    quantiles = represented("quantiles", law, like, rng)
    assert np.array_equal(quantiles.quantile(np.linspace(0.1, 0.9, 9)), law.quantile(np.linspace(0.1, 0.9, 9)))
    assert np.isfinite(quantiles.quantile(np.array([0.0, 1.0]))).all()
    edges = np.linspace(-9, 9, 61)
    grid = law_of("masses", written("masses", law, rng, 0, [edges]), 1, "f", at)
    assert pf.metrics.l1(represented("masses", law, grid, rng), law).value < 1e-12
    narrow = pf.laws.GridLaw([0.0, 1.0, 2.0], [0.5, 0.5])
    with pytest.raises(pf.NotAvailable, match=r"holds 0\.8.* of the truth's mass"):
        represented("masses", law, narrow, rng)


E2 = np.eye(2)
BAD = [
    ("samples", {"samples": np.zeros((3, 3))}, 2, pf.BadInput, r"shape \(3, 3\).*\(n, 2\)"),
    ("samples", {"samples": np.zeros((1, 2))}, 2, pf.BadInput, "at least 2"),
    ("samples", {"samples": np.array([[0.0], [np.inf]])}, 1, pf.Diverged, r"samples\[1, 0\]: samples is inf"),
    ("masses", {"edges": np.array([0, 1, 1.0]), "mass": np.array([0.5, 0.5])}, 1, pf.BadInput, "increase strictly"),
    ("masses", {"edges": np.array([0, 1, 2.0]), "mass": np.array([1.0])}, 1, pf.BadInput, r"must be \(2,\)"),
    ("masses", {"edges": np.array([0, 1, 2.0]), "mass": np.array([1.1, -0.1])}, 1, pf.BadInput, r"mass\[1\].*-0.1"),
    ("masses", {"edges": np.array([0, 1, 2.0]), "mass": np.array([0.5, 0.5 - 1e-7])}, 1, pf.BadInput, "sum to 0.9999"),
    ("quantiles", {"level": np.array([0.1, 1]), "quantile": np.array([0, 1.0])}, 1, pf.BadInput, "from 0 to 1"),
    ("quantiles", {"level": np.array([0, 1.0]), "quantile": np.array([1, 0.0])}, 1, pf.BadInput, "must not decrease"),
    ("quantiles", {"level": np.array([0, 1.0]), "quantile": np.array([1.0])}, 1, pf.BadInput, "one for each level"),
    ("moments", {"mean": np.zeros(3), "cov": E2}, 2, pf.BadInput, r"mean has shape \(3,\)"),
    ("moments", {"mean": np.zeros(2), "cov": np.array([[1, 0.5], [0, 1]])}, 2, pf.BadInput, "symmetric"),
    ("moments", {"mean": np.zeros(2), "cov": -E2}, 2, pf.BadInput, "eigenvalue -1"),
]


@pytest.mark.parametrize(("answer", "arrays", "dim", "kind", "words"), BAD)
def test_what_is_no_such_answer_is_refused_with_its_place(answer, arrays, dim, kind, words):
    with pytest.raises(kind, match=words):
        law_of(answer, arrays, dim, "f", at)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[0, 1, 0.5], [1.1, 2, 0.5]], "line 1: the cell from 0 ends at 1, and the next one begins at 1.1"),
        ([[0, 1, 0.5], [0, 1, 0.5]], "line 2: this cell stands in f, line 1 too"),
        ([[0, 1, 0.5], [1, np.nan, 0.5]], "line 2: a number is nan"),
    ],
)
def test_cells_must_make_a_grid(table, words):
    with pytest.raises(pf.PdeflowError, match=words):
        from_table("masses", np.array(table, dtype=float), 1, "f", [1, 2])


def test_a_cell_of_a_grid_in_the_plane_that_is_missing_is_named():
    table = np.array([[0, 1, 0, 1, 0.5], [1, 2, 0, 1, 0.25], [0, 1, 1, 2, 0.25]], dtype=float)
    with pytest.raises(pf.BadInput, match=r"the cell \[1, 2\] x \[1, 2\] is missing"):
        from_table("masses", table, 2, "f", [1, 2, 3])


def test_kinds_that_a_dimension_does_not_have():
    for answer, dim, words in (
        ("density", 1, "samples, masses"),
        ("quantiles", 2, "line only"),
        ("masses", 4, "most 3"),
    ):
        with pytest.raises(pf.BadInput, match=words):
            require_answer(answer, dim, "f")
