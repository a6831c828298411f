"""A store, a fingerprint or a reference answers only what was asked."""

import functools
import importlib.util
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import pdeflow as pf

ROOT = Path(__file__).resolve().parents[2]


def made(text, **names):
    """`thing` of a program that has no source on file, as in a notebook and from standard input."""
    namespace = {"__name__": "__main__", "np": np, "pf": pf, **names}
    exec(textwrap.dedent(text), namespace)
    return namespace["thing"]


def differ(text, one, other):
    prints = [pf.fingerprint.sha256(made(text.replace("VALUE", value))) for value in (one, other, one)]
    return prints[0] == prints[2] != prints[1]


SCHEME = """
import numpy as np, pdeflow as pf
class Mine:
    def init(self, p, rng): return p.initial.quantile((np.arange(2000) + 0.5) / 2000)
    def step(self, p, x, dt, rng): return x - VALUE * dt * x
    def law(self, x): return pf.laws.Particles(x)
thing = Mine()
"""


def test_an_edit_of_a_class_is_another_question(tmp_path):
    """ipython/ipython#11249 and python/cpython#126032: the source of such a class is not available."""
    rows = []
    for factor in ("1.0", "-1.0"):
        study = pf.Study(
            pf.problems.ou(), {"mine": made(SCHEME.replace("VALUE", factor))}, {"dt": [0.5]}, pf.metrics.w2
        )
        rows.append(study.run(tmp_path, progress=False)[0]["error"])
    assert rows[0] != rows[1]


