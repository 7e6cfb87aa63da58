"""S3: credentials and how they are found, rights, buckets of several kinds, large objects."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import botocore.session
import pytest

from neotoma_core.errors import RemoteDenied, RemoteError, RemoteUnreachable, UsageError
from neotoma_core.stores.clouds import Provider
from neotoma_core.stores.opening import open_store, probe
from neotoma_core.stores.store import StoreOptions
from tests.support.overwriting import KEYS
from tests.support.seaweed import BUCKET, OWNER, READER, STRANGER, WRITER, S3Server
from tests.support.servers import free_ports
from tests.support.storing import Place, in_bucket, new_bucket, use_keys


@pytest.fixture
def place(s3: S3Server) -> Place:
    return in_bucket(s3, BUCKET)


def test_a_store_that_overwrites_is_refused(
    overwriting: S3Server, credentials: pytest.MonkeyPatch
) -> None:
    use_keys(credentials, KEYS)
    place = in_bucket(overwriting, BUCKET)
    with place.open() as store:
        with pytest.raises(RemoteError, match="it overwrites an object that should only") as raised:
            probe(store)
        assert raised.value.exit_code == 30
        assert "obeys If-None-Match" in str(raised.value)
        assert list(store.list()) == []


@pytest.mark.parametrize("user", [("owner", "wrong"), ("nobody", "wrong"), STRANGER])
def test_wrong_credentials_are_denied(
    user: tuple[str, str], place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_keys(credentials, user)
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with place.open() as store:
        for ask in (
            lambda: store.create("one", b""),
            lambda: store.create("one", large),
            lambda: store.read("one"),
            lambda: list(store.list()),
            lambda: store.delete("one"),
            lambda: probe(store),
        ):
            with pytest.raises(RemoteDenied, match="check the credentials") as raised:
                ask()
            assert raised.value.exit_code == 32


def test_who_may_only_read_reads(place: Place, credentials: pytest.MonkeyPatch) -> None:
    with place.open() as store:
        store.create("one", b"1")
    use_keys(credentials, READER)
    with place.open() as store:
        assert store.read("one") == b"1"
        assert [one.name for one in store.list()] == ["one"]
        with pytest.raises(RemoteDenied):
            store.create("two", b"2")
        with pytest.raises(RemoteDenied):
            store.delete("one")


def test_a_writer_that_may_not_delete_writes_and_is_probed(
    s3: S3Server, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = new_bucket(s3)
    deny = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:DeleteObject"],
                "Resource": [f"arn:aws:s3:::{bucket}/*"],
            }
        ],
    }
    with s3.owner() as client:
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(deny))  # noqa: TID251
    use_keys(credentials, WRITER)
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with in_bucket(s3, bucket).open() as store:
        probe(store)
        assert store.create("one", b"1")
        assert not store.create("one", b"2")
        assert store.create("large", large)
        assert not store.create("large", large.read_bytes() + b"1")
        with pytest.raises(RemoteDenied):
            store.delete("one")
        assert store.read("one") == b"1"
        probes = [one.name for one in store.list("probe")]
        assert len(probes) == 2


def test_a_versioned_bucket_is_one_like_others(s3: S3Server) -> None:
    bucket = new_bucket(s3)
    with s3.owner() as client:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with in_bucket(s3, bucket).open() as store:
        probe(store)
        assert list(store.list()) == []
        assert store.create("one", b"1")
        assert not store.create("one", b"2")
        store.delete("one")
        assert list(store.list()) == []
        assert store.create("one", b"3")
        assert store.read("one") == b"3"


def test_a_bucket_with_object_lock_takes_objects_and_keeps_them(
    s3: S3Server, tmp_path: Path
) -> None:
    bucket = new_bucket(s3, ObjectLockEnabledForBucket=True)
    retention = {"Mode": "COMPLIANCE", "Days": 1}
    with s3.owner() as client:
        client.put_object_lock_configuration(
            Bucket=bucket,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": retention},
            },
        )
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with in_bucket(s3, bucket).open() as store:
        probe(store)
        assert store.create("one", b"1")
        assert store.create("large", large)
        assert not store.create("one", b"2")
        assert store.read("one") == b"1"


def test_no_such_bucket(s3: S3Server, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with in_bucket(s3, "not-there").open() as store:
        for ask in (
            lambda: store.create("one", b""),
            lambda: store.create("one", large),
            lambda: store.read("one"),
            lambda: list(store.list()),
            lambda: probe(store),
        ):
            with pytest.raises(RemoteError, match="there is no such bucket") as raised:
                ask()
            assert raised.value.exit_code == 30


def test_a_port_nobody_listens_on_and_a_host_that_is_not_there(place: Place) -> None:
    (port,) = free_ports(1)
    hosts = {
        f"http://127.0.0.1:{port}": "it does not answer",
        "http://not-there.invalid": "its name cannot be found|it does not answer",
    }
    for endpoint, wrong in hosts.items():
        with place.with_options(endpoint=endpoint).open() as store:
            with pytest.raises(RemoteUnreachable, match=wrong) as raised:
                store.read("one")
            assert raised.value.exit_code == 31


@pytest.fixture
def no_keys(credentials: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    credentials.delenv("AWS_ACCESS_KEY_ID")
    credentials.delenv("AWS_SECRET_ACCESS_KEY")
    return credentials


def test_no_credentials_at_all(place: Place, no_keys: pytest.MonkeyPatch) -> None:
    assert no_keys
    with pytest.raises(RemoteDenied, match="no credentials were found; set AWS_ACCESS_KEY_ID"):
        open_store(place.url, place.options)


def test_a_profile_that_is_not_there(place: Place) -> None:
    with pytest.raises(RemoteDenied, match="the profile it was to use does not exist"):
        open_store(place.url, StoreOptions(profile="gone"))


def settings(environment: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    config = folder / "aws config"
    config.write_text(textwrap.dedent(text))
    environment.setenv("AWS_CONFIG_FILE", str(config))


def test_a_profile_is_used_before_keys_of_the_environment(
    place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_keys(credentials, STRANGER)
    settings(
        credentials,
        tmp_path,
        f"""
        [profile mine]
        region = somewhere-1
        endpoint_url = {place.options.endpoint}
        aws_access_key_id = {OWNER[0]}
        aws_secret_access_key = {OWNER[1]}
        """,
    )
    with Place(place.url, StoreOptions(profile="mine")).open() as store:
        assert store.create("one", b"1")
        assert store.read("one") == b"1"


def program_of_credentials(folder: Path, lasting: timedelta, times: int = 100) -> Path:
    """Make a program that gives credentials which soon end, a few times, and keeps count."""
    script = folder / "program.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import json, pathlib, sys
            from datetime import UTC, datetime, timedelta
            asked = pathlib.Path({str(folder / "asked")!r})
            count = len(asked.read_text()) if asked.exists() else 0
            asked.write_text("x" * (count + 1))
            if count >= {times}:
                sys.exit("plain-secret")
            end = datetime.now(UTC) + timedelta(seconds={lasting.total_seconds()})
            said = {{"Version": 1, "AccessKeyId": {OWNER[0]!r}, "SecretAccessKey": {OWNER[1]!r}}}
            print(json.dumps({{**said, "Expiration": end.isoformat()}}))
            """
        )
    )
    return script


