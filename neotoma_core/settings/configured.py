"""What is configured, as a report: each value, and where it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass

from neotoma_core.report.document import document
from neotoma_core.report.layout import labelled


@dataclass(frozen=True, slots=True)
class ConfiguredReport:
    """One database. ``vault_from``: ``midden.toml``, ``MIDDEN_VAULT`` or ``default``."""

    name: str
    path: str
    path_exists: bool
    vault: str
    vault_from: str
    vault_exists: bool


@dataclass(frozen=True, slots=True)
class ConfigReport:
    """The ``file`` that is read, whether it is there, and the databases in it.

    ``agent_databases``: names of those that agents may ask about; ``agent_folders``: where copies
    may be found for them.
    """

    file: str
    found: bool
    configured: tuple[ConfiguredReport, ...]
    agent_databases: tuple[str, ...] = ()
    agent_folders: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def config_text(report: ConfigReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: ConfigReport) -> Iterator[str]:
    yield labelled("file", report.file if report.found else f"{report.file}: there is none")
    for one in report.configured:
        yield labelled(
            "database", f"{one.name}: {one.path}{'' if one.path_exists else ' (not there)'}"
        )
        there = "" if one.vault_exists else ", not there"
        yield labelled("  vault", f"{one.vault} ({one.vault_from}{there})")
    if report.agent_databases:
        yield labelled("agents", f"may ask about {', '.join(report.agent_databases)}")
    for folder in report.agent_folders:
        yield labelled("agents", f"may use copies in {folder}")
