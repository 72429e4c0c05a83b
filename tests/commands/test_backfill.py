import re
from pathlib import Path

import pytest
from click.testing import Result

from fundwatch.collector.events import Progress, RunEnded, Trouble
from fundwatch.commands.backfill import Bar
from fundwatch.storage.database import Database, reader
from tests.commands.desk import run
from tests.virtual_time import VirtualClock


def progress(exchange: str, wanted: float, done: float, inserted: int = 0) -> Progress:
    return Progress(exchange, "backfill", 1, wanted, done, inserted)


def ended(outcome: str = "ok", error: str | None = None, kind: str = "backfill") -> RunEnded:
    return RunEnded("aster", kind, 1, outcome, error, 1234, 590, 0, 3.0, 11)


def bar(clock: VirtualClock | None = None, *, is_terminal: bool = True) -> Bar:
    return Bar(is_terminal, clock or VirtualClock(1000.0))


def test_the_bar_counts_all_exchanges_and_names_the_slowest(capsys: pytest.CaptureFixture[str]) -> None:
    clock = VirtualClock(1000.0)
    shown = bar(clock)
    shown.listen(progress("aster", 100, 90, 80))
    clock.advance(1)
    shown.listen(progress("lighter", 300, 10, 5))
    last = capsys.readouterr().err.split("\r")[-1]
    assert last == "[" + "#" * 8 + "-" * 22 + "]  25% 85 stored waiting for lighter"


def test_the_bar_is_full_in_the_end_even_when_more_came_than_was_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = bar()
    shown.listen(progress("aster", 100, 130, 130))
    shown.finish()
    assert capsys.readouterr().err.endswith("[" + "#" * 30 + "] 100% 130 stored\n")


def test_it_is_not_drawn_more_than_five_times_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    clock = VirtualClock(1000.0)
    shown = bar(clock)
    for done in range(100):
        shown.listen(progress("aster", 100, done))
        clock.advance(0.01)
    assert capsys.readouterr().err.count("\r") == 5


def test_without_a_terminal_there_is_a_line_for_each_end_and_no_bar(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = bar(is_terminal=False)
    shown.listen(progress("aster", 100, 50))
    shown.listen(ended(kind="quotes"))
    shown.listen(ended())
    shown.listen(ended("error", "HTTP 503\x1b[2J"))
    shown.listen(Trouble("database", "no room left"))
    shown.finish()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "aster: ok, 1,234 settlements stored",
        "aster: error, 1,234 settlements stored; HTTP 503[2J",
        "database: no room left",
    ]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text("[demo]\nscale = 2000\n")
    return path


def backfill(config: Path, *words: str) -> Result:
    path = str(config.with_name("demo.db"))
    return run("--config", str(config), "--demo", "--db", path, "backfill", *words)


def stored(db: Database) -> list[tuple[str, str, int]]:
    return db.rows(
        "SELECT e.name, m.ticker, COUNT(*) FROM settlement s JOIN market m ON m.id = s.market_id"
        " JOIN exchange e ON e.id = m.exchange_id GROUP BY 1, 2 ORDER BY 1, 2"
    )


def test_only_what_was_asked_for_is_fetched_and_only_once(config: Path) -> None:
    words = ("--days", "2", "--exchange", "lighter", "--asset", "kpepe", "--asset", "BTC")
    first = backfill(config, *words)
    assert (first.exit_code, first.stdout) == (0, "")
    assert re.match(r"2 requests, about \d", first.stderr)
    assert first.stderr.endswith("96 settlements stored.\n")
    with reader(config.with_name("demo.db")) as db:
        assert stored(db) == [("lighter", "BTC", 48), ("lighter", "PEPE", 48)]
        role, stopped = db.rows("SELECT role, stopped FROM collector")[0]
        assert role == "backfill"
        assert stopped is not None

    again = backfill(config, *words, "--exchange", "lighter")
    assert again.exit_code == 0
    assert again.stderr.startswith("0 requests")

    unknown = backfill(config, "--asset", "PEPPE")
    assert unknown.exit_code == 2
    assert "no market is about 'PEPPE'; near it: PEPE" in unknown.stderr


def test_an_exchange_that_failed_is_named_and_the_others_are_filled(config: Path) -> None:
    config.write_text('[demo]\nscale = 2000\n[demo.faults]\naster = "451"\n')
    result = backfill(config, "--days", "1", "--asset", "ETH", "--exchange", "aster", "--exchange", "lighter")
    assert result.exit_code == 1
    assert re.search(r"^aster: error: .*451", result.stderr, re.MULTILINE)
    assert result.stderr.endswith("24 settlements stored.\n")
