from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundwatch.models import HOUR, Window
from fundwatch.storage import summary
from fundwatch.storage.holes.gaps import gaps_open
from fundwatch.storage.holes.missing import (
    HourCoverage,
    IntervalContext,
    coverage_strip,
    interval_context,
    missing,
    record_absence,
)
from tests.storage.ledger import START, Ledger, hour, paid

NOW = hour(24) + 120


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC")
    yield ledger
    ledger.writer.close()


def span(start: float, end: float) -> Window:
    return Window(hour(start), hour(end))


def holes(
    ledger: Ledger, now: float = NOW, *, start: float = 0, again: bool = False, continuous: bool = False
) -> dict[str, list[Window]]:
    return missing(ledger.writer, "lighter", horizon=hour(start), now=now, again=again, continuous=continuous)


def absent(ledger: Ledger, *windows: Window, now: float = NOW, symbol: str = "BTC") -> int:
    with ledger.writer.transaction():
        return record_absence(ledger.writer, "lighter", [(symbol, window) for window in windows], now)


def absences(ledger: Ledger) -> list[tuple[float, float, str, int]]:
    return [
        ((start - START) / HOUR, (end - START) / HOUR, reason, asked)
        for start, end, reason, asked in ledger.writer.rows(
            "SELECT start_time, end_time, reason, asked FROM absence ORDER BY market_id, start_time"
        )
    ]


def test_a_market_without_rows_misses_everything_since_the_horizon(ledger: Ledger) -> None:
    assert holes(ledger) == {"BTC": [span(0, 24)]}


def test_a_row_that_covers_hours_twice_hides_no_hole_elsewhere(ledger: Ledger) -> None:
    ledger.fill("BTC", [end for end in range(1, 25) if end != 10])
    with ledger.writer.transaction():
        ledger.writer.change("UPDATE settlement SET interval_hours = 2 WHERE funding_time = ?", hour(20))
    assert holes(ledger) == {"BTC": [span(9, 10)]}


def test_a_hole_of_two_months_is_asked_for_as_one_window(ledger: Ledger) -> None:
    ledger.fill("BTC", [1, 1500])
    assert holes(ledger, now=hour(1500) + 120) == {"BTC": [span(1, 1499)]}


def test_an_exchange_that_is_complete_misses_nothing(ledger: Ledger) -> None:
    ledger.fill("BTC", range(1, 25))
    assert holes(ledger) == {}
    assert gaps_open(ledger.writer, "lighter", horizon=START, now=NOW) == 0


def test_holes_come_newest_first(ledger: Ledger) -> None:
    ledger.fill("BTC", [1, 2, 5, 6, 20])
    assert holes(ledger) == {"BTC": [span(20, 24), span(6, 19), span(2, 4)]}
    assert gaps_open(ledger.writer, "lighter", horizon=START, now=NOW) == 4 + 13 + 2


def test_nothing_is_due_before_the_listing(ledger: Ledger) -> None:
    ledger.market("NEW", listed_time=hour(20) + 1000)
    ledger.fill("BTC", range(1, 25))
    assert holes(ledger) == {"NEW": [span(20, 24)]}


def test_a_payment_is_due_a_minute_after_its_boundary(ledger: Ledger) -> None:
    ledger.fill("BTC", range(1, 24))
    assert holes(ledger, now=hour(24) + 59) == {}
    assert holes(ledger, now=hour(24) + 60) == {"BTC": [span(23, 24)]}


@pytest.mark.parametrize(
    ("now", "next_time", "end"),
    [
        (hour(23.9), hour(24), 16),
        (hour(24) + 30, hour(24), 16),
        (hour(24) + 120, hour(24), 24),
        (hour(24) + 120, hour(32), 24),
        (hour(33), hour(24), 32),
        (hour(23), None, 16),
        (hour(23), hour(26), 18),
    ],
)
def test_only_payments_that_have_happened_are_due(
    ledger: Ledger, now: float, next_time: int | None, end: int
) -> None:
    ledger.quote(1, interval_hours=8.0, next_funding_time=next_time)
    assert holes(ledger, now=now) == {"BTC": [span(0, end)]}


