"""Tasks fail with errors that Prefect may log."""

import os
from pathlib import Path

import pytest

from neotoma_core.errors import NativePanic
from pipelines.task_defaults import operation
from tests.support.panics import SECRET, quote


def test_a_panic_fails_a_task_and_quotes_nobody() -> None:
    with pytest.raises(NativePanic) as failed:
        operation(quote).fn()
    assert SECRET not in str(failed.value)
    assert failed.value.__context__ is None


def test_what_a_task_creates_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        operation((tmp_path / "x").touch).fn()
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
