"""Who answers: the class as it was written, or something put in its place."""

from pdeflow._core.overriding import answers_as, forget_shortcuts, position, speaks_for


class Base:
    def __init_subclass__(cls):
        forget_shortcuts(cls, Base, ("plain",), ("quick",))

    def plain(self):
        return 1

    def quick(self):
        return "unknown"


class Known(Base):
    def plain(self):
        return 2

    def quick(self):
        return 2


class Other(Known):
    def plain(self):
        return 3


class Both(Known):
    def plain(self):
        return 4

    def quick(self):
        return 4


def test_positions():
    thing = Other()
    assert position(thing, "plain") == 0 and position(thing, "missing") == float("inf")
    thing.plain = lambda: 5
    assert position(thing, "plain") == -1


def test_a_shortcut_is_forgotten_by_the_class_that_overrides_what_it_stands_for():
    assert Known().quick() == 2 and Both().quick() == 4
    assert Other().quick() == "unknown"


def test_a_shortcut_speaks_for_its_own_class(monkeypatch):
    assert speaks_for(Known(), "quick", ("plain",))
    thing = Known()
    thing.plain = lambda: 5
    assert not speaks_for(thing, "quick", ("plain",))
    monkeypatch.setattr(Known, "plain", lambda self: 6)
    assert not speaks_for(Known(), "quick", ("plain",))


def test_answers_as():
    assert answers_as(Known(), Known, ("plain", "quick"))
    assert not answers_as(Other(), Known, ("plain",)) and not answers_as(Base(), Known, ("plain",))
