"""``midden schedule``: backups by a timer of the system."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.protection.system_timers import (
    Every,
    Means,
    escaped_lines,
    required_system,
    timer_for,
    unseen_variables,
    when_meant,
)
from neotoma_core.cli.terminal.asking import LEFT_ALONE, ask, end_declined, require_answerable
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.strict import StrictCommand

if TYPE_CHECKING:
    from neotoma_core.timers.timer import When

_ALARM: Final = 6

schedule = typer.Typer(
    help="Backups by a timer of the system: systemd, launchd or cron.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


EveryOption = Annotated[Every, typer.Option(help="How often; weekly is on Sundays.")]
AtOption = Annotated[
    str,
    typer.Option(help="At what time of this machine's day; of it hourly only takes the minute."),
]
WithOption = Annotated[
    Means | None,
    typer.Option("--with", help="What runs it [default: what is there].", show_default=False),
]


@schedule.command(cls=StrictCommand)
def install(
    *,
    target: Annotated[Path, TARGET_OPTION],
    every: EveryOption = Every.DAILY,
    at: AtOption = "03:00",
    means: WithOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what would be written; write nothing.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Install a timer that backs a database up, and take a backup now.

    What is written is shown first. Each run backs up, rotates, pushes to the remotes of the vault,
    and repeats drills weekly. A run that was missed, as the machine was off, is made up.
    """
    return install_schedule(
        target, vault, (every, at, means), yes=yes, dry_run=dry_run, first=not dry_run
    )


def install_schedule(
    target: Path,
    vault: Path | None,
    wanted: tuple[Every, str, Means | None],
    *,
    yes: bool,
    dry_run: bool = False,
    first: bool = True,
) -> int:
    """Show a timer, ask, install it, and with ``first`` take a backup at once if one is due."""
    from neotoma_core.report.layout import escape_name
    from neotoma_core.timers.systems import install_timer, planned_files

    require_answerable(yes=yes or dry_run)
    every, at, means = wanted
    when = when_meant(every, at)
    system = required_system(means)
    timer = timer_for(target, vault, when)
    for path, text in planned_files(system, timer).items():
        print(f"# {escape_name(path)}")
        print(escaped_lines(text))
    for name in unseen_variables():
        print(f"note       {name} is set here, and a timer does not see it: put it in midden.toml")
    if dry_run:
        print(LEFT_ALONE.replace("the target was left alone", "nothing was written"))
        return 0
    if not ask(f"install this timer ({when})?", yes=yes):
        end_declined(json=False)
    install_timer(system, timer)
    print(f"installed  {timer.name}, by {system.kind}, {when}", flush=True)
    return _run(target, vault, when, (None, None), only_if_due=True) if first else 0


@schedule.command(cls=StrictCommand)
def status(
    *,
    target: Annotated[Path, TARGET_OPTION],
    means: WithOption = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Say whether the timer of a database is alive, and on time.

    Exit code 6: there is no timer, it is not active, or a backup is overdue.
    """
    from neotoma_core.backup.protection import protection_of, protection_text
    from neotoma_core.report.document import document
    from neotoma_core.settings.environment import default_vault
    from neotoma_core.timers.systems import timer_state
    from neotoma_core.timers.timer import timer_name

    system, name = required_system(means), timer_name(target)
    state = timer_state(system, name)
    protection = protection_of(vault or default_vault(target), datetime.now(UTC))
    alive = state.active and not protection.is_due
    if json:
        last = protection.last_backup
        said = {
            "name": name,
            "system": system.kind,
            "installed": state.installed,
            "active": state.active,
            "state": state.said,
            "last_backup": last.isoformat() if last else None,
            "alive": alive,
        }
        print(document(said))
    else:
        print(f"timer      {name}, by {system.kind}: {state.said}")
        print(f"vault      {protection_text(protection)}")
    return 0 if alive else _ALARM


@schedule.command(cls=StrictCommand)
def remove(
    *,
    target: Annotated[Path, TARGET_OPTION],
    means: WithOption = None,
    yes: Annotated[bool, YES_OPTION] = False,
) -> None:
    """Remove the timer of a database; its backups stay."""
    from neotoma_core.timers.systems import remove_timer
    from neotoma_core.timers.timer import timer_name

    system, name = required_system(means), timer_name(target)
    if not ask(f"remove the timer {name}?", yes=yes):
        end_declined(json=False)
    there = remove_timer(system, name)
    print(f"removed    {name}" if there else f"unchanged  there is no timer {name}")


@schedule.command(cls=StrictCommand)
def run(
    *,
    target: Annotated[Path, TARGET_OPTION],
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Do nothing if a backup was taken since it was due.")
    ] = False,
    every: EveryOption = Every.DAILY,
    at: AtOption = "03:00",
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Do now what a timer does: back up, rotate, push, repeat drills.

    What fails does not stop the rest; the exit code is that of the first failure.
    """
    return _run(target, vault, when_meant(every, at), (key_file, mnemonic_file), only_if_due=if_due)


def _run(
    target: Path,
    vault: Path | None,
    when: "When",
    key: tuple[Path | None, Path | None],
    *,
    only_if_due: bool,
) -> int:
    from neotoma_core.backup.protection import protection_of
    from neotoma_core.find.board.keeping import KeptBoard, configured_pages
    from neotoma_core.push.unattended import Unattended, run_unattended
    from neotoma_core.schedule.job import Scheduled
    from neotoma_core.schedule.kept import kept_of
    from neotoma_core.settings.alerts import alerting, push_alerting
    from neotoma_core.settings.environment import (
        configuration,
        default_vault,
        key_source,
        raw_storage,
    )
    from neotoma_core.timers.timer import is_due, last_due

    folder, now = vault or default_vault(target), datetime.now(UTC)
    last = protection_of(folder, now).last_backup
    if only_if_due and not is_due(when, last, now.astimezone()):
        print(f"{target}: nothing is due; the last backup is of {last:%Y-%m-%d %H:%M} UTC")
        return 0
    known = configuration()
    database = known.at(target)
    job = Scheduled(
        target,
        folder,
        now,
        when.interval.total_seconds() / 3600,
        raw_storage(target),
        kept_of(known, target),
        last_due(when, now.astimezone()) if only_if_due else None,
    )
    failed = run_unattended(
        Unattended(
            job,
            key_source(*key),
            database.settings.remotes if database else None,
            alerting(target),
            push_alerting(target),
            lambda line: print(line, flush=True),
        )
    )
    pages = configured_pages([target])
    if pages:
        KeptBoard([target], vault, pages, lambda: datetime.now(UTC)).refresh()
    return failed[0].exit_code if failed else 0
