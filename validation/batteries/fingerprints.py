"""Pairs of questions that differ in one place have two fingerprints, and equal ones have one in every process.

    python validation/batteries/fingerprints.py [--quick] [--out]

Each pair is a program of one kind in which one value differs. Its object is made and described in three processes with
other hash seeds: executed as text (a notebook, standard input), loaded from a file that is not in sys.modules (the
command line), and taken through cloudpickle (a worker). Bar: no collision, no difference between processes.
"""

import argparse
import importlib.util
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

PAIRS, QUICK = 10_000, 300

# A package whose modules nobody has loaded when the fingerprint is taken.
MODULE = (
    "import importlib, pathlib, sys\nplace = pathlib.Path(FOLDER) / 'pack_of_battery'\nplace.mkdir(exist_ok=True)\n"
    "(place / '__init__.py').write_text('')\n(place / 'consts.py').write_text('k = ' + repr(VALUE))\n"
    "for name in ('pack_of_battery', 'pack_of_battery.consts'): sys.modules.pop(name, None)\n"
    "if FOLDER not in sys.path: sys.path.insert(0, FOLDER)\nimportlib.invalidate_caches()\n"
)

# kind -> the program of an object `thing`, with the value that differs as VALUE
PROGRAMS = {
    "constant": "def thing(x): return x + VALUE",
    "nested code": "thing = lambda x: [y * VALUE for y in x]",
    "nested function": "def thing(x):\n    def inner(y): return y - VALUE\n    return inner(x)",
    "default": "def thing(x, k=VALUE): return x",
    "keyword default": "def thing(x, *, k=VALUE): return x",
    "closure": "def make(k): return lambda x: k * x\nthing = make(VALUE)",
    "recursive closure": "def make(k):\n    def f(n): return k if n < 1 else f(n - 1)\n    return f\n"
    "thing = make(VALUE)",
    "global": "K = VALUE\ndef thing(x): return K * x",
    "global of a called function": "K = VALUE\ndef f(x): return K * x\ndef thing(x): return f(x)",
    "global by eval": "K = VALUE\ndef thing(x): return eval('K * x')",
    "module by hand": "import types\nm = types.ModuleType('m')\nm.k = VALUE\ndef thing(x): return m.k * x",
    "module that makes its attributes": "import types\nm = types.ModuleType('m')\ndef make(name): return VALUE\n"
    "m.__getattr__ = make\ndef thing(x): return m.k",
    "class of a module": "import types\nclass Mine(types.ModuleType):\n    @property\n    def k(self): return VALUE\n"
    "m = Mine('m')\ndef thing(x): return m.k",
    "attribute of a function": "def thing(x): return x\nthing.k = VALUE",
    "class attribute": "class Mine:\n    k = VALUE\nthing = Mine()",
    "class attribute set later": "class Mine: pass\nMine.k = VALUE\nthing = Mine()",
    "base class": "class Base:\n    def f(self, x): return x + VALUE\nclass Mine(Base): pass\nthing = Mine()",
    "method": "class Mine:\n    def f(self, x): return x - VALUE\nthing = Mine()",
    "method with super": "class Mine(dict):\n    def get(self, x): return super().get(x, VALUE)\nthing = Mine()",
    "property": "class Mine:\n    @property\n    def k(self): return VALUE\nthing = Mine()",
    "static method": "class Mine:\n    @staticmethod\n    def k(): return VALUE\nthing = Mine()",
    "class method": "class Mine:\n    @classmethod\n    def k(cls): return VALUE\nthing = Mine",
    "cached property": "import functools\nclass Mine:\n    @functools.cached_property\n    def k(self): return VALUE\n"
    "thing = Mine()\nthing.k",
    "partial method": "import functools\nclass Mine:\n    def f(self, k): return k\n"
    "    g = functools.partialmethod(f, VALUE)\n"
    "thing = Mine()",
    "call": "class Mine:\n    def __call__(self, x): return x * VALUE\nthing = Mine()",
    "instance": "class Mine:\n    def __init__(self, k): self.k = k\nthing = Mine(VALUE)",
    "slots": "class Mine:\n    __slots__ = ('k',)\nthing = Mine()\nthing.k = VALUE",
    "dataclass": "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Mine:\n    k: object = VALUE\n"
    "thing = Mine()",
    "factory of a dataclass": "from dataclasses import dataclass, field\n@dataclass\nclass Mine:\n"
    "    k: list = field(default_factory=lambda: [VALUE])\nthing = Mine",
    "enumeration": "import enum\nclass Mine(enum.Enum):\n    A = (VALUE,)\n    B = 'b'\nthing = Mine.A",
    "named tuple": "import typing\nclass Mine(typing.NamedTuple):\n    k: object = None\nthing = Mine(VALUE)",
    "subclass of a list": "class Mine(list): pass\nthing = Mine([VALUE])",
    "metaclass": "class Meta(type):\n    def f(cls): return VALUE\nclass Mine(metaclass=Meta): pass\nthing = Mine()",
    "subclass of a built-in": "import pdeflow as pf\nclass Mine(pf.grid.ChangCooper):\n    def f(self): return VALUE\n"
    "thing = Mine()",
    "own potential": "import pdeflow as pf\nthing = pf.potentials.FromFunction(lambda x: (x**2).sum(1) * VALUE)",
    "method put on a law": "import pdeflow as pf\nthing = pf.laws.Gaussian(0.0, 1.0)\n"
    "thing.sample = lambda n, rng: VALUE",
    "class by new_class": "import types\nthing = types.new_class('C', (), {}, lambda space: space.update(k=VALUE))",
    "class by a metaclass": "import abc\nthing = abc.ABCMeta('A', (), {'k': VALUE})()",
    "partial": "import functools\ndef f(x, k): return x\nthing = functools.partial(f, k=VALUE)",
    "lru_cache": "import functools\n@functools.lru_cache\ndef thing(x): return x * VALUE",
    "wraps": "import functools, pdeflow as pf\n@functools.wraps(pf.metrics.w2)\ndef thing(a, b): return VALUE",
    "single dispatch": "import functools\n@functools.singledispatch\ndef thing(x): return x\n@thing.register(int)\n"
    "def _(x): return VALUE",
    "bound method": "class Mine:\n    def __init__(self, k): self.k = k\n    def f(self): return self.k\n"
    "thing = Mine(VALUE).f",
    "list": "thing = [1, [VALUE]]",
    "tuple": "thing = (1, (VALUE,))",
    "dict": "thing = {'a': VALUE}",
    "key": "thing = {('key', VALUE): 1}",
    "set": "thing = {'one', 'two', 'three', VALUE}",
    "cycle": "thing = [VALUE]\nthing.append(thing)",
    "deque": "import collections\nthing = collections.deque([VALUE])",
    "factory of a defaultdict": "import collections\nclass Mine(collections.defaultdict): pass\n"
    "thing = Mine(lambda: VALUE)",
    "attribute of a property": "class Mine(property): pass\nthing = Mine(lambda x: 1)\nthing.k = VALUE",
    "attribute of a cached function": "import functools\nthing = functools.lru_cache(lambda x: 1)\nthing.k = VALUE",
    "method of a scalar": "import numpy as np\nclass Mine(np.float64):\n    def __mul__(self, other): return VALUE\n"
    "thing = Mine(2.0)",
    "attribute of a member": "import enum\nclass Mine(enum.Enum):\n    A = 1\nMine.A.k = VALUE\n"
    "def thing(): return Mine.A",
    "value in an installed module": "import numpy as np\nnp.mine_of_battery = VALUE\n"
    "def thing(x): return np.mine_of_battery * x",
    "function in an installed module": "import numpy as np\nnp.linalg.mine_of_battery = lambda x: VALUE * x\n"
    "def thing(x): return np.linalg.mine_of_battery(x)",
    "object in an installed module": "import functools, numpy as np\n"
    "np.part_of_battery = functools.partial(max, VALUE)\n"
    "def thing(x): return np.part_of_battery(x)",
    "constant of an installed module": "import scipy.constants\nscipy.constants.gallon = VALUE\n"
    "def thing(x): return scipy.constants.gallon * x",
    "value in a module of the package": "import pdeflow as pf\npf.metrics.mine_of_battery = VALUE\n"
    "def thing(x): return pf.metrics.mine_of_battery * x",
    "value in an installed class": "from scipy.interpolate import PPoly\nPPoly.mine_of_battery = VALUE\n"
    "def thing(x): return PPoly.mine_of_battery * x",
    "installed module imported within": "import numpy\nnumpy.within_of_battery = VALUE\n"
    "def thing(x):\n    import numpy as n\n    return n.within_of_battery * x",
    "name taken from an installed module within": "import numpy\nnumpy.taken_of_battery = VALUE\n"
    "def thing(x):\n    from numpy import taken_of_battery as k\n    return k * x",
    "installed module handed on": "import numpy as np\nnp.handed_of_battery = VALUE\n"
    "def f(m): return m.handed_of_battery\ndef thing(x): return f(np) * x",
    "built-in name": "import builtins\nbuiltins.mine_of_battery = VALUE\ndef thing(x): return mine_of_battery * x",
    "function among the built-in names": "import builtins\nbuiltins.call_of_battery = lambda x: VALUE * x\n"
    "def thing(x): return call_of_battery(x)",
    "own module imported within": "import sys, types\nm = types.ModuleType('own_of_battery')\n"
    "sys.modules['own_of_battery'] = m\nm.k = VALUE\ndef thing(x):\n    import own_of_battery as m\n    return m.k * x",
    "submodule imported within": MODULE
    + "def thing(x):\n    from pack_of_battery import consts\n    return consts.k * x",
    "dotted submodule imported within": MODULE + "def thing(x):\n    import pack_of_battery.consts\n"
    "    return pack_of_battery.consts.k * x",
    "name of a submodule imported within": MODULE + "def thing(x):\n    from pack_of_battery.consts import k\n"
    "    return k * x",
    "overwritten cached property": "import pdeflow as pf\nthing = pf.laws.Gaussian(0.0, 1.0)\n"
    "vars(thing)['_rounding'] = VALUE",
    "state hidden from pickle": "class Mine:\n    def __init__(self, k): self.k = k\n"
    "    def __reduce__(self): return Mine, (0,)\nthing = Mine(VALUE)",
    "content hidden from pickle": "import collections\nclass Mine(collections.deque):\n"
    "    def __reduce__(self): return Mine, ()\nthing = Mine([VALUE])",
    "attribute that pickle leaves out": "import numpy as np\nthing = np.ma.masked_array([1.0])[:1].view(np.recarray)\n"
    "thing.__dict__['k'] = VALUE",
    "described": "import threading\nclass Mine:\n    def __init__(self): self.lock = threading.Lock()\n"
    "    def described(self): return [VALUE]\n"
    "thing = Mine()",
}
NUMBERS = {
    "array": "import numpy as np\nthing = np.array([1.0, VALUE, 3.0])",
    "long array": "import numpy as np\nthing = np.arange(5000.0)\nthing[4321] += VALUE",
    "array of objects": "import numpy as np\nthing = np.array([None, VALUE], dtype=object)",
    "record array": "import numpy as np\nthing = np.recarray((1,), dtype=[('a', float)])\nthing['a'] = VALUE",
    "tensor": "import torch\nthing = torch.tensor([1.0, VALUE], dtype=torch.float64)",
    "attribute of a tensor": "import torch\nthing = torch.ones(3)\nthing.k = VALUE",
    "hook of a tensor": "import torch\nthing = torch.ones(3, requires_grad=True)\n"
    "thing.register_hook(lambda g: VALUE * g)",
    "derivative of a tensor": "import torch\nthing = torch.ones(3, dtype=torch.float64, requires_grad=True)\n"
    "thing.grad = VALUE * torch.ones(3, dtype=torch.float64)",
    "derivative of a layer": "import torch\nlayer = torch.nn.Linear(1, 1, dtype=torch.float64)\n"
    "for p in layer.parameters(): torch.nn.init.ones_(p)\n"
    "(VALUE * layer(torch.ones(1, dtype=torch.float64)).sum()).backward()\n"
    "def thing(x): return layer.weight.grad * x",
    "layer": "import torch\nthing = torch.nn.Linear(1, 1, dtype=torch.float64)\n"
    "for p in thing.parameters(): torch.nn.init.constant_(p, VALUE)",
    "spline": "from scipy.interpolate import CubicSpline\nt = CubicSpline([0, 1, 2], [0.0, VALUE, 2.0])\n"
    "def thing(x): return t(x)",
    "pchip": "from scipy.interpolate import PchipInterpolator\nthing = PchipInterpolator([0, 1, 2], [0.0, VALUE, 2.0])",
    "sparse array": "import numpy as np, scipy.sparse\n"
    "thing = scipy.sparse.csr_array(np.array([[VALUE, 0], [0, 1e-9]]))",
    "frozen distribution": "import scipy.stats\nthing = scipy.stats.norm(VALUE, 1.0)",
    "data frame": "import pandas as pd\nthing = pd.DataFrame({'a': [1.0, VALUE]})",
    "compiled": "import numba\n@numba.njit\ndef thing(x): return x * VALUE",
    "generator": "import numpy as np\nthing = np.random.default_rng(abs(hash(VALUE)))",
    "law": "import pdeflow as pf\nthing = pf.laws.Gaussian(VALUE, 1.0)",
    "cloud": "import numpy as np, pdeflow as pf\nthing = pf.laws.Particles(np.array([[VALUE], [0.5]]))",
    "problem": "import pdeflow as pf\nthing = pf.problems.ou(center=VALUE)",
}