def test_the_command_line_sees_an_edit_of_the_file(tmp_path):
    """python/cpython#126032: the module of a study file is not in sys.modules."""
    prints = []
    for factor in ("1.0", "-1.0"):
        path = tmp_path / f"mine{len(prints)}.py"
        path.write_text(SCHEME.replace("VALUE", factor))
        spec = importlib.util.spec_from_file_location("a_study_file", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        prints.append(pf.fingerprint.sha256(module.thing))
    assert prints[0] != prints[1]


def test_two_lambdas_on_one_line_are_two_questions():
    """python/cpython#143299: the source of a lambda is its whole line."""
    one, other = [lambda x: x**2, lambda x: x**3]
    assert pf.fingerprint.sha256(one) != pf.fingerprint.sha256(other)


CONTENTS = {
    "spline": "from scipy.interpolate import CubicSpline; thing = CubicSpline([0, 1, 2], [0, VALUE, 1.0])",
    "tensor": "import torch; thing = torch.tensor([VALUE])",
    "deque": "import collections; thing = collections.deque([VALUE])",
    "slots": "class Mine:\n    __slots__ = ('k',)\nthing = Mine(); thing.k = VALUE",
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_objects_of_other_packages_hold_counts(kind):
    """joblib/joblib#1282 and huggingface/datasets#5170: tensors and C objects have no usable hash."""
    assert differ(f"{CONTENTS[kind]}\ntable = thing\nthing = lambda x: table", "2.0", "3.0")


REACHED = {
    "global": "K = VALUE\ndef thing(x): return K * x",
    "global of a called function": "K = VALUE\ndef f(x): return K * x\ndef thing(x): return f(x)",
    "class attribute": "class Mine: k = VALUE\nthing = Mine()",
    "base": "class Base:\n    def f(self): return VALUE\nclass Mine(Base): pass\nthing = Mine()",
    "wrapped name": "import functools\n@functools.wraps(pf.metrics.w2)\ndef thing(a, b): return VALUE",
    "type": "class Mine: pass\nthing = Mine(); thing.k = {VALUE: 1}",
}


@pytest.mark.parametrize("kind", REACHED)
def test_what_code_reaches_counts(kind):
    """joblib/joblib#1096: functions of one name whose surroundings changed are answered from the cache."""
    assert differ(REACHED[kind], "4", "'4'")


def test_nested_code_without_source_is_the_same_question_in_another_process():
    """ipython/ipython#11249: without source, the text of a nested code object holds an address."""
    program = "thing = lambda x: [y * 2 for y in x if y in {'a', 'b', 'c'}]"
    code = f"import pdeflow as pf; exec({program!r}); print(pf.fingerprint.sha256(thing))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == pf.fingerprint.sha256(made(program))


def test_a_function_that_calls_itself_can_be_asked():
    """joblib/joblib#1096: its closure holds the function itself."""
    program = "def make():\n    def f(n): return VALUE if n < 1 else f(n - 1)\n    return f\nthing = make()"
    assert differ(program, "1", "2")


def test_an_int_is_the_same_problem_as_its_float():
    """streamlit/streamlit#1388: what is equal must hash alike."""
    reference = pf.reference.load(ROOT / "references" / "ou_1d.h5")
    assert reference(pf.problems.ou(temperature=1, center=-0.0), [1.0]).final == reference.trajectory.at(1.0)


@pytest.mark.parametrize("thing", [threading.Lock(), (n for n in [1]), np.frompyfunc(abs, 1, 1)])
def test_what_cannot_be_told_is_refused_by_its_path(thing):
    """streamlit/streamlit#1388: an object that has no hash is named, with the cure."""

    def potential(x):
        return thing

    with pytest.raises(pf.BadInput, match=r"it\.closure\['thing'\] is of type .*described\(\)"):
        pf.fingerprint.describe(potential)


class Holder:
    def __init__(self, k):
        self.k, self.lock = k, threading.Lock()

    def described(self):
        return {"k": self.k}


def test_an_object_that_describes_itself_counts_with_its_class():
    """streamlit/streamlit#1388: the cure works, and the code of the class is still part of the question."""
    text = "class Mine:\n    def described(self): return 1\n    def f(self): return VALUE\nthing = Mine()"
    assert pf.fingerprint.sha256(Holder(1)) == pf.fingerprint.sha256(Holder(1)) != pf.fingerprint.sha256(Holder(2))
    assert differ(text, "1", "2")


def test_a_docstring_is_no_question():
    """joblib/joblib#1096: formatting and docstrings change no answer."""
    programs = ["def thing(x):\n    return x", 'def thing(x):\n    """Same."""\n\n    # and a comment\n    return x']
    assert len({pf.fingerprint.sha256(made(program)) for program in programs}) == 1


def test_a_cache_is_no_question_and_a_changed_cache_is():
    """huggingface/datasets#5170: the hash of an object changes with its use."""

    class Mine:
        @functools.cached_property
        def k(self):
            return 2

    fresh, used, changed = Mine(), Mine(), Mine()
    changed.k = 3
    assert used.k == 2 and pf.fingerprint.sha256(fresh) == pf.fingerprint.sha256(used) != pf.fingerprint.sha256(changed)


def test_a_store_has_a_name_and_stays_where_it_is(tmp_path, monkeypatch):
    """joblib/joblib#649: a relative folder moves with the process."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    study = pf.Study(pf.problems.ou(), {"mine": made(SCHEME.replace("VALUE", "1.0"))}, {"dt": [0.5]}, {"m": Moved()})
    with pytest.raises(pf.BadInput, match="store is ''"):
        study.run("", progress=False)
    study.run("store", progress=False)
    assert len(list((tmp_path / "store").glob("*.json"))) == 1


class Moved:
    """A metric that changes the current folder."""

    def __call__(self, approximation, truth):
        if Path("elsewhere").is_dir():
            os.chdir("elsewhere")
        return 0.0


IMPORTS = {
    "a submodule": ("one/consts.py", "from one import consts\n    return consts.K * x"),
    "a submodule by its dotted name": ("two/consts.py", "import two.consts\n    return two.consts.K * x"),
    "a package by a dotted name": ("three/__init__.py", "import three.consts\n    return three.K * x"),
    "a file with the name of a standard module": ("code.py", "import code\n    return code.K * x"),
}


@pytest.fixture(scope="module")
def prints_of_imports(tmp_path_factory):
    """The fingerprint of each function in a process of its own before and after the edit of what it imports."""
    place = tmp_path_factory.mktemp("study")
    for name in ("one", "two", "three"):
        (place / name).mkdir()
        for file in ("__init__.py", "consts.py"):
            (place / name / file).write_text("")
    functions = [f"def f{i}(x):\n    {body}\n" for i, (_, body) in enumerate(IMPORTS.values())]
    (place / "study.py").write_text("\n".join(functions))
    code = "import study, pdeflow as pf\nfor f in (study.f0, study.f1, study.f2, study.f3):"
    code += " print(before := pf.fingerprint.sha256(f)); f(1); assert pf.fingerprint.sha256(f) == before"
    environment = {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    prints = []
    for text in ("K = 1", "K = 2 + 0"):
        for changed, _ in IMPORTS.values():
            (place / changed).write_text(text)
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        prints.append(run.stdout.split())
    return prints


@pytest.mark.parametrize("kind", IMPORTS)
def test_what_a_function_imports_when_it_runs_counts(prints_of_imports, kind):
    """joblib/joblib#1096 and python/cpython#126032: modules that nobody has loaded yet when the question is asked."""
    before, after = (prints[list(IMPORTS).index(kind)] for prints in prints_of_imports)
    assert before != after


COMPUTED = {
    "import_module": "import importlib\ndef thing(x): return importlib.import_module('mine').K",
    "import_module under another name": "from importlib import import_module as load\n"
    "def thing(x): return load('mine').K",
    "__import__": "def thing(x): return __import__('mine').K",
    "sys.modules": "import sys\ndef thing(x): return sys.modules[__name__].K",
    "sys.modules imported within": "def thing(x):\n    import sys as s\n    return s.modules['mine'].K",
    "modules of sys": "from sys import modules\ndef thing(x): return modules['mine'].K",
    "frame": "import sys\ndef thing(x): return sys._getframe().f_globals['K']",
    "function": "def f(): pass\ndef thing(x): return f.__globals__['K']",
    "sys.path": "def thing(x):\n    import sys\n    sys.path.append('there')\n    import no_such_module\n",
}


@pytest.mark.parametrize("kind", COMPUTED)
def test_code_that_finds_globals_by_a_computed_name_is_refused(kind):
    """joblib/joblib#1096: the surroundings of a function that cannot be seen."""
    with pytest.raises(pf.BadInput, match=r"^it[ .].*described\(\)"):
        pf.fingerprint.describe(made(COMPUTED[kind]))


def test_attributes_that_a_module_makes_when_asked_count():
    """joblib/joblib#1096: a module's own __getattr__, and a property of its class."""
    module = "import types\nm = types.ModuleType('m')\ndef ask(name): return VALUE\nm.__getattr__ = ask\n"
    assert differ(f"{module}def thing(x): return m.k", "1", "2")
    module = "import types\nclass M(types.ModuleType):\n    @property\n    def k(self): return VALUE\nm = M('m')\n"
    assert differ(f"{module}def thing(x): return m.k", "1", "2") and differ(f"{module}def thing(): return m", "1", "2")


PUT = {
    "lambda on a law": "thing = pf.laws.Gaussian(0.0, 1.0); thing.sample = lambda n, rng: VALUE",
    "attribute on a law": "thing = pf.laws.Gaussian(0.0, 1.0); thing.note = VALUE",
    "lambda on a scheme": "thing = pf.grid.ChangCooper(100); object.__setattr__(thing, 'step', lambda *given: VALUE)",
    "partial method in a class": "put(functools.partialmethod(lambda self, k: k, k=VALUE))",
    "static method in a class": "put(staticmethod(lambda *given: VALUE))",
    "property in a class": "put(property(lambda self: VALUE))",
    "partial in a class": "put(functools.partial(lambda *given, k: k, k=VALUE))",
    "object in a class": "class Mine:\n    def __call__(self, *given): return VALUE\nput(Mine())",
    "compiled function in a class": "import numba\n@numba.njit\ndef f(x): return VALUE\nput(f)",
    "a built-in function in a class": "import operator; put(operator.itemgetter(VALUE))",
}


@pytest.mark.parametrize("kind", PUT)
def test_what_is_put_on_or_into_what_the_package_defines_counts(monkeypatch, kind):
    """joblib/joblib#1096: a method that is replaced at run time, by whatever can be called."""

    def put(step):
        monkeypatch.setattr(pf.grid.ChangCooper, "step", step)

    before = pf.fingerprint.sha256(pf.grid.ChangCooper(100))
    prints = []
    for value in ("1", "2"):
        namespace = {"__name__": "__main__", "pf": pf, "functools": functools, "put": put, "thing": None}
        exec(PUT[kind].replace("VALUE", value), namespace)
        prints.append(pf.fingerprint.sha256(namespace["thing"] or pf.grid.ChangCooper(100)))
    assert len({before, *prints}) == 3
    monkeypatch.undo()
    assert pf.fingerprint.sha256(pf.grid.ChangCooper(100)) == before


def test_a_setting_of_a_class_of_the_package_counts(monkeypatch):
    """joblib/joblib#1096: a constant in a class, or one that did not stand there."""
    before = pf.fingerprint.sha256(pf.grid.ChangCooper(100))
    monkeypatch.setattr(pf.grid.ChangCooper, "new_setting", 3, raising=False)
    assert pf.fingerprint.sha256(pf.grid.ChangCooper(100)) != before


HIDDEN = {
    "executed without a name": "space = {}\nexec('class P:\\n    k = VALUE\\ndef f(x): return P.k', space)\n"
    "thing = space['f']",
    "types.new_class": "import types; thing = types.new_class('C', (), {}, lambda space: space.update(k=VALUE))",
    "a metaclass's call": "import abc; thing = abc.ABCMeta('A', (), {'k': VALUE})()",
    "a base of such a class": "import types\nclass B: k = VALUE\nthing = types.new_class('C', (B,))",
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_a_class_that_does_not_stand_under_its_name_counts_by_all_that_is_in_it(kind):
    """python/cpython#126032: the module of a class that code makes is the module of that code, or none."""
    assert differ(HIDDEN[kind], "1", "2")


STATES = {
    "defaultdict": "import collections\nclass D(collections.defaultdict): pass\nthing = D(lambda: VALUE)",
    "order": "import collections\nclass D(collections.OrderedDict): pass\nthing = D(a=1, b=2)\n"
    "if VALUE == 2: thing.move_to_end('a')",
    "property": "class P(property): pass\nthing = P(lambda x: 1)\nthing.k = VALUE",
    "static method": "class S(staticmethod): pass\nthing = S(lambda x: 1)\nthing.k = VALUE",
    "lru_cache": "thing = functools.lru_cache(lambda x: 1)\nthing.k = VALUE",
    "scalar": "class F(np.float64):\n    def __mul__(self, other): return VALUE\nthing = F(2.0)",
    "attribute of a scalar": "class F(np.float64): pass\nthing = F(2.0)\nthing.k = VALUE",
    "value of a scalar": "class F(np.float64): pass\nthing = F(VALUE)",
    "enumeration": "import enum\nclass Color(enum.Enum):\n    R = 1\nColor.R.k = VALUE\nthing = lambda: Color.R",
    "tensor": "import torch; thing = torch.ones(3); thing.k = VALUE",
    "hook": "import torch\nthing = torch.ones(3, requires_grad=True)\nthing.register_hook(lambda g: VALUE * g)",
}


@pytest.mark.parametrize("kind", STATES)
def test_what_a_subclass_or_an_attribute_adds_to_a_built_in_object_counts(kind):
    """huggingface/datasets#5170 and joblib/joblib#1282: state beside the content."""
    assert differ("import functools\n" + STATES[kind], "1", "2")
