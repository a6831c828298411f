"""The README's own solver runs as printed and is judged as the README says."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.S)


def test_the_users_own_solver_is_judged():
    (block,) = [block for block in BLOCKS if "class " in block]
    names = {}
    exec(block, names)
    (row,) = names["table"].orders("w2", expected=1.0)
    assert row["verdict"] == "pass"
    assert abs(row["slope"] - 1) < 0.1  # explicit Euler
    body = block[block.index("class ") : block.index("study =")].strip().splitlines()
    assert len([line for line in body if line.strip()]) <= 10


def test_the_story_without_exact_solution_runs():
    import pdeflow as pf

    (block,) = [block for block in BLOCKS if "pf.finer" in block]
    names = {"pf": pf}
    exec(block.replace("pf.Study(", "table = pf.Study("), names)
    assert {row["status"] for row in names["table"]} == {"ok"}
    assert all(row["truth_error"] > 0 for row in names["table"])


def test_the_sweep_over_dimensions_runs(tmp_path):
    import pdeflow as pf

    (block,) = [block for block in BLOCKS if "pf.Family" in block]
    # smaller, and in this process
    smaller = {"[1, 2, 4, 8, 16]": "[1, 2]", "range(3)": "[0]", ", budget=60": "", ", 1 / 8, 1 / 16, 1 / 32": ""}
    for long, short in smaller.items():
        assert long in block
        block = block.replace(long, short)
    names = {"pf": pf}
    exec(block.replace('"runs"', repr(str(tmp_path))), names)
    assert {row["status"] for row in names["table"]} == {"ok"} and len(list(tmp_path.iterdir())) == 2
    # affine maps of Gaussians: the law is that of exact JKO steps but for training
    assert all(abs(row["error"] / row["time_error"] - 1) < 1e-3 for row in names["table"])


def test_error_rates_of_the_judge_are_those_of_the_committed_table():
    table = (Path(__file__).parents[1] / "validation/batteries/results/verdicts.md").read_text(encoding="utf-8")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.count("|") == 10]
    columns = dict(zip(cells[0], zip(*cells[2:], strict=True), strict=True))
    alarms, passes = (
        max(float(one.rstrip(" %")) for one in columns[name]) for name in ("false alarms", "false passes")
    )
    text = " ".join(README.split())
    assert (
        f"ended as `fail` in at most {alarms:g} %, and a claim off by 1/2 or 1 as `pass` in at most {passes:g} %"
        in text
    )
    noise = [float(one) for cell in columns["noise"] for one in cell.split("...")]
    levels = [int(one) for cell in columns["levels"] for one in cell.split("...")]
    spans = f"noise of {100 * min(noise):g} to {100 * max(noise):g} %", f"{min(levels)} to {max(levels)} levels"
    assert all(span in text for span in spans), spans
    (repeats,) = set(re.findall(r"(\d+) repeats", table))
    assert f"In {int(repeats):,} simulated sweeps of each cell" in text


def test_every_file_and_name_it_points_to_exists():
    import pdeflow as pf

    root = Path(__file__).parents[1]
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (root / target).exists(), target
    for dotted in set(re.findall(r"`pf\.([a-z_]+(?:\.[A-Za-z_0-9]+)?)", README)):
        thing = pf
        for name in dotted.split("."):
            thing = getattr(thing, name)


def test_the_parametric_flow_is_bounded_as_printed(capsys):
    import numpy as np

    import pdeflow as pf

    (block,) = [block for block in BLOCKS if "w2_bound" in block]
    names = {"pf": pf, "np": np}
    exec(block, names)
    true = pf.metrics.w2(names["flow"].final, names["problem"].exact(1.0)).value
    assert 1e-4 < true < names["bound"][-1] < 0.1
    assert "projection_error" in capsys.readouterr().out
