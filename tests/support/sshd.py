"""A second machine for tests: Debian's sshd on loopback, with keys and settings of its own."""

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import Answers, free_ports, program, running


@dataclass(frozen=True, slots=True)
class SshServer:
    """Where it is. ``home``: a home folder whose ``.ssh`` has what is needed to log in."""

    port: int
    home: Path
    folder: Path

    @property
    def key(self) -> Path:
        """The key it accepts."""
        return self.home / ".ssh" / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The hosts that are known, which it is one of."""
        return self.home / ".ssh" / "known_hosts"

    def url(self, path: str) -> str:
        """Return the address of a folder there."""
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{path}"


@contextmanager
def sshd(folder: Path) -> Iterator[SshServer]:
    """Run sshd until the block ends."""
    (port,) = free_ports(1)
    home = folder / "home"
    keys = home / ".ssh"
    keys.mkdir(parents=True, mode=0o700)
    host_key = folder / "host_key"
    for key in (host_key, keys / "id_ed25519"):
        make_key(key)
    (folder / "authorized").write_text((keys / "id_ed25519.pub").read_text())
    known = f"[127.0.0.1]:{port} {host_key.with_suffix('.pub').read_text()}"
    (keys / "known_hosts").write_text(known)
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nPidFile none\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nMaxStartups 100\nPrintMotd no\n"
    )
    if os.geteuid() == 0:  # what the system's own service makes before it starts one
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with running((program("sshd"), "-D", "-e", "-f", config), folder, Answers(port)):
        yield SshServer(port, home, folder)


def make_key(path: Path, passphrase: str = "") -> None:
    """Make a key, with its public half next to it."""
    words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path)
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
