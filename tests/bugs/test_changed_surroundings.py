"""What changes around a user's code is another question: modules, built-in names, hidden state, derivatives."""

import builtins
import collections
import functools
import importlib

import numpy as np
import pytest

import pdeflow as pf


def prints_of(text, *values):
    """The fingerprint of `thing` of a program for each value."""
    prints = []
    for value in values:
        namespace = {"__name__": "__main__", "np": np, "pf": pf, "functools": functools, "collections": collections}
        exec(text.replace("VALUE", value), namespace)
        prints.append(pf.fingerprint.sha256(namespace["thing"]))
    return prints


def differ(text, one="1.0", other="2.0"):
    prints = prints_of(text, one, other, one)
    return prints[0] == prints[2] != prints[1]


IN_MODULES = {
    "value": "np.put_by_test = VALUE\ndef thing(x): return np.put_by_test * x",
    "function": "np.put_by_test = lambda x: VALUE * x\ndef thing(x): return np.put_by_test(x)",
    "array": "np.put_by_test = np.array([VALUE])\ndef thing(x): return np.put_by_test * x",
    "object": "np.put_by_test = functools.partial(max, VALUE)\ndef thing(x): return np.put_by_test(x)",
    "class": "class C: k = VALUE\nnp.put_by_test = C\ndef thing(x): return np.put_by_test.k",
    "submodule": "np.linalg.put_by_test = VALUE\ndef thing(x): return np.linalg.put_by_test * x",
    "attribute of a function": "np.linalg.norm.put_by_test = VALUE\ndef thing(x): return np.linalg.norm.put_by_test",
    "import within": "np.put_by_test = VALUE\ndef thing(x):\n    import numpy as n\n    return n.put_by_test * x",
    "name within": "np.put_by_test = VALUE\ndef thing(x):\n    from numpy import put_by_test as k\n    return k * x",
    "submodule within": "np.linalg.put_by_test = VALUE\ndef thing(x):\n    import numpy.linalg\n"
    "    return numpy.linalg.put_by_test * x",
    "handed on": "np.put_by_test = VALUE\ndef f(m): return m.put_by_test\ndef thing(x): return f(np) * x",
    "by getattr": "np.put_by_test = VALUE\ndef thing(x): return getattr(np, 'put_by_test') * x",
    "module without text": "import math\nmath.put_by_test = VALUE\ndef thing(x): return math.put_by_test * x",
    "this package": "pf.metrics.put_by_test = VALUE\ndef thing(x): return pf.metrics.put_by_test * x",
}


@pytest.fixture
def without_traces():
    yield
    math = importlib.import_module("math")
    for holder in (np, np.linalg, np.linalg.norm, math, pf.metrics, builtins):
        vars(holder).pop("put_by_test", None)


@pytest.mark.parametrize("kind", IN_MODULES)
def test_what_is_put_into_an_installed_module_counts_where_it_is_looked_up(kind, without_traces):
    """joblib/joblib#1096: functions of one text whose surroundings changed are answered from the cache."""
    assert differ(IN_MODULES[kind])


def test_a_constant_of_an_installed_module_that_was_changed_counts(monkeypatch):
    """joblib/joblib#1096: the module is told by its version, which a changed constant does not change."""
    programs = ["def thing(x): return np.pi * x", "import scipy.constants as c\ndef thing(x): return c.gallon * x"]
    before = [prints_of(program, "")[0] for program in programs]
    monkeypatch.setattr(np, "pi", 3.0)
    monkeypatch.setattr(importlib.import_module("scipy.constants"), "gallon", 1.0)
    assert all(prints_of(program, "")[0] != old for program, old in zip(programs, before, strict=True))


def test_what_nobody_has_put_anywhere_changes_no_fingerprint(monkeypatch):
    """joblib/joblib#1096: only what the code looks up is part of the question."""
    program = "def thing(x):\n    from numpy import linalg\n    return np.tanh(linalg.norm(x))"
    before = prints_of(program, "")
    monkeypatch.setattr(np, "put_by_test", 1.0, raising=False)
    assert prints_of(program, "") == before


IN_BUILT_INS = {
    "value": "builtins.put_by_test = VALUE\ndef thing(x): return put_by_test * x",
    "function": "builtins.put_by_test = lambda x: VALUE * x\ndef thing(x): return put_by_test(x)",
    "eval by its module": "K = VALUE\ndef thing(x): return builtins.eval('K * x')",
    "eval of an import within": "K = VALUE\ndef thing(x):\n    import builtins as b\n    return b.eval('K * x')",
}


