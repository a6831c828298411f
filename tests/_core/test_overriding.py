"""Who answers: the class as it was written, or something put in its place."""

import functools
from types import SimpleNamespace

import pytest

from pdeflow._core.overriding import answers_as, forget_shortcuts, position, speaks_for, takes_keyword


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


class Plain:
    def verb(self, a, b):
        """Takes no keyword."""


class Keyed(Plain):
    def verb(self, a, b, *, dt):
        """Takes it."""


class Late(Plain):
    def verb(self, a, b, dt=None):
        """Takes it, and could take it without its name."""


class Named(Plain):
    def verb(self, a, dt):
        """An argument in the place of b, of the same name by chance."""


class Open:
    def __init__(self, *inner):
        self.inner = inner[0] if inner else None

    def verb(self, *arguments, **options):
        """Hands on what it gets."""


class OpenKeyed(Keyed):
    def verb(self, *arguments, **options):
        super().verb(*arguments, **options)


class OpenPlain(Plain):
    def verb(self, *arguments, **options):
        super().verb(*arguments, **options)


class Closed(Keyed):
    def verb(self, a, b):
        """Overrides, and takes no keyword."""


class Asks:
    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


def wrapped(kind, narrow):
    class Wrapped:
        @functools.wraps(kind.verb)
        def verb(self, *arguments, **options):
            """Hands on all."""

        if narrow:

            @functools.wraps(kind.verb)
            def verb(self, a, b):
                """Takes less than what it wraps."""

    return Wrapped()


def on_object(thing):
    thing.verb = lambda a, b: None
    return thing


@pytest.mark.parametrize(
    "thing, taken",
    [
        (Plain(), False),
        (Keyed(), True),
        (Late(), True),
        (Named(), False),
        (Closed(), False),
        (OpenKeyed(), True),
        (OpenPlain(), False),
        (Open(), True),
        (Open(Keyed()), True),
        (Open(Plain()), False),
        (Open(Open(Plain())), False),
        (Asks(Keyed()), True),
        (Asks(Open(Plain())), False),
        (wrapped(Keyed, False), True),
        (wrapped(Keyed, True), False),
        (wrapped(Plain, False), False),
        (on_object(Keyed()), False),
        (SimpleNamespace(verb=Keyed().verb), True),
        (SimpleNamespace(verb=functools.partial(Keyed().verb, 1)), True),
    ],
)
def test_whether_a_verb_takes_a_keyword_is_read_from_the_function_that_answers(thing, taken):
    assert takes_keyword(thing, "verb", "dt", 2) is taken


def test_a_promise_that_a_class_only_makes_decides_nothing():
    class Handing(Plain):
        inner = None

        def verb(self, *arguments, **options):
            """Hands on to a field."""

    thing = Handing()
    thing.inner = Keyed()
    assert not takes_keyword(thing, "verb", "dt", 2) and takes_keyword(thing, "verb", "dt", 2, Plain)
