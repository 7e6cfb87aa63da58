"""A target that cannot be written to is refused, with what helps, before anything is begun."""

import errno
import os
from pathlib import Path

import pytest

from neotoma_core.errors import TargetError
from neotoma_core.publication.replaceable import require_replaceable


@pytest.mark.parametrize(
    ("number", "wrong"),
    [(errno.EROFS, "its disk is mounted read-only"), (errno.EPERM, "it is immutable")],
)
def test_a_file_that_cannot_be_opened_to_write_is_refused(
    number: int, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, opened = tmp_path / "t.db", os.open
    require_replaceable(target)
    target.write_bytes(b"as it is")
    require_replaceable(target)

    def refusing(path: str | Path, flags: int, *rest: int, **more: int) -> int:
        if Path(path) == target and flags & os.O_RDWR:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(TargetError, match=wrong):
        require_replaceable(target)
    assert target.read_bytes() == b"as it is"
