"""What code reaches by name."""

from pdeflow._core.bytecode import Import, instructions, reach


def code_of(text):
    namespace = {}
    exec(text, namespace)
    return namespace["f"].__code__


def test_globals_and_imports_of_nested_code_are_found():
    found = reach(code_of("def f(x):\n    import a.b\n    from .c import d\n    return lambda y: K * m.n.k(y)"))
    assert found.names == {"K": {()}, "m": {("n", "k")}}
    assert found.imports == {Import("a.b", 0, ()), Import("c", 1, ("d",))}


def test_a_docstring_is_no_instruction_and_a_constant_is():
    plain, told, other = (code_of(f"def f(x):{body}") for body in (" return 1", "\n  'doc'\n  return 1", " return 2"))
    assert instructions(plain) == instructions(told)
    assert instructions(plain).constants == (1,) and instructions(other).constants == (2,)
