"""The whole examination: every check of a database, in the order in which somebody would ask."""

from collections.abc import Iterator
from pathlib import Path

from neotoma_core.doctor.around import check_database, check_disk, check_space, check_versions
from neotoma_core.doctor.kept import Kept, check_remotes, check_vault
from neotoma_core.doctor.report import Check, DoctorReport
from neotoma_core.errors import MiddenError
from neotoma_core.files.keys import KeySource, require_key
from neotoma_core.remotes.known import read_remotes
from neotoma_core.settings.alerts import alerting
from neotoma_core.settings.configured import ConfigReport
from neotoma_core.settings.environment import key_source
from neotoma_core.timers.systems import System, timer_state
from neotoma_core.timers.timer import timer_name

_READABLE = 0o077


def examine(
    kept: Kept, configured: ConfigReport | MiddenError, system: System | None, *, ask: bool
) -> DoctorReport:
    """Look at everything; nothing is written. ``ask``: contact remotes.

    ``configured``: what is configured, or why that cannot be read. ``system``: what runs timers.
    """
    checks = (
        *check_versions(),
        *_check_configuration(configured),
        *check_database(kept.target),
        check_space(kept.target, kept.vault),
        check_disk(kept.target, kept.vault, remotes=_has_remotes(kept.vault)),
        *check_vault(kept),
        *check_remotes(kept, ask=ask),
        _check_key(),
        _check_schedule(kept, system),
        _check_notified(kept.target),
    )
    return DoctorReport(str(kept.target), str(kept.vault), checks)


def _has_remotes(vault: Path) -> bool:
    try:
        return bool(read_remotes(vault))
    except MiddenError:
        return False


def _check_configuration(configured: ConfigReport | MiddenError) -> Iterator[Check]:
    if isinstance(configured, MiddenError):
        yield Check("config", "critical", str(configured), "correct it: midden config check")
        return
    file = Path(configured.file)
    if not configured.found:
        yield Check("config", "ok", f"{file}: there is none")
        return
    wrong = [*configured.unknown]
    wrong += [
        f"{one.path}: there is no such file" for one in configured.configured if not one.path_exists
    ]
    if wrong:
        yield Check("config", "warning", "; ".join(wrong), "midden config check")
    elif file.stat().st_mode & _READABLE and any(
        "(not shown)" in value for one in configured.configured for value in one.settings.values()
    ):
        said = f"{file}: it holds addresses, and other users can read it"
        yield Check("config", "warning", said, f"chmod 600 {file}")
    else:
        names = ", ".join(one.name for one in configured.configured) or "no database"
        yield Check("config", "ok", f"{file}: {names}")


def _check_key() -> Check:
    try:
        source: KeySource | None = key_source()
        if source is not None:
            require_key(source)
    except MiddenError as error:
        return Check("key", "critical", str(error), "set NEOTOMA_KEY_FILE_PATH as Neotoma has it")
    if source is None:
        return Check("key", "ok", "none is set; only encrypted columns need one")
    return Check("key", "ok", "the key of encrypted columns can be read")


def _check_schedule(kept: Kept, system: System | None) -> Check:
    fix = kept.command("schedule", "install")
    if system is None:
        said = "neither systemd, launchd nor cron answers here"
        return Check("schedule", "warning", said, "keep `midden serve` running, or see the docs")
    try:
        state = timer_state(system, timer_name(kept.target))
    except MiddenError as error:
        return Check("schedule", "warning", str(error), fix)
    if not state.installed:
        said = "no timer of this machine backs it up; `midden serve` may"
        return Check("schedule", "warning", said, fix)
    if not state.active:
        return Check("schedule", "critical", f"its timer is not alive: {state.said}", fix)
    return Check("schedule", "ok", f"by {system.kind}: {state.said}")


def _check_notified(target: Path) -> Check:
    fix = "set notify or heartbeat in midden.toml"
    try:
        told = alerting(target)
    except MiddenError as error:
        return Check("notify", "critical", str(error), fix)
    if told.notify or told.heartbeat or told.metrics:
        return Check("notify", "ok", "somebody hears of alarms")
    return Check("notify", "warning", "nobody hears of a backup that fails", fix)
