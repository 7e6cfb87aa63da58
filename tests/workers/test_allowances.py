"""What reading a file may cost, and how a process keeps to it."""

import json
import resource
import subprocess
import sys
from pathlib import Path

from neotoma_core.workers.allowances import Allowance

ROOT = Path(__file__).parents[2]
LIMITS = ("RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_AS")
RESTRICTED = f"""
import json, resource
from neotoma_core.workers.allowances import Allowance, restrict
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
restrict(Allowance(seconds=10, memory=1_000_000_000, written=1_000_000), 1_000)
restrict(Allowance(seconds=20, memory=2_000_000_000, written=1_000), 1_000)
print(json.dumps([resource.getrlimit(getattr(resource, name))[0] for name in {LIMITS!r}]))
"""


def test_a_larger_file_may_cost_more_and_none_more_than_the_machine_has() -> None:
    small, large = (Allowance().of_size(size) for size in (0, 1_000_000_000))
    assert small.seconds == 300
    assert large.seconds == 1_300
    assert small.memory <= large.memory <= Allowance().of_size(1 << 60).memory <= 1 << 60
    assert small.written == Allowance().written
    assert large.written > 60_000_000_000


def test_a_process_takes_no_more_than_it_may_file_by_file_and_dumps_no_core() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RESTRICTED], capture_output=True, text=True, check=True, cwd=ROOT
    )
    core, seconds, written, memory = json.loads(done.stdout)
    assert (core, written) == (1, 1_000)
    assert seconds >= 20
    if sys.platform == "linux":
        assert memory > 2_000_000_000
    else:
        assert memory == resource.RLIM_INFINITY
