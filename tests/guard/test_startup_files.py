"""Our block in somebody else's start-up file: put once, replaced whole, the rest untouched."""

from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.guard.startup_files import Marks, put_block, read_blocks

MARKS = Marks("# ours:", "# ours ends")
BLOCK = "# ours: new\nnew\n# ours ends\n"
OLD = "# ours: old\nold\n# ours ends\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", BLOCK),
        ("alias l=ls", f"alias l=ls\n{BLOCK}"),
        ("alias l=ls\n", f"alias l=ls\n{BLOCK}"),
        (f"a\n{OLD}b\n", f"a\n{BLOCK}b\n"),
        (f"a\n{OLD}b\n{OLD}c", f"a\n{BLOCK}b\nc"),
        (OLD, BLOCK),
        (OLD.rstrip("\n"), BLOCK),
        (f"a\n{BLOCK}", f"a\n{BLOCK}"),
        ("\udce9t\udce9 # invalid UTF-8\r\n", f"\udce9t\udce9 # invalid UTF-8\r\n{BLOCK}"),
    ],
)
def test_a_block_is_there_once_and_the_rest_stays(before: str, after: str, tmp_path: Path) -> None:
    file = tmp_path / "rc"
    file.write_bytes(before.encode(errors="surrogateescape"))
    file.chmod(0o640)
    put_block(file, MARKS, BLOCK)
    assert file.read_bytes().decode(errors="surrogateescape") == after
    assert read_blocks(file, MARKS) == (BLOCK,)
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_block_without_an_end_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "rc"
    file.write_text("# ours: old\nold\nalias l=ls\n")
    before = file.read_bytes()
    for use in (lambda: read_blocks(file, MARKS), lambda: put_block(file, MARKS, BLOCK)):
        with pytest.raises(UsageError, match="remove the block by hand"):
            use()
    assert file.read_bytes() == before


def test_a_link_is_followed_and_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").write_text("a\n")
    (tmp_path / "rc").symlink_to("dotfiles")
    put_block(tmp_path / "rc", MARKS, BLOCK)
    assert (tmp_path / "rc").is_symlink()
    assert (tmp_path / "dotfiles").read_text() == f"a\n{BLOCK}"


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}/no/rc: .* nothing was changed"):
        put_block(tmp_path / "no" / "rc", MARKS, BLOCK)
