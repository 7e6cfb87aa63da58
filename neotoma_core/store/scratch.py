"""A private folder for the time of one command."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.store.space import out_of_space_named


@contextmanager
def private_scratch() -> Iterator[Path]:
    """Yield a new folder that only this user may enter; it is gone when the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="midden-", ignore_cleanup_errors=True) as name,
        out_of_space_named(Path(name).parent),
    ):
        yield Path(name)
