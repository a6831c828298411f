"""Boards: ranks, files, and what is no board."""

import math

import pytest

from pdeflow._core.errors import BadInput
from pdeflow.report import Board, read_board


def test_csv_gives_the_board_back(board, tmp_path):
    board.to_csv(tmp_path / "board.csv")
    assert read_board(tmp_path) == board == read_board(tmp_path / "board.csv")


def test_what_is_unsupported_stays_on_the_board(board, tmp_path):
    row = next(row for row in board if row["problem"] == "mckean_vlasov_ou" and row["method"] == "CC")
    assert row["status"] == "unsupported" and row["rank"] == 0 and math.isnan(row["error"])
    board.to_markdown(tmp_path / "board.md", command="pdeflow score")
    text = (tmp_path / "board.md").read_text(encoding="utf-8")
    assert "CC: unsupported. ChangCooper is linear" in text and "## ou" in text


def test_errors_within_noise_share_a_place(board):
    row = dict(board[0])
    close = [{**row, "method": name, "error": error, "stderr": 0.1} for name, error in (("a", 1.0), ("b", 1.1))]
    far = {**row, "method": "c", "error": 3.0, "stderr": 0.1}
    assert [one["rank"] for one in Board([*close, far])] == [1, 1, 3]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", ",".join(Board.columns) + "\n", ",".join(Board.columns) + "\n1\n"])
def test_what_is_no_board_is_refused(tmp_path, text):
    (tmp_path / "board.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="pdeflow score"):
        read_board(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_board(tmp_path / "none.csv")
