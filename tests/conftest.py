"""Fixtures that several folders of tests share."""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from neotoma_core.files.keys import KeySource
from neotoma_core.merge.policy import MergeMode, MergePolicy, ReingestedMode
from neotoma_core.recovery.recover import plan_only, recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.vault.noted import keep_notes_in
from neotoma_core.workers import process
from tests.support.forks.asking import server
from tests.support.forks.readers import readers_of

TESTS = Path(__file__).parent
FIXTURES = TESTS.parent / "data" / "fixtures"
NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)

# Files that take longest, longest first: were one begun last, one process would work on alone.
LONG = (
    "cli/test_pages.py",
    "offsite/test_rewrite.py",
    "crash/test_publication_crash.py",
    "crash/test_backup_crash.py",
    "crash/test_remote_crash.py",
    "merge/test_laws.py",
    "conformance/test_recover_conformance.py",
    "recovery/test_random_recoveries.py",
    "recovery/test_versions.py",
    "rebuild/test_scale.py",
    "offsite/test_verify.py",
    "offsite/test_prune.py",
    "pull/test_convergence.py",
    "push/test_interleaving.py",
    "flows/test_scheduled_for_real.py",
    "flows/test_kept_running.py",
    "cli/test_full_disk.py",
    "erasure/test_erased_elsewhere.py",
    "recovery/test_ruins.py",
    "workers/test_reading.py",
    "stores/test_broken_network.py",
    "archive_mirror/test_killed.py",
    "archive_mirror/test_two_at_once.py",
)

settings.register_profile("thorough", max_examples=10_000)

Recover = Callable[..., RecoveryReport]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Sweeps that take long are asked for."""
    parser.addoption("--every-failure", action="store_true", help="let every system call fail")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; all else stays in its order."""
    places = {TESTS / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder in a folder of its own: commands also look into the one above a database's."""
    (own := tmp_path / "t").mkdir()
    return own


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is configured and noted for whoever runs the tests counts for none of them."""
    folder = tmp_path_factory.mktemp("own-folders")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MIDDEN_")]:  # noqa: TID251
            patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield


@pytest.fixture(scope="session", autouse=True)
def forked_readers() -> Iterator[None]:
    """Processes that read copies are forks of a loaded one; how they start, tests/workers shows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "subprocess", readers_of(server))
        yield


@pytest.fixture(autouse=True)
def no_notes() -> Iterator[None]:
    """Keep what a command noted in this process of its vaults from the tests that come next."""
    yield
    keep_notes_in(None)


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The incident as bundled. Never written to."""
    folder = tmp_path_factory.mktemp("bundle")
    with tarfile.open(FIXTURES / "incident.tar.xz") as bundle:
        bundle.extractall(folder, filter="data")
    return folder / "incident"


@pytest.fixture
def incident(unpacked: Path, tmp_path: Path) -> Path:
    """A copy of the incident's databases, without raw files."""
    return copy_databases(unpacked, tmp_path)


def copy_databases(unpacked: Path, folder: Path) -> Path:
    """Copy the incident's databases, without raw files."""
    raw = shutil.ignore_patterns("sources", "sources_prod")
    return Path(shutil.copytree(unpacked, folder / "incident", ignore=raw))


@pytest.fixture
def run_recover(tmp_path: Path) -> Recover:
    """``recover`` with the vault in this test's folder; the answer to its question is yes."""
    return recover_into(tmp_path / "vault")


def recover_into(vault: Path) -> Recover:
    """Return ``recover`` with a vault; the answer to its question is yes."""

    def run(
        target: Path,
        *backups: Path,
        mode: MergeMode = "keep-target",
        reingested: ReingestedMode = "by-mode",
        dry_run: bool = False,
        skip_unreadable: bool = False,
        key: KeySource | None = None,
        rules: str = AUTO,
        now: datetime = NOW,
    ) -> RecoveryReport:
        request = RecoverRequest(
            target=target,
            backups=backups,
            vault=vault,
            policy=MergePolicy(mode, reingested),
            skip_unreadable=skip_unreadable,
            key=key,
            rules=rules,
        )
        with recovery_run(request, now) as current:
            if dry_run:
                return plan_only(current, Silent())
            return recover(current, lambda _: True, Silent())

    return run