# What does not arrive in a worker as it was, which a test shows for each: globals that only a text names, the global
# generator of numpy, which frozen distributions hold and whose copy has a state of its own, the class of a number of
# numpy, hooks and derivatives of a tensor, and what a class or an array hides from pickle.
LEFT_BEHIND = {
    *("global by eval", "frozen distribution", "method of a scalar", "hook of a tensor", "derivative of a tensor"),
    *("derivative of a layer", "state hidden from pickle", "content hidden from pickle"),
    "attribute that pickle leaves out",
}


def two_values(rng, numbers):
    """Two values that differ: far apart, in the last digits, or, where any value will do, in type or sign of zero."""
    x = rng.uniform(-3.0, 3.0)
    ways = [(x, rng.uniform(-3.0, 3.0)), (x, x + 1e-9), (float(rng.randrange(9)), float(rng.randrange(9, 99)))]
    if not numbers:
        ways += [(1, 1.0), (1, True), (0.0, -0.0), (1, "1"), ("a", "b"), ((1, 2), (2, 1)), (None, 0), (b"a", "a")]
        ways += [(rng.randrange(99), rng.randrange(100, 999)), (2**70, 2**70 + 1), (frozenset("ab"), frozenset("ac"))]
    return rng.choice(ways)


def pairs(count, seed=0):
    """(kind, program, other program), each kind in turn."""
    rng = random.Random(seed)
    kinds = [(kind, text, False) for kind, text in PROGRAMS.items()] + [(k, text, True) for k, text in NUMBERS.items()]
    found = []
    for index in range(count):
        kind, text, numbers = kinds[index % len(kinds)]
        one, other = (text.replace("VALUE", f"({value!r})") for value in two_values(rng, numbers))
        found.append((kind, one, other))
    return found


