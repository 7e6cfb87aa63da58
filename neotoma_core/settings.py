"""The only reader of the environment, and of Neotoma's own settings."""

import hashlib
import os
import re
from pathlib import Path

import platformdirs

from neotoma_core.encryption import Secret
from neotoma_core.errors import UsageError
from neotoma_core.store.announcing import Alerting
from neotoma_core.store.archive import ARCHIVE_FOLDER
from neotoma_core.store.keys import KeyFile, KeySource, Mnemonic, MnemonicFile


def default_vault(target: Path) -> Path:
    """Return the vault of a database: MIDDEN_VAULT, or a folder of its own under the user's data.

    The folder is named after the database and a short hash of its path, so that two databases of
    one name do not share a vault.
    """
    chosen = os.environ.get("MIDDEN_VAULT")
    if chosen:
        return Path(chosen)
    path = str(target.resolve())
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", target.name)
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return platformdirs.user_data_path("midden") / f"{slug}-{digest}"


def default_archive_of(
    target: Path | None, archive: Path | None, vault: Path | None = None
) -> Path:
    """Return an archive: the one named, or that of the vault, or of the database's vault.

    Raises UsageError where nothing says which.
    """
    if archive is not None:
        return archive
    if target is None and vault is None:
        raise UsageError("name the archive with --archive, or its database with --target")
    return (vault or default_vault(target or Path())) / ARCHIVE_FOLDER


def neotoma_environment() -> str | None:
    """Return what NEOTOMA_ENV says; None where it is not set."""
    return os.environ.get("NEOTOMA_ENV")


def shell_startup_file() -> Path:
    """Return the file the user's shell reads when it starts."""
    name = ".zshrc" if os.environ.get("SHELL", "").endswith("zsh") else ".bashrc"
    return Path.home() / name


def alerting() -> Alerting:
    """Return who is told of alarms and successes.

    MIDDEN_NOTIFY_URLS: addresses as Apprise has them, one a line or parted by spaces; so is
    MIDDEN_HEARTBEAT_URL. Either may be in a file that the same name with ``_FILE`` names.
    MIDDEN_METRICS_FILE: where the Prometheus text file goes. Raises UsageError.
    """
    metrics = os.environ.get("MIDDEN_METRICS_FILE")
    beats = _secrets("MIDDEN_HEARTBEAT_URL")
    return Alerting(
        _secrets("MIDDEN_NOTIFY_URLS"),
        beats[0] if beats else None,
        Path(metrics) if metrics else None,
    )


def _secrets(name: str) -> tuple[Secret, ...]:
    text = os.environ.get(name, "")
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            text += "\n" + Path(file).read_text()
        except OSError as error:
            reason = error.strerror or "cannot be read"
            raise UsageError(f"{name}_FILE: {file}: {reason}; check the spelling") from error
    return tuple(Secret(word) for word in text.split())


def key_source(key_file: Path | None = None, mnemonic_file: Path | None = None) -> KeySource | None:
    """Return where the key of encrypted columns is: the file named, or what Neotoma itself uses.

    Neotoma's own settings are NEOTOMA_KEY_FILE_PATH, and after it NEOTOMA_MNEMONIC; a mnemonic,
    also one in a file, goes with NEOTOMA_MNEMONIC_PASSPHRASE. None where there is no key. Nothing
    is read but the environment. Raises UsageError where both files are named.
    """
    if key_file and mnemonic_file:
        raise UsageError("--key-file and --mnemonic-file were both given; leave one out")
    passphrase = Secret(os.environ.get("NEOTOMA_MNEMONIC_PASSPHRASE", ""))
    if mnemonic_file:
        return MnemonicFile(mnemonic_file, passphrase)
    path = key_file or os.environ.get("NEOTOMA_KEY_FILE_PATH")
    if path:
        return KeyFile(Path(path))
    words = os.environ.get("NEOTOMA_MNEMONIC")
    return Mnemonic("NEOTOMA_MNEMONIC", Secret(words), passphrase) if words else None


def data_folder() -> Path | None:
    """Return the folder Neotoma keeps its databases in, by its own NEOTOMA_DATA_DIR.

    That is set in the environment, in the project's .env or in Neotoma's settings file; None where
    nobody says (format, section 6.1).
    """
    named = _neotomas("NEOTOMA_DATA_DIR")
    return Path(named).expanduser() if named else None


def raw_storage(target: Path) -> Path | None:
    """Return the folder Neotoma keeps a database's raw files in, by NEOTOMA_RAW_STORAGE_DIR.

    Set where NEOTOMA_DATA_DIR may be. None where nobody says, and for a database that is not the
    one Neotoma's settings name: the folder holds that one's files, and an erasure removes some.
    """
    named = _neotomas("NEOTOMA_RAW_STORAGE_DIR")
    if not named or not _may_be_neotomas(target):
        return None
    return Path(named).expanduser().absolute()


def _may_be_neotomas(target: Path) -> bool:
    """Return whether a database may be the one that Neotoma's settings name."""
    database, data = _neotomas("NEOTOMA_SQLITE_PATH"), data_folder()
    if database:
        return Path(database).expanduser().resolve() == target.resolve()
    return data is None or data.resolve() == target.resolve().parent


def default_places(*, mounted: bool = False) -> tuple[Path, ...]:
    """Return where copies are looked for: Neotoma's data folder and the home folder.

    ``mounted``: also the folders that volumes are mounted in.
    """
    data = data_folder()
    places = [data] if data is not None and data.exists() else []
    places.append(Path.home())
    if mounted:
        user = os.environ.get("USER", "")
        volumes = ("/Volumes", "/mnt", "/media", f"/run/media/{user}")
        places += [Path(place) for place in volumes if Path(place).is_dir()]
    return tuple(places)


def places_around(target: Path) -> tuple[Path, ...]:
    """Return where copies of a database are looked for first: its folder and the one above."""
    folder = target.absolute().parent
    above = folder.parent
    alone = above in (Path(above.anchor), Path.home()) or above == folder
    return (folder,) if alone else (above,)


def _neotomas(name: str) -> str | None:
    """Return a setting of Neotoma's: of the environment, the project's .env, or its own file."""
    files = (Path(".env"), Path.home() / ".config" / "neotoma" / ".env")
    written = (_setting(file, name) for file in files)
    return os.environ.get(name) or next(filter(None, written), None)


def _setting(file: Path, name: str) -> str | None:
    """Return a setting from a file of Neotoma's; the last line that sets it counts."""
    value = None
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        key, sign, rest = line.strip().removeprefix("export ").partition("=")
        if sign and key.strip() == name:
            value = rest.strip().strip("\"'")
    return value or None
