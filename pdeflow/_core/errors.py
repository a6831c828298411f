"""The errors of pdeflow. Each message says what was given, what is possible, and what to do.

Every kind derives from `PdeflowError`; a `Study` turns these, and nothing else, into rows of its table.
"""

from .short_text import LONGEST_MESSAGE, cut, did_you_mean, shown


class PdeflowError(Exception):
    """Base of all errors raised on purpose. Facts (step, residual, status, ...) travel as attributes.

    A message of more than 2,000 characters is cut in its middle: it begins with what was given, which may be huge, and
    ends with what to do.

    `status` is the word a study writes into its table for an error of this kind.
    """

    status = "error"

    def __init__(self, message, **facts):
        super().__init__(cut(str(message), LONGEST_MESSAGE))
        self.facts = facts
        for name, fact in facts.items():
            setattr(self, name, fact)

    def __reduce__(self):  # keeps the facts when a worker process sends the error back
        return _rebuild, (type(self), str(self), self.facts)


def _rebuild(kind, message, facts):
    return kind(message, **facts)


class BadInput(PdeflowError, ValueError):
    """The caller's data make no sense as they are."""

    status = "bad input"


class UnknownField(BadInput, TypeError):
    """A name that a method, a problem or a study does not have."""


class Unsupported(PdeflowError):
    """A method cannot treat this problem (the problem itself is fine)."""

    status = "unsupported"


class NotAvailable(PdeflowError):
    """A law, a truth or an optional package cannot answer this question exactly."""

    status = "not available"


class Diverged(PdeflowError):
    """A run left the finite numbers or broke a law it must obey."""

    status = "diverged"


class NotConverged(PdeflowError):
    """An inner solver ended without the accuracy it promises."""

    status = "not converged"


class OutOfTime(PdeflowError):
    """A run was ended because it took longer than it was given."""

    status = "out of time"


class ProgramFailed(PdeflowError):
    """A program in another language ended with an error of its own; the message has its exit code and last words."""

    status = "program failed"


class BadReference(PdeflowError):
    """A reference file is damaged, incomplete, or of a schema this version cannot read."""

    status = "bad reference"


def unknown_field(owner: str, name: str, valid, kind: str = "field", cure: str = "") -> UnknownField:
    """The error for a name that `owner` does not have, with the nearest valid one.

    kind : what the name would name; cure : what to do, where that is known better.
    """
    valid = sorted(valid)
    listed = f"It has: {', '.join(valid) or 'none'}."
    return UnknownField(
        f"{owner} has no {kind} {shown(name, 200)}. {listed}{f' {cure}' if cure else did_you_mean(name, valid)}"
    )
