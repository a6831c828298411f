"""Every claim family of validation/claims.

Runs its study, writes validation/reports/<name>/, prints one line of verdict each.

`make validate` runs this file. Exit code: the worst of the verdicts (0 pass, 2 inconclusive, 1 fail, 3 error).
"""

import argparse
import inspect
import sys
import time
from pathlib import Path

from pdeflow import report
from pdeflow.cli.study import load_validation

HERE = Path(__file__).resolve().parent
BY_SEVERITY = (0, 2, 1, 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="files without .py; default all")
    parser.add_argument("--scale", choices=["quick", "paper"], default="quick")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--reports", type=Path, default=HERE / "reports")
    parser.add_argument("--figures", action="store_true", help="draw the pictures too, which git ignores")
    options = parser.parse_args()
    files = [HERE / "claims" / f"{name}.py" for name in options.names] or sorted((HERE / "claims").glob("*.py"))
    lines = ["| claim family | verdict | seconds |", "| --- | --- | --- |"]
    worst = 0
    for file in files:
        module, start = load_validation(file), time.perf_counter()
        table = module.study(options.scale).run(jobs=options.jobs)
        words = inspect.getdoc(module).splitlines()
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
        lines.append(f"| [{words[0]}]({file.stem}/report.md) | {verdicts.worst} | {time.perf_counter() - start:.0f} |")
        print(f"{verdicts.worst:12s} {file.stem}")
    if not options.names:
        (options.reports / "README.md").write_text(
            "# Reports\n\nMade by `make validate`.\n\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )
    return worst


if __name__ == "__main__":
    sys.exit(main())
