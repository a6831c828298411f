"""HTML boards: whole, sortable, and alone."""

from html.parser import HTMLParser

from pdeflow.report import Board, to_html

VOID = {"meta", "br", "img", "rect", "line", "circle", "polyline"}


class Reader(HTMLParser):
    """Checks that tags close in order, and keeps attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.found = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(board, tmp_path):
    rows = [{**row, "method": f'<b>&{row["method"]}"', "why": "<script>"} for row in board]
    to_html(Board(rows), tmp_path / "board.html", title="A & B <c>", command="pdeflow score")
    text = (tmp_path / "board.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert "http" not in text and "<b>" not in text
    assert not [attrs for _, attrs in reader.found if {"src", "href"} & set(attrs)]
    assert text.count("<script>") == 1 and text.count("<svg") == 2
    heads = [attrs for tag, attrs in reader.found if tag == "th"]
    assert {head["data-kind"] for head in heads} == {"number", "text"}
    cells = [attrs["data-sort"] for tag, attrs in reader.found if tag == "td"]
    assert len(cells) == len(board) * len(heads) and repr(board[0]["error"]) in cells and "" in cells
