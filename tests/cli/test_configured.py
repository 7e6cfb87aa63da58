"""Every option can stand in midden.toml or in a variable; the command line wins."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from neotoma_core.backup.protection import protection_of
from neotoma_core.cli.app import app
from neotoma_core.cli.terminal.configured import catalog_of, options_of, variable_of, variables_of
from neotoma_core.cli.terminal.manner import COMMON
from neotoma_core.errors import UsageError
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.configured import GENERAL
from neotoma_core.settings.environment import variables_of_midden
from neotoma_core.settings.option_tables import require_options
from neotoma_core.vault.noted import keep_notes_in
from tests.command_line import ROOT, commands
from tests.conftest import NOW
from tests.pages import DOCS, blocks
from tests.support.databases import make_database, observation

Say = Callable[[str], None]
CATALOG = catalog_of(ROOT)
VALUES: Mapping[str, object] = {"switch": True, "number": 3, "path": "a folder/x", "text": "words"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a database, and an environment without settings but for the file's place."""
    for name in variables_of_midden():
        monkeypatch.delenv(name)
    monkeypatch.setenv("MIDDEN_CONFIG", str(tmp_path / "midden.toml"))
    monkeypatch.setenv("MIDDEN_PROFILE", "")
    make_database(tmp_path / "neotoma.db", {"observations": [observation("o1")]})
    yield tmp_path
    keep_notes_in(None)


@pytest.fixture
def say(folder: Path) -> Say:
    """Write midden.toml: a database called main, and what a test has to say."""

    def write(text: str) -> None:
        main = '[databases.main]\npath = "neotoma.db"\nvault = "kept"\n'
        (folder / "midden.toml").write_text(main + text)

    return write


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, tuple[str, str]]]:
    """Return the options of a command with value and origin, as `config show` has them."""

    def show(*words: str) -> dict[str, tuple[str, str]]:
        capsys.readouterr()
        run("config", "show", *words, "--json")
        options = json.loads(capsys.readouterr().out)["options"]
        return {one["name"]: (one["value"], one["origin"]) for one in options}

    return show


def run(*words: str | Path) -> int:
    return app([*map(str, words)], standalone_mode=False) or 0


def value_for(parameter: Any, kind: str) -> object:
    """Return a value that an option takes, as TOML would have it."""
    allowed = getattr(parameter.type_descriptor.annotation, "__members__", {}).values()
    return next((str(one.value) for one in allowed), VALUES[kind])


def every_option() -> Iterator[tuple[tuple[str, ...], str, str, Any]]:
    for said, command in commands():
        words = tuple(said.split()[1:])
        for name, parameter in options_of(command):
            if words:
                yield words, name, CATALOG[words][name].kind, parameter


def test_every_option_can_stand_in_the_file(folder: Path, say: Say) -> None:
    stated = {
        (words, name): json.dumps(value_for(p, kind))  # noqa: TID251 - TOML has these alike
        for words, name, kind, p in every_option()
    }
    tables = "".join(
        f"[defaults.{'.'.join(words)}]\n"
        + "".join(f"{name} = {value}\n" for (of, name), value in stated.items() if of == words)
        for words in dict.fromkeys(words for words, _ in stated)
    )
    say(tables)
    found = {words: effective(words) for words in dict.fromkeys(words for words, _ in stated)}
    for (words, name), text in stated.items():
        value, origin = found[words][name]
        assert origin == "DEFAULT_MAP", (words, name)
        meant: Any = None if name in COMMON else json.loads(text)
        expected = folder / meant if CATALOG[words][name].kind == "path" else meant
        assert str(value) in (str(expected), f"[{expected!r}]", f"({expected!r},)"), (words, name)


def effective(words: tuple[str, ...]) -> dict[str, tuple[object, str]]:
    """Return the value of each option of a command with its source, by its own parser."""
    command, context = ROOT, ROOT.context_class(ROOT, info_name="midden")
    for word in words:
        command = command.commands[word]
        context = command.context_class(command, info_name=word, parent=context)
    context.resilient_parsing = True
    command.parse_args(context, [])
    return {
        name: (context.params.get(p.name), context.get_parameter_source(p.name).name)
        for name, p in options_of(command)
    }


