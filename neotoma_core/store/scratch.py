"""A private folder for the time of one command."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.store.failures import failures_named


@contextmanager
def private_scratch() -> Iterator[Path]:
    """Yield a new folder that only this user may enter; it is gone when the block ends.

    Raises what ``failures_named`` does where the system fails.
    """
    with (
        failures_named(Path(tempfile.gettempdir()), "temporary folder"),
        tempfile.TemporaryDirectory(prefix="midden-", ignore_cleanup_errors=True) as name,
    ):
        yield Path(name)
