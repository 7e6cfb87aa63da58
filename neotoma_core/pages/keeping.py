"""Keeping the page of a run next to its report: after the run is done, and never against it."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from neotoma_core.errors import without_panic
from neotoma_core.files.atomic import temporary_name
from neotoma_core.files.private import make_folders

PAGE: Final = "report.html"
_PRIVATE: Final = 0o600
_log = logging.getLogger(__name__)


def keep_page(path: Path, make: Callable[[], bytes]) -> str | None:
    """Write a page that is its owner's alone; return where it is, None where that failed.

    Whatever goes wrong here changes nothing of a run: the page only shows what the report says. So
    the file is replaced in one step, and not forced to the disk.
    """
    try:
        content = without_panic("a page", make)
        make_folders(path.parent)
        _replace(path, content)
    except Exception as error:  # noqa: BLE001 - the run is done; the error may hold values
        _log.warning("a page could not be kept", extra={"error": type(error).__name__})
        return None
    return str(path)


def _replace(path: Path, content: bytes) -> None:
    temporary = temporary_name(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _PRIVATE)  # whatever the umask
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
