"""Errors: facts kept, messages of one shape, and unharmed by a pickle."""

import pickle
from pathlib import Path

import pytest

from neotoma_core import errors

PATH = Path("neotoma.prod.db")
URL = "s3://bucket/prefix"
SAMPLES = [
    errors.ConflictsFound(3, PATH),
    errors.VerificationFailed("target x", ("accounted: no",)),
    errors.BackupUnreadable(PATH, "empty", "leave it out"),
    errors.TargetLocked(PATH),
    errors.TargetChanged(PATH),
    errors.KeyMissing(PATH, 2),
    errors.EnvironmentMismatch(PATH, "development", "production"),
    errors.DiskFull(PATH, 10, 5),
    errors.VaultLocked(PATH),
    errors.RemoteError(URL, "there is no such bucket", "make it"),
    errors.RemoteUnreachable(URL, "it does not answer"),
    errors.RemoteDenied(URL, "access was denied", "check the credentials"),
    errors.RemoteForeign(URL, "it holds another database", "choose another prefix"),
    errors.RemoteDamaged(URL, "log/1 was changed"),
    errors.ObjectMissing(URL, "log/1"),
    errors.ClusterError("tcp://a:1", "it does not see /a", "name another"),
    errors.SchedulerUnreachable("tcp://a:1", "it has no worker"),
    errors.WorkersDiffer("tcp://a:1", "it has polars 1, not 2", "install the same"),
    errors.WorkerLost("tcp://a:1", "4 workers died", "give more memory"),
    errors.FleetError(["a", "b"], 3),
    errors.ProcessLost("a", "was ended by SIGABRT"),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_its_message_and_facts(error: errors.MiddenError) -> None:
    revived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(revived) is type(error)
    assert str(revived) == str(error)
    assert vars(revived) == vars(error)


def test_a_message_says_what_is_wrong_and_what_to_do() -> None:
    assert str(errors.TargetLocked(PATH)) == (
        "target neotoma.prod.db: locked by another program; nothing was changed; "
        "stop the Neotoma server (or wait until it is idle) and run the command again"
    )


def test_only_what_may_pass_by_itself_is_retryable() -> None:
    retryable = {type(error).__name__ for error in SAMPLES if error.retryable}
    expected = {"TargetLocked", "TargetChanged", "VaultLocked", "RemoteUnreachable"}
    assert retryable == expected | {"SchedulerUnreachable"}


def test_a_message_of_a_remote_names_the_object() -> None:
    assert str(errors.ObjectMissing(URL, "log/1")) == (
        "remote s3://bucket/prefix: there is no object log/1; "
        "look for a copy of the object, or recover from another remote"
    )
