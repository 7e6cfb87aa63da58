"""``[fleet]`` of midden.toml: its defaults, and what is wrong with it."""

from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.fleet_table import FleetSettings


def read(tmp_path: Path, text: str) -> FleetSettings:
    file = tmp_path / "midden.toml"
    file.write_text(text)
    return read_configuration(file).fleet


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == read(tmp_path, "[fleet]\n") == FleetSettings()
    assert FleetSettings() == FleetSettings("processes", None, 2, 2)


def test_what_is_said_counts(tmp_path: Path) -> None:
    text = """[fleet]
task_runner = "dask"
scheduler = "tls://scheduler.lan:8786"
workers = 8
per_disk = 1
"""
    assert read(tmp_path, text) == FleetSettings("dask", "tls://scheduler.lan:8786", 8, 1)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('task_runner = "SECRET"', "fleet.task_runner must be processes, threads or dask"),
        ("task_runner = []", "fleet.task_runner must be"),
        ('scheduler = "SECRET"', "fleet.scheduler must be an address, like tcp://"),
        ('scheduler = "tcp://user:SECRET@host:1"', "fleet.scheduler must be an address"),
        ("scheduler = 8786", "fleet.scheduler must be an address"),
        ("workers = 0", "fleet.workers must be a number from 1 to 1,000"),
        ("workers = true", "fleet.workers must be a number"),
        ('per_disk = "2"', "fleet.per_disk must be a number"),
        ("per_disc = 2", "fleet.per_disc: no such setting; did you mean per_disk"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_repeated(
    tmp_path: Path, line: str, wrong: str
) -> None:
    with pytest.raises(UsageError, match=wrong) as refused:
        read(tmp_path, f"[fleet]\n{line}\n")
    assert "SECRET" not in str(refused.value)