def use_program(environment: pytest.MonkeyPatch, folder: Path, program: Path) -> None:
    settings(environment, folder, f"[default]\ncredential_process = {sys.executable} {program}\n")


def test_a_program_gives_credentials_once(
    place: Place, no_keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(hours=12)))
    with place.open() as store:
        assert store.create("one", b"1")
        assert store.create("large", bytes(9 << 20))
        assert store.read("one") == b"1"
    assert (tmp_path / "asked").read_text() == "x"


def test_credentials_that_end_are_renewed(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(minutes=1)))
    provider = Provider(botocore.session.Session().get_credentials())
    given = [provider(), provider()]
    assert len((tmp_path / "asked").read_text()) >= 3
    assert all(one["access_key_id"] == OWNER[0] and one["expires_at"] for one in given)


def test_credentials_that_cannot_be_renewed_are_missing(
    place: Place, no_keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(minutes=1), 2))
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with place.open() as store:
        for ask in (lambda: store.read("one"), lambda: store.create("large", large)):
            with pytest.raises(RemoteDenied, match="no working credentials") as raised:
                ask()
            assert all("plain-secret" not in text for text in chain(raised.value))


def test_a_program_that_fails_is_no_credentials(
    place: Place, no_keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(minutes=1), 0))
    with pytest.raises(RemoteDenied, match="finding credentials failed") as raised:
        open_store(place.url, place.options)
    assert all("plain-secret" not in text for text in chain(raised.value))


def test_an_endpoint_is_an_address(place: Place) -> None:
    for endpoint in ("ftp://x", "localhost:1", "http://user:plain-secret@host"):
        with pytest.raises(UsageError, match="--endpoint begins with") as raised:
            open_store(place.url, StoreOptions(endpoint=endpoint))
        assert "plain-secret" not in str(raised.value)


def chain(error: BaseException | None) -> Iterator[str]:
    """Yield all that an error and those it came from say."""
    while error is not None:
        yield f"{error!r} {error}"
        error = error.__cause__ or error.__context__


def test_no_secret_is_in_any_message(
    place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = f"plain-{'secret'}-that-nobody-sees"
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    credentials.setenv("AWS_SESSION_TOKEN", f"{secret}-token")
    for user in (("owner", secret), (secret, secret)):
        use_keys(credentials, user)
        with place.open() as store:
            for ask in (
                lambda: store.create("one", b""),
                lambda: store.create("one", large),
                lambda: store.read("one"),
                lambda: list(store.list()),
                lambda: store.delete("one"),
            ):
                with pytest.raises(RemoteDenied) as raised:
                    ask()
                assert secret not in str(raised.value)
                assert all("secret-that" not in text for text in chain(raised.value))


MEMORY = """
import sys, resource
from pathlib import Path
from neotoma_core.stores.clouds import Provider
from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import StoreOptions
store = open_store(sys.argv[1], StoreOptions(sys.argv[2], "us-east-1"))
store.create("small", b"x")
Path(sys.argv[3] + ".one").write_bytes(bytes(9 << 20))
store.create("one", Path(sys.argv[3] + ".one"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert store.create("large", Path(sys.argv[3]))
store.download("large", Path(sys.argv[3] + ".got"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
store.close()
"""


def test_a_large_object_needs_little_memory(place: Place, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(1 << 20) * 160)
    words = (sys.executable, "-c", MEMORY, place.url, str(place.options.endpoint), str(large))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * 1024 < 80 << 20
    assert Path(f"{large}.got").read_bytes() == large.read_bytes()
