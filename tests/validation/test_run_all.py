"""The index of the reports: it is whole, and running single families renews their lines alone."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2] / "validation"
RUN_ALL = runpy.run_path(str(ROOT / "run_all.py"))


@pytest.fixture
def folders(tmp_path):
    """Two claim families with reports, a third without, and a report that is no family's."""
    claims, reports = tmp_path / "claims", tmp_path / "reports"
    for name in ("first", "second", "third"):
        (claims / f"{name}.py").parent.mkdir(exist_ok=True)
        (claims / f"{name}.py").touch()
    for name, text in {
        "first/report.md": "# One.\n\nVerdict: **pass**\n",
        "second/report.md": "# Two | or more.\n\nVerdict: **pass**\n",
        "second/paper.md": "no title\n",
        "other/deep/table.md": "# A table\n",
    }.items():
        (reports / name).parent.mkdir(parents=True, exist_ok=True)
        (reports / name).write_text(text, encoding="utf-8")
    return claims, reports


def _table(text, heading):
    part = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| [")]


def test_a_family_without_a_line_is_read_from_its_report(folders):
    text = RUN_ALL["index"](*folders, {})
    assert _table(text, "Claim families") == [
        "| [One.](first/report.md) | pass |  |",
        r"| [Two \| or more.](second/report.md) | pass |  |",
    ]
    assert _table(text, "Other reports") == [
        "| [other/deep/table.md](other/deep/table.md) | A table |",
        "| [second/paper.md](second/paper.md) | paper.md |",
    ]


def test_a_run_renews_its_line_and_keeps_the_others(folders):
    claims, reports = folders
    for new in ({"second": RUN_ALL["line"]("second", "Two.", "fail", "7")}, {}):
        text = RUN_ALL["index"](claims, reports, new)
        (reports / "README.md").write_text(text, encoding="utf-8")
        assert _table(text, "Claim families") == [
            "| [One.](first/report.md) | pass |  |",
            "| [Two.](second/report.md) | fail | 7 |",
        ]
    (claims / "second.py").unlink()  # it is a family no more, its report stands among the others
    text = RUN_ALL["index"](claims, reports, {})
    assert len(_table(text, "Claim families")) == 1
    assert r"| [second/report.md](second/report.md) | Two \| or more. |" in _table(text, "Other reports")


def _family(file):
    """A claim family whose only claim has failed."""
    verdicts = SimpleNamespace(worst="fail", exit_code=1)
    table = SimpleNamespace(claims=lambda claims: verdicts)
    study = SimpleNamespace(run=lambda jobs: table)
    module = SimpleNamespace(study=lambda scale: study, CLAIMS=[])
    module.__doc__ = f"About {file.stem}."
    return module


def test_a_run_of_one_family_renews_the_index(folders, monkeypatch, capsys):
    main, (claims, reports) = RUN_ALL["main"], folders
    monkeypatch.setitem(main.__globals__, "load_validation", _family)
    monkeypatch.setitem(main.__globals__, "inspect", SimpleNamespace(getdoc=lambda module: module.__doc__))
    monkeypatch.setitem(main.__globals__, "report", SimpleNamespace(write=lambda *args, **kwargs: None))
    monkeypatch.setitem(main.__globals__, "HERE", claims.parent)
    monkeypatch.setattr("sys.argv", ["run_all.py", "second", "--reports", str(reports)])
    assert main() == 1
    assert _table((reports / "README.md").read_text(encoding="utf-8"), "Claim families") == [
        "| [One.](first/report.md) | pass |  |",
        "| [About second.](second/report.md) | fail | 0 |",
    ]
    assert capsys.readouterr().out.split() == ["fail", "second"]


def test_the_index_names_every_report():
    text = (ROOT / "reports" / "README.md").read_text(encoding="utf-8")
    files = {file.relative_to(ROOT / "reports").as_posix() for file in (ROOT / "reports").glob("*/**/*.md")}
    missing = {file for file in files if f"]({file})" not in text}
    assert not missing, "Run `python validation/run_all.py --index`."
    assert not {path for path in RUN_ALL["re"].findall(r"\]\((\w[\w/.]*\.md)\)", text)} - files
