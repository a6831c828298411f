"""Settings of the program around change no result: numpy, warnings, matplotlib, the locale, torch."""

import subprocess
import sys

import pytest

PROGRAM = """
import locale
import warnings
import matplotlib
import numpy
numpy.seterr(all="raise")
warnings.simplefilter("error")
matplotlib.use("svg")
matplotlib.rcParams.update({"font.size": 31, "axes.grid": True, "axes.unicode_minus": False})
locale.localeconv = lambda plain=locale.localeconv: {**plain(), "decimal_point": ",", "thousands_sep": "."}
locale._override_localeconv = {"decimal_point": ",", "thousands_sep": "."}
for name in ("de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"):
    try:
        locale.setlocale(locale.LC_ALL, name)
        break
    except locale.Error:
        pass
before = locale.setlocale(locale.LC_ALL)
"""

PROGRAM_IS_AS_IT_WAS = """
assert set(numpy.geterr().values()) == {"raise"}
assert locale.setlocale(locale.LC_ALL) == before and ("error", None, Warning, None, 0) in warnings.filters
assert matplotlib.get_backend() == "svg" and matplotlib.rcParams["font.size"] == 31
"""

# What a program may have set in torch, each alone; the first before pdeflow is imported.
TORCH = """
import torch
torch.set_default_dtype(torch.float64)
"""

NEURAL = """
import hashlib
import sys
import numpy as np
import pdeflow as pf

problem = pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5)
small = pf.neural.Training(pool=256)
neural = {
    "pwgf": pf.neural.PWGF(map=pf.neural.Planar(layers=2), samples=200),
    "pfpe": pf.neural.PFPE(map=pf.neural.Planar(layers=2), samples=200, features=10),
    "icnn": pf.neural.ICNNJKO(width=4, iterations=5, batch=64, training=small),
    "variational": pf.neural.VariationalJKO(outer=2, batch=64, training=small),
}

def show(methods):
    for name, method in methods.items():
        law = pf.solve(problem, method, dt=0.125, times=[0.25], seed=1).final
        print(name, hashlib.sha256(law.sample(50, np.random.default_rng(0)).tobytes()).hexdigest())

show(neural)
"""

OTHERS = """
methods = {
    "cc": pf.grid.ChangCooper(cells=60), "quantile": pf.grid.QuantileJKO(points=40),
    "cvxopt": pf.grid.CvxoptJKO(cells=40), "em": pf.particle.EulerMaruyama(particles=300),
}
show(methods)
folder, rng = sys.argv[1], np.random.default_rng(0)
metrics = {"w2": pf.metrics.w2, "kl": pf.metrics.kl, "l1": pf.metrics.l1}
study = pf.Study(problem, methods["cc"], {"dt": [0.25, 0.125]}, metrics, times=[0.5])
table = study.run(store=folder + "/store", progress=False)
print([(row["metric"], row["error"].hex(), row["status"]) for row in table])
print(table.orders("w2"))
table.to_csv(folder + "/table.csv")
print(open(folder + "/table.csv").read().count("\\n"), hashlib.sha256(str(table.orders("kl")).encode()).hexdigest())
truth = pf.exact(problem, [0.25])
file = pf.reference.save(folder + "/ou.h5", problem, truth, error=pf.Estimate(0.0, 0.0, "closed form", "w2"))
print(pf.reference.check(file), pf.reference.load(file).trajectory.final.mean())
print(pf.laws.GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36]).quantile(np.array([0.01, 0.3, 0.9])).tolist())
print(pf.metrics.sliced_w2(pf.laws.Gaussian([0.0, 1.0], 1.0), pf.laws.Uniform([0.0, 0.0], [1.0, 2.0]), n=1000, rng=rng))
"""


NEURAL_ONCE_MORE = """
def settings():
    return torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()

def show_unmoved():
    before = settings()
    show(neural)
    assert settings() == before

assert settings() == (torch.float64, True, False)
torch.set_default_dtype(torch.float16)
show_unmoved()
torch.set_default_dtype(torch.float32)
torch.set_grad_enabled(False)
show_unmoved()
torch.set_grad_enabled(True)
with torch.inference_mode():
    show_unmoved()
"""


def printed(code, folder):
    run = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("cvxopt")
    return printed(NEURAL + OTHERS, tmp_path_factory.mktemp("clean"))


def test_numpy_warnings_matplotlib_and_the_locale_change_no_result_and_stay_as_they_are(clean, tmp_path):
    assert printed(PROGRAM + NEURAL + OTHERS + PROGRAM_IS_AS_IT_WAS, tmp_path) == clean


def test_settings_of_torch_change_no_result_and_stay_as_they_are(clean, tmp_path):
    results = clean.splitlines()[:4]
    assert printed(TORCH + NEURAL + NEURAL_ONCE_MORE, tmp_path).splitlines() == 4 * results
