"""One line that says whether all is well, how old the data is and what comes next."""

import msgspec
import pytest

from fundwatch.answers.status import CollectorState, ExchangeStatus, Status, UnitVerdict
from fundwatch.storage.queries import ExchangeRow
from fundwatch.tui.frame.status_line import Line, drawn, next_sweep
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.words import Words

NOON = 1_764_590_400.0


def one(exchange: str, health: str = "ok", newest_quote: int | None = int(NOON - 12)) -> ExchangeStatus:
    return ExchangeStatus(
        exchange=exchange,
        enabled=True,
        health=health,
        reason="",
        status="idle",
        last_run=None,
        last_success=None,
        last_error=None,
        total_runs=0,
        total_records=0,
        consecutive_failures=0,
        markets=1,
        markets_fresh=1,
        markets_failing=0,
        oldest_quote_seconds=None,
        newest_quote=newest_quote,
        newest_settlement=None,
        gaps_open=0,
        next_try=None,
        requests=0,
        budget_used=None,
        unit_check=UnitVerdict("unknown", None, None),
    )


def snapshot(*exchanges: ExchangeStatus, running: bool = True) -> Snapshot:
    rows = {e.exchange: ExchangeRow(e.exchange, 3, False, 5 + n, None, None) for n, e in enumerate(exchanges)}
    status = Status(CollectorState(running, 1, int(NOON)), list(exchanges), [])
    return Snapshot(NOON, Question(), status, exchanges=rows)


def text(line: Line, width: int = 80) -> str:
    return "".join(part for part, _ in drawn(line, width))


def test_health_is_counted_in_words() -> None:
    told = text(Line(snapshot(one("lighter"), one("aster"), one("binance", "stale")), NOON, Words()))
    assert "2 ok 1 STALE" in told


def test_the_freshest_exchange_does_not_hide_one_that_is_hours_behind() -> None:
    behind = one("extended", "stale", int(NOON - 3 * 3600))
    assert "data 12 s  to 3 h" in text(Line(snapshot(one("lighter"), behind), NOON, Words()))
    assert " to " not in text(Line(snapshot(one("lighter"), one("aster")), NOON, Words()))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_line_fills_exactly_its_width_and_ends_with_help(width: int) -> None:
    marks = (("DEMO", ""), ("VIEWER", ""), ("FROZEN 12:00", ""))
    told = text(Line(snapshot(one("lighter")), NOON, Words(), marks, "backfill 42 %"), width)
    assert len(told) == width
    assert told.endswith("? help ")


def test_what_matters_less_goes_first_when_there_is_no_room() -> None:
    line = Line(snapshot(one("lighter")), NOON, Words(), doing="backfill 42 %")
    assert "next sweep 12:05 UTC, in 5 min" in text(line, 100)
    assert ", in 5 min" not in text(line, 80)
    short = text(line, 55)
    assert "data 12 s" in short
    assert "next sweep" not in short


def test_a_growing_age_moves_nothing() -> None:
    places = {
        text(Line(snapshot(one("lighter", newest_quote=int(NOON - age))), NOON, Words())).index("next sweep")
        for age in (1, 12, 100, 5000, 400_000)
    }
    assert len(places) == 1


def test_the_next_sweep_is_the_earliest_of_those_that_are_not_paused() -> None:
    now = snapshot(one("lighter", "paused"), one("aster"))
    assert next_sweep(now.status, now.exchanges, NOON) == NOON + 6 * 60
    assert next_sweep(now.status, now.exchanges, NOON + 7 * 60) == NOON + 66 * 60
    dead = snapshot(one("lighter"), running=False)
    assert next_sweep(dead.status, dead.exchanges, NOON) is None


def test_a_first_run_is_starting_and_nothing_else() -> None:
    begins = msgspec.structs.replace(one("aster", "never"), status="running")
    told = text(Line(snapshot(one("lighter"), begins, one("binance", "never")), NOON, Words()))
    assert "1 ok 1 never 1 starting" in told


def test_no_sweep_is_promised_by_a_backfill() -> None:
    filling = snapshot(one("lighter"))
    state = CollectorState(True, 1, int(NOON), "backfill")
    status = msgspec.structs.replace(filling.status, collector=state)
    assert next_sweep(status, filling.exchanges, NOON) is None


@pytest.mark.parametrize("width", [*range(30, 150, 3), 200])
def test_items_are_there_whole_or_not_at_all(width: int) -> None:
    marks = (("DEMO", ""), ("VIEWER", ""), ("FROZEN 12:00", ""))
    many = snapshot(one("a"), one("b", "stale"), one("c", "error", int(NOON - 4000)), one("d", "paused"))
    line = Line(many, NOON, Words(), marks, "backfill 42 %", (("collector DEAD 1 min", "bad"),))
    told = text(line, width)
    assert len(told) == width
    assert told.endswith("? help ")
    assert "…" not in told
    left = told.removesuffix("? help ")
    for item in (
        *("fundwatch", "[DEMO]", "[VIEWER]", "[FROZEN 12:00]", "1 ok 1 STALE 1 ERROR 1 paused"),
        *("collector DEAD 1 min", "data 12 s  to 1 h", "▸ backfill 42 %"),
        *("next sweep 12:05 UTC", ", in 5 min"),
    ):  # fmt: skip
        left = left.replace(item, "", 1)
    assert not left.strip()


def test_who_should_collect_stays_longest() -> None:
    line = Line(snapshot(one("a")), NOON, Words(), (), "", (("collector DEAD 1 min", "bad"),))
    assert "collector DEAD 1 min" in text(line, 32)
