"""The sample statistics of validation/reproductions/variational_jko/mixtures.py against their definitions: MMD² and
KSD² are judged by them."""

import argparse
import importlib.util
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from pdeflow.cli.study import load_validation

torch = pytest.importorskip("torch")


ROOT = Path(__file__).resolve().parents[2] / "validation"


@pytest.fixture(scope="module")
def mixture():
    path = ROOT / "reproductions" / "variational_jko" / "mixtures.py"
    spec = importlib.util.spec_from_file_location("reproduced_mixtures", path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))  # where _report is
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("paper", ["fan2022", "jin2025", "mokrov2022"])
def test_every_figure_of_a_paper_can_be_asked_for(paper, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.syspath_prepend(str(ROOT / "reproductions"))
    spec = importlib.util.spec_from_file_location(f"paper_{paper}", ROOT / "reproductions" / f"{paper}.py")
    door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(door)
    for name, figure in door.FIGURES.items():
        module, parser = figure(), argparse.ArgumentParser()
        module.arguments(parser)
        assert callable(module.run) and parser.parse_args([]) is not None, name


def test_ksd_is_the_mean_of_the_stein_kernel_over_pairs(mixture, rng):
    x, d = rng.normal(size=(6, 3)), 3

    def stein(a, b):
        a, b = (torch.tensor(z, requires_grad=True) for z in (a, b))
        k = (1 + ((a - b) ** 2).sum() / d) ** -0.5
        at_a, at_b = torch.autograd.grad(k, (a, b), create_graph=True)
        trace = sum(torch.autograd.grad(at_b[i], a, retain_graph=True)[0][i] for i in range(d))
        score_a, score_b = -1.3 * a, -1.3 * b
        return float(((score_a @ score_b) * k + score_a @ at_b + score_b @ at_a + trace).detach())

    exact = np.mean([stein(x[i], x[j]) for i, j in permutations(range(6), 2)])
    assert mixture.ksd2(x, lambda z: -1.3 * z)[0] == pytest.approx(exact, rel=1e-12)


def test_mmd_is_unbiased_and_knows_its_error(mixture, rng):
    """Between N(0, I) and N(m, I) in d = 3 with the kernel of variance d: 2 (3/5)^(3/2) (1 - exp(-|m|²/10))."""
    exact = 2 * 0.6**1.5 * (1 - np.exp(-3 * 0.2**2 / 10))
    runs = np.array([mixture.mmd2(rng.normal(size=(300, 3)), 0.2 + rng.normal(size=(300, 3))) for _ in range(40)])
    assert runs[:, 0].mean() == pytest.approx(exact, abs=4 * runs[:, 0].std(ddof=1) / np.sqrt(40))
    # the spread of 40 runs is known to 11 %; the stated error leaves out a term of order 1/n², a few percent here
    assert runs[:, 1].mean() == pytest.approx(runs[:, 0].std(ddof=1), rel=0.4)
    assert runs[:, 0].mean() > 8 * runs[:, 0].std(ddof=1) / np.sqrt(40)  # so a lost factor would be seen


def test_shares_of_the_mixture_itself_are_its_weights(mixture, rng):
    target = mixture.problem_of("d = 8", 0).energy.potential.mixture
    share = mixture.shares(target.sample(20_000, rng), target)
    assert np.abs(share - target.weights).max() < 4 * np.sqrt(0.1 / 20_000)


@pytest.mark.parametrize("file", sorted((ROOT / "claims").glob("*.py")), ids=lambda file: file.stem)
def test_every_claim_family_builds_its_study(file):
    module = load_validation(file)
    assert module.CLAIMS and module.study("quick").cases() and module.study("paper").cases()
