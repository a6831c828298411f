"""While tests run, every function of the package whose annotations name array shapes is held to them.

A function may refuse an argument by an error of its own. What it returns must have the shapes that its annotations say
(jaxtyping), and so must what the package passes to it; this is judged by beartype after the call. Tests may pass more
than the annotations promise, such as lists. Modules that compile functions with numba are left as they are: a wrapped
function cannot be compiled.
"""

import functools
import inspect
import re
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from typing import Any, get_args

import numpy as np
from beartype import beartype
from beartype.roar import BeartypeCallHintParamViolation
from jaxtyping import AbstractArray, jaxtyped

SHAPES = re.compile(r"\b(Points|Values|Vector|Matrix|Numbers|Float)\b")


def names_shapes(annotation: Any) -> bool:
    """Whether an annotation, or a part of it, is an array with a shape."""
    if isinstance(annotation, str):
        return SHAPES.search(annotation) is not None
    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    return any(names_shapes(part) for part in get_args(annotation))


def after_the_call(function: Any) -> Any:
    """A type checker for `jaxtyped`, which calls it for the arguments before a call and for all of it after the call.

    Before the call nothing is judged, so that the function may refuse what it gets by an error of its own. Only
    annotations that name shapes are judged; a numpy number is an array of no dimensions.
    """
    if function.__annotations__.get("return") is Any:
        return function
    function.__annotations__ = {name: kind for name, kind in function.__annotations__.items() if names_shapes(kind)}
    judge = beartype(function)

    @functools.wraps(function)
    def judged(*args: Any, **kwargs: Any) -> Any:
        try:
            judge(*map(as_array, args), **{name: as_array(value) for name, value in kwargs.items()})
        except BeartypeCallHintParamViolation:
            if called_by_the_package():
                raise

    return judged


def called_by_the_package() -> bool:
    """Whether the function that is judged was called by the package itself."""
    frame = sys._getframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(("jaxtyping", "beartype", "shape_checks")) and frame.f_code.co_filename[0] != "<":
            return module.startswith("pdeflow.")
        frame = frame.f_back
    return False


def as_array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.generic) else value


def checked(thing: Any) -> Any:
    """A function, method or property with a check of its shapes; anything else as it is."""
    if isinstance(thing, staticmethod | classmethod):
        return type(thing)(checked(thing.__func__))
    if isinstance(thing, property):
        return property(checked(thing.fget), thing.fset, thing.fdel, thing.__doc__)
    if not inspect.isfunction(thing) or inspect.isgeneratorfunction(thing):
        return thing
    named = any(names_shapes(annotation) for annotation in thing.__annotations__.values())
    return jaxtyped(thing, typechecker=after_the_call) if named else thing


def check_module(module: Any) -> None:
    """Wrap what a module defines; its importers see the wrapped functions."""
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(thing):
            for attribute, member in list(vars(thing).items()):
                new = checked(member)
                if new is not member and attribute != "__init__":  # a dataclass may convert what its constructor takes
                    setattr(thing, attribute, new)
        else:
            setattr(module, name, checked(thing))


class CheckingLoader(Loader):
    """Runs a module with its own loader, then wraps its functions."""

    def __init__(self, loader: Any):
        self.loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self.loader.exec_module(module)
        check_module(module)


class CheckingFinder(MetaPathFinder):
    """Finds the modules of pdeflow that compile nothing with numba."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if not fullname.startswith("pdeflow."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        source = spec.loader.get_source(fullname) or ""  # type: ignore[attr-defined]
        if not re.search(r"^(from|import) numba\b|import .*\bcompiled\b", source, flags=re.M):
            spec.loader = CheckingLoader(spec.loader)
        return spec


def install() -> None:
    """Check the shapes in every module of pdeflow that is imported from now on."""
    loaded = [name for name in sys.modules if name.startswith("pdeflow.")]
    assert not loaded, f"imported before the check of shapes was installed: {loaded}"
    sys.meta_path.insert(0, CheckingFinder())
