"""The command line: exit codes of errors, the list, quick help."""

import subprocess
import sys

import click

from pdeflow.cli.main import ERROR, commands


def test_what_goes_wrong_exits_with_three(run, tmp_path, capsys):
    broken = tmp_path / "broken.py"
    for text, word in (
        ("1/0", "ZeroDivisionError"),
        ("x = 1", "defines no study"),
        ("import not_there", "ModuleNotFoundError"),
    ):
        broken.write_text(text)
        assert run("study", broken) == ERROR
        assert word in capsys.readouterr().err
    assert run("study", tmp_path / "none.py") == ERROR
    readme = tmp_path / "README.md"
    readme.write_text("# text")
    for words in (("study", readme), ("study", broken, "--report", readme)):
        assert run(*words) == ERROR
    broken.write_text("def study():\n    return 1")
    capsys.readouterr()
    assert run("study", broken) == ERROR
    assert "takes no argument" in capsys.readouterr().err
    good = tmp_path / "good.py"
    good.write_text(
        "def study(scale):\n"
        "    raise SystemExit(77)  # would show that the run began before the report's folder was looked at"
    )
    assert run("study", good, "--report", readme) == ERROR
    assert run("study", broken, "--scale", "huge") == ERROR
    assert run("reference", "show", tmp_path / "none.h5") == ERROR


def test_list_names_problems_and_methods(run, capsys):
    assert run("list") == 0
    out = capsys.readouterr().out
    for name in (
        "porous_medium(",
        "ChangCooper",
        "ICNNJKO",
        "EulerMaruyama",
        "sliced_w2",
        "Barenblatt",
        "LogRepulsion",
    ):
        assert name in out


def test_no_command_is_listed_with_half_a_sentence():
    groups = [commands, *(one for one in commands.commands.values() if isinstance(one, click.Group))]
    listed = [one.get_short_help_str() for group in groups for one in group.commands.values()]
    assert len(listed) > 12 and not [text for text in listed if text.endswith("...")]


def test_help_is_quick_and_imports_nothing_heavy(run):
    heavy = ("numpy.f2py", "torch", "numba", "pandas", "matplotlib", "h5py", "cvxopt")
    code = f"import sys; from pdeflow.cli import main; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    import resource

    seconds = []  # of CPU: a clock on the wall would measure what else the machine does
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "pdeflow", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.3
