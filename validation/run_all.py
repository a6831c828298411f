"""Every claim family of validation/claims.

Runs its study, writes validation/reports/<name>/, prints one line of verdict each, and renews the lines of these
families in validation/reports/README.md, the index of all reports.

`make validate` runs this file. Exit code: the worst of the verdicts (0 pass, 2 inconclusive, 1 fail, 3 error).
"""

import argparse
import inspect
import re
import sys
import time
from pathlib import Path

from pdeflow import report
from pdeflow.cli.study import load_validation

HERE = Path(__file__).resolve().parent
BY_SEVERITY = (0, 2, 1, 3)
LINE = re.compile(r"^\| \[.*\]\((\w+)/report\.md\) \| .* \|$", re.M)


def heading(report_file):
    """The first heading of a report in Markdown, or its name where it has none."""
    found = re.search(r"^# (.*)$", report_file.read_text(encoding="utf-8"), re.M)
    return found.group(1) if found else report_file.name


def _cell(text):
    """Text of a cell of a Markdown table."""
    return text.replace("|", "\\|")


def line(name, title, verdict, seconds):
    """The line of a claim family."""
    return f"| [{_cell(title)}]({name}/report.md) | {verdict} | {seconds} |"


def index(claims, reports, new):
    """The text of README.md in the folder `reports`.

    claims : the folder of the claim families; those without a report.md are left out.
    new : lines of families that were run now, by name. Others keep theirs; one that has none is read from its report,
        which does not tell the seconds.
    """
    readme = reports / "README.md"
    lines = {found[1]: found[0] for found in LINE.finditer(readme.read_text("utf-8"))} if readme.exists() else {}
    families = {file.stem: reports / file.stem / "report.md" for file in sorted(claims.glob("*.py"))}
    families = {name: file for name, file in families.items() if file.exists()}
    for name, file in families.items():
        if name not in lines and name not in new:
            verdict = re.search(r"^Verdict: \*\*(.+)\*\*$", file.read_text(encoding="utf-8"), re.M)
            lines[name] = line(name, heading(file), verdict.group(1) if verdict else "", "")
    lines |= new
    others = [
        file.relative_to(reports).as_posix()
        for file in sorted(reports.glob("*/**/*.md"))
        if file not in families.values()
    ]
    return "\n".join(
        [
            "# Reports",
            "",
            "Which item of which paper is in which report, and our numbers beside the published ones, is in",
            "[docs/reproductions.md](../../docs/reproductions.md).",
            "",
            "## Claim families",
            "",
            "Made by `make validate`; `python validation/run_all.py NAME` renews one of them.",
            "",
            "| claim family | verdict | seconds |",
            "| --- | --- | --- |",
            *(lines[name] for name in families),
            "",
            "## Other reports",
            "",
            "Made by programs of `validation/reproductions` and by `make demo`, but for notes on them.",
            "`python validation/run_all.py --index` renews this list.",
            "",
            "| report | its heading |",
            "| --- | --- |",
            *(f"| [{name}]({name}) | {_cell(heading(reports / name))} |" for name in others),
            "",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="files without .py; default all")
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--reports", type=Path, default=HERE / "reports")
    parser.add_argument("--figures", action="store_true", help="draw the pictures too, which git ignores")
    parser.add_argument("--index", action="store_true", help="run nothing, write the index of the reports")
    options = parser.parse_args()
    files = [HERE / "claims" / f"{name}.py" for name in options.names] or sorted((HERE / "claims").glob("*.py"))
    worst = 0
    new = {}
    for file in [] if options.index else files:
        module, start = load_validation(file), time.perf_counter()
        table = module.study(options.scale).run(jobs=options.jobs)
        words = (inspect.getdoc(module) or file.stem).splitlines()
        command = f"pdeflow study validation/claims/{file.name} --scale {options.scale}"
        report.write(
            table,
            options.reports / file.stem,
            title=words[0],
            text="\n".join(words[1:]),
            claims=module.CLAIMS,
            command=command,
            figures=options.figures,
        )
        verdicts = table.claims(module.CLAIMS)
        worst = max(worst, verdicts.exit_code, key=BY_SEVERITY.index)
        new[file.stem] = line(file.stem, words[0], verdicts.worst, f"{time.perf_counter() - start:.0f}")
        print(f"{verdicts.worst:12s} {file.stem}", flush=True)
        text = index(HERE / "claims", options.reports, new)
        (options.reports / "README.md").write_text(text, encoding="utf-8")
    if options.index:
        text = index(HERE / "claims", options.reports, new)
        (options.reports / "README.md").write_text(text, encoding="utf-8")
    return worst


if __name__ == "__main__":
    sys.exit(main())