def thing_of(kind, program, way, folder):
    """The object of a program, made in one of three ways."""
    program = program.replace("FOLDER", repr(str(folder)))
    sys.dont_write_bytecode = True  # of modules that change within a second
    if way == "file":
        path = Path(folder) / "mine.py"
        path.write_text("# moved down\n\n" + program, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("mine", path)
        module = importlib.util.module_from_spec(spec)
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
        return module.thing
    namespace = {"__name__": "__main__"}
    exec(program, namespace)
    if way == "text":
        return namespace["thing"]
    import cloudpickle

    if kind in LEFT_BEHIND:
        return namespace["thing"]
    try:
        return cloudpickle.loads(cloudpickle.dumps(namespace["thing"]))
    except (TypeError, pickle.PicklingError):  # a lock does not travel, nor does a cache under a name
        return namespace["thing"]


def prints(programs, way):
    """The fingerprint of the object of each (kind, program)."""
    from pdeflow import fingerprint

    with tempfile.TemporaryDirectory() as folder:
        return [fingerprint.sha256(thing_of(kind, program, way, folder)) for kind, program in programs]


def in_process(programs, way, seed):
    """`prints` in a process of its own."""
    code = f"import json, sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fingerprints"
    code += f"; json.dump(fingerprints.prints(json.load(sys.stdin), {way!r}), sys.stdout)"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        check=False,
    )
    if run.returncode:
        raise RuntimeError(run.stderr[-3000:])
    return json.loads(run.stdout)


