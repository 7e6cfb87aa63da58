"""``midden remote``: add, list, show, check and remove remotes; the rest is in ``upkeep``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.remote.opening import (
    ENDPOINT_OPTION,
    PROFILE_OPTION,
    REGION_OPTION,
    IdentityFile,
    Opening,
    identities,
    open_remote_of,
    open_store_at,
    required_url,
)
from neotoma_core.cli.terminal.asking import end_declined, require_answerable, require_yes
from neotoma_core.cli.terminal.options import JSON_OPTION, TARGET_OPTION, VAULT_OPTION, YES_OPTION
from neotoma_core.cli.terminal.strict import StrictCommand
from neotoma_core.words.shell_words import midden_command

if TYPE_CHECKING:
    from neotoma_core.offsite.add import Added, AddRequest, NewIdentity

_PROOF: Final = 8

remote = typer.Typer(
    help="Remotes: places off this machine that `midden push` ships to.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NAME = typer.Argument(help="The remote's name.", metavar="NAME", show_default=False)


@remote.command(cls=StrictCommand)
def add(
    *,
    name: Annotated[str, NAME],
    url: Annotated[
        str,
        typer.Argument(
            help="s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:///folder, "
            "or sftp://user@host/path.",
            metavar="URL",
            show_default=False,
        ),
    ],
    target: Annotated[Path, TARGET_OPTION],
    endpoint: Annotated[str | None, ENDPOINT_OPTION] = None,
    region: Annotated[str | None, REGION_OPTION] = None,
    profile: Annotated[str | None, PROFILE_OPTION] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Do not encrypt what is pushed.")] = False,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            help="Encrypt for this public key of age or ssh, and make no identity; repeat it.",
            show_default=False,
        ),
    ] = None,
    identity_file: Annotated[
        Path | None,
        typer.Option(
            help="Where the new identity goes, or, to join a remote that is there, the file with "
            "its identity [default: a file in your configuration folder].",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, YES_OPTION] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Add a remote, or join one that another machine added.

    What is pushed is encrypted for an identity that is made here and shown once: without it nothing
    can be read again, so keep a copy of it off this machine. Credentials are never stored: they
    come from the environment, AWS profiles, or the ssh agent.
    """
    from neotoma_core.offsite.add import AddRequest
    from neotoma_core.settings.environment import default_identity_file, default_vault

    address = required_url(url)
    place = identity_file or default_identity_file(name)
    known = identities(place) if place.is_file() else ()
    request = AddRequest(
        name=name,
        url=address,
        target=target,
        vault=vault or default_vault(target),
        identity_file=place,
        endpoint=endpoint,
        region=region,
        profile=profile,
        plain=plain,
        recipients=tuple(recipient or ()),
        identities=known,
    )
    added = add_shown(request, Opening(None, None, endpoint, region, profile), yes=yes, json=json)
    if added.outcome == "declined":
        end_declined("the remote was not added, and its identity was removed", json=json)
    pushing = midden_command("push", target=target, vault=vault)
    print(_json_of_added(added) if json else _text_of_added(added, pushing))


def add_shown(request: "AddRequest", opening: Opening, *, yes: bool, json: bool) -> "Added":
    """Add a remote; a new identity is shown, and somebody has to prove that it is kept."""
    from neotoma_core.offsite.add import add_remote, require_addable

    require_addable(request)

    def prove(identity: "NewIdentity") -> bool:
        print(_identity_text(identity), file=sys.stderr if json else sys.stdout, flush=True)
        return yes or _is_kept(identity)

    if not request.plain and not request.recipients and not request.identities:
        require_answerable(yes=yes)
    with open_store_at(request.url, opening) as store:
        return add_remote(request, store, prove)


def _identity_text(identity: "NewIdentity") -> str:
    return (
        f"identity   {identity.secret.reveal()}\n"
        f"           It is also in {identity.file}. Without it nothing that is pushed can be read\n"
        "           again, by anybody. Keep a copy of it off this machine; it is not shown again."
    )


def _is_kept(identity: "NewIdentity") -> bool:
    """Ask for a proof that the identity was copied: its last letters."""
    print(
        f"to show that you kept it, type the last {_PROOF} letters of your copy: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().upper() == identity.secret.reveal()[-_PROOF:].upper()


def _text_of_added(added: "Added", pushing: str) -> str:
    known = added.remote
    kept = "encrypted" if known.recipients else "not encrypted"
    return f"{added.outcome:<10} {known.name}: {known.url}, {kept}\nnext       {pushing}"


def _json_of_added(added: "Added") -> str:
    from neotoma_core.report.document import document

    known = added.remote
    said = {
        "outcome": added.outcome,
        "name": known.name,
        "url": known.url,
        "id": known.id,
        "recipients": list(known.recipients),
        "identity_file": str(added.identity.file) if added.identity else None,
    }
    return document(said)


@remote.command(cls=StrictCommand, name="list")
def list_(
    *,
    target: Annotated[Path, TARGET_OPTION],
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """List the remotes of a database; none is contacted."""
    from neotoma_core.remotes.known import read_remotes
    from neotoma_core.report.document import document
    from neotoma_core.settings.environment import default_vault

    there = read_remotes(vault or default_vault(target))
    if json:
        print(document([{"name": r.name, "url": r.url, "id": r.id} for r in there]))
        return
    for known in there:
        print(f"{known.name:<10} {known.url}{'' if known.recipients else ', not encrypted'}")
    if not there:
        print("no remote is known; add one: midden remote add NAME URL --target DB")


@remote.command(cls=StrictCommand)
def show(
    *,
    name: Annotated[str, NAME],
    target: Annotated[Path, TARGET_OPTION],
    identity_file: IdentityFile = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Show what a remote holds: logs, raw files, backups."""
    from neotoma_core.offsite.show import describe_remote, remote_text
    from neotoma_core.settings.environment import default_vault

    with open_remote_of(name, vault or default_vault(target), Opening(identity_file)) as opened:
        report = describe_remote(opened)
    print(report.to_json() if json else remote_text(report))


@remote.command(cls=StrictCommand)
def check(
    *,
    name: Annotated[str, NAME],
    target: Annotated[Path, TARGET_OPTION],
    identity_file: IdentityFile = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Check that a remote answers, and that its logs are whole.

    It also checks that the remote keeps what is created. Contents are not read; `midden verify
    --remote` does that.
    """
    from neotoma_core.offsite.show import describe_remote, remote_text
    from neotoma_core.remotes.remote import require_same
    from neotoma_core.settings.environment import default_vault
    from neotoma_core.stores.opening import probe

    with open_remote_of(name, vault or default_vault(target), Opening(identity_file)) as opened:
        require_same(opened)
        probe(opened.store)
        report = describe_remote(opened)
    print(
        report.to_json()
        if json
        else f"{remote_text(report)}\nchecked    it answers and keeps what is created"
    )


@remote.command(cls=StrictCommand)
def remove(
    *,
    name: Annotated[str, NAME],
    target: Annotated[Path, TARGET_OPTION],
    yes: Annotated[bool, YES_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Forget a remote; what is there stays."""
    from neotoma_core.remotes.known import find_remote, forget_remote
    from neotoma_core.settings.environment import default_vault

    folder = vault or default_vault(target)
    known = find_remote(folder, name)
    require_yes(f"forget {name} ({known.url})? what is there stays", yes=yes, json=False)
    forget_remote(folder, name)
    print(f"removed    {name}; what is at {known.url} is still there")
