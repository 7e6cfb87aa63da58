"""S3: rights, buckets of several kinds, addresses, large objects."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neotoma_core.errors import RemoteDenied, RemoteError, RemoteUnreachable, UsageError
from neotoma_core.stores.opening import open_store, probe
from neotoma_core.stores.store import StoreOptions
from tests.support.overwriting import KEYS
from tests.support.seaweed import BUCKET, READER, WRITER, S3Server
from tests.support.servers import free_ports
from tests.support.storing import Place, in_bucket, new_bucket, use_keys


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


def test_who_may_only_read_reads(s3_place: Place, credentials: pytest.MonkeyPatch) -> None:
    with s3_place.open() as store:
        store.create("one", b"1")
    use_keys(credentials, READER)
    with s3_place.open() as store:
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


def test_a_port_nobody_listens_on_and_a_host_that_is_not_there(s3_place: Place) -> None:
    (port,) = free_ports(1)
    hosts = {
        f"http://127.0.0.1:{port}": "it does not answer",
        "http://not-there.invalid": "its name cannot be found|it does not answer",
    }
    for endpoint, wrong in hosts.items():
        with s3_place.with_options(endpoint=endpoint).open() as store:
            with pytest.raises(RemoteUnreachable, match=wrong) as raised:
                store.read("one")
            assert raised.value.exit_code == 31


def test_an_endpoint_is_an_address(s3_place: Place) -> None:
    for endpoint in ("ftp://x", "localhost:1", "http://user:plain-secret@host"):
        with pytest.raises(UsageError, match="write --endpoint as https:// or http://") as raised:
            open_store(s3_place.url, StoreOptions(endpoint=endpoint))
        assert "plain-secret" not in str(raised.value)


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


def test_a_large_object_needs_little_memory(s3_place: Place, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(1 << 20) * 160)
    words = (sys.executable, "-c", MEMORY, s3_place.url, str(s3_place.options.endpoint), str(large))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * 1024 < 80 << 20
    assert Path(f"{large}.got").read_bytes() == large.read_bytes()
