"""The workflow, the hooks, the changelog and CONTRIBUTING name commands, versions and headings that exist."""

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_workflow_runs_the_readmes_test_command_on_every_python():
    workflow = _text(".github/workflows/tests.yml")
    assert "make PYTHON=python test" in workflow
    assert "    make test " in _text("README.md")
    assert re.search(r'python: \["3\.11", "3\.12", "3\.13", "3\.14"\]', workflow)
    settings = configparser.ConfigParser()
    settings.read_string(_text("setup.cfg"))
    assert settings["options"]["python_requires"] == ">=3.11"


def test_commands_of_make_exist():
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.M))
    for page in ("README.md", "CONTRIBUTING.md", ".github/workflows/tests.yml", ".github/PULL_REQUEST_TEMPLATE.md"):
        named = re.findall(r"(?:`|    |run: )make (?:\w+=\S+ )*([a-z]+)", _text(page))
        assert named, page
        assert set(named) <= targets, page


def test_every_package_of_an_extra_is_pinned():
    pinned = {name.lower() for name in re.findall(r"^([\w-]+)==", _text("constraints.txt"), re.M)}
    settings = configparser.ConfigParser(interpolation=None)
    settings.read_string(_text("setup.cfg"))
    wanted = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    names = {name.lower() for text in wanted for name in re.findall(r"^([\w-]+)\s*[>=]", text, re.M)}
    assert len(names) > 10
    assert names <= pinned


def test_the_changelog_has_the_headings_of_keep_a_changelog():
    text = _text("CHANGELOG.md")
    unreleased = text.split("\n## ")[1]
    assert unreleased.startswith("Unreleased")
    assert set(re.findall(r"^### (\w+)$", text, re.M)) <= {
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }
    assert {"Added", "Changed", "Removed", "Fixed"} <= set(re.findall(r"^### (\w+)$", unreleased, re.M))


def test_templates_and_hooks_are_there():
    for name in ("bug", "wrong_number", "new_method"):
        assert _text(f".github/ISSUE_TEMPLATE/{name}.md").startswith("---\nname: ")
    assert "Checklist" in _text(".github/PULL_REQUEST_TEMPLATE.md")
    hooks = _text(".pre-commit-config.yaml")
    assert all(tool in hooks for tool in ("ruff check", "ruff format", "basedpyright"))
