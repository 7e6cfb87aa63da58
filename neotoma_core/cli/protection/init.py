"""``midden init``: protect a database, step by step, each of them asked."""

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal.asking import ask, end_declined, require_answerable
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)

if TYPE_CHECKING:
    from neotoma_core.backup.report import BackupReport
    from neotoma_core.settings.configuration_file import PlannedEntry

_REMOTE: Final = "offsite"


@dataclass(frozen=True, slots=True)
class Steps:
    """What was asked for, and for which database. ``folder``: the vault."""

    target: Path
    folder: Path
    yes: bool
    json: bool

    def say(self, label: str, line: str) -> None:
        """Print a line about a step; with ``json`` standard output is the report's alone."""
        from neotoma_core.report.layout import label_line

        print(label_line(label, line), file=sys.stderr if self.json else sys.stdout, flush=True)

    def agree(self, question: str) -> bool:
        """Return whether the user agrees to a step."""
        return ask(question, yes=self.yes)


@dataclass(frozen=True, slots=True)
class Said:
    """What the steps came to. ``good``: backups; ``written``: whether the entry was added now."""

    backup: "BackupReport | None"
    good: int
    remote: str | None
    entry: "PlannedEntry"
    written: bool
    timer: str | None


def init(
    *,
    target: Annotated[
        Path | None,
        typer.Option(
            help="The database to protect [default: the one that Neotoma uses].",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Its name in midden.toml [default: main].", show_default=False),
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(
            help="Also add this remote, e.g. s3://bucket/prefix or file:///folder.",
            show_default=False,
        ),
    ] = None,
    schedule: Annotated[
        bool,
        typer.Option("--schedule/--no-schedule", help="Offer backups by a timer of the system."),
    ] = True,
    new_vault: Annotated[
        bool,
        typer.Option("--new-vault", help="Make the vault again if it is gone for good."),
    ] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    yes: Annotated[bool, YES_OPTION] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Protect a database: its vault, a first backup, midden.toml.

    Finds the database that Neotoma uses, takes a backup and proves it, offers a remote, names the
    database in midden.toml, and offers a schedule. Each step is asked; what is done already is left
    as it is.
    """
    from neotoma_core.errors import begin_record
    from neotoma_core.settings.environment import default_vault, neotoma_settings
    from neotoma_core.settings.used import used_database

    require_answerable(yes=yes)
    found = target or used_database(neotoma_settings())
    steps = Steps(found.absolute(), (vault or default_vault(found)).absolute(), yes, json)
    begin_record(steps.target, steps.folder)
    steps.say("database", str(steps.target))
    backup, good = _protect(steps, (key_file, mnemonic_file), new_vault=new_vault)
    added = _with_remote(steps, remote)
    entry, written = _name_database(steps, name)
    timer = _offer_timer(steps) if schedule else None
    said = Said(backup, good, added, entry, written, timer)
    _end(steps, said)
    from neotoma_core.cli.protection.backup import exit_code_of

    return exit_code_of(backup) if backup else 0


def _protect(
    steps: Steps, key: tuple[Path | None, Path | None], *, new_vault: bool
) -> "tuple[BackupReport | None, int]":
    """Take the first backup, if there is no good one; return it, and how many are good."""
    from neotoma_core.backup.protection import protection_of
    from neotoma_core.backup.request import BackupRequest
    from neotoma_core.backup.take import back_up
    from neotoma_core.backup.text import backup_text
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.settings.environment import key_source, raw_storage
    from neotoma_core.vault.noted import absent_vault, forget_vault

    absent = absent_vault(steps.folder, steps.target)
    if absent is not None and not new_vault:
        raise absent
    now = datetime.now(UTC)
    protection = protection_of(steps.folder, now)
    if protection.good:
        steps.say("vault", f"{steps.folder}: {protection.good:,} good backups")
        return None, protection.good
    steps.say("vault", f"{steps.folder}{'' if steps.folder.exists() else ' (new)'}")
    if not steps.agree("take a first backup into this vault, and prove it?"):
        end_declined(json=steps.json)
    if absent is not None:
        forget_vault(steps.folder)
    raw = raw_storage(steps.target)
    request = BackupRequest(steps.target, steps.folder, key=key_source(*key), raw_storage=raw)
    with TerminalProgress() as progress:
        report = back_up(request, now, progress)
    print(backup_text(report), file=sys.stderr if steps.json else sys.stdout, flush=True)
    return report, protection_of(steps.folder, now).good


def _with_remote(steps: Steps, url: str | None) -> str | None:
    """Add a remote where one is wanted; return its name."""
    from neotoma_core.cli.remote.opening import Opening, identities, required_url
    from neotoma_core.cli.remote.remote import add_shown
    from neotoma_core.offsite.add import AddRequest
    from neotoma_core.remotes.known import read_remotes
    from neotoma_core.settings.environment import default_identity_file

    known = read_remotes(steps.folder)
    for one in known:
        steps.say("remote", f"{one.name}: {one.url}")
    if url is None and not known and not steps.yes:
        print(
            "a place off this machine, as s3://bucket/prefix or file:///folder (empty: none): ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        url = sys.stdin.readline().strip() or None
    if url is None or required_url(url) in [one.url for one in known]:
        return None
    name = _free_name({one.name for one in known})
    place = default_identity_file(name)
    there = identities(place) if place.is_file() else ()
    request = AddRequest(
        name, required_url(url), steps.target, steps.folder, place, identities=there
    )
    added = add_shown(request, Opening(), yes=steps.yes, json=steps.json)
    steps.say(
        "remote",
        f"{name}: {added.remote.url}"
        if added.outcome != "declined"
        else "not added; its identity was removed",
    )
    return None if added.outcome == "declined" else name


def _free_name(taken: set[str]) -> str:
    names = (_REMOTE, *(f"{_REMOTE}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _name_database(steps: Steps, name: str | None) -> "tuple[PlannedEntry, bool]":
    """Name the database in midden.toml; return the entry, and whether it was written now."""
    from neotoma_core.settings.configuration_file import plan_entry, write_entry
    from neotoma_core.settings.environment import configuration, vault_of_its_own

    own = steps.folder == vault_of_its_own(steps.target).absolute()
    entry = plan_entry(
        configuration(to_be_made=True), steps.target, None if own else steps.folder, name
    )
    if not entry.lines:
        steps.say("config", f"{entry.file}: {entry.name}")
        return entry, False
    steps.say("config", f"to add to {entry.file}:")
    for line in entry.lines.splitlines():
        steps.say("", line)
    if not steps.agree("add these lines?"):
        return entry, False
    write_entry(entry)
    return entry, True


def _offer_timer(steps: Steps) -> str | None:
    """Offer a timer; return its name where there is one."""
    from neotoma_core.cli.protection.schedule import install_schedule
    from neotoma_core.cli.protection.system_timers import Every, find_timers
    from neotoma_core.timers.systems import timer_state
    from neotoma_core.timers.timer import timer_name

    system, name = find_timers(), timer_name(steps.target)
    if system is None:
        steps.say("schedule", "neither systemd, launchd nor cron answers; see `midden serve`")
        return None
    if timer_state(system, name).active:
        steps.say("schedule", f"{name}, by {system.kind}")
        return name
    question = f"back up daily at 03:00, by {system.kind}?"
    if not steps.agree(question):
        return None
    out = sys.stderr if steps.json else sys.stdout
    with redirect_stdout(out):
        wanted = (Every.DAILY, "03:00", None)
        install_schedule(steps.target, steps.folder, wanted, yes=True, first=False)
    return name


def _end(steps: Steps, said: Said) -> None:
    from neotoma_core.report.document import document
    from neotoma_core.runs.commands import command

    then = command("status", target=steps.target, vault=steps.folder)
    if steps.json:
        entry = said.entry
        report = {
            "target": str(steps.target),
            "vault": str(steps.folder),
            "backup": said.backup.backup if said.backup else None,
            "good": said.good,
            "remote": said.remote,
            "config": str(entry.file),
            "name": entry.name if said.written or not entry.lines else None,
            "written": said.written,
            "timer": said.timer,
            "next": then,
        }
        print(document(report))
        return
    steps.say("next", then)
