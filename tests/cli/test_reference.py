"""pdeflow reference: the life of a file."""

from pdeflow.cli.main import ERROR


def test_reference_files_from_the_command_line(run, tmp_path, capsys):
    assert run("reference", "make", "ou_1d", "--directory", tmp_path) == 0
    made = tmp_path / "ou_1d.h5"
    assert run("reference", "check", made) == 0
    assert run("reference", "remake", made, "--verify") == 0
    assert run("reference", "remake", made) == 0
    assert run("show", made, "--figure", tmp_path / "ou.png") == 0
    assert (tmp_path / "ou.png").stat().st_size > 5000
    assert "probability of each cell" in capsys.readouterr().out
    assert run("reference", "make", "barenblatt_1d_m2", "--directory", tmp_path) == 0
    assert run("reference", "diff", made, made) == 0
    assert run("reference", "diff", made, tmp_path / "barenblatt_1d_m2.h5") == 1
    data = bytearray(made.read_bytes())
    data[-100] ^= 1
    made.write_bytes(data)
    assert run("reference", "check", made) == 1
    assert run("reference", "show", made) == ERROR
    assert run("reference", "make", "ou_1d", "--directory", tmp_path) == ERROR  # a damaged file is not replaced unasked
    assert run("reference", "make", "ou_1d", "--directory", tmp_path, "--overwrite") == 0
    assert run("reference", "check", made) == 0
    assert run("reference", "make", "not_there", "--directory", tmp_path) == ERROR