def test_every_option_has_a_variable(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "midden.toml").touch()
    for words, name, kind, parameter in every_option():
        value = str(value_for(parameter, kind)).replace(" ", "-")
        monkeypatch.setenv(variable_of(words, name), value)
    for words, options in CATALOG.items():
        origins = {name: origin for name, (_, origin) in effective(words).items()}
        assert origins == dict.fromkeys(options, "ENVIRONMENT")
    names = (*GENERAL, *variables_of(CATALOG))
    assert len(set(names)) == len(names)


def test_the_command_line_wins_then_the_variable_the_database_the_profile_the_defaults(
    say: Say, shown: Callable[..., dict[str, tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [
        "[defaults]\nlast = 1\n",
        "[defaults.audit]\nlast = 2\n",
        "[profiles.night.audit]\nlast = 3\n",
        "[databases.main.defaults.audit]\nlast = 4\n",
    ]
    places = ("defaults.last", "defaults.audit.last", "profiles.night.audit.last")
    monkeypatch.setenv("MIDDEN_PROFILE", "night")
    for number, place in enumerate((*places, "databases.main.defaults.audit.last"), 1):
        profile = "" if number > 2 else "[profiles.night]\n"
        say("".join(tables[:number]) + profile)
        assert shown("audit")["last"] == (str(number), f"midden.toml: {place}")
    monkeypatch.setenv("MIDDEN_AUDIT_LAST", "5")
    assert shown("audit")["last"] == ("5", "MIDDEN_AUDIT_LAST")
    context = ROOT.commands["audit"].make_context("audit", ["--last", "6"], parent=root_context())
    assert context.params["last"] == 6


def root_context() -> Any:
    return ROOT.context_class(ROOT, info_name="midden")


def test_the_only_database_needs_no_target_and_what_is_said_of_it_counts(
    say: Say, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say("[databases.main.defaults.backup]\ndry-run = true\n")
    assert run("backup") == 0
    assert "dry run    1 observations" in capsys.readouterr().out
    assert run("backup", "--target", "main") == 0
    assert run("backup", "--target", folder / "neotoma.db", "--vault", folder / "other") == 0
    for vault in ("kept", "other"):
        assert protection_of(folder / vault, NOW).backups == 0


def test_several_databases_can_be_named(say: Say, folder: Path) -> None:
    say('[databases.two]\npath = "two.db"\n')
    serve = ROOT.commands["serve"]
    words = ["--target", "main", "--target", "two", "--target", "/other.db"]
    context = serve.make_context("serve", words, parent=root_context())
    serve.begin(context)
    named = [folder / "neotoma.db", folder / "two.db", Path("/other.db")]
    assert context.params["target"] == named


def test_a_file_of_that_name_comes_first(
    say: Say,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    shown: Callable[..., dict[str, tuple[str, str]]],
) -> None:
    say("[databases.main.defaults.backup]\nlogs = true\n")
    monkeypatch.chdir(folder)
    assert shown("backup", "--target", "main")["logs"][0] == "true"
    (folder / "main").touch()
    assert shown("backup", "--target", "main")["logs"][0] == "false"
    say('[defaults]\ntarget = "neotoma.db"\n[databases.two]\npath = "two.db"\n')
    (folder / "main").unlink()
    monkeypatch.chdir("/")
    assert shown("backup")["target"][0] == str(folder / "neotoma.db")


def test_what_a_database_says_of_its_keeping_becomes_options(
    say: Say, shown: Callable[..., dict[str, tuple[str, str]]]
) -> None:
    say('retention = { daily = 7, within = "2d" }\nschedule = { every = "weekly", at = "04:05" }\n')
    origin = "midden.toml: databases.main."
    assert shown("prune")["keep-daily"] == ("7", f"{origin}retention.daily")
    assert shown("prune")["keep-within"] == ("2d", f"{origin}retention.within")
    assert shown("schedule", "install")["at"] == ("04:05", f"{origin}schedule.at")
    assert shown("serve")["backup-cron"] == ("5 4 * * 0", f"{origin}schedule")
    say('schedule = { every = "hourly" }\n')
    assert shown("serve")["backup-cron"][0] == "0 * * * *"


def test_a_file_and_a_profile_can_be_named_before_the_command(
    say: Say, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say("[profiles.try.backup]\ndry-run = true\n")
    (folder / "midden.toml").rename(folder / "mine.toml")
    monkeypatch.setenv("MIDDEN_CONFIG", "/nowhere")
    assert run("--config", folder / "mine.toml", "--profile", "try", "backup") == 0
    assert "dry run" in capsys.readouterr().out
    with pytest.raises(UsageError, match=r"profiles\.tri: no such setting; did you mean try\?"):
        run("--config", folder / "mine.toml", "--profile", "tri", "backup")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[defaults]\njsn = true", "defaults.jsn: no such option; did you mean json"),
        ("[defaults.bckup]\njson = true", "defaults.bckup: no such command; did you mean backup"),
        ("[defaults.remote.ad]\nplain = true", "defaults.remote.ad: no such command; did you mean"),
        ("[defaults.backup]\ndril = true", "defaults.backup.dril: no such option; did you mean"),
        ("[profiles.a.backup]\ndril = true", "profiles.a.backup.dril: no such option"),
        ("[databases.main.defaults]\ndril = true", "databases.main.defaults.dril: no such option"),
        ('[defaults.backup]\njson = "SECRET"', "defaults.backup.json must be true or false"),
        ('[defaults.audit]\nlast = "SECRET"', "defaults.audit.last must be a number"),
        ("[defaults.push]\nremote = ['SECRET']", "defaults.push.remote must be a text"),
        ("[defaults.status]\nsearch = [1]", "search must be a path, or a list of them"),
        ("[defaults]\nyes = true", "defaults.yes: say it for one command only"),
        ("[defaults.remote]\nyes = true", "remote.yes: say it for one command only"),
        ("profile = 'gone'", "profiles.gone: no such setting"),
        ("notifyy = ['SECRET']", "databases.main.notifyy: no such setting; did you mean notify"),
        ("notify = 'SECRET'", "databases.main.notify must be a list of texts"),
        ("retention = { dayly = 3 }", "retention.dayly: no such setting; did you mean daily"),
        ("retention = { daily = -3 }", "retention.daily must be a number, 0 or more"),
        ("retention = { within = 'SECRET' }", "retention.within must be a span of time"),
        ("schedule = { every = 'SECRET' }", "schedule.every must be hourly or daily or weekly"),
        ("schedule = { at = '24:00' }", "schedule.at must be a time of day"),
        ("schedule = 3", "schedule must be a table"),
        ("heartbeat = 3", "heartbeat must be an address"),
        ("metrics_file = 3", "metrics_file must be a path"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_done(say: Say, text: str, wrong: str) -> None:
    say(text + "\n")
    with pytest.raises(UsageError, match=wrong) as refused:
        run("backups")
    assert "SECRET" not in str(refused.value)


def test_what_the_page_shows_is_valid(folder: Path) -> None:
    file = folder / "midden.toml"
    file.write_text("".join(blocks(DOCS / "configure.md", "toml")))
    known = read_configuration(file)
    require_options(known, CATALOG)
    assert known.defaults
    assert known.profiles


def test_help_needs_no_valid_file(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    say("nonsense")
    run("backup", "--help")
    help_text = capsys.readouterr().out
    assert "--drill" in help_text
    assert "MIDDEN_BACKUP" not in help_text


def test_no_secret_is_shown_and_every_value_says_where_it_is_from(
    say: Say, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(
        'notify = ["mailto://me:SECRET@example.org"]\nheartbeat = "https://example.org/SECRET"\n'
        'retention = { daily = 7 }\nremotes = ["nas"]\n'
        '[defaults.status]\nsearch = ["https://me:SECRET@example.org", "here"]\n'
    )
    monkeypatch.setenv("MIDDEN_NOTIFY_URLS", "json://SECRET")
    monkeypatch.setenv("MIDDEN_SHOW_ENDPOINT", "https://example.org/?key=SECRET")
    monkeypatch.setenv("MIDDEN_BACKUP_LOGS", "1")
    assert run("config", "show") == 0
    said = capsys.readouterr().out
    assert "SECRET" not in said
    assert "1 addresses (not shown) (midden.toml)" in said
    assert "daily 7 (midden.toml)" in said
    assert "MIDDEN_NOTIFY_URLS = (not shown) (environment)" in said
    assert "MIDDEN_BACKUP_LOGS = 1 (environment)" in said
    assert "defaults.status.search = (not shown), here (midden.toml)" in said
    assert run("config", "show", "status") == 0
    assert "SECRET" not in capsys.readouterr().out


def test_a_variable_that_sets_nothing_fails_the_check(
    say: Say, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say("")
    monkeypatch.setenv("MIDDEN_BACKUPP_LOGS", "1")
    assert run("config", "check") == 2
    assert "such setting; did you mean MIDDEN_BACKUP_LOGS?" in capsys.readouterr().out
