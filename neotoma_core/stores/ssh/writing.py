"""Writing on the far side: what is asked there to make one object.

Write order: temporary file written → synced → hard link under its name, which fails where the name
is taken. Where the far side has no hard links, SFTP's plain rename, which fails likewise.
"""

import stat
from contextlib import suppress
from typing import Final

from neotoma_core.errors import RemoteError
from neotoma_core.stores.failures import Foreign
from neotoma_core.stores.names import TEMPORARY

_ABANDONED: Final = 24 * 3600  # seconds after which a temporary file is nobody's


class Writer:
    """See the module. ``ssh``: the library; ``root``: the folder of the store."""

    def __init__(self, url: str, root: str, ssh: Foreign) -> None:
        self._url = url
        self._root = root
        self._ssh = ssh
        self._swept = False

    def path(self, name: str) -> str:
        """Return where the far side has an object, or a folder of them."""
        return f"{self._root}/{name}".rstrip("/")

    async def begin(self, client: Foreign, temporary: str) -> tuple[Foreign, Foreign]:
        """Return an open temporary file, and the client it was opened with."""
        private = self._ssh.SFTPAttrs(permissions=0o600)
        try:
            file = await client.open(temporary, "xb", private)
        except self._ssh.SFTPNoSuchFile:
            with suppress(self._ssh.SFTPFailure):  # another writer made it
                await self._make(client, self.path(TEMPORARY))
            file = await client.open(temporary, "xb", private)
        if not self._swept:
            self._swept = True
            await self._sweep(client, (await file.stat()).mtime)
        return client, file

    async def finish(self, client: Foreign, file: Foreign, temporary: str, name: str) -> bool:
        """Make a written file an object; False where the name is taken."""
        try:
            with suppress(self._ssh.SFTPOpUnsupported):
                await file.fsync()
            await file.close()
            try:
                return await self._install(client, temporary, name)
            except self._ssh.SFTPNoSuchFile:
                await self._make_folders(client, name)
            return await self._install(client, temporary, name)
        finally:
            with suppress(self._ssh.SFTPError):
                await client.remove(temporary)

    async def _install(self, client: Foreign, temporary: str, name: str) -> bool:
        path = self.path(name)
        try:
            await client.link(temporary, path)
        except self._ssh.SFTPNoSuchFile:
            raise
        except self._ssh.SFTPError:
            if await self._is_there(client, path, name):
                return False
        else:
            return True
        try:
            await client.rename(temporary, path)
        except self._ssh.SFTPError:
            if await self._is_there(client, path, name):
                return False
            raise
        return True

    async def _is_there(self, client: Foreign, path: str, name: str) -> bool:
        try:
            facts = await client.lstat(path)
        except self._ssh.SFTPNoSuchFile:
            return False
        if not stat.S_ISREG(facts.permissions or 0):
            raise RemoteError(
                self._url,
                f"{name}: a link or a folder is in the way",
                "move it out of the remote's folder: midden did not put it there",
            )
        return True

    async def _make_folders(self, client: Foreign, name: str) -> None:
        folders = name.split("/")[:-1]
        for number in range(1, len(folders) + 1):
            path = self.path("/".join(folders[:number]))
            with suppress(self._ssh.SFTPFailure):  # it is there
                await self._make(client, path)

    async def _make(self, client: Foreign, path: str) -> None:
        await client.mkdir(path, self._ssh.SFTPAttrs(permissions=0o700))

    async def _sweep(self, client: Foreign, now: int) -> None:
        """Remove what writers left that were killed: by the clock of the far side."""
        folder = self.path(TEMPORARY)
        for entry in await client.readdir(folder):
            old = (entry.attrs.mtime or now) < now - _ABANDONED
            if str(entry.filename).endswith(".tmp") and old:
                with suppress(self._ssh.SFTPError):
                    await client.remove(f"{folder}/{entry.filename}")
