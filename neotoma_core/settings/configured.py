"""What is configured, as a report: each value, and where it comes from. No secret is in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from neotoma_core.report.document import document
from neotoma_core.report.layout import label_line
from neotoma_core.settings.configuration import NAME, Configuration, ConfiguredDatabase, Options
from neotoma_core.settings.environment import (
    chosen_profile,
    configuration,
    configured_vault,
    variable,
    variables_of_midden,
)
from neotoma_core.words.nearest import nearest_named

_HIDDEN: Final = "(not shown)"
_SECRET_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*:/+(?:[^/]*@|.*\?)", re.IGNORECASE)
_PLAIN: Final = ("MIDDEN_CONFIG", "MIDDEN_PROFILE", "MIDDEN_VAULT", "MIDDEN_IDENTITY_FILE")
_ADDRESSES: Final = ("MIDDEN_NOTIFY_URLS", "MIDDEN_HEARTBEAT_URL", "MIDDEN_PUSH_HEARTBEAT_URL")
_FILES: Final = ("MIDDEN_METRICS_FILE", *(f"{name}_FILE" for name in _ADDRESSES))
GENERAL: Final = (*_PLAIN, *_ADDRESSES, *_FILES)
"""The variables that are not named after an option."""


@dataclass(frozen=True, slots=True)
class ConfiguredReport:
    """One database. ``vault_from``: ``midden.toml``, ``MIDDEN_VAULT`` or ``default``.

    ``settings``: what else the file says of it, as text.
    """

    name: str
    path: str
    path_exists: bool
    vault: str
    vault_from: str
    vault_exists: bool
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfiguredValue:
    """An option or variable, its ``value`` as text, and the place it comes from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class ConfigReport:
    """The ``file`` that is read, whether it is there, and the databases in it.

    ``options``: those that the file or the environment sets, or all of one command. ``unknown``:
    variables named after midden that set nothing, and the nearest that would. ``agent_databases``:
    names of those that agents may ask about; ``agent_folders``: where copies may be found for them.
    ``refused``: databases that are listed twice or share a vault, and why.
    """

    file: str
    found: bool
    configured: tuple[ConfiguredReport, ...]
    profile: str | None = None
    options: tuple[ConfiguredValue, ...] = ()
    unknown: tuple[str, ...] = ()
    agent_databases: tuple[str, ...] = ()
    agent_folders: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether all databases are there, none is refused, and every variable sets something."""
        return not (self.unknown or self.refused) and all(
            one.path_exists for one in self.configured
        )

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def configured_report(
    of_options: Iterable[str] = (), options: Iterable[ConfiguredValue] | None = None
) -> ConfigReport:
    """Return what is configured, and where each value comes from. Raises UsageError.

    ``of_options``: the variables of all options. ``options``: those to report, by default what is
    set anywhere.
    """
    known = configuration()
    names = (*GENERAL, *of_options)
    set_there = variables_of_midden()
    return ConfigReport(
        str(known.file),
        known.found,
        tuple(_database(one) for one in known.databases),
        chosen_profile(),
        tuple(_list_stated(known, set_there, names) if options is None else options),
        tuple(
            f"{name}: no such setting{nearest_named(name, names)}"
            for name in sorted(set_there)
            if name not in names
        ),
        tuple(one.name for one in known.agents.databases),
        tuple(map(str, known.agents.folders)),
    )


def _database(one: ConfiguredDatabase) -> ConfiguredReport:
    vault = configured_vault(one)
    origin = "MIDDEN_VAULT" if variable("MIDDEN_VAULT") else NAME
    return ConfiguredReport(
        one.name,
        str(one.path),
        one.path.exists(),
        str(vault),
        origin if one.vault or origin != NAME else "default",
        vault.is_dir(),
        dict(_settings(one)),
    )


def _settings(one: ConfiguredDatabase) -> Iterator[tuple[str, str]]:
    settings, notifying = one.settings, one.settings.notifying
    if settings.remotes is not None:
        yield "remotes", ", ".join(settings.remotes) or "none"
    if settings.retention:
        yield "retention", ", ".join(f"{key} {said}" for key, said in settings.retention.items())
    when = " ".join(filter(None, (settings.every, f"at {settings.at}" if settings.at else "")))
    said: dict[str, object] = {
        "schedule": when,
        "profile": one.profile,
        "page": settings.page,
    }
    if notifying.notify is not None:
        said["notify"] = f"{len(notifying.notify):,} addresses {_HIDDEN}"
    for key in ("heartbeat", "push_heartbeat"):
        said[key] = _HIDDEN if getattr(notifying, key) else None
    for key in ("notify_file", "heartbeat_file", "push_heartbeat_file", "metrics_file"):
        said[key] = getattr(notifying, key)
    yield from ((key, str(value)) for key, value in said.items() if value)


def _list_stated(
    known: Configuration, set_there: Mapping[str, str], names: tuple[str, ...]
) -> Iterator[ConfiguredValue]:
    tables = {"defaults": known.defaults}
    tables |= {f"profiles.{name}": table for name, table in known.profiles.items()}
    tables |= {f"databases.{one.name}.defaults": one.options for one in known.databases}
    for place, table in tables.items():
        yield from _table(place, table)
    for name in names:
        if name in set_there:
            value = _HIDDEN if name in _ADDRESSES else shown_value(set_there[name])
            yield ConfiguredValue(name, value, "environment")


def _table(place: str, table: Options) -> Iterator[ConfiguredValue]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _table(f"{place}.{key}", value)
        else:
            yield ConfiguredValue(f"{place}.{key}", shown_value(value), NAME)


def shown_value(value: object) -> str:
    """Return a value as text; of an address that may hold a password, only that there is one."""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return _HIDDEN if _SECRET_ADDRESS.match(str(value)) else str(value)


def config_text(report: ConfigReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: ConfigReport) -> Iterator[str]:
    yield label_line("file", report.file if report.found else f"{report.file}: there is none")
    if report.profile:
        yield label_line("profile", report.profile)
    for one in report.configured:
        yield label_line(
            "database", f"{one.name}: {one.path}{'' if one.path_exists else ' (not there)'}"
        )
        there = "" if one.vault_exists else ", not there"
        yield label_line("  vault", f"{one.vault} ({one.vault_from}{there})")
        for key, value in one.settings.items():
            yield label_line(f"  {key}", f" {value} ({NAME})")
    if report.agent_databases:
        yield label_line("agents", f"may ask about {', '.join(report.agent_databases)}")
    for folder in report.agent_folders:
        yield label_line("agents", f"may use copies in {folder}")
    for option in report.options:
        yield label_line("option", f"{option.name} = {option.value} ({option.origin})")
    for line in report.refused:
        yield label_line("refused", line)
    for line in report.unknown:
        yield label_line("unknown", line)
