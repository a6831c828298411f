"""Laws of a user's own kind in files."""

import numpy as np
import reference_cases as cases

import pdeflow as pf


class MyLaw(pf.laws.Gaussian):
    """A user's law: its class is not in the package, so that a file cannot rebuild it."""


class Cauchy(pf.laws.Law):
    """A user's law on the line: samples alone, and no moments."""

    def __init__(self, dim=1):
        self.dim = dim

    def sample(self, n, rng):
        return rng.standard_cauchy((n, self.dim))


class Logistic(pf.laws.Law):
    """A user's law with a density in the plane: two independent logistic variables about t."""

    dim = 2

    def __init__(self, t):
        self.t = t

    def sample(self, n, rng):
        return rng.logistic(self.t, size=(n, 2))

    def log_density(self, x):
        z = np.abs(x - self.t)
        return (-z - 2 * np.log1p(np.exp(-z))).sum(axis=1)


def test_a_users_own_law_is_stored_as_cell_masses_or_samples_and_says_so(tmp_path):
    line = pf.Trajectory([0.5, 1.0], [MyLaw(0.0, 1.0), MyLaw(1.0, 2.0)])
    reference = cases.saved(tmp_path / "line.h5", pf.problems.ou(), line)
    note = reference.provenance["law_note"]
    assert note.startswith("user law MyLaw, stored as masses of 1000 cells") and "distribution function" in note
    assert note in pf.reference.describe_file(tmp_path / "line.h5")
    for law, stored in zip(line.laws, reference.trajectory.laws):
        edges = stored.axes[0]
        assert isinstance(stored, pf.laws.GridLaw) and np.abs(stored.mass - np.diff(law.cdf(edges))).max() < 1e-12
    plane = cases.saved(tmp_path / "plane.h5", pf.problems.ou(2), pf.Trajectory([0.5], [Logistic(0.25)]))
    assert "user law Logistic, stored as masses of 128 x 128 cells" in plane.provenance["law_note"]
    assert np.allclose(plane.trajectory.final.mean(), 0.25, atol=1e-6)
    wild = cases.saved(tmp_path / "wild.h5", pf.problems.ou(), pf.Trajectory([0.5], [Cauchy()]))
    assert "user law Cauchy, stored as 10000 samples by seed 0" in wild.provenance["law_note"]
    expected = Cauchy().sample(10_000, np.random.default_rng(0))
    assert np.array_equal(wild.trajectory.final.x, expected)
    space = cases.saved(tmp_path / "space.h5", pf.problems.ou(3), pf.Trajectory([0.5], [Cauchy(3)]))
    assert "dimension 1 and 2" in space.provenance["law_note"] and space.trajectory.final.x.shape == (10_000, 3)
    for path in tmp_path.glob("*.h5"):
        assert pf.reference.check(path) == []
