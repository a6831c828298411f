"""Settings of the program around change no result: numpy, warnings, matplotlib, the locale, torch."""

import subprocess
import sys
import textwrap

import pytest

SETTINGS = {
    "numpy faults raise": "import numpy; numpy.seterr(all='raise')",
    "warnings are errors": "import warnings; warnings.simplefilter('error')",
    "matplotlib of the user": """
        import matplotlib
        matplotlib.use('svg')
        matplotlib.rcParams.update({'font.size': 31, 'axes.grid': True, 'axes.unicode_minus': False})
    """,
    "decimal comma": """
        import locale
        locale.localeconv = lambda plain=locale.localeconv: {**plain(), 'decimal_point': ',', 'thousands_sep': '.'}
        locale._override_localeconv = {'decimal_point': ',', 'thousands_sep': '.'}
        for name in ('de_DE.UTF-8', 'de_DE.utf8', 'fr_FR.UTF-8'):
            try:
                locale.setlocale(locale.LC_ALL, name)
                break
            except locale.Error:
                pass
    """,
    "torch in double precision": "import torch; torch.set_default_dtype(torch.float64)",
    "torch in half precision": "import torch; torch.set_default_dtype(torch.float16)",
    "torch without gradients": "import torch; torch.set_grad_enabled(False)",
    "torch for inference": "import torch; mode = torch.inference_mode(); mode.__enter__()",
}

RUN = """
import hashlib
import sys
import numpy as np
import pdeflow as pf

problem = pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5)
small = pf.neural.Training(pool=256)
methods = {
    "cc": pf.grid.ChangCooper(cells=60), "quantile": pf.grid.QuantileJKO(points=40),
    "cvxopt": pf.grid.CvxoptJKO(cells=40),
    "em": pf.particle.EulerMaruyama(particles=300), "pwgf": pf.neural.PWGF(map=pf.neural.Planar(layers=2), samples=200),
    "pfpe": pf.neural.PFPE(map=pf.neural.Planar(layers=2), samples=200, features=10),
    "icnn": pf.neural.ICNNJKO(width=4, iterations=5, batch=64, training=small),
    "variational": pf.neural.VariationalJKO(outer=3, batch=64, training=small),
}
folder, rng = sys.argv[1], np.random.default_rng(0)
for name, method in methods.items():
    law = pf.solve(problem, method, dt=0.125, times=[0.25], seed=1).final
    print(name, hashlib.sha256(law.sample(50, np.random.default_rng(0)).tobytes()).hexdigest())
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
print(pf.metrics.sliced_w2(pf.laws.Gaussian([0.0, 1.0], 1.0), pf.laws.Uniform([0.0, 0.0], [1.0, 2.0]), rng=rng))
"""


def result(setting, folder):
    folder.mkdir()
    code = textwrap.dedent(setting) + RUN
    run = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("cvxopt")
    return result("", tmp_path_factory.mktemp("clean") / "run")


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_results_are_those_of_a_clean_process(setting, clean, tmp_path):
    assert result(setting, tmp_path / "run") == clean


def test_the_settings_of_the_program_are_left_as_they_are(tmp_path):
    code = (
        "import numpy, torch; numpy.seterr(all='raise'); torch.set_default_dtype(torch.float16)\n"
        "torch.set_grad_enabled(False)\n"
        + RUN
        + "import torch; assert set(np.geterr().values()) == {'raise'} and torch.get_default_dtype() == torch.float16"
        + "\nassert not torch.is_grad_enabled()"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