def test_where_funding_runs_all_the_time_each_full_hour_is_due(ledger: Ledger) -> None:
    ledger.quote(1, interval_hours=8.0)
    assert holes(ledger, now=hour(23) + 60, continuous=True) == {"BTC": [span(0, 23)]}


def test_a_row_of_eight_hours_covers_eight_hours(ledger: Ledger) -> None:
    ledger.quote(1, interval_hours=8.0)
    ledger.save(paid(8, hours=8), paid(24, hours=8))
    assert holes(ledger) == {"BTC": [span(8, 16)]}


def test_a_row_that_reaches_back_before_the_horizon_hides_no_hole(ledger: Ledger) -> None:
    ledger.save(paid(8, hours=8), *(paid(end) for end in range(9, 25) if end not in (12, 13)))
    assert holes(ledger, start=6) == {"BTC": [span(11, 13)]}


def test_a_row_that_reaches_back_from_after_the_last_boundary_covers(ledger: Ledger) -> None:
    ledger.fill("BTC", range(1, 21))
    ledger.save(paid(28, hours=8))
    assert holes(ledger) == {}


def test_a_row_of_unknown_interval_is_asked_for_again_with_what_lies_before_it(ledger: Ledger) -> None:
    ledger.save(paid(8, hours=None), paid(16, hours=8), paid(24, hours=8))
    assert holes(ledger) == {"BTC": [span(0, 8)]}
    ledger.save(paid(8, hours=8))
    assert holes(ledger) == {}


def test_a_special_payment_covers_no_hour(ledger: Ledger) -> None:
    ledger.fill("BTC", range(1, 24))
    with ledger.writer.transaction():
        ledger.writer.change(
            "UPDATE settlement SET kind = 1, interval_hours = 0 WHERE funding_time = ?", hour(5)
        )
    assert holes(ledger) == {"BTC": [span(23, 24), span(4, 5)]}


@pytest.mark.parametrize(
    ("columns", "end"),
    [
        ({"status": "delisted", "last_seen": hour(10) + 100}, 10),
        ({"status": "absent", "last_seen": hour(10) + 100}, 10),
        ({"status": "delisted", "last_seen": hour(10), "delisting_time": hour(12)}, 12),
        ({"status": "active", "last_seen": hour(24), "delisting_time": hour(12)}, 12),
        ({"status": "active", "last_seen": hour(10), "delisting_time": hour(90)}, 24),
        ({"status": "absent", "last_seen": hour(10), "delisting_time": hour(90)}, 10),
    ],
)
def test_a_market_that_is_gone_is_due_up_to_its_end(
    ledger: Ledger, columns: dict[str, int | str], end: int
) -> None:
    ledger.fill("BTC", range(1, 25))
    ledger.market("OLD", **columns)
    assert holes(ledger) == {"OLD": [span(0, end)]}


def test_a_market_that_was_gone_before_the_horizon_is_not_asked_for(ledger: Ledger) -> None:
    ledger.market("OLD", status="delisted", last_seen=hour(3))
    assert list(holes(ledger, start=5)) == ["BTC"]


def test_the_largest_market_is_first_by_open_interest_else_by_volume(ledger: Ledger) -> None:
    ledger.quote(ledger.market("BIG"), open_interest_usd=5e6, volume_24h_usd=1.0)
    ledger.quote(ledger.market("MID"), volume_24h_usd=2e6)
    ledger.quote(ledger.market("ZERO"), open_interest_usd=0.0, volume_24h_usd=9e9)
    ledger.quote(1, open_interest_usd=3e6, volume_24h_usd=9e9)
    assert list(holes(ledger)) == ["BIG", "BTC", "MID", "ZERO"]


