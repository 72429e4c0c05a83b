"""One line that says whether all is well, how old the data is and what comes next."""

import pytest

from fundwatch.answers.status import CollectorState, ExchangeStatus, Status, UnitVerdict
from fundwatch.storage.queries import ExchangeRow
from fundwatch.tui import banner
from fundwatch.tui.concerns import Concern
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.status_line import Line, drawn, next_sweep
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
    assert "next sweep 12:05 UTC" in text(line, 80)
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


def concern(message: str, exchange: str = "aster") -> Concern:
    return Concern(exchange, "error", message, NOON - 8040, "see 4")


def test_the_banner_tells_the_newest_its_age_and_how_many_more() -> None:
    told = "".join(part for part, _ in banner.drawn([concern("HTTP 403"), concern("x")], NOON, 100))
    assert told.startswith(" ! aster: HTTP 403 (2 h 14 min)")
    assert "+1 more" in told
    assert len(told) == 100


def test_a_long_message_never_pushes_out_what_to_do() -> None:
    told = "".join(part for part, _ in banner.drawn([concern("word " * 60)], NOON, 80))
    assert len(told) == 80
    assert told.endswith("see 4  a seen ")
    assert "…" in told
