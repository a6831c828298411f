"""The command line as a function."""

import sys

import pytest

from pdeflow.cli.main import main


@pytest.fixture
def run(monkeypatch):
    """run(*words): the exit code of `pdeflow WORDS`."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["pdeflow", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code

    return call
