"""The page on other languages: its Python runs as printed and ends with the orders that it promises."""

import re
import shutil
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "any_language.md").read_text(encoding="utf-8")


def test_the_files_of_the_page_are_judged(tmp_path, monkeypatch, capsys):
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S) if "write_results" in block]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block, names)
    rows = names["table"].orders("l1", expected=1.0, tolerance=0.3)
    assert [row["verdict"] for row in rows] == ["pass", "pass"] and "l1" in capsys.readouterr().out


def test_the_program_of_the_page_is_a_method(tmp_path, monkeypatch):
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S) if "External" in block]
    monkeypatch.chdir(tmp_path)
    shutil.copy(shutil.which("true"), "em")  # it is compiled and run in tests/case
    names = {}
    exec(block.replace("print(study.run()", "print(study)  # "), names)
    assert names["mine"].command[0] == "./em" and len(list(names["study"].cases())) == 20
