"""What was asked, as canonical JSON data, and its SHA-256: names runs of a study and stamps reference files."""

from collections.abc import Iterator
from typing import Any

from . import walk_arrays, walk_classes, walk_code, walk_state
from .walk import Json, Walk, digest, refuse, text_of

VERSION = 2  # of the description; files and stores hold it. 1: the first edition, see fingerprint_first


def describe(thing: Any, name: str = "it", *, versions: bool = True) -> Json:
    """What an object is, as JSON data: equal descriptions mean equal behaviour, as far as Python can tell.

    Parameters
    ----------
    thing : object
        Objects of this package are described by the name of their class and their parameters; code of installed
        packages by name and version; your functions by their bytecode, constants, defaults, closures and the globals
        that they reach, your classes by their bases and all that is in them, your objects by their class and all that
        they hold, arrays and tensors by dtype, shape and content, objects of other packages by what pickle keeps of
        them.
    name : str
        What the messages call it.
    versions : bool
        Whether the versions of installed packages count.

    Returns
    -------
    dict, list, str, int, float, bool or None
        JSON data.

    Raises
    ------
    BadInput
        For what Python cannot tell: open files, sockets, locks, running generators, pointers, weak references, ufuncs
        of your own. The message has the path to it.

    Notes
    -----
    An object whose class has a method `described()` is described by that class and by what the method returns, which
    is the cure for what cannot be told. Numbers count by their value in parameters of this package (1 is 1.0, -0.0 is
    0.0, a list is an array) and by type and value in your own objects, where Python computes differently with them.
    Docstrings, annotations, line numbers and names of modules do not count. Not seen are the content of files, the
    environment, the state of global generators of random numbers, code that is found by a computed name in an
    installed package, and values other than code that were put into modules or classes of installed packages.
    """
    return _walked(thing, name, versions)[0]


def _walked(thing: Any, name: str, versions: bool) -> tuple[Json, Walk]:
    one = Walk((walk_classes.kind_of, walk_code.kind_of, walk_arrays.kind_of, walk_state.kind_of), versions)
    try:
        return one.of(thing, name), one
    except RecursionError:
        refuse(thing, name, "it is nested too deeply.")


def canonical(thing: Any, name: str = "it", *, versions: bool = True) -> str:
    """`describe(thing)` as JSON text with sorted keys and no spaces."""
    try:
        return text_of(describe(thing, name, versions=versions))
    except RecursionError:
        refuse(thing, name, "it is nested too deeply.")


def sha256(thing: Any, name: str = "it", *, versions: bool = True) -> str:
    """Hex digest of `canonical(thing)`."""
    return digest(canonical(thing, name, versions=versions))


def users_code(thing: Any) -> Iterator[Any]:
    """The user's own functions and classes on which an object depends, in the order in which the walk meets them."""
    yield from _walked(thing, "it", versions=False)[1].code


__all__ = ["canonical", "describe", "sha256"]  # VERSION and users_code are for files and stores
