"""What is said of a mirror, said of the archive on the store: its address for its folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from neotoma_core.errors import MiddenError
from neotoma_core.words.shell_words import quote_word

T = TypeVar("T")


@contextmanager
def rename_errors(folder: Path, url: str) -> Iterator[None]:
    """Let errors of ours that the block raises name what is at ``url``, not in ``folder``."""
    try:
        yield
    except MiddenError as error:
        error.args = tuple(_rename(one, str(folder), url) for one in error.args)
        for name in ("wrong", "advice"):
            said = getattr(error, name, None)
            if isinstance(said, str):
                setattr(error, name, _rename(said, str(folder), url))
        raise


def rename_report(report: T, folder: Path, url: str) -> T:
    """Return a report, a frozen value, whose texts name what is at ``url``, not in ``folder``."""
    return cast("T", _rename(report, str(folder), url))


def _rename(value: Any, folder: str, url: str) -> Any:  # noqa: ANN401 - whatever a report holds
    if isinstance(value, str):
        quoted = value.replace(f"--archive {folder}", f"--archive {quote_word(url)}")
        return quoted.replace(folder, url)
    if is_dataclass(value) and not isinstance(value, type):
        known = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
        return replace(value, **{name: _rename(one, folder, url) for name, one in known.items()})
    if isinstance(value, tuple):
        return tuple(_rename(one, folder, url) for one in value)
    if isinstance(value, Mapping):
        return {name: _rename(one, folder, url) for name, one in value.items()}
    return value
