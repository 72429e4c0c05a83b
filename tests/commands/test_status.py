import json
from pathlib import Path

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.storage import lock, presence
from tests.commands.desk import Desk, run

PROMISED = {
    *("exchange", "enabled", "health", "status", "last_run", "last_success", "last_error", "total_runs"),
    *("total_records", "consecutive_failures", "markets", "markets_fresh", "newest_quote"),
    *("newest_settlement", "gaps_open", "unit_check"),
}
"""Fields may be added, never taken away."""


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Lighter is fine, Aster failed; nobody else is collected."""
    desk.only("lighter", "aster")
    desk.quoted("lighter", "BTC", 10.95)
    desk.swept("lighter", markets_expected=1, markets_failed=0)
    desk.quoted("aster", "BTCUSDT", 10.95)
    desk.swept("aster", "error", "HTTP 503")
    return desk


def test_json_has_the_fields_that_were_promised(desk: Desk) -> None:
    result = desk.ask("status", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, "")
    assert set(document) >= {"collector", "exchanges", "alerts"}
    assert set(document["collector"]) >= {"running", "pid", "heartbeat"}
    assert [one["exchange"] for one in document["exchanges"]] == list(REGISTRY)
    for one in document["exchanges"]:
        assert set(one) >= PROMISED
        assert set(one["unit_check"]) >= {"verdict", "modal_apr_percent"}
        assert one["health"] in ("never", "ok", "late", "stale", "partial", "error", "paused")
        assert one["status"] in ("idle", "running", "error")
    (alert,) = document["alerts"]
    assert set(alert) >= {"exchange", "kind", "message", "since"}
    assert (alert["exchange"], alert["kind"], alert["message"]) == ("aster", "error", "HTTP 503")


def test_numbers_are_numbers_times_are_utc_seconds_and_missing_is_null(desk: Desk) -> None:
    lighter, hyperliquid, _, aster, *_ = json.loads(desk.ask("status", "--json").stdout)["exchanges"]
    assert (lighter["last_success"], lighter["newest_quote"]) == (desk.now, desk.now - 60)
    assert (lighter["health"], lighter["markets"], lighter["markets_fresh"]) == ("ok", 1, 1)
    assert (aster["last_success"], aster["last_error"], aster["consecutive_failures"]) == (
        None,
        "HTTP 503",
        1,
    )
    assert (hyperliquid["enabled"], hyperliquid["last_run"], hyperliquid["total_runs"]) == (False, None, 0)


def test_all_fresh_is_exit_0(desk: Desk) -> None:
    desk.swept("aster", markets_expected=1, markets_failed=0)
    assert desk.ask("status").exit_code == desk.ask("status", "--json").exit_code == 0


def test_a_person_reads_what_is_wrong_and_why(desk: Desk) -> None:
    result = desk.ask("status")
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (1, "")
    assert lines[0].split()[:3] == ["exchange", "health", "fresh"]
    found = {line.split()[0]: line.split()[1] for line in lines[1:8]}
    assert (found["lighter"], found["aster"], found["binance"]) == ("ok", "error", "off")
    assert "collector: not running" in lines
    assert lines[-1] == "aster: HTTP 503"


def test_the_line_for_a_status_bar_names_what_is_not_ok(desk: Desk) -> None:
    result = desk.ask("status", "--line")
    assert (result.exit_code, result.stdout) == (1, "fundwatch 1 ok 1 ERROR aster no collector\n")


def test_the_line_with_a_collector(desk: Desk) -> None:
    desk.swept("aster", markets_expected=1, markets_failed=0)
    with lock.acquire(desk.writer.path, "collector"):
        with desk.writer.transaction():
            presence.beat(desk.writer, 4242, "collector", "boot", desk.now)
        assert desk.ask("status", "--line").stdout == "fundwatch 2 ok\n"
        assert "collector: process 4242" in desk.ask("status").stdout
        with desk.writer.transaction():
            presence.beat(desk.writer, 4243, "backfill", "boot", desk.now)
        assert desk.ask("status", "--line").stdout == "fundwatch 2 ok no collector\n"
        assert "backfill: process 4243" in desk.ask("status").stdout
    assert "backfill: process 4243 gave its last sign of life" in desk.ask("status").stdout


@pytest.mark.parametrize("words", [["--line"], ["--json"], []])
def test_no_database_is_exit_3_and_still_an_answer(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "none.db"
    result = run("--db", str(path), "status", *words)
    assert result.exit_code == 3
    assert f"there is no database at {path} yet" in result.stderr
    if "--line" in words:
        assert result.stdout == "fundwatch no data yet\n"
    elif "--json" in words:
        exchanges = json.loads(result.stdout)["exchanges"]
        assert {one["health"] for one in exchanges} == {"never"}
        assert set(exchanges[0]) >= PROMISED
    assert not path.exists()


def test_nothing_collected_yet_is_exit_3(desk: Desk) -> None:
    desk.only("paradex")
    assert desk.ask("status", "--line").stdout == "fundwatch no data yet\n"
    assert desk.ask("status").exit_code == 3


def test_what_an_exchange_said_cannot_drive_the_terminal(desk: Desk) -> None:
    with desk.writer.transaction():
        desk.writer.change(
            "UPDATE tracker SET last_error = ?, sweep_error = ?", *["\x1b[2Jgone\n\nlines"] * 2
        )
    shown = desk.ask("status").stdout
    assert "\x1b" not in shown
    assert "aster: [2Jgone lines" in shown.splitlines()
