"""Large objects on S3: sent in parts, which become an object only if there is none of that name.

obstore cannot do that, the vendor's own library can. Memory: one part for each sender, and one.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

from neotoma_core.errors import MiddenError, ObjectMissing, RemoteError, RemoteUnreachable
from neotoma_core.stores.content import pieces, size_of
from neotoma_core.stores.failures import (
    Foreign,
    library,
    no_credentials,
    no_such_place,
    of_status,
    patiently,
)
from neotoma_core.stores.store import Content, Told

T = TypeVar("T")

_PART: Final = 8 << 20
_MOST_PARTS: Final = 10_000
_SENDERS: Final = 4
_TAKEN: Final = ("PreconditionFailed", "ObjectAlreadyExists")


class S3Parts:
    """See the module. ``connect``: makes the client, when the first large object needs it."""

    def __init__(
        self, url: str, bucket: str, prefix: str, connect: Callable[[], Foreign], retries: int
    ) -> None:
        self._url = url
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._connect = connect
        self._retries = retries
        self._made: Foreign = None
        self._making = threading.Lock()

    @property
    def _client(self) -> Foreign:
        with self._making:
            if self._made is None:
                self._made = self._connect()
            return self._made

    def create(self, name: str, content: Content, told: Told) -> bool | None:
        """Create an object; None where the name is taken, perhaps by what was sent here."""
        place = {"Bucket": self._bucket, "Key": self._prefix + name}
        begun = self._ask(
            name, lambda: self._client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")
        )
        upload = {**place, "UploadId": begun["UploadId"]}
        ended = False
        try:
            parts = self._send(name, content, upload, told)
            ended = self._complete(name, upload, parts)
        finally:
            if not ended:
                with suppress(MiddenError):  # by whoever may; a rule of the bucket does it, too
                    self._once(name, lambda: self._client.abort_multipart_upload(**upload))
        return True if ended else None

    def _send(
        self, name: str, content: Content, upload: dict[str, str], told: Told
    ) -> list[dict[str, Any]]:
        size = max(_PART, -(-size_of(content) // _MOST_PARTS))
        room = threading.Semaphore(_SENDERS)

        def send(number: int, piece: bytes) -> dict[str, Any]:
            try:
                digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
                told(len(piece))
                answer = self._ask(
                    name,
                    lambda: self._client.upload_part(
                        **upload, PartNumber=number, Body=piece, ChecksumSHA256=digest
                    ),
                )
            finally:
                room.release()
            return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest}

        sent: list[Future[dict[str, Any]]] = []
        with ThreadPoolExecutor(_SENDERS) as pool:
            for number, piece in enumerate(_at_least_one(pieces(content, size)), 1):
                room.acquire()
                if any(one.done() and one.exception() for one in sent):
                    room.release()
                    break
                sent.append(pool.submit(send, number, piece))
        return [one.result() for one in sent]

    def _complete(self, name: str, upload: dict[str, str], parts: list[dict[str, Any]]) -> bool:
        """Return whether it is an object now; False where the name may have been taken."""

        def complete() -> bool:
            try:
                self._client.complete_multipart_upload(
                    **upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
                )
            except library("botocore.exceptions").ClientError as error:
                # An answer that was lost leaves no upload behind.
                if _code_of(error) not in (*_TAKEN, "NoSuchUpload"):
                    raise
                return False
            return True

        return self._ask(name, complete)

    def _ask(self, name: str, action: Callable[[], T]) -> T:
        return patiently(lambda: self._once(name, action), self._retries)

    def _once(self, name: str, action: Callable[[], T]) -> T:
        errors = library("botocore.exceptions")
        try:
            return action()
        except errors.ClientError as error:
            known = self._error_of(name, error)
        except (errors.BotoCoreError, errors.HTTPClientError, OSError) as error:
            known = _unreached_error(self._url, error)
        raise known

    def _error_of(self, name: str, error: Foreign) -> MiddenError:
        code = _code_of(error)
        if code in ("NoSuchBucket", "InvalidBucketName"):
            return no_such_place(self._url)
        if code == "NoSuchKey":
            return ObjectMissing(self._url, name)
        if code == "ConditionalRequestConflict":
            return RemoteUnreachable(self._url, f"another writer is creating {name}")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return of_status(self._url, status, code if code.isalnum() else "")

    def close(self) -> None:
        """Close the connections."""
        with self._making:
            if self._made is not None:
                self._made.close()
                self._made = None


def _at_least_one(found: Iterator[bytes]) -> Iterator[bytes]:
    yield next(found, b"")
    yield from found


def _code_of(error: Foreign) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unreached_error(url: str, error: BaseException) -> RemoteError:
    kind = type(error).__name__
    if "Credential" in kind or "Token" in kind:
        return no_credentials(url)
    return of_status(url, 0, "", "certificate" if "SSL" in kind else "")
