"""Checks of what protects a database: its vault, backups, remotes, keys; nothing is written."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.backup.protection import Protection, protection_of
from neotoma_core.doctor.report import Check
from neotoma_core.errors import MiddenError
from neotoma_core.remotes.known import KnownRemote, read_remotes
from neotoma_core.remotes.opening import open_known_remote
from neotoma_core.remotes.remote import require_same
from neotoma_core.remotes.standing import standings_of
from neotoma_core.runs.commands import command
from neotoma_core.settings.environment import identity_file
from neotoma_core.vault.folder import DESCRIPTION, read_description
from neotoma_core.vault.noted import absent_vault

PROVEN_WITHIN: Final = timedelta(days=8)
"""How old the last proven restore may be: drills are repeated weekly."""
LAGGING: Final = timedelta(days=2)
"""How far a remote may be behind."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A database, its vault, and the time."""

    target: Path
    vault: Path
    now: datetime

    def command(self, *words: str, then: tuple[str, ...] = ()) -> str:
        """Return a command for them."""
        return command(*words, target=self.target, vault=self.vault, then=then)


def check_vault(kept: Kept) -> Iterator[Check]:
    """Check that the vault is there, whole and writable, and what its backups are worth."""
    absent = absent_vault(kept.vault, kept.target)
    if absent is not None:
        yield Check(
            "vault", "critical", f"{kept.vault}: it was made here and is gone", absent.connect
        )
        return
    if not (kept.vault / DESCRIPTION).exists():
        yield Check("vault", "critical", f"{kept.vault}: there is none yet", kept.command("init"))
        return
    try:
        read_description(kept.vault)
        protection = protection_of(kept.vault, kept.now)
    except MiddenError as error:
        yield Check("vault", "critical", str(error), "restore it from a copy of the vault")
        return
    if not os.access(kept.vault, os.R_OK | os.W_OK | os.X_OK):
        yield Check(
            "vault",
            "critical",
            f"{kept.vault}: it cannot be written to",
            "change its permissions, or mount its disk for writing",
        )
    else:
        yield Check("vault", "ok", str(kept.vault))
    yield _check_backups(kept, protection)
    yield _check_restore(kept, protection)


def _check_backups(kept: Kept, protection: Protection) -> Check:
    last = protection.last_backup
    if last is None:
        return Check("backup", "critical", "no backup was ever taken", kept.command("backup"))
    said = f"{protection.good:,} good of {protection.backups:,}, the last {_ago(kept.now, last)}"
    if protection.frozen:
        alarms = "; ".join(protection.alarms)
        return Check("backup", "critical", f"{said}; {alarms}", kept.command("status"))
    if protection.incomplete:
        fix = kept.command("verify", then=("--all",))
        return Check("backup", "critical", f"{said}; some cannot be read", fix)
    if protection.is_due:
        return Check("backup", "critical", f"{said}; the next is overdue", kept.command("backup"))
    return Check("backup", "ok", said)


def _check_restore(kept: Kept, protection: Protection) -> Check:
    """Check how long ago a backup was last restored and compared with what it should be."""
    fix = kept.command("verify")
    proven = protection.last_verified
    if proven is None:
        return Check("restore", "critical", "no backup was ever restored and checked", fix)
    said = f"last proven {_ago(kept.now, proven)}"
    if kept.now - proven > PROVEN_WITHIN:
        return Check("restore", "warning", said, fix)
    return Check("restore", "ok", said)


def check_remotes(kept: Kept, *, ask: bool) -> Iterator[Check]:
    """Check that each remote answers, is the one that was added, and has what it should.

    ``ask``: contact them.
    """
    try:
        remotes = read_remotes(kept.vault)
        standings = {
            one.name: one for one in standings_of(kept.vault, kept.target, kept.now).remotes
        }
    except MiddenError as error:
        yield Check("remotes", "critical", str(error), "restore remotes.json from a copy")
        return
    if not remotes:
        fix = kept.command("init", then=("--remote", "URL"))
        yield Check("remotes", "warning", "there is no copy off this machine", fix)
    for known in remotes:
        name = f"remote {known.name}"
        said = _unreachable(kept, known) if ask else None
        standing = standings[known.name]
        fix = kept.command("push", then=("--remote", known.name))
        if said is not None:
            yield Check(name, "critical", said, "check the network and the credentials")
        elif standing.failing:
            yield Check(name, "critical", f"the last push failed: {standing.failing}", fix)
        elif standing.lag_seconds is None:
            yield Check(name, "warning", "it never had everything", fix)
        elif standing.lag_seconds > LAGGING.total_seconds():
            yield Check(name, "warning", f"{standing.lag_seconds / 3600:,.0f} h behind", fix)
        else:
            answers = "it answers; " if ask else ""
            yield Check(name, "ok", f"{answers}{standing.lag_seconds / 3600:,.1f} h behind")
        yield from _check_identity(known)


def _unreachable(kept: Kept, known: KnownRemote) -> str | None:
    """Return why a remote cannot be used; None where it can."""
    try:
        with open_known_remote(kept.vault, known) as remote:
            require_same(remote)
    except MiddenError as error:
        return str(error)
    return None


def _check_identity(known: KnownRemote) -> Iterator[Check]:
    """Check whether what is pushed can be read again from here."""
    if not known.recipients:
        yield Check(
            "identity",
            "warning",
            f"{known.name} is not encrypted",
            "add it again without --plain, if others can read what is there",
        )
    elif identity_file(known.name) is None:
        yield Check(
            "identity",
            "warning",
            f"the identity of {known.name} is not on this machine",
            "make sure you have it: without it nothing there can be read again",
        )
    else:
        yield Check("identity", "ok", f"that of {known.name} is here; keep a copy elsewhere, too")


def _ago(now: datetime, moment: datetime) -> str:
    return f"{(now - moment).total_seconds() / 3600:,.1f} h ago"
