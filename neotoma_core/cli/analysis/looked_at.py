"""What commands that only look at databases share: where a user's words lead, and scratch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from neotoma_core.cli.remote.archives import archive_at
from neotoma_core.cli.remote.as_backups import bring_logs, remote_named
from neotoma_core.cli.remote.opening import Opening

if TYPE_CHECKING:
    from neotoma_core.entity_view.opening import Looking
    from neotoma_core.entity_view.places import Place
    from neotoma_core.files.keys import KeySource

VALUES_HELP: Final = "Also print stored values."
LIMIT_OPTION: Final = typer.Option(min=1, help="List at most this many entities one by one.")


@dataclass(frozen=True, slots=True)
class Around:
    """Whose copies words may name: those of the ``vault`` of a ``target``."""

    target: Path
    vault: Path
    opening: Opening


@contextmanager
def place_of(words: str, around: Around) -> Iterator["Place"]:
    """Yield what words name: a file, a folder, a backup of the vault, an archive, a remote.

    A remote is brought here for as long as it is looked at. Raises UsageError.
    """
    from neotoma_core.entity_view.places import Place, split_moment
    from neotoma_core.find.vault_copies import find_named_backup
    from neotoma_core.pull.sources import CopyRequest
    from neotoma_core.settings.environment import raw_storage

    named, moment = split_moment(words)
    remote = remote_named(Path(named), around.vault)
    if remote is None:
        yield Place(words, find_named_backup(Path(named), around.vault), moment)
        return
    with archive_at(remote, around.vault, around.opening) as archive:
        if archive is not None:
            yield Place(words, archive.path, moment)
            return
    asked = CopyRequest(around.target, around.vault, raw_storage(around.target))
    with bring_logs(remote, asked, around.opening, one=True) as copies:
        yield Place(words, copies[0].archive, moment)


@contextmanager
def looking(
    around: Around, key: "KeySource | None", rules: str, *, skip_unreadable: bool
) -> Iterator["Looking"]:
    """Yield how places are looked at, with a scratch folder that goes afterwards."""
    from datetime import UTC, datetime

    from neotoma_core.entity_view.opening import Looking
    from neotoma_core.files.scratch import private_scratch

    with private_scratch() as scratch:
        yield Looking(around.vault, scratch, datetime.now(UTC), key, rules, skip_unreadable)
