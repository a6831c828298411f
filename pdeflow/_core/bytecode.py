"""What a code object does, without its line numbers, docstring and file, and which globals and modules it reaches."""

import dis
import functools
import hashlib
import itertools
from dataclasses import dataclass
from types import CodeType

DOCSTRING_FLAG = 0x4000000  # of co_flags since Python 3.13: says only that there is a docstring

Chain = tuple[str, ...]  # the attributes that are looked up one after the other on a global


@dataclass(frozen=True)
class Import:
    """An import statement within a function: the module, how many packages up it starts, and the names taken."""

    module: str
    level: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """What code looks up by name when it runs, its nested functions and classes included.

    names : global name -> the chains of attributes looked up on it; an empty chain is a use of the thing itself.
    imports : modules that are imported when it runs.
    words : every name and every text in the code, with which it may ask for attributes.
    of_sys : the attributes of `sys` that are looked up where the code imports it itself.
    """

    names: dict[str, frozenset[Chain]]
    imports: frozenset[Import]
    words: frozenset[str]
    of_sys: frozenset[str]


@dataclass(frozen=True)
class Instructions:
    """The digest of everything but the constants, and the constants in the order of their first use."""

    digest: str
    constants: tuple[object, ...]


LOOKUPS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")


@functools.lru_cache(maxsize=4096)
def instructions(code: CodeType) -> Instructions:
    """What the code does. Constants that nothing loads (a docstring) are left out, so that it may be edited."""
    stream: list[int] = []
    constants: list[object] = []
    place: dict[int, int] = {}
    for step in dis.get_instructions(code):
        argument = -1 if step.arg is None else step.arg
        if step.opcode in dis.hasconst and step.arg is not None:
            if step.arg not in place:
                place[step.arg] = len(constants)
                constants.append(code.co_consts[step.arg])
            argument = place[step.arg]
        if step.opname != "EXTENDED_ARG":  # its part of the argument is in that of the next instruction
            stream += (step.opcode, argument)
    facts = (
        *(stream, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_name),
        *(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & ~DOCSTRING_FLAG),
        code.co_exceptiontable.hex(),
    )
    return Instructions(hashlib.sha256(repr(facts).encode()).hexdigest(), tuple(constants))


@functools.lru_cache(maxsize=4096)
def reach(code: CodeType) -> Reach:
    """The globals that the code may look up, and the modules that it imports when it runs."""
    names: dict[str, set[Chain]] = {}
    imports: set[Import] = set()
    words = {*code.co_names, *(text for text in code.co_consts if isinstance(text, str))}
    of_sys = _of_sys(code)
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    for at, step in enumerate(steps):
        if step.opname in LOOKUPS:
            names.setdefault(str(step.argval), set()).add(_chain(steps[at + 1 :][:8]))
        elif step.opname == "IMPORT_NAME":
            imports.add(_import(steps, at))
    for inner in (reach(constant) for constant in code.co_consts if isinstance(constant, CodeType)):
        imports |= inner.imports
        words |= inner.words
        of_sys |= inner.of_sys
        for name, chains in inner.names.items():
            names.setdefault(name, set()).update(chains)
    return Reach(
        {name: frozenset(chains) for name, chains in sorted(names.items())},
        frozenset(imports),
        frozenset(words),
        frozenset(of_sys),
    )


@functools.lru_cache(maxsize=4096)
def _names_of_sys(code: CodeType) -> frozenset[str]:
    """The variables that an import statement in the code binds to the module `sys`."""
    steps = list(dis.get_instructions(code))
    return frozenset(
        str(following.argval)
        for step, following in itertools.pairwise(steps)
        if step.opname == "IMPORT_NAME" and step.argval == "sys" and following.opname.startswith("STORE_")
    )


def _of_sys(code: CodeType) -> set[str]:
    """The attributes of `sys` that are looked up on the variables that the code itself binds to it."""
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    return {
        str(following.argval)
        for step, following in itertools.pairwise(steps)
        if step.opname.startswith("LOAD_") and following.opname in ATTRIBUTES and step.argval in _names_of_sys(code)
    }


def _chain(steps: list[dis.Instruction]) -> Chain:
    chain = []
    for step in steps:
        if step.opname not in ATTRIBUTES:
            break
        chain.append(str(step.argval))
    return tuple(chain)


def _import(steps: list[dis.Instruction], at: int) -> Import:
    """The compiler loads level and names as constants just before."""
    level, names = (steps[at - back].argval for back in (2, 1))
    taken = tuple(name for name in names or () if isinstance(name, str))
    return Import(str(steps[at].argval), level if isinstance(level, int) else 0, taken)
