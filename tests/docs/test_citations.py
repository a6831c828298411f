"""Every citation resolves: BibTeX keys, sections of docs/math.md, errata, and files that a text points to."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("pdeflow", "validation", "benchmarks", "examples", "docs", "references", "tests")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "constraints.txt")
KEYS = set(re.findall(r"@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8")))
SECTIONS = set(
    re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", (ROOT / "docs" / "math.md").read_text(encoding="utf-8"), re.M)
)
PATH = re.compile(
    rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/(?:[\w.-]+/)*[\w.-]+\.(?:py|md|h5|json|bib|txt|png|csv|cfg|yml)(?![\w*/])"
)
LOCATED = re.compile(
    r"fan2022(?!iclr)(?:'s)?[\s,(\[]*(?:section|appendix|eq|Prop|Algorithm|algorithm|Figure|Table|Remark|[ABC]\.\d)"
)
HERE = Path(__file__).name


def _texts():
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".bib"}]
    files += [ROOT / page for page in PAGES]
    for path in files:
        if path.exists() and path.name != HERE and "_build" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


TEXTS = dict(_texts())


def _missing(find, known):
    return {(name, found) for name, text in TEXTS.items() for found in find(text) if not known(found)}


def test_the_test_sees_the_project():
    assert len(TEXTS) > 100
    assert len(KEYS) > 15
    assert {"0", "1.1", "4.2", "10.5", "13.10", "14.1"} <= SECTIONS


def test_keys_are_in_the_bibliography():
    assert not _missing(re.compile(r"\b[a-z]{3,}(?:19|20)\d{2}[a-z]*\b").findall, KEYS.__contains__)


def test_sections_of_the_mathematics_exist():
    find = re.compile(r"(?:docs/math\.md|\{doc\}`math`)[,:]?\s+(?:#\s*)?(?:sections?\s+)?(\d+(?:\.\d+)?)").findall
    assert sum(len(find(text)) for text in TEXTS.values()) > 50
    assert not _missing(find, SECTIONS.__contains__)
    assert not _missing(re.compile(r"\bMATH\.md|\bDESIGN\.md|shared/").findall, lambda found: False)


def test_files_that_a_text_points_to_exist():
    assert not _missing(PATH.findall, lambda found: (ROOT / found).exists())


def test_a_place_in_fan2022_says_which_version():
    """The submission to ICLR and the paper at ICML number sections and equations differently."""
    assert not _missing(LOCATED.findall, lambda found: False)


def test_errata_that_a_text_points_to_exist():
    program = TEXTS["validation/reproductions/errata.py"]
    names = set(re.findall(r"@erratum\ndef (\w+)\(", program))
    assert len(names) > 20
    assert not _missing(re.compile(r"\(erratum\s+`(\w+)`\)").findall, names.__contains__)


@pytest.mark.parametrize(
    "text", ["fan2022 section 4.3", "fan2022's eq. (18)", "[fan2022 Proposition 1]", "fan2022 (B.3)"]
)
def test_a_place_without_version_would_be_seen(text):
    assert LOCATED.search(text)
    assert not LOCATED.search(text.replace("fan2022", "fan2022iclr"))
    assert not LOCATED.search(text.replace("fan2022", "fan2022 (ICLR submission)"))