def judge(found, ways=("text", "file", "worker")):
    """{kind: (pairs, collisions, differences between processes)}."""
    programs = [(kind, program) for kind, one, other in found for program in (one, other)]
    answers = [in_process(programs, way, 1 + index) for index, way in enumerate(ways)]
    count, collisions, differences = Counter(), Counter(), Counter()
    for index, (kind, *_) in enumerate(found):
        count[kind] += 1
        collisions[kind] += any(answer[2 * index] == answer[2 * index + 1] for answer in answers)
        differences[kind] += any(len({answer[2 * index + k] for answer in answers}) > 1 for k in (0, 1))
    return {kind: (count[kind], collisions[kind], differences[kind]) for kind in count}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", action="store_true", help="write the table into results/fingerprints.md")
    options = parser.parse_args()
    verdict = judge(pairs(QUICK if options.quick else PAIRS))
    total = [sum(row[k] for row in verdict.values()) for k in range(3)]
    lines = ["| kind | pairs | collisions | differences between processes |", "| --- | --- | --- | --- |"]
    lines += [f"| {kind} | {' | '.join(map(str, row))} |" for kind, row in verdict.items()]
    lines += [f"| all | {' | '.join(map(str, total))} |"]
    print("\n".join(lines))
    if options.out:
        place = Path(__file__).parent / "results" / "fingerprints.md"
        place.parent.mkdir(exist_ok=True)
        text = "\n".join(["# Fingerprints", "", "Bar: 0 collisions, 0 differences.", "", *lines])
        place.write_text(text + "\n", encoding="utf-8")
    sys.exit(1 if total[1] or total[2] else 0)


if __name__ == "__main__":
    main()
