"""Named: an error of a user's code that no study catches says in which run it happened."""


class Named:
    """Context that adds a note to an error on its way out and catches nothing. labels : {name: value} of the run."""

    def __init__(self, where, labels):
        self.where, self.labels = where, labels

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, Exception):  # not Ctrl-C
            error.add_note(f"{self.where}: " + ", ".join(f"{name} = {value!r}" for name, value in self.labels.items()))
        return False
