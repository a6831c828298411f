"""The examples of docs/extend.md run as printed, and are as short as the page says."""

import ast

from docs.blocks import blocks, run


def test_the_examples_print_what_they_say():
    names = run("extend.md")
    assert {"Laplace", "Shear", "Quartic", "Cubic", "Cosh", "ImplicitLangevin", "median_error"} <= set(names)


def test_no_example_is_long():
    for code, _ in blocks("extend.md"):
        for node in ast.parse(code).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                lines = code.splitlines()[node.lineno - 1 : node.end_lineno]
                assert len([line for line in lines if line.strip()]) <= 15, node.name