def test_only_the_symbols_asked_about(ledger: Ledger) -> None:
    ledger.market("ETH")
    assert list(missing(ledger.writer, "lighter", horizon=START, now=NOW, symbols={"ETH"})) == ["ETH"]


def test_other_exchanges_are_not_mixed_in(ledger: Ledger) -> None:
    ledger.market("BTC", exchange="aster")
    assert list(missing(ledger.writer, "aster", horizon=hour(10), now=NOW)) == ["BTC"]
    assert missing(ledger.writer, "binance", horizon=START, now=NOW) == {}


# Absences


def test_hours_that_the_exchange_did_not_have_are_noted_with_the_reason(ledger: Ledger) -> None:
    ledger.fill("BTC", [5, 6, 9, *range(11, 25)])
    assert absent(ledger, span(0, 24)) == 4 + 2 + 1
    assert absences(ledger) == [
        (0, 4, "before its first settlement", 1),
        (6, 8, "not published by the exchange", 1),
        (9, 10, "not published by the exchange", 1),
    ]


def test_only_answered_windows_are_noted(ledger: Ledger) -> None:
    assert absent(ledger, span(2, 4), span(4, 6), span(8, 9)) == 5
    assert [row[:2] for row in absences(ledger)] == [(2, 6), (8, 9)]


def test_a_market_with_no_row_at_all_was_not_published(ledger: Ledger) -> None:
    absent(ledger, span(0, 5))
    assert absences(ledger) == [(0, 5, "not published by the exchange", 1)]


def test_an_hour_is_not_absent_before_two_hours_have_passed(ledger: Ledger) -> None:
    absent(ledger, span(20, 24), now=hour(24) - 1)
    assert absences(ledger) == [(20, 21, "not published by the exchange", 1)]
    absent(ledger, span(20, 24), now=hour(24))
    assert absences(ledger)[-1][:2] == (21, 22)


def test_the_hours_of_a_long_interval_are_as_old_as_its_payment(ledger: Ledger) -> None:
    ledger.quote(1, interval_hours=8.0, next_funding_time=hour(24))
    assert absent(ledger, span(8, 16), now=hour(18) - 1) == 0
    assert absent(ledger, span(8, 16), now=hour(18)) == 8


def test_an_absence_is_asked_for_again_later_and_later_and_five_times_at_most(ledger: Ledger) -> None:
    ledger.fill("BTC", [*range(1, 10), *range(12, 200)])
    hole = span(9, 11)
    now = float(NOW)
    for asked, wait in enumerate([1, 4, 16, 24], 1):
        absent(ledger, hole, now=now)
        assert absences(ledger) == [(9, 11, "not published by the exchange", asked)]
        assert holes(ledger, now=now + wait * HOUR - 1) == {}
        now += wait * HOUR
        assert holes(ledger, now=now) == {"BTC": [hole]}
        assert gaps_open(ledger.writer, "lighter", horizon=START, now=now) == 2
    absent(ledger, hole, now=now)
    assert holes(ledger, now=hour(199)) == {}
    assert gaps_open(ledger.writer, "lighter", horizon=START, now=hour(199)) == 0
    assert holes(ledger, now=hour(199), again=True) == {"BTC": [hole]}


def test_a_part_that_is_asked_for_again_is_counted_for_itself(ledger: Ledger) -> None:
    absent(ledger, span(0, 10))
    absent(ledger, span(4, 6), span(10, 12), now=NOW + 50)
    assert [(start, end, asked) for start, end, _, asked in absences(ledger)] == [
        (0, 4, 1),
        (4, 6, 2),
        (6, 10, 1),
        (10, 12, 1),
    ]


def test_final_absences_side_by_side_become_one(ledger: Ledger) -> None:
    for _ in range(5):
        absent(ledger, span(0, 2), now=NOW)
    for _ in range(5):
        absent(ledger, span(2, 4), now=NOW + 50)
    assert absences(ledger) == [(0, 4, "not published by the exchange", 5)]


