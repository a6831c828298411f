"""`import pdeflow` is fast and brings in no heavy library; its names resolve."""

import subprocess
import sys

import pytest

import pdeflow as pf

HEAVY = ("torch", "cvxopt", "numba", "pandas", "matplotlib", "ot", "h5py", "joblib", "rich", "click")


def _run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize(
    "use",
    [
        "",
        "pdeflow.problems.ou(); pdeflow.exact; pdeflow.laws.Gaussian(0, 1); pdeflow.solve; "
        "pdeflow.grid; pdeflow.neural; pdeflow.particle",
    ],
    ids=["import", "ground floor"],
)
def test_no_heavy_library(use):
    loaded = _run(f"import sys, pdeflow; {use}\nprint([m for m in {HEAVY} if m in sys.modules])")
    assert loaded.strip() == "[]"


def test_import_takes_under_a_fifth_of_a_second():
    code = "import time; start = time.perf_counter(); import pdeflow; print(time.perf_counter() - start)"
    # the best of three: another process on the machine may hold up one of them
    assert min(float(_run(code)) for _ in range(3)) < 0.2


def test_names_resolve_and_a_typing_error_lists_them():
    for name in (
        "Energy",
        "Entropy",
        "Power",
        "Problem",
        "Method",
        "solve",
        "exact",
        "exact_jko",
        "lift",
        "Trajectory",
        "Estimate",
    ):
        assert getattr(pf, name) is not None and name in dir(pf)
    for name in ("laws", "problems", "checks"):
        assert getattr(pf, name).__name__ == f"pdeflow.{name}"
    for name in ("energies.potentials", "energies.interactions", "_core.errors", "_core.fingerprint", "report.plot"):
        assert getattr(pf, name.rpartition(".")[2]).__name__ == f"pdeflow.{name}"
    with pytest.raises(AttributeError, match="has no attribute 'slove'"):
        _ = pf.slove


def test_errors_survive_the_way_back_from_a_worker():
    import pickle

    error = pf.Diverged("blew up", step=3, entry=(1, 2))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is pf.Diverged and str(again) == "blew up" and again.step == 3 and again.entry == (1, 2)
    kinds = [pf.BadInput, pf.Unsupported, pf.NotAvailable, pf.Diverged, pf.NotConverged, pf.BadReference]
    assert len({kind.status for kind in kinds}) == 6 and all(issubclass(kind, pf.PdeflowError) for kind in kinds)
    assert (
        issubclass(pf.UnknownField, TypeError)
        and issubclass(pf.UnknownField, pf.BadInput)
        and issubclass(pf.BadInput, ValueError)
    )
