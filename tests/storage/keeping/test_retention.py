"""Letting go of old settlements: announced, slow, and never of what is young."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch import config
from fundwatch.analytics.windows import WINDOWS
from fundwatch.models import HOUR, Kind, Source
from fundwatch.storage.keeping import retention
from fundwatch.storage.keeping.retention import FEWEST_DAYS, Plan, kept_since, let_go, would_delete
from fundwatch.storage.trackers import state
from tests.storage.ledger import DAY, START, Ledger, hour, paid

NEWEST = START + 100 * DAY
NOW = NEWEST + 1800
TOMORROW = NOW + DAY
OLDEST_KEPT = START + 59 * DAY
"""40 days and one more before the newest payment, at midnight."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH", "QUIET")
    ledger.fill("BTC", range(8, 2401, 8), hours=8)
    ledger.fill("ETH", range(1, 2401))
    yield ledger
    ledger.writer.close()


def times(ledger: Ledger) -> list[int]:
    return [time for (time,) in ledger.writer.rows("SELECT funding_time FROM settlement ORDER BY 1")]


def announced(ledger: Ledger, days: int = 40) -> None:
    assert let_go(ledger.writer, days, NOW, steps=100) == 0


def told(ledger: Ledger) -> list[str]:
    return [
        m for (m,) in ledger.writer.rows("SELECT message FROM event WHERE kind = 'retention' ORDER BY id")
    ]


def test_nothing_goes_unless_somebody_says_so(ledger: Ledger) -> None:
    before = times(ledger)
    assert let_go(ledger.writer, 0, NOW + 1000 * DAY, steps=100) == 0
    assert (times(ledger), told(ledger), kept_since(ledger.writer)) == (before, [], None)


def test_what_would_go_is_told_a_day_before_it_goes(ledger: Ledger) -> None:
    old = [time for time in times(ledger) if time < OLDEST_KEPT]
    assert would_delete(ledger.writer, 40, NOW) == Plan(len(old), OLDEST_KEPT, NOW + DAY)
    announced(ledger)
    assert told(ledger) == [
        "retention_days = 40: from 2026-03-12 00:30 UTC on settlements paid before 2026-01-29 are deleted, "
        f"now {len(old):,}; 0 keeps everything"
    ]
    assert let_go(ledger.writer, 40, TOMORROW - 1, steps=100) == 0
    assert would_delete(ledger.writer, 40, TOMORROW - 1) == Plan(len(old), OLDEST_KEPT, NOW + DAY)
    assert let_go(ledger.writer, 40, TOMORROW, steps=100) == len(old)


def test_afterwards_exactly_the_old_ones_are_gone_and_an_event_says_how_many(ledger: Ledger) -> None:
    before = times(ledger)
    announced(ledger)
    gone = let_go(ledger.writer, 40, TOMORROW, steps=100)
    assert times(ledger) == [time for time in before if time >= OLDEST_KEPT]
    assert gone == len(before) - len(times(ledger))
    assert told(ledger)[1:] == [f"{gone:,} settlements paid before 2026-01-29 deleted (retention_days = 40)"]
    assert kept_since(ledger.writer) == OLDEST_KEPT
    assert would_delete(ledger.writer, 40, TOMORROW) is None
    assert let_go(ledger.writer, 40, TOMORROW + 300, steps=100) == 0
    assert len(told(ledger)) == 2


def test_it_goes_on_day_by_day_with_one_event_each(ledger: Ledger) -> None:
    announced(ledger)
    let_go(ledger.writer, 40, TOMORROW, steps=100)
    ledger.fill("ETH", range(2401, 2425))
    assert let_go(ledger.writer, 40, TOMORROW + DAY, steps=100) == 24 + 3
    assert len(told(ledger)) == 3


