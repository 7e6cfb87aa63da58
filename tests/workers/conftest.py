"""Processes that read copies, started as those of users are."""

import subprocess

import pytest

from neotoma_core.workers import process


@pytest.fixture(autouse=True)
def started_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is a fork of a process that has everything loaded."""
    monkeypatch.setattr(process, "subprocess", subprocess)
