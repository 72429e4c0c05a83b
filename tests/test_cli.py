"""The command line as a whole: help, usage, and what each kind of trouble comes to."""

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fundwatch import __version__
from fundwatch.cli import main
from fundwatch.storage import lock
from fundwatch.storage.database import open_writer

COMMANDS = ("status", "top", "spreads", "history", "backfill")


@pytest.fixture(autouse=True)
def a_user_without_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("FUNDWATCH_CONFIG", "FUNDWATCH_DB"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), prog_name="fundwatch")


def refused(*words: str) -> str:
    """The complaint about words that are refused."""
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


# Help


def test_the_version() -> None:
    assert run("--version").stdout == f"fundwatch, version {__version__}\n"


def test_help_shows_a_first_step_and_every_command() -> None:
    text = run("--help").stdout
    assert "fundwatch --demo --collect-only --once" in text
    assert all(re.search(rf"^  {command}  ", text, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "lessons"),
    [
        ("status", ["Exit code 0: all fresh", "3: no data yet", "tmux"]),
        ("top", ["positive means longs pay", "what was really paid", "cannot be trusted", "prelaunch"]),
        ("spreads", ["long where the rate is lowest", "Net APR", "fees", "HOURS", "USD"]),
        ("history", ["`btc`", "`BB:equity`", "1000PEPEUSDT", "Exit code 2"]),
        ("gaps", ["Expected = stored + missing + gone", "history_days", "3: no data yet"]),
        ("doctor", ["changes nothing", "asks before it calls out", "Exit code 0: well", "--online"]),
        ("backfill", ["Only holes are asked for", "Ctrl-C is safe", "repeatable", "130"]),
    ],
)
def test_help_of_a_command_teaches(command: str, lessons: list[str]) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert [lesson for lesson in lessons if lesson not in text] == []
    assert run(command, "-h").stdout == result.stdout


def test_help_needs_no_sound_configuration(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[colector]\n")
    for command in COMMANDS:
        assert run("--config", str(tmp_path / "own.toml"), command, "--help").exit_code == 0


# Usage


def test_without_a_screen_to_draw_on_it_names_the_commands_that_need_none() -> None:
    told = refused()
    assert all(word in told for word in ("--collect-only", *COMMANDS))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["statsu"], "Did you mean 'status'?"),
        (["--colect-only"], "--collect-only"),
        (["--once"], "--once goes with --collect-only"),
        (["--hours", "5"], "--hours and --limit go with --collect-only --once"),
        (["--collect-only", "--limit", "5"], "--hours and --limit go with --collect-only --once"),
        (["--collect-only", "--once", "--hours", "0"], "--hours"),
        (["--collect-only", "--log-format", "xml"], "'xml'"),
        (["--log-format", "json"], "--log-format goes with --collect-only"),
        (["--collect-only", "status"], "--collect-only before `status`"),
        (["--limit", "5", "top"], "--limit before `top`"),
        (["history"], "ASSET"),
        (["top", "--json", "--csv"], "--json and --csv do not go together"),
        (["status", "--json", "--line"], "--json and --line do not go together"),
        (["backfill", "--exchange", "lightr"], "'lighter'"),
        (["backfill", "--days", "0"], "--days"),
    ],
    ids=" ".join,
)
def test_words_that_do_not_make_sense_are_refused_with_what_would(words: list[str], hint: str) -> None:
    assert hint in refused(*words)


# Trouble


@pytest.mark.parametrize("words", [["status", "--json"], ["--collect-only", "--once"], ["backfill"]])
def test_a_mistake_of_the_configuration_names_file_key_and_the_nearest_one(
    tmp_path: Path, words: list[str]
) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[exchanges.lighter]\nminut = 5\n")
    told = refused("--config", str(config), *words)
    assert told == f"Error: {config}: exchanges.lighter.minut: no such key; did you mean minute?\n"


def test_a_configuration_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert "gone.toml: cannot be read" in refused("--config", str(tmp_path / "gone.toml"), "top")


def test_a_fault_of_the_demo_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[demo.faults]\nlighter = "tired"\n')
    words = ("--config", str(tmp_path / "own.toml"), "--demo", "--db", str(tmp_path / "f.db"))
    assert refused(*words, "--collect-only", "--once") == "Error: demo.faults: unknown fault 'tired'\n"


@pytest.mark.parametrize(
    "words",
    [[command] for command in COMMANDS if command != "history"] + [["history", "BTC"], ["--collect-only"]],
)
def test_real_and_demo_data_are_never_mixed(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "demo.db"
    open_writer(path, world="demo:7").close()
    told = refused("--db", str(path), *words)
    assert told.startswith(f"Error: {path} holds the world 'demo:7', not 'real'")


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    open_writer(path, world="demo:7").close()
    (tmp_path / "own.toml").write_text("[demo]\nseed = 8\n")
    told = refused("--config", str(tmp_path / "own.toml"), "--demo", "--db", str(path), "status")
    assert "not 'demo:8'" in told
    assert run("--demo", "--db", str(path), "status").exit_code == 3


@pytest.mark.parametrize("words", [["--collect-only"], ["--collect-only", "--once"], ["backfill"]])
def test_who_collects_already_is_named(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "f.db"
    with lock.acquire(path, "collector"):
        result = run("--db", str(path), *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"in use by collector (process {os.getpid()}, since " in result.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    "words", [["status", "--json"], ["top"], ["history", "BTC"], ["--collect-only", "--once"]]
)
def test_a_damaged_database_is_told_and_left_as_it_is(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "f.db"
    path.write_bytes(b"not a database" * 100)
    result = run("--db", str(path), *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {path} is damaged or not a database")
    assert path.read_bytes() == b"not a database" * 100


def test_backfill_of_an_exchange_that_is_switched_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[exchanges.aster]\nenabled = false\n")
    told = refused("--config", str(tmp_path / "own.toml"), "backfill", "--exchange", "aster")
    assert "aster: switched off in the configuration" in told
