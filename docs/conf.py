"""Sphinx settings: Markdown by MyST, docstrings by numpydoc. `make docs` builds with warnings as errors."""

import dataclasses
import inspect
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import pdeflow

project = "pdeflow"
author = "The pdeflow maintainers"
release = version = pdeflow.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
default_role = "code"  # docstrings write names in single backticks
smartquotes = False
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "description": "Numerical Wasserstein gradient flows, checked"}
html_show_copyright = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and units stand in the docstrings
autodoc_preserve_defaults = True


# What stays as it is: literals, and emphasis of words, as in *Discretisation.* or **not**.
MARKUP = re.compile(r"(``.*?``|`[^`]*`|(?<!\S)\*{1,2}[A-Za-z][A-Za-z ,'-]*\.?\*{1,2}(?=[\s.,;:)]|$))")


def _escaped(line: str) -> str:
    """The line with *, | and a final _ escaped where they are no markup: formulas are full of them."""
    parts = MARKUP.split(line)  # markup stands at the odd places
    parts[::2] = [re.sub(r"(?<!\\)(\*|\||_(?!\w))", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def as_plain_text(app, what, name, obj, options, lines):
    """Docstrings are plain text with formulas: a block that is indented after a blank line is shown as it stands."""
    result, indent, literal, blank = [], 0, None, True
    for line in lines:
        text = line.strip()
        here = len(line) - len(line.lstrip())
        if literal is not None and text and here < literal:
            literal = None
        if not text:
            blank = True
        elif literal is None:
            if blank and result and here > indent and not re.match(r"([-*]|\d+\.|\.\.) ", text):
                literal = here
                result += ["", " " * indent + "::", ""]
            indent = here if literal is None else indent
            blank = False
        if re.fullmatch(r"[-=~]{3,}", text):
            indent, blank = here, True  # a section may begin with a formula
        if literal is None and not re.fullmatch(r"[-=~]{3,}", text) and not text.startswith(">>>"):
            line = _escaped(line)
        result.append(line)
    lines[:] = result


def with_fields(app, what, name, obj, options, signature, return_annotation):
    """A dataclass is shown with its fields, whatever its __new__ accepts."""
    if what != "class" or not dataclasses.is_dataclass(obj):
        return None
    fields = inspect.signature(obj)
    plain = [field.replace(annotation=field.empty) for field in fields.parameters.values()]
    return str(fields.replace(parameters=plain, return_annotation=fields.empty)), None


def with_files(app, name, source):
    """Links to files outside docs/, such as reports: the site keeps a copy of them to download."""
    source[0] = source[0].replace("](../", "](path:../")


def setup(app):
    app.connect("source-read", with_files)
    app.connect("autodoc-process-docstring", as_plain_text, priority=400)  # before numpydoc reads the sections
    app.connect("autodoc-process-signature", with_fields)
