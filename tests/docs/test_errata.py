"""Every erratum of docs/errata.md: the corrected formula agrees with the truth, the printed one does not."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("errata", ROOT / "validation" / "reproductions" / "errata.py")
errata = importlib.util.module_from_spec(_SPEC)
sys.modules["errata"] = errata  # dataclasses look their module up
_SPEC.loader.exec_module(errata)
PAGE = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", errata.ERRATA)
def test_the_correction_holds_and_the_print_does_not(name):
    if name == "grid_locking":
        pytest.importorskip("cvxopt")
    check = errata.ERRATA[name]()
    assert check.holds(check.right), check
    assert not check.holds(check.printed), check
    if check.relation == "equal":  # the print is not just a little off the tolerance
        assert abs(check.printed - check.truth) > 5 * check.tolerance


def test_page_and_program_name_the_same_errata():
    named = re.findall(r"python validation/reproductions/errata\.py (\w+)", PAGE)
    assert sorted(named) == sorted(errata.ERRATA)


def test_the_command_prints_the_three_numbers(capsys):
    assert errata.main(["barenblatt_fan"]) == 0
    assert "2" in capsys.readouterr().out.splitlines()[1].split()[3]
    assert errata.main(["nothing"]) == 2
    assert "There are: barenblatt_fan" in capsys.readouterr().err
