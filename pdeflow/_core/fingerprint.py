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
        of your own, tensors with a graph of derivatives, code that finds modules or globals by a computed name, and
        classes that hide from pickle what a base in C holds. The message has the path to it.

    Notes
    -----
    An object whose class has a method `described()` is described by that class and by what the method returns, which
    is the cure for what cannot be told; a subclass that holds more must say so in a `described()` of its own. Numbers
    count by their value in parameters of this package (1 is 1.0, -0.0 is 0.0, a list is an array) and by type and value
    in your own objects, where Python computes differently with them. Docstrings, annotations, line numbers and names
    of modules do not count.

    What was put into installed modules, their functions and classes, or among the built-in names counts where your
    code looks it up by its name (`np.mine`), also through an import within a function, and functions and classes of
    yours that were put into an installed class count with each object of that class.

    Not seen, so that a run with a store may answer what was asked before the change, are:

    - the content of files that code reads, the environment, the time, the state of the process (`sys.path`,
      `torch.set_default_dtype`, `numpy.errstate`) and of the global generators of random numbers;
    - what is put into modules of installed packages or of this one for the use of their own code, such as another
      function in place of one that the package calls;
    - numbers in a module without Python text (as `math`) that is imported within a function, objects of a package that
      are put into a module of the same package, and private names, which begin with an underscore, put into a module
      that is imported within a function;
    - what a class of yours with `__getattribute__` hides from `vars`;
    - attributes of installed objects that pickle leaves out and that the text of their class sets, which are caches
      with few exceptions (`hard_mask` of a masked array), and whether two arrays share their memory.
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
