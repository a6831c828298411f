"""What made demo.json: run once, with the code of commit 7537ce0, from the root of that checkout.

    PYTHONPATH=$PWD python validation/demo.py --out OUT --jobs 2 > printed.txt && mv printed.txt OUT
    PYTHONPATH=$PWD python tests/data/first_edition/make_demo.py OUT

It is kept as a document and speaks the names of that commit, so it need not run on later code. The file holds
the rows and the orders of the two studies of the demo and what it printed.
"""

import importlib.util
import json
import sys
from pathlib import Path

import pdeflow as pf

FOLDER = Path(__file__).resolve().parent
NOTES = [
    "May not be compared: seconds and first_call_seconds, which are left out here, and the last printed line.",
    "icnn-jko trains in float32, so another order of summation changes its last bits and training carries them on. "
    "How far its errors then move was not measured; its order has an interval.",
    "euler-maruyama sums 4,000,000 particles, drawn by the generator of the project from a fixed seed.",
    "chang-cooper, jko-quantile and jko-cvxopt draw no random numbers. "
    "jko-cvxopt is as exact as its interior-point solver.",
]


def demo(out):
    """Rows, orders and printed lines of validation/demo.py, from the runs in `out` and out/printed.txt."""
    spec = importlib.util.spec_from_file_location("demo", FOLDER.parents[2] / "validation" / "demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {"commit": "7537ce0", "command": "python validation/demo.py --out out/demo --jobs 2", "notes": NOTES}
    for name, make in (("ou", module.ornstein_uhlenbeck), ("barenblatt", module.barenblatt)):
        problem, methods, claims = make()
        study = pf.Study(problem, methods, {"dt": module.STEPS}, {"w2": pf.metrics.w2})
        table = study.run(store=out / "runs")  # all runs are there: nothing is computed again
        columns = (
            "problem", "method", "dt", "seed", "time", "metric", "status",
            "error", "stderr", "floor", "time_error", "truth_error",
        )  # fmt: skip
        rows = [{column: row[column] for column in columns} for row in table.rows]
        orders = [
            {key: value for key, value in row.items() if key != "order"}
            for row in table.orders("w2", expected=1.0, tolerance=0.15).rows
        ]
        found[name] = {"rows": rows, "orders": orders, "exit_code": table.claims(claims).exit_code}
    printed = (out / "printed.txt").read_text().replace(str(out), "out/demo").splitlines()
    return {**found, "printed": [line for line in printed if not line.endswith(f"everything is in {'out/demo'}")]}


if __name__ == "__main__":
    found = demo(Path(sys.argv[1]))
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, default=lambda value: value.tolist())
    (FOLDER / "demo.json").write_text(text + "\n")
