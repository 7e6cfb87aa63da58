"""The only reader of the environment, and of Neotoma's own settings."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import platformdirs

from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeyFile, KeySource, Mnemonic, MnemonicFile, require_key
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.settings.configuration import (
    NAME,
    Configuration,
    ConfiguredDatabase,
    read_configuration,
)
from neotoma_core.settings.neotoma import NeotomaSettings
from neotoma_core.stores.store import StoreOptions
from neotoma_core.vault.folder import ARCHIVE
from neotoma_core.vault.noted import keep_notes_in

_LONGEST_SLUG: Final = 200


def default_vault(target: Path) -> Path:
    """Return the vault of a database: MIDDEN_VAULT, what is configured, or a folder of its own.

    That is below the user's data, and is named after the database and a short hash of its path, so
    that two databases of one name do not share a vault.
    """
    chosen = os.environ.get("MIDDEN_VAULT")
    if chosen:
        return Path(chosen)
    configured = configuration().at(target)
    if configured is not None and configured.vault is not None:
        return configured.vault
    return vault_of_its_own(target)


def configured_vault(database: ConfiguredDatabase) -> Path:
    """Return the vault of a configured database, as ``default_vault`` does."""
    chosen = os.environ.get("MIDDEN_VAULT")
    if chosen:
        return Path(chosen)
    return database.vault or vault_of_its_own(database.path)


def vault_of_its_own(target: Path) -> Path:
    """Return the vault that a database has where nobody chose another."""
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", target.name)[:_LONGEST_SLUG]
    digest = hashlib.sha256(os.fsencode(target.resolve())).hexdigest()[:8]
    return platformdirs.user_data_path("midden") / f"{slug}-{digest}"


def configuration(*, to_be_made: bool = False) -> Configuration:
    """Return what midden.toml says: the file that MIDDEN_CONFIG names, or the user's own.

    Raises UsageError for a file that cannot be read, and, unless it is ``to_be_made``, for one that
    is named and missing.
    """
    chosen = os.environ.get("MIDDEN_CONFIG")
    if not chosen:
        return read_configuration(platformdirs.user_config_path("midden") / NAME)
    found = read_configuration(Path(chosen))
    if not found.found and not to_be_made:
        named = "the file that --config or MIDDEN_CONFIG names: there is none"
        raise UsageError(f"{chosen}: {named}; check the spelling")
    return found


def only_database() -> Path | None:
    """Return the database of a configuration that names just one. Raises UsageError."""
    known = configuration().databases
    return known[0].path if len(known) == 1 else None


def configured_databases(named: Sequence[Path]) -> tuple[Path, ...]:
    """Return the databases that agents may ask about: those named, by path or name, alone.

    Where none is named: those of midden.toml's [agents], or the only database there is.
    """
    known = configuration()
    if named:
        return tuple(known.place_of(one) for one in named)
    only = known.databases if len(known.databases) == 1 else ()
    return tuple(one.path for one in known.agents.databases or only)


def vaults_of_user() -> tuple[Path, ...]:
    """Return MIDDEN_VAULT and the vaults in the user's data folder: where vaults are by default."""
    chosen = os.environ.get("MIDDEN_VAULT")
    folder = platformdirs.user_data_path("midden")
    here = sorted(folder.iterdir()) if folder.is_dir() else []
    return (*((Path(chosen),) if chosen else ()), *here)


def note_vaults() -> None:
    """From now on note which vaults are made, so that one that is gone is noticed."""
    keep_notes_in(platformdirs.user_state_path("midden") / "vaults")


def default_archive_of(
    target: Path | None, archive: Path | None, vault: Path | None = None
) -> Path:
    """Return an archive: the one named, or that of the vault, or of the database's vault.

    Raises UsageError where nothing says which.
    """
    if archive is not None:
        return archive
    target = target or (None if vault else only_database())
    if target is None and vault is None:
        raise UsageError("name the archive with --archive, or its database with --target")
    return (vault or default_vault(target or Path())) / ARCHIVE


def lock_folder(of: str) -> Path:
    """Return a folder of locks on this machine: of ``disks`` that jobs use, of ``runs``."""
    return platformdirs.user_state_path("midden") / of


def timer_folders() -> tuple[Path, Path]:
    """Return the user's configuration folder, and the home folder: where timers are written."""
    return platformdirs.user_config_path(), Path.home()


def log_folder() -> Path:
    """Return where the output of timers goes that the system does not keep."""
    return platformdirs.user_log_path("midden")


def variable(name: str) -> str | None:
    """Return what a variable of midden's own is set to; None where it is not set, or empty."""
    return os.environ.get(name) or None


def variables_of_midden() -> Mapping[str, str]:
    """Return all that are set and named after midden."""
    return {name: value for name, value in os.environ.items() if name.startswith("MIDDEN_")}


def choose_configuration(file: Path | None, profile: str | None) -> None:
    """Use this configuration file and profile, here and in the processes that this one starts."""
    if file is not None:
        os.environ["MIDDEN_CONFIG"] = str(file.absolute())
    if profile is not None:
        os.environ["MIDDEN_PROFILE"] = profile


