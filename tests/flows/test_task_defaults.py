"""Tasks fail with errors that Prefect may log."""

import pytest

from neotoma_core.errors import NativePanic
from pipelines.task_defaults import operation
from tests.panics import SECRET, quote


def test_a_panic_fails_a_task_and_quotes_nobody() -> None:
    with pytest.raises(NativePanic) as failed:
        operation(quote).fn()
    assert SECRET not in str(failed.value)
    assert failed.value.__context__ is None
