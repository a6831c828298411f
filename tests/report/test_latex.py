"""LaTeX boards: what is text stays text."""

from pdeflow.report import Board, escaped, to_latex


def test_special_letters_mean_themselves():
    assert escaped(r"a_b & 5% $ # {x} ~ ^ \\") == (
        r"a\_b \& 5\% \$ \# \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}\textbackslash{}"
    )


def test_the_table_has_seven_columns_and_each_method(board, tmp_path):
    to_latex(Board({**row, "method": row["method"] + "_1"} for row in board), tmp_path / "board.tex", caption="50%")
    text = (tmp_path / "board.tex").read_text(encoding="utf-8")
    body = [line for line in text.splitlines() if " & " in line]
    assert all(line.count(" & ") == 6 and line.endswith(r"\\") for line in body)
    assert r"\textbf{JKO\_1}" in text and r"\caption{50\%}" in text and "unsupported" in text
    assert text.count("{") == text.count("}")