def test_rows_that_come_later_end_an_absence(ledger: Ledger) -> None:
    absent(ledger, span(0, 10))
    ledger.fill("BTC", [4, 5])
    assert [row[:2] for row in absences(ledger)] == [(0, 3), (5, 10)]
    ledger.save(paid(3, hours=3), paid(10, hours=5))
    assert absences(ledger) == []


def test_a_row_of_unknown_interval_ends_no_absence(ledger: Ledger) -> None:
    absent(ledger, span(0, 3))
    ledger.save(paid(2, hours=None))
    assert [row[:2] for row in absences(ledger)] == [(0, 3)]


def test_hours_before_the_first_settlement_are_no_open_gap(ledger: Ledger) -> None:
    ledger.fill("BTC", range(5, 25))
    assert gaps_open(ledger.writer, "lighter", horizon=hour(0), now=NOW) == 4
    absent(ledger, span(0, 4))
    assert gaps_open(ledger.writer, "lighter", horizon=hour(0), now=NOW) == 0


def test_a_first_payment_of_unknown_hours_is_called_so(ledger: Ledger) -> None:
    ledger.save(paid(4, hours=None), paid(8, hours=4))
    absent(ledger, span(0, 4))
    assert absences(ledger) == [(0, 4, "its first payment does not tell how many hours it covered", 1)]


def test_an_absence_that_waits_is_no_hole_but_the_hours_beside_it_are(ledger: Ledger) -> None:
    absent(ledger, span(3, 6))
    assert holes(ledger, now=NOW + 10) == {"BTC": [span(6, 24), span(0, 3)]}


# Counting with the summary's help, and the map


def test_open_gaps_are_the_same_with_and_without_a_summary(ledger: Ledger) -> None:
    def both(now: float) -> tuple[int, int]:
        with ledger.writer.transaction():
            ledger.writer.change("DELETE FROM summary")
        plain = gaps_open(ledger.writer, "lighter", horizon=int(now) - 720 * HOUR, now=now)
        with ledger.writer.transaction():
            summary.refresh(ledger.writer, now)
        return plain, gaps_open(ledger.writer, "lighter", horizon=int(now) - 720 * HOUR, now=now)

    # An interval that changed from 8 h to 1 h: the first row's reach makes up for seven lost hours.
    ledger.fill("BTC", range(8, 369, 8), hours=8)
    ledger.fill("BTC", [*range(369, 500), *range(507, 742)])
    for end in range(720, 742):
        plain, helped = both(hour(end) + 1000)
        assert plain == helped == 7
    assert both(hour(745) + 1000) == (11, 11)
    ledger.fill("BTC", range(500, 507))
    assert both(hour(741) + 1000) == (0, 0)
    assert both(hour(745) + 1000) == (4, 4)


HOURS = 60


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    intervals=st.lists(st.tuples(st.sampled_from([1, 2, 4, 8]), st.booleans()), max_size=40),
    start=st.integers(0, 20),
    length=st.integers(1, 40),
)
def test_holes_and_the_map_agree_with_a_count_of_hours(
    ledger: Ledger, intervals: list[tuple[int, bool]], start: int, length: int
) -> None:
    with ledger.writer.transaction():
        ledger.writer.change("DELETE FROM settlement")
    end, rows, covered = 0, [], set()
    for hours, is_there in intervals:
        end += hours
        if is_there:
            rows.append(paid(end, hours=hours))
            covered |= set(range(end - hours + 1, end + 1))
    ledger.save(*rows)
    due = set(range(start + 1, start + length + 1))
    now = hour(start + length) + 60
    left = holes(ledger, now=now, start=start).get("BTC", [])
    found = [hour_end for window in left for hour_end in range(window.start + HOUR, window.end + 1, HOUR)]
    assert sorted(found) == sorted(hour(number) for number in due - covered)
    assert gaps_open(ledger.writer, "lighter", horizon=hour(start), now=now) == len(due - covered)
    assert coverage_strip(ledger.writer, "lighter", hour(start), int(now)) == [
        HourCoverage(hour(number), 1, int(number in covered)) for number in sorted(due)
    ]


