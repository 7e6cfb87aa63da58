"""What is configured, as a report: each value, and where it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass

from neotoma_core.report.document import document
from neotoma_core.report.layout import label_line


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
    """The ``file`` that is read, whether it is there, and the databases in it."""

    file: str
    found: bool
    configured: tuple[ConfiguredReport, ...]

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def config_text(report: ConfigReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: ConfigReport) -> Iterator[str]:
    yield label_line("file", report.file if report.found else f"{report.file}: there is none")
    for one in report.configured:
        yield label_line(
            "database", f"{one.name}: {one.path}{'' if one.path_exists else ' (not there)'}"
        )
        there = "" if one.vault_exists else ", not there"
        yield label_line("  vault", f"{one.vault} ({one.vault_from}{there})")