@pytest.mark.parametrize("kind", IN_BUILT_INS)
def test_names_put_among_the_built_in_ones_count(kind, without_traces):
    """joblib/joblib#1096: a global that stands neither in the function nor in its module."""
    assert differ(f"import builtins\n{IN_BUILT_INS[kind]}")


def test_a_built_in_function_that_was_replaced_counts(monkeypatch):
    """joblib/joblib#1096: the name is the same, the function another."""
    program = "def thing(x): return pow(x, 2)"
    before = prints_of(program, "")
    monkeypatch.setattr(builtins, "pow", lambda x, k: x)
    assert prints_of(program, "") != before


@pytest.mark.parametrize("text", ["e = eval\ndef thing(x): return e('K')", "thing = functools.partial(eval, 'K')"])
def test_eval_under_another_name_is_refused(text):
    """joblib/joblib#1096: it reaches every global, and nobody sees which."""
    with pytest.raises(pf.BadInput, match=r"^it.*under another name than eval.*described\(\)"):
        prints_of(f"K = 1\n{text}", "")


HIDDEN = {
    "deque": "class M(collections.deque):\n    def __reduce__(self): return M, ()\nthing = M([VALUE])",
    "generator": "import random\nclass M(random.Random):\n    def __reduce__(self): return M, (0,)\nthing = M(VALUE)",
    "attribute of a record array": "thing = np.recarray((1,), dtype=[('a', float)])\nthing['a'] = 1.0\n"
    "thing.__dict__['k'] = VALUE",
    "name of a file": "class M(OSError): pass\nthing = M(2, 'text', str(VALUE))",
    "cached property of a law": "thing = pf.laws.Gaussian(0.0, 1.0); vars(thing)['_rounding'] = VALUE",
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_an_object_hides_from_pickle_counts(kind):
    """huggingface/datasets#5170: two objects with one pickle."""
    assert differ(HIDDEN[kind])


def test_a_class_that_hides_what_its_base_in_c_holds_is_refused():
    """huggingface/datasets#5170: nobody can ask the base."""
    text = "class M(collections.deque):\n    def __getstate__(self): return {}\nthing = M([1])"
    with pytest.raises(pf.BadInput, match=r"^it .*__getstate__.*described\(\)"):
        prints_of(text, "")


DERIVATIVES = {
    "tensor": "thing = torch.ones(3, requires_grad=True)\nthing.grad = VALUE * torch.ones(3)",
    "used by a function": "t = torch.ones(3, requires_grad=True)\nt.grad = VALUE * torch.ones(3)\n"
    "def thing(x): return x * t.grad",
}


@pytest.mark.parametrize("kind", DERIVATIVES)
def test_the_derivative_that_a_tensor_holds_counts(kind):
    """joblib/joblib#1282: a tensor holds more than its numbers."""
    assert differ(f"import torch\n{DERIVATIVES[kind]}")


def test_a_tensor_with_a_graph_is_refused():
    """joblib/joblib#1282: equal numbers, another derivative."""
    with pytest.raises(pf.BadInput, match=r"^it .*detach\(\).*described\(\)"):
        prints_of("import torch\nthing = 2 * torch.ones(3, requires_grad=True)", "")


TURNED = """
class Mine:
    def init(self, p, rng): return p.initial.quantile((np.arange(100) + 0.5) / 100)
    def step(self, p, x, dt, rng): return x - dt * np.pi * x
    def law(self, x): return pf.laws.Particles(x)
thing = Mine()
"""


def test_rows_of_a_worker_that_was_asked_another_question_are_not_stored(tmp_path, monkeypatch):
    """joblib/joblib#1096: a worker imports afresh a module that was changed here, and answers for the unchanged one."""
    monkeypatch.setattr(np, "pi", 1.0)
    namespace = {"__name__": "__main__", "np": np, "pf": pf}
    exec(TURNED, namespace)
    study = pf.Study(pf.problems.ou(), {"mine": namespace["thing"]}, {"dt": [0.5]}, pf.metrics.w2)
    with pytest.raises(pf.BadInput, match=r"method does not arrive in a worker.*jobs=1"):
        study.run(tmp_path, jobs=2, progress=False)
    assert list(tmp_path.glob("*.json")) == [] and study.run(tmp_path, progress=False).reused == 0