def test_many_rows_go_in_small_steps_and_are_counted_together(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_PER_STEP", 100)
    announced(ledger)
    before = len(times(ledger))
    taken = [let_go(ledger.writer, 40, TOMORROW, steps=3) for _ in range(10)]
    assert taken[:2] == [300, 300]
    assert sum(taken) == before - len(times(ledger))
    assert taken[-1] == 0
    assert times(ledger)[0] == OLDEST_KEPT
    assert told(ledger)[1:] == [
        f"{sum(taken):,} settlements paid before 2026-01-29 deleted (retention_days = 40)"
    ]


def test_another_number_of_days_is_announced_again(ledger: Ledger) -> None:
    announced(ledger)
    assert let_go(ledger.writer, 35, TOMORROW, steps=100) == 0
    assert len(told(ledger)) == 2
    assert let_go(ledger.writer, 35, TOMORROW + DAY, steps=100) > 0


def test_whoever_took_it_back_is_told_again_the_next_time(ledger: Ledger) -> None:
    announced(ledger)
    assert let_go(ledger.writer, 0, TOMORROW, steps=100) == 0
    assert let_go(ledger.writer, 40, TOMORROW, steps=100) == 0
    assert len(told(ledger)) == 2


def test_a_clock_that_is_years_ahead_deletes_nothing_that_is_young(ledger: Ledger) -> None:
    """Age is measured against the newest payment, which the exchange stamps."""
    announced(ledger)
    let_go(ledger.writer, 40, NOW + 3650 * DAY, steps=1000)
    assert times(ledger)[0] == OLDEST_KEPT


def test_a_clock_that_is_behind_deletes_less(ledger: Ledger) -> None:
    announced(ledger)
    assert let_go(ledger.writer, 40, NOW - 3650 * DAY, steps=100) == 0


def test_the_longest_window_and_all_that_is_filled_by_itself_is_out_of_reach(ledger: Ledger) -> None:
    assert max(WINDOWS.values()) <= FEWEST_DAYS * 24
    assert config.FEWEST_RETENTION_DAYS == FEWEST_DAYS
    for days in (1, FEWEST_DAYS - 1):
        with pytest.raises(ValueError, match="at least 30"):
            let_go(ledger.writer, days, TOMORROW, steps=100)
    announced(ledger, FEWEST_DAYS)
    let_go(ledger.writer, FEWEST_DAYS, TOMORROW, steps=100)
    assert times(ledger)[0] <= NEWEST - max(WINDOWS.values()) * HOUR - DAY


def test_conflicts_of_what_goes_go_too_and_counters_stay(ledger: Ledger) -> None:
    ledger.save(paid(1, 0.0002, symbol="ETH"), paid(2400, 0.0002, symbol="ETH"))
    before = state(ledger.writer, "lighter")
    announced(ledger)
    let_go(ledger.writer, 40, TOMORROW, steps=100)
    assert ledger.writer.rows("SELECT funding_time FROM conflict") == [(hour(2400),)]
    assert state(ledger.writer, "lighter") == before


def test_every_source_and_kind_has_its_age(ledger: Ledger) -> None:
    ledger.save(paid(1, symbol="QUIET"), source=Source.IMPORT)
    ledger.save(paid(2, symbol="QUIET"), source=Source.RECORDED)
    ledger.save(paid(2, symbol="QUIET", kind=Kind.SPECIAL))
    announced(ledger)
    let_go(ledger.writer, 40, TOMORROW, steps=100)
    assert ledger.stored("QUIET") == []


def test_an_empty_database_has_nothing_to_let_go_of(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    announced(ledger)
    assert would_delete(ledger.writer, 40, NOW) is None
    assert let_go(ledger.writer, 40, TOMORROW, steps=100) == 0
    assert told(ledger) == []
    ledger.writer.close()


def test_it_seeks_the_old_rows_by_their_key(ledger: Ledger) -> None:
    plan = ledger.writer.rows(f"EXPLAIN QUERY PLAN {retention._DELETE}", 1, 1)
    steps = [step[-1] for step in plan]
    assert "SEARCH settlement USING PRIMARY KEY (market_id=? AND funding_time=? AND kind=?)" in steps
    assert "SEARCH settlement USING PRIMARY KEY (market_id=? AND funding_time<?)" in steps
