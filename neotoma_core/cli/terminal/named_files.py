"""Files that options name, looked at before anything is done."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError
from neotoma_core.words.nearest import nearest_named

PICTURES: Final = (".svg", ".html", ".htm")
_PARQUET: Final = b"PAR1"


def require_picture(path: Path) -> None:
    """Raise UsageError where a picture cannot be drawn as the file is called, or not into it."""
    _require_file_or_none("--picture", path)
    if path.suffix.lower() not in PICTURES:
        nearest = path.with_suffix(PICTURES[0]).name
        raise UsageError(
            f"--picture {path}: a picture is drawn as .svg or .html; call it {nearest}"
        )


def require_page(option: str, path: Path) -> None:
    """Raise UsageError where a page cannot be written into the file that is named."""
    _require_file_or_none(option, path)
    if path.suffix.lower() not in PICTURES[1:]:
        raise UsageError(f"{option} {path}: a page is written as .html; call it {path.stem}.html")


def require_parquet(option: str, path: Path) -> None:
    """Raise UsageError where an existing file is not a Parquet file to be replaced."""
    _require_file_or_none(option, path)
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(_PARQUET)) != _PARQUET:
                raise UsageError(f"{option} {path}: another file has that name; choose another")


def require_databases(option: str, paths: Sequence[Path]) -> None:
    """Raise UsageError for a path that is not a file; suggests one with a similar name."""
    for path in paths:
        if not path.is_file():
            wrong = "not a file" if path.exists() else "there is no such file"
            folder = path.absolute().parent
            beside = [p.name for p in folder.iterdir() if p.is_file()] if folder.is_dir() else []
            raise UsageError(f"{option} {path}: {wrong}{nearest_named(path.name, beside)}")


def _require_file_or_none(option: str, path: Path) -> None:
    if path.exists() and not path.is_file():
        raise UsageError(f"{option} {path}: a folder, device or pipe; name a file")
