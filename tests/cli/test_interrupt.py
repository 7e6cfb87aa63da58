"""Interrupts: at any time, with a code of their own and an untouched target."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.databases import count

STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("stop", "code"), STOPS, ids=["interrupted", "terminated"])
@pytest.mark.parametrize("seconds", [0.3, 0.9, 1.3])
def test_a_stopped_run_leaves_the_old_target_or_the_new_one(
    stop: signal.Signals, code: int, seconds: float, incident: Path
) -> None:
    target = incident / "data/neotoma.prod.db"
    before = target.read_bytes()
    words = ("recover", "--target", target, "--backup", incident / "backups/neotoma.prod.db.db")
    with subprocess.Popen(
        [sys.executable, "-m", "neotoma_core", *map(str, words), "--yes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIDDEN_VAULT": str(incident.parent / "vault")},  # noqa: TID251 - a child's
    ) as process:
        time.sleep(seconds)
        process.send_signal(stop)
        out, err = process.communicate()
    # A run that had committed reports that before it gives way to the interrupt.
    published = "published" in out
    assert process.returncode in (code, 0 if published else code)
    assert published or "the target is as it was" in err
    if published:
        assert count(target, "observations") == 6196
    else:
        assert target.read_bytes() == before
