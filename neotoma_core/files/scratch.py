"""A private folder for the time of one command."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.files.failures import failures_named


@contextmanager
def private_scratch() -> Iterator[Path]:
    """Yield a new folder that only this user may enter; it is gone when the block ends.

    Raises what ``failures_named`` does where the system fails.
    """
    place = Path(tempfile.gettempdir())
    with failures_named(place, "temporary folder"), scratch_in(place) as scratch:
        yield scratch


@contextmanager
def scratch_in(place: Path) -> Iterator[Path]:
    """Yield a new private folder in another one; it goes when the block ends, as far as it can.

    Python's own temporary folders never stop trying where the system forbids to remove one.
    """
    scratch = Path(tempfile.mkdtemp(prefix="midden-", dir=place))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
