"""The page on reproductions: its reports and commands exist, its numbers are the reports', no report is left out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reproductions.md").read_text(encoding="utf-8")
REPORTS, REPRODUCTIONS = ROOT / "validation" / "reports", ROOT / "validation" / "reproductions"
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def _lines():
    """The cells of every line of the tables: item, what was redone, command, report, ours, published."""
    for line in TEXT.splitlines():
        if line.startswith("| ") and not line.startswith(("| item |", "| --- |")):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 6, line
            yield cells


LINES = list(_lines())


def _reports(cell):
    return [ROOT / path for path in re.findall(r"\]\(\.\./([^)]+)\)", cell)]


def _missing(ours, body):
    """Numbers with decimals of the text `ours` that no number of the reports rounds to, signs aside."""
    known = [abs(float(number)) for number in NUMBER.findall(body.replace(",", ""))]
    wrong = []
    for number in NUMBER.findall(ours):
        if "." in number:
            digits, _, power = number.partition("e")
            unit = 10.0 ** (int(power or 0) - len(digits.split(".")[1]))
            if not any(abs(abs(float(number)) - value) <= 0.5001 * unit for value in known):
                wrong.append(number)
    return wrong


def test_every_item_is_redone_or_has_a_reason():
    assert len(LINES) > 50
    for item, redone, command, report, ours, _ in LINES:
        assert item
        if "Not redone" in redone:
            assert len(redone) > len("Not redone: "), item
        else:
            assert command and report, item
            assert ours or "errata" in report, item


def test_reports_exist():
    paths = [ROOT / path for path in re.findall(r"\]\(\.\./([^)]+)\)", TEXT)]
    assert len(paths) > 50
    assert not [path for path in paths if not path.is_file()]


def test_no_folder_of_reports_is_left_out():
    claims = {path.stem for path in (ROOT / "validation" / "claims").glob("*.py")}
    named = set(re.findall(r"validation/reports/(\w+)/", TEXT))
    assert {path.name for path in REPORTS.iterdir() if path.is_dir()} <= claims | named


@pytest.mark.parametrize("cells", LINES, ids=lambda cells: cells[0])
def test_numbers_of_ours_are_those_of_the_reports(cells):
    body = "\n".join(path.read_text(encoding="utf-8") for path in _reports(cells[3]))
    wrong = _missing(cells[4], body)
    assert not wrong, f"{wrong} are not in {cells[3]}: if the report was made anew, take its numbers into the page."


def test_a_wrong_number_would_be_seen():
    assert _missing("order 1.98, off by 2.4e-03 and 1,234", "1.9849, -2.35e-3") == []
    assert _missing("order 1.97", "1.9849") == ["1.97"]


def test_commands_exist():
    """Figures and options of a paper are words of its program, everything else that is run is a file."""
    for _, _, cell, *_ in LINES:
        for command in re.findall(r"`([^`]+)`", cell):
            words = command.split()
            if not words[0].endswith(".py"):
                assert (ROOT / words[{"python": 1, "pdeflow": 2}[words[0]]]).is_file(), command
                continue
            paper = (REPRODUCTIONS / words[0]).read_text(encoding="utf-8")
            package, module = re.search(rf"def {words[1]}\(\).*?from (\w+) import (\w+)", paper, re.S).groups()
            folder = "\n".join(file.read_text(encoding="utf-8") for file in (REPRODUCTIONS / package).glob("*.py"))
            assert (REPRODUCTIONS / package / f"{module}.py").is_file(), command
            for option in re.findall(r"--[\w-]+", command):
                assert f'"{option}"' in folder, command
