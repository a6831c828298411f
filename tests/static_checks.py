"""What `make lint` checks beside style: types of the package and of the README's code, and the complexity of functions.

Run from the root of the repository: python tests/static_checks.py
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from radon.complexity import cc_visit

ROOT = Path(__file__).resolve().parents[1]
MOST = 15  # cyclomatic complexity of a function


def readme_code() -> str:
    """The Python blocks of the README, one after the other, as one module."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    return "\n\n".join(["import numpy as np\nimport pdeflow as pf", *blocks])


def types(*paths: str) -> int:
    """The exit status of basedpyright on these paths; it prints what is wrong."""
    command = [sys.executable, "-m", "basedpyright", "--project", str(ROOT), "--pythonpath", sys.executable, *paths]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def too_complex() -> list[str]:
    """Functions and classes of the package above the bound."""
    return [
        f"{path.relative_to(ROOT)}:{block.lineno} {block.name} has complexity {block.complexity}, above {MOST}"
        for path in sorted((ROOT / "pdeflow").rglob("*.py"))
        for block in cc_visit(path.read_text(encoding="utf-8"))
        if block.complexity > MOST
    ]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "readme.py"
        file.write_text(readme_code(), encoding="utf-8")
        status = types("pdeflow", str(file))
    complex_functions = too_complex()
    print("\n".join(complex_functions) or f"no function above complexity {MOST}")
    return status or bool(complex_functions)


if __name__ == "__main__":
    sys.exit(main())