def chosen_profile() -> str | None:
    """Return the profile that was asked for; None where none was."""
    return os.environ.get("MIDDEN_PROFILE") or None


def chosen_words() -> tuple[str, ...]:
    """Return the options, before a command, that choose the same configuration and profile.

    For a process that does not see this one's variables.
    """
    file, profile = variable("MIDDEN_CONFIG"), chosen_profile()
    return (
        *(("--config", str(Path(file).absolute())) if file else ()),
        *(("--profile", profile) if profile else ()),
    )


def chosen_vault(vault: Path | None) -> Path | None:
    """Return the vault that was named, or else MIDDEN_VAULT; None where neither is."""
    named = variable("MIDDEN_VAULT")
    return vault or (Path(named) if named else None)


def neotoma_environment() -> str | None:
    """Return what NEOTOMA_ENV says; None where it is not set."""
    return os.environ.get("NEOTOMA_ENV")


def shell_startup_file() -> Path:
    """Return the file the user's shell reads when it starts."""
    if os.environ.get("SHELL", "").endswith("zsh"):
        return Path(os.environ.get("ZDOTDIR") or Path.home()) / ".zshrc"
    return Path.home() / ".bashrc"


def store_options(
    endpoint: str | None = None, region: str | None = None, profile: str | None = None
) -> StoreOptions:
    """Return what the address of a remote does not say; the endpoint also from AWS's variables.

    Credentials are not in it: libraries find them where the vendors' own programs do.
    """
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return StoreOptions(endpoint or named or None, region, profile)


def key_source(key_file: Path | None = None, mnemonic_file: Path | None = None) -> KeySource | None:
    """Return where the key of encrypted columns is: the file named, or what Neotoma itself uses.

    Neotoma's own settings are NEOTOMA_KEY_FILE_PATH, and after it NEOTOMA_MNEMONIC; a mnemonic,
    also one in a file, goes with NEOTOMA_MNEMONIC_PASSPHRASE. None where there is no key.
    Raises UsageError where both files are named, or the one named holds no key.
    """
    if key_file and mnemonic_file:
        raise UsageError("--key-file and --mnemonic-file were both given; leave one out")
    passphrase = Secret(os.environ.get("NEOTOMA_MNEMONIC_PASSPHRASE", ""))
    if key_file:
        return _holding(KeyFile(key_file))
    if mnemonic_file:
        return _holding(MnemonicFile(mnemonic_file, passphrase))
    path = os.environ.get("NEOTOMA_KEY_FILE_PATH")
    if path:
        return KeyFile(Path(path))
    words = os.environ.get("NEOTOMA_MNEMONIC")
    return Mnemonic("NEOTOMA_MNEMONIC", Secret(words), passphrase) if words else None


def _holding(source: KeySource) -> KeySource:
    require_key(source)
    return source


def default_identity_file(remote: str) -> Path:
    """Return where the identity of a remote is written, outside every vault."""
    return platformdirs.user_config_path("midden") / f"{remote}.identity"


def default_token_file() -> Path:
    """Return where the token of `midden mcp --http` is, outside every vault."""
    return platformdirs.user_config_path("midden") / "mcp.token"


def identity_file(remote: str | None) -> Path | None:
    """Return the file with the identity of a remote: MIDDEN_IDENTITY_FILE, or the default one.

    None where there is none.
    """
    chosen = os.environ.get("MIDDEN_IDENTITY_FILE")
    if chosen:
        return Path(chosen)
    place = default_identity_file(remote) if remote else None
    return place if place is not None and place.is_file() else None


def neotoma_settings() -> NeotomaSettings:
    """Return what says which databases Neotoma uses.

    Raises UsageError where there is no folder to be in, or no home.
    """
    try:
        return NeotomaSettings(os.environ, Path.home(), Path.cwd())
    except OSError as error:
        raise UsageError("the current folder is gone; change to another and run again") from error
    except RuntimeError as error:
        raise UsageError("there is no home folder; set HOME and run again") from error


def raw_storage(target: Path) -> Path | None:
    """Return the folder Neotoma keeps a database's raw files in, by NEOTOMA_RAW_STORAGE_DIR."""
    return neotoma_settings().raw_storage(target)


def default_places(*, mounted: bool = False) -> tuple[Path, ...]:
    """Return where copies are looked for: Neotoma's data folder and the home folder.

    ``mounted``: also the folders that volumes are mounted in.
    """
    data = neotoma_settings().data_folder()
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


def shallow_places() -> tuple[Path, ...]:
    """Return the folders in which copies often lie: only the files in them are looked at."""
    home = Path.home()
    places = (home, *(home / name for name in ("Desktop", "Documents", "Downloads")))
    return tuple(place for place in places if place.is_dir())


def switch_telemetry_off() -> None:
    """Have Prefect, in this process and in those it starts, tell nobody of runs, unless asked."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