def test_the_map_counts_markets_by_hour(ledger: Ledger) -> None:
    ledger.market("NEW", listed_time=hour(2))
    ledger.fill("BTC", [1, 2, 4])
    ledger.fill("NEW", [3, 4])
    strip = coverage_strip(ledger.writer, "lighter", START, hour(5) + 100)
    assert [row[1:] for row in strip] == [(1, 1), (1, 1), (2, 1), (2, 2), (2, 0)]
    assert [row.hour for row in strip] == [hour(number) for number in range(1, 6)]


# Intervals


def test_what_is_known_of_intervals(ledger: Ledger) -> None:
    ledger.quote(1, interval_hours=4.0)
    ledger.save(paid(8, hours=8), paid(16, hours=8), paid(20, hours=4))
    ledger.event(time=hour(17), market_id=1, kind="interval", value=4.0)
    ledger.event(time=hour(3), market_id=1, kind="interval", value=8.0)
    ledger.event(time=hour(4), market_id=1, kind="listed")
    ledger.market("ETH")
    context = interval_context(ledger.writer, "lighter", ["BTC", "ETH", "no such"], hour(20))
    assert context == {
        "BTC": IntervalContext(hour(16), [(hour(3), 8.0), (hour(17), 4.0)], 4.0),
        "ETH": IntervalContext(None, [], None),
    }


def test_an_interval_is_known_only_as_long_as_quotes_were_seen(ledger: Ledger) -> None:
    ledger.event(time=hour(3), market_id=1, kind="interval", value=1.0)
    ledger.event(time=hour(50.2), market_id=1, kind="interval", value=4.0)
    with ledger.writer.transaction():
        for seen in (3, 4, 9, 50):
            ledger.writer.change(
                "INSERT INTO market_history (market_id, hour, interval_hours) VALUES (1, ?, ?)",
                *(hour(seen), 1.0 if seen < 50 else 4.0),
            )
    ledger.quote(1, interval_hours=4.0, observed_at=hour(60.5))
    (context,) = interval_context(ledger.writer, "lighter", ["BTC"], hour(99)).values()
    assert context.intervals == [(hour(3), 1.0), (hour(10), None), (hour(50.2), 4.0), (hour(64), None)]


def test_an_interval_that_was_seen_until_it_changed_is_known_until_then(ledger: Ledger) -> None:
    for time, hours in ((3, 8.0), (9.2, 4.0)):
        ledger.event(time=hour(time), market_id=1, kind="interval", value=hours)
    with ledger.writer.transaction():
        ledger.writer.change(
            "INSERT INTO market_history (market_id, hour, interval_hours) VALUES (1, ?, 8.0)", hour(8)
        )
    (context,) = interval_context(ledger.writer, "lighter", ["BTC"], hour(99)).values()
    assert context.intervals == [(hour(3), 8.0), (hour(9.2), 4.0)]


def test_a_quote_that_tells_of_a_change_says_nothing_of_the_time_before(ledger: Ledger) -> None:
    for time, hours in ((3, 4.0), (9.2, 1.0)):
        ledger.event(time=hour(time), market_id=1, kind="interval", value=hours)
    with ledger.writer.transaction():
        ledger.writer.change(
            "INSERT INTO market_history (market_id, hour, interval_hours) VALUES (1, ?, 4.0)", hour(7)
        )
    ledger.quote(1, interval_hours=1.0, observed_at=hour(9.2))
    (context,) = interval_context(ledger.writer, "lighter", ["BTC"], hour(99)).values()
    assert context.intervals == [(hour(3), 4.0), (hour(8), None), (hour(9.2), 1.0), (hour(10), None)]
