"""The report of ``midden doctor``. Its field names are the keys of ``--json`` and stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.report.document import document
from neotoma_core.report.layout import label_line

Verdict = Literal["ok", "warning", "critical"]
VERDICTS: Final[tuple[Verdict, ...]] = ("ok", "warning", "critical")
"""From good to bad."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``fix``: what to do, null where nothing is to be done."""

    name: str
    verdict: Verdict
    said: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All that was looked at, and the worst of it."""

    target: str
    vault: str
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all checks."""
        return max((check.verdict for check in self.checks), key=VERDICTS.index, default="ok")

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(
            {
                "target": self.target,
                "vault": self.vault,
                "verdict": self.verdict,
                "checks": [_plain(check) for check in self.checks],
            }
        )


def _plain(check: Check) -> dict[str, str | None]:
    return {
        "name": check.name,
        "verdict": check.verdict,
        "said": check.said,
        "fix": check.fix,
    }


def doctor_text(report: DoctorReport) -> str:
    """Return the report as text: each check, and what to do next to it."""
    return "\n".join(_lines(report))


def _lines(report: DoctorReport) -> Iterator[str]:
    for check in report.checks:
        mark = "" if check.verdict == "ok" else f"{check.verdict.upper()}: "
        yield label_line(check.name, f"{mark}{check.said}")
        if check.fix:
            yield label_line("", f"fix: {check.fix}")
    bad = [check for check in report.checks if check.verdict != "ok"]
    said = f"{len(bad):,} of {len(report.checks):,} need attention" if bad else "nothing to do"
    yield label_line("verdict", f"{report.verdict}: {said}")
