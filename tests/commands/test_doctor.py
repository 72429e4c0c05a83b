"""`fundwatch doctor` as people and scripts meet it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fundwatch.cli import main
from fundwatch.commands import doctor as command
from fundwatch.doctor.finding import Finding, Level
from tests.commands.desk import Desk, run


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    """Lighter is fine, nobody else is collected."""
    tmp_path.chmod(0o700)
    desk.config.chmod(0o600)
    desk.only("lighter")
    desk.quoted("lighter", "BTC", 10.95)
    desk.swept("lighter", markets_expected=1, markets_failed=0)
    return desk


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Who would have called out, instead of doing so."""
    made: list[object] = []

    def ask(session: object, _: object) -> list[Finding]:
        made.append(session)
        return [Finding("network", Level.FAIL, "lighter", "HTTP 503", "wait")]

    monkeypatch.setattr(command, "_ask", ask)
    return made


def at_a_terminal(desk: Desk, typed: bytes, *words: str) -> Result:
    return CliRunner().invoke(
        main,
        ["--config", str(desk.config), "--db", str(desk.writer.path), "doctor", *words],
        input=Terminal(typed),
    )


def test_a_person_reads_what_was_looked_at_within_the_width(desk: Desk) -> None:
    result = desk.ask("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    for area in ("program", "files", "database", "process", "exchanges"):
        assert area in lines
    assert "ok    world: real" in lines
    assert max(len(line) for line in lines if "/" not in line) <= 80, "paths are not broken"
    assert lines[-1].endswith("notes")
    assert "The exchanges were not asked: --online sends one light request to each." in lines


def test_a_warning_is_exit_1_and_loud(desk: Desk) -> None:
    desk.swept("lighter", "error", "HTTP 503")
    result = desk.ask("doctor")
    assert result.exit_code == 1
    assert "WARN  lighter: error, 1 of 1 markets fresh: HTTP 503" in result.stdout.splitlines()
    assert "1 warning" in result.stdout.splitlines()[-1]


def test_json_is_one_document(desk: Desk) -> None:
    result = desk.ask("doctor", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, result.stderr, document["worst"]) == (0, "", "note")
    assert document["asked_exchanges"] is False
    assert set(document["findings"][0]) == {"area", "level", "subject", "message", "advice"}
    assert abs(document["at"] - desk.now) < 60


def test_no_database_is_no_trouble(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    result = run("--db", str(tmp_path / "none.db"), "doctor")
    assert result.exit_code == 0
    assert "note  database: there is none at" in result.stdout
    assert not (tmp_path / "none.db").exists()


def test_a_broken_configuration_is_one_failure_and_nobody_is_asked(desk: Desk) -> None:
    desk.config.write_text("[colector]\n")
    result = desk.ask("doctor", "--online")
    assert (result.exit_code, result.stderr) == (1, "")
    shown = " ".join(result.stdout.split())
    assert "FAIL configuration: " in shown
    assert "colector: no such key" in shown
    assert "ok world: real" in shown
    assert "FAIL exchanges: not asked: the configuration may say by which way" in shown


def test_without_a_terminal_it_calls_nobody(desk: Desk, calls: list[object]) -> None:
    desk.ask("doctor")
    desk.ask("doctor", "--json")
    assert calls == []


def test_online_calls_without_asking(desk: Desk, calls: list[object]) -> None:
    result = desk.ask("doctor", "--online")
    assert len(calls) == 1
    assert result.exit_code == 1
    assert "FAIL  lighter: HTTP 503\n      -> wait" in result.stdout
    document = json.loads(desk.ask("doctor", "--online", "--json").stdout)
    assert document["asked_exchanges"] is True
    assert document["findings"][-1]["message"] == "HTTP 503"


@pytest.mark.parametrize(("typed", "called"), [(b"y\n", 1), (b"n\n", 0), (b"\n", 0), (b"", 0)])
def test_at_a_terminal_it_asks_first(desk: Desk, calls: list[object], typed: bytes, called: int) -> None:
    result = at_a_terminal(desk, typed)
    assert "Ask the exchange one light request, to see what it answers? [y/N]" in result.stderr
    assert len(calls) == called
    assert result.exit_code == called


def test_json_never_asks_a_person(desk: Desk, calls: list[object]) -> None:
    result = at_a_terminal(desk, b"y\n", "--json")
    assert (calls, result.stderr) == ([], "")


def test_the_demo_asks_the_demo_servers(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    config = tmp_path / "c.toml"
    config.write_text('[demo.faults]\nbinance = "451"\naster = "html"\n')
    config.chmod(0o600)
    words = (
        "--demo",
        "--config",
        str(config),
        "--db",
        str(tmp_path / "d.db"),
        "doctor",
        "--online",
        "--json",
    )
    result = run(*words)
    found: dict[str, Any] = {
        one["subject"]: one for one in json.loads(result.stdout)["findings"] if one["area"] == "network"
    }
    assert {name: one["level"] for name, one in found.items()} == {
        **dict.fromkeys(("lighter", "hyperliquid", "extended", "paradex", "variational", "clock"), "ok"),
        **dict.fromkeys(("binance", "aster"), "fail"),
    }
    assert "HTTP 451" in found["binance"]["message"]
    assert "challenge page" in found["aster"]["message"]
    assert result.exit_code == 1
