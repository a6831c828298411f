"""A board as one HTML file: tables that sort, pictures inside, nothing loaded from elsewhere."""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Sequence
from html import escape

from .. import __version__
from .._core.files import place_of, write_whole
from .._core.validate import known_arguments
from .._core.validate import text as as_text
from ..study.rows import Row
from .board import READING, SHOWN, Board

_COLOURS = {"classical": "#0072B2", "particle": "#D55E00", "neural": "#009E73", "own": "#000000"}  # Okabe-Ito
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 330, 210, 46, 34
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1250px;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;width:100%;font-size:13px}
th{position:sticky;top:0;background:#f3f3f3;text-align:left;cursor:pointer;white-space:nowrap}
th,td{padding:3px 7px;border-bottom:1px solid #ddd;vertical-align:top}
th button{all:unset;cursor:pointer;font-weight:600}th button:focus-visible{outline:2px solid #0072B2}
th[aria-sort=ascending] button::after{content:" \\25B2"}th[aria-sort=descending] button::after{content:" \\25BC"}
td{white-space:nowrap}td:last-child{max-width:0;width:99%;overflow:hidden;text-overflow:ellipsis}.pass{color:#00694e}.fail,.bad{color:#b03a00}.panels{display:flex;flex-wrap:wrap;gap:8px}
dt{float:left;clear:left;font-weight:600}dd{margin:0 0 .3em 7em}
figure{margin:0}figcaption{font-weight:600;font-size:13px}details{margin:1em 0}
"""
_SCRIPT = """
document.querySelectorAll("th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var head = button.parentNode, body = head.closest("table").tBodies[0];
    var column = head.cellIndex, up = head.getAttribute("aria-sort") !== "ascending";
    head.parentNode.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var key = function (row) { return row.cells[column].dataset.sort; };
    Array.from(body.rows).sort(function (a, b) {
      var x = key(a), y = key(b), p = parseFloat(x), q = parseFloat(y);
      if (x === "" || y === "") { return (x === "") - (y === ""); }
      return (up ? 1 : -1) * (head.dataset.kind === "number" ? p - q : x.localeCompare(y));
    }).forEach(function (row) { body.appendChild(row); });
  });
});
"""


@known_arguments
def to_html(board: Board, path: str | os.PathLike[str], *, title: str = "Board", command: str = "") -> None:
    """Write a board as one HTML file that needs no other file and no connection.

    Parameters
    ----------
    board : Board
        What `score` returned, or `read_board`.
    path : str or path
        The file appears whole or not at all.
    title : str
        Heading of the page.
    command : str
        What the reader types to get this board again.

    Raises
    ------
    BadInput
        Where the file cannot be written.

    Notes
    -----
    A click on the head of a column sorts by it; rows without a number come last. Without JavaScript the table is in the
    order of the problems. Pictures are inline SVG: error against CPU seconds, one line a method over its steps.
    """
    as_text(title, "title")
    as_text(command, "command")
    made = f"<p>Made by <code>{escape(command)}</code> " if command else "<p>Made "
    made += f"with pdeflow {escape(__version__)}, Python {platform.python_version()}.</p>"
    head = "".join(
        f'<th scope="col" data-kind="{"number" if _is_number(board[0][key]) else "text"}">'
        f'<button type="button">{escape(name)}</button></th>'
        for name, key, _ in SHOWN
    )
    ordered = [row for _, rows in board.by_problem() for row in rows]
    body = "\n".join(_table_row(row) for row in ordered)
    panels = "\n".join(filter(None, (_panel(problem, rows) for problem, rows in board.by_problem())))
    legend = " ".join(
        f'<span style="color:{colour}">&#9679; {kind}</span>'
        for kind, colour in _COLOURS.items()
        if any(row["class"] == kind for row in board)
    )
    page = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{made}\n{_WORDS}\n"
        f"<h2>All results</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        f'<h2>Error against CPU seconds</h2>\n<p>{legend}</p>\n<div class="panels">\n{panels}\n</div>\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )
    write_whole(place_of(path), lambda file: file.write(page), text=True)


def _in_words(text: str) -> str:
    """A sentence with `code` as HTML."""
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(text))


_WORDS = (
    "<dl>"
    + "".join(f"<dt>{name}</dt><dd>{_in_words(words)}</dd>" for name, words in READING)
    + "</dl>\n<p>A click on the head of a column sorts by it; a pointer on a status shows all of it.</p>"
)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _table_row(row: Row) -> str:
    cells = []
    for name, key, write in SHOWN:
        value = row[key]
        absent = (_is_number(value) and math.isnan(value)) or (key == "rank" and value == 0)
        absent |= key == "dt" and math.isnan(row["error"])
        sort = "" if absent else repr(value) if _is_number(value) else str(value)
        mark = {"pass": ' class="pass"', "fail": ' class="fail"'}.get(str(value), "")
        if name == "status" and value != "ok":
            mark = f' class="bad" title="{escape(row["why"][:600], quote=True)}"'
        cells.append(f'<td data-sort="{escape(sort, quote=True)}"{mark}>{escape(write(row))}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _panel(problem: str, rows: Sequence[Row]) -> str:
    """The picture of one problem as SVG, "" where nothing can be drawn."""
    lines = [(row, points) for row in rows if (points := _points(row))]
    if not lines:
        return ""
    across = _Scale([cost for _, points in lines for cost, _ in points], _LEFT, _WIDTH - 8)
    upward = _Scale([error for _, points in lines for _, error in points], _HEIGHT - _BOTTOM, 8)
    parts = _axes(across, upward)
    taken: list[tuple[float, float, float]] = []
    for row, points in lines:
        parts.append(_line(row, [(across(cost), upward(error)) for cost, error in points], taken))
    name = escape(problem, quote=True)
    return (
        f"<figure><figcaption>{escape(problem)}, {escape(lines[0][0]['metric'])}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" font-size="9" '
        f'font-family="system-ui,sans-serif" aria-label="Error against CPU seconds on {name}">{"".join(parts)}'
        "</svg></figure>"
    )


def _line(row: Row, places: Sequence[tuple[float, float]], taken: list[tuple[float, float, float]]) -> str:
    """The line of one method with its name, which moves up or down where another name is."""
    colour, label = _COLOURS[row["class"]], escape(row["method"])
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    x, y = places[-1]
    end, x = ("end", x - 6) if x > _WIDTH * 0.6 else ("start", x + 6)
    half = 2.5 * len(row["method"])  # of the width of a name, in letters of size 9
    middle, reach = x + (-half if end == "end" else half), _HEIGHT - _BOTTOM - 3
    tried = [y - 5 + shift for shift in (0, 10, -10, 20, -20, 30, -30) if 16 < y - 5 + shift < reach]
    free = (at for at in tried if all(abs(middle - a) > half + c or abs(at - b) > 8 for a, b, c in taken))
    y = next(free, min(max(y - 5, 16), reach))
    taken.append((middle, y, half))
    return (
        f'<g><title>{label}</title><polyline points="{path}" fill="none" stroke="{colour}"/>{dots}'
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{end}" fill="{colour}">{label}</text></g>'
    )


def _points(row: Row) -> list[tuple[float, float]]:
    """CPU seconds and errors that have a logarithm, from coarse to fine."""
    pairs = zip(row["costs"], row["errors"], strict=True)
    return [(cost, error) for cost, error in pairs if 0 < cost < math.inf and 0 < error < math.inf]


def _axes(across: _Scale, upward: _Scale) -> list[str]:
    """The frame of a picture, its lines at powers of ten and their labels."""
    parts = [
        f'<rect x="{_LEFT}" y="8" width="{_WIDTH - 8 - _LEFT}" height="{_HEIGHT - _BOTTOM - 8}" fill="none" '
        'stroke="#bbb"/>'
    ]
    for tick in across.ticks():
        place = across(tick)
        parts.append(f'<line x1="{place:.1f}" y1="8" x2="{place:.1f}" y2="{_HEIGHT - _BOTTOM}" stroke="#eee"/>')
        parts.append(f'<text x="{place:.1f}" y="{_HEIGHT - _BOTTOM + 13}" text-anchor="middle">{tick:.0e}</text>')
    for tick in upward.ticks():
        place = upward(tick)
        parts.append(f'<line x1="{_LEFT}" y1="{place:.1f}" x2="{_WIDTH - 8}" y2="{place:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{place + 3:.1f}" text-anchor="end">{tick:.0e}</text>')
    parts.append(f'<text x="{(_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 4}" text-anchor="middle">CPU seconds</text>')
    return parts


class _Scale:
    """Places of numbers on a logarithmic axis between two ends, with some room around them."""

    def __init__(self, values: Sequence[float], begin: float, end: float):
        self.low, self.high = math.log10(min(values)) - 0.25, math.log10(max(values)) + 0.25
        self.begin, self.end = begin, end

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """The powers of ten inside, at most five of them; of fewer than two, also their double and fivefold."""
        powers = range(math.floor(self.low), math.floor(self.high) + 1)
        inside = [10.0**power for power in powers if power >= self.low]
        if len(inside) < 2:
            fine = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
            return [tick for tick in fine if self.low <= math.log10(tick) <= self.high]
        return inside[:: max(1, math.ceil(len(inside) / 5))]
