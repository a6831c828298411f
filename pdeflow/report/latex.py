"""A board as a LaTeX table that a paper can \\input."""

from __future__ import annotations

import os

from .._core.files import place_of, write_whole
from .._core.validate import known_arguments
from ..study.rows import Row
from .board import Board, number, split, without_error

_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\n": " ",
    "±": r"$\pm$",
    "²": r"$^2$",
    "∂": r"$\partial$",
    "ρ": r"$\rho$",
    "∇": r"$\nabla$",
}


def escaped(text: str) -> str:
    """Text whose letters mean themselves in LaTeX.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        With the ten special letters of LaTeX, and some that its default encoding lacks, written as commands.
    """
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


@known_arguments
def to_latex(board: Board, path: str | os.PathLike[str], *, caption: str = "", label: str = "tab:board") -> None:
    r"""Write a board as a LaTeX table, for ``\input`` in a paper that loads booktabs and longtable.

    Parameters
    ----------
    board : Board
        What `score` returned, or `read_board`.
    path : str or path
        The file appears whole or not at all.
    caption, label : str
        Of the table. The caption is text: its special letters are escaped.

    Raises
    ------
    BadInput
        Where the file cannot be written.

    Notes
    -----
    The first of each class on each problem is bold. Methods without an error stand under their problem with the reason.
    """
    lines = [
        "% needs \\usepackage{booktabs,longtable}",
        r"\begin{longtable}{llrrrll}",
        rf"\caption{{{escaped(caption or 'Errors, costs and verdicts.')}}}\label{{{label}}}\\",
        r"\toprule",
        r"method & class & error & times level & CPU s & order & verdict\\",
        r"\midrule\endhead",
    ]
    for problem, rows in board.by_problem():
        measured, failed = split(rows)
        lines.append(rf"\multicolumn{{7}}{{l}}{{\emph{{{escaped(problem)}, {escaped(rows[0]['metric'])}}}}}\\")
        lines += [_line(row) for row in measured]
        lines += [
            rf"\multicolumn{{7}}{{p{{0.95\linewidth}}}}{{\footnotesize {escaped(words)}}}\\"
            for words in without_error(failed, 80)
        ]
        lines.append(r"\addlinespace")
    lines += [r"\bottomrule", r"\end{longtable}", ""]
    write_whole(place_of(path), lambda file: file.write("\n".join(lines)), text=True)


def _line(row: Row) -> str:
    name = escaped(row["method"])
    error = _power(row["error"]) + (rf" $\pm$ {_power(row['stderr'], 1)}" if row["stderr"] > 0 else "")
    state = row["verdict"] if row["status"] == "ok" else f"{row['verdict']}, {row['status']}"
    cells = [
        rf"\textbf{{{name}}}" if row["rank"] == 1 else name,
        row["class"],
        error,
        number(row["times_level"]),
        number(row["cpu_seconds"]),
        number(row["order"]),
        escaped(state),
    ]
    return " & ".join(cells) + r"\\"


def _power(value: float, digits: int = 3) -> str:
    r"""A number as LaTeX writes it: 1.2e-05 is 1.2\cdot10^{-5}."""
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, power = text.split("e")
    return rf"${mantissa}\cdot10^{{{int(power)}}}$"
