"""Every hour of every market has one fate and one reason, the same that a plain look at each hour finds."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundwatch.models import HOUR, Kind, Settlement, Source, Window
from fundwatch.storage.holes import due, gap_ledger
from fundwatch.storage.holes.absences import record_absence
from fundwatch.storage.holes.gap_ledger import GONE, MISSING, NOT_DUE, Part, Span, Terms, ledger, span
from fundwatch.storage.holes.gaps import gaps_open
from fundwatch.storage.holes.hole_map import hole_map
from tests.storage.ledger import Ledger, hour, paid

END = 400
NOW = hour(END) + 100
TERMS = Terms(source=Source.EXCHANGE, continuous=False, fetched_since=0)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Ledger]:
    stored = Ledger(tmp_path / "f.db", "BTC")
    stored.writer.connection().execute("PRAGMA synchronous = OFF")
    yield stored
    stored.writer.close()


def parts(
    stored: Ledger, start: int = END - 24, terms: Terms = TERMS, *, now: float = NOW, symbol: str = "BTC"
) -> list[tuple[int, int, str, str]]:
    """(first hour, last hour, state, reason) of a market, hours counted from START."""
    asked = span(hour(start), now)
    (found,) = [one for one in ledger(stored.writer, "lighter", asked, terms) if one.symbol == symbol]
    return [
        ((part.window.start - hour(0)) // HOUR, (part.window.end - hour(0)) // HOUR, part.state, part.reason)
        for part in found.parts
    ]


def absent(stored: Ledger, start: int, end: int, times: int = 1, at: float = hour(END - 1)) -> None:
    for _ in range(times):
        with stored.writer.transaction():
            record_absence(stored.writer, "lighter", [("BTC", Window(hour(start), hour(end)))], at)


def test_a_market_that_is_complete_has_nothing_to_explain(stored: Ledger) -> None:
    stored.fill("BTC", range(300, END + 1))
    (found,) = ledger(stored.writer, "lighter", span(hour(END - 24), NOW), TERMS)
    assert (found.symbol, found.stored_seconds, found.parts) == ("BTC", 24 * HOUR, ())


def test_what_nobody_asked_for_yet_is_told_from_what_was_just_paid(stored: Ledger) -> None:
    stored.fill("BTC", [*range(360, 380), *range(385, 399)])
    assert parts(stored) == [(379, 384, MISSING, "not fetched yet"), (398, 400, MISSING, "just paid")]


def test_what_was_asked_for_in_vain_says_how_often_and_when_again(stored: Ledger) -> None:
    stored.fill("BTC", [n for n in range(360, END + 1) if n not in (380, 381)])
    absent(stored, 379, 381, 2)
    (found,) = ledger(stored.writer, "lighter", span(hour(END - 24), NOW), TERMS)
    assert found.parts == (
        Part(Window(hour(379), hour(381)), MISSING, "asked 2 times in vain", 2, hour(END - 1) + 4 * HOUR),
    )


def test_what_was_asked_for_in_vain_too_often_is_gone(stored: Ledger) -> None:
    stored.fill("BTC", [n for n in range(360, END + 1) if n not in (380, 381)])
    absent(stored, 379, 381, 5)
    assert parts(stored) == [(379, 381, GONE, "not published by the exchange")]


def test_an_absence_with_a_row_by_now_says_nothing(stored: Ledger) -> None:
    absent(stored, 379, 381, 5)
    stored.fill("BTC", range(360, END + 1))
    assert parts(stored) == []


def test_hours_before_the_first_settlement_were_never_due(stored: Ledger) -> None:
    stored.fill("BTC", range(390, END + 1))
    absent(stored, 376, 389)
    assert parts(stored) == [(376, 389, NOT_DUE, "before its first settlement")]


def test_neighbours_of_which_the_same_is_said_are_one(stored: Ledger) -> None:
    stored.fill("BTC", range(390, END + 1))
    absent(stored, 376, 380)
    absent(stored, 376, 389)
    assert len(stored.writer.rows("SELECT 1 FROM absence")) == 2
    assert parts(stored) == [(376, 389, NOT_DUE, "before its first settlement")]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"listed_time": hour(395) + 5}, [(376, 395, NOT_DUE, "not listed yet")]),
        ({"delisting_time": hour(398)}, [(398, 400, NOT_DUE, "no longer listed")]),
        ({"delisting_time": hour(900)}, []),
        ({"status": "absent", "last_seen": hour(399)}, [(399, 400, NOT_DUE, "no longer listed")]),
        ({"status": "delisted", "last_seen": hour(300)}, [(376, 400, NOT_DUE, "no longer listed")]),
        ({"listed_time": hour(420)}, [(376, 400, NOT_DUE, "not listed yet")]),
    ],
)
def test_only_while_it_is_listed_something_is_due(
    stored: Ledger, columns: dict[str, Any], expected: list[tuple[int, int, str, str]]
) -> None:
    stored.market("ETH", **columns)
    stored.fill("ETH", range(360, END + 1))
    assert parts(stored, symbol="ETH") == expected


def test_an_interval_that_has_not_ended_is_not_due(stored: Ledger) -> None:
    stored.quote(1, interval_hours=8.0, next_funding_time=hour(404))
    stored.fill("BTC", [380, 388, 396], hours=8.0)
    assert parts(stored) == [(396, 400, NOT_DUE, "not paid yet")]


def test_an_exchange_that_publishes_none_can_serve_none_again(stored: Ledger) -> None:
    stored.fill("BTC", range(390, END + 1))
    terms = TERMS._replace(source=Source.RECORDED)
    assert parts(stored, terms=terms) == [(376, 389, GONE, "the exchange publishes no settlements")]


def test_nobody_asks_on_an_exchange_that_is_held(stored: Ledger) -> None:
    stored.fill("BTC", range(390, END + 1))
    terms = TERMS._replace(held=gap_ledger.PAUSED)
    assert parts(stored, terms=terms) == [(376, 389, MISSING, "its exchange is paused")]


def test_what_retention_took_is_gone_and_what_is_too_old_needs_a_backfill(stored: Ledger) -> None:
    stored.fill("BTC", range(390, END + 1))
    terms = TERMS._replace(deleted_before=hour(378), kept_since=hour(380), fetched_since=hour(385))
    assert parts(stored, terms=terms) == [
        (376, 378, GONE, "deleted by retention_days"),
        (378, 380, GONE, "older than retention_days"),
        (380, 385, MISSING, "older than history_days"),
        (385, 389, MISSING, "not fetched yet"),
    ]


def test_what_was_deleted_can_come_again_once_nothing_is_deleted_any_more(stored: Ledger) -> None:
    stored.fill("BTC", range(390, END + 1))
    terms = TERMS._replace(deleted_before=hour(388))
    assert parts(stored, terms=terms) == [(376, 389, MISSING, "not fetched yet")]


def test_a_gap_from_one_month_into_the_next_is_one(stored: Ledger) -> None:
    """Time is looked at in stretches of a month, whose ends are nobody's business."""
    cut = next(n for n in range(2000) if hour(n) % due.PART_SECONDS == 0)
    now = hour(cut + 1000) + 100
    stored.fill("BTC", [n for n in range(cut - 800, cut + 1001) if not cut - 5 < n <= cut + 7])
    assert parts(stored, cut - 800, now=now) == [(cut - 5, cut + 7, MISSING, "not fetched yet")]


def test_a_payment_across_the_end_of_a_month_covers_its_hours(stored: Ledger) -> None:
    cut = next(n for n in range(2000) if hour(n) % due.PART_SECONDS == 0)
    stored.fill("BTC", range(cut - 804, cut + 805, 8), hours=8.0)
    assert parts(stored, cut - 804, now=hour(cut + 804) + 100) == []


def test_before_the_first_hour_there_is_nothing_to_tell(stored: Ledger) -> None:
    assert list(ledger(stored.writer, "lighter", Span(hour(9), hour(9), NOW), TERMS)) == []
    assert list(ledger(stored.writer, "nobody", span(hour(9), NOW), TERMS)) == []


# Conflicts


def test_a_conflict_is_about_the_hours_of_the_stored_payment(stored: Ledger) -> None:
    stored.save(paid(380, 0.0001, 8.0), paid(390, 0.0001))
    stored.save(paid(380, 0.0004, 8.0))
    stored.save(paid(380, 0.0004, 8.0), paid(380, 0.0005, 8.0), paid(390, 0.0002))
    asked = span(hour(376), NOW)
    found = gap_ledger.conflicts(stored.writer, "lighter", asked)
    assert [(one.funding_time, one.stored_rate, one.seen_rate, one.times) for one in found] == [
        (hour(390), 0.0001, 0.0002, 1),
        (hour(380), 0.0001, 0.0004, 2),
        (hour(380), 0.0001, 0.0005, 1),
    ]
    assert {one.source for one in found} == {Source.EXCHANGE}
    assert gap_ledger.conflicting_seconds(found, asked) == (4 + 1) * HOUR
    assert gap_ledger.conflicts(stored.writer, "lighter", span(hour(385), NOW)) == found[:1]


def test_a_special_payment_in_dispute_covers_no_hours(stored: Ledger) -> None:
    for rate in (0.01, 0.02):
        stored.save(paid(380, rate, 0.0, kind=Kind.SPECIAL))
    found = gap_ledger.conflicts(stored.writer, "lighter", span(hour(376), NOW))
    assert [one.kind for one in found] == [1]
    assert gap_ledger.conflicting_seconds(found, span(hour(376), NOW)) == 0


# A second reader that looks at each hour on its own


def looked_at(stored: Ledger, asked: Span, terms: Terms) -> Counter[tuple[str, str]]:
    """How many market-hours have which state and reason, from the bare tables."""
    db = stored.writer
    found: Counter[tuple[str, str]] = Counter()
    markets = db.rows(
        "SELECT m.id, m.status, m.listed_time, m.delisting_time, m.last_seen, q.interval_hours FROM market m"
        " LEFT JOIN quote q ON q.market_id = m.id"
    )
    for market_id, status, listed, delisting, last_seen, interval in markets:
        rows = db.rows(
            "SELECT funding_time, interval_hours FROM settlement WHERE kind = 0 AND market_id = ?", market_id
        )
        noted = db.rows(
            "SELECT start_time, end_time, reason, asked FROM absence WHERE market_id = ?", market_id
        )
        latest = asked.now - 60
        is_over = status != "active"
        if delisting is not None and delisting <= asked.now:
            is_over, latest = True, min(latest, delisting)
        elif status != "active":
            latest = min(latest, last_seen)
        step = int(interval or 1) * HOUR
        last_paid = int(latest) // step * step
        for end in range(asked.start + HOUR, asked.end + HOUR, HOUR):
            own = [(reason, times) for start, stop, reason, times in noted if start < end <= stop]
            never = [reason for reason, _ in own if reason.startswith(("before its", "its first"))]
            if listed is not None and end <= listed // HOUR * HOUR:
                fate = (NOT_DUE, "not listed yet")
            elif end > last_paid:
                fate = (NOT_DUE, "no longer listed" if is_over else "not paid yet")
            elif any(time - hours * HOUR < end <= time for time, hours in rows if hours is not None):
                fate = ("stored", "")
            elif never:
                fate = (NOT_DUE, never[0])
            elif any(times >= 5 for _, times in own):
                fate = (GONE, own[0][0])
            elif end <= terms.kept_since:
                deleted = end <= terms.deleted_before
                fate = (GONE, "deleted by retention_days" if deleted else "older than retention_days")
            elif end <= terms.fetched_since:
                fate = (MISSING, "older than history_days")
            elif own:
                times = own[0][1]
                fate = (MISSING, "asked once in vain" if times == 1 else f"asked {times} times in vain")
            else:
                fate = (MISSING, "just paid" if end > asked.now - 2 * HOUR else "not fetched yet")
            found[fate] += 1
    return found


STRETCHES = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 4, 8, None]), st.integers(1, 40)), max_size=30)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stretches=STRETCHES,
    horizon=st.integers(-20, 410),
    now=st.integers(1, 450),
    listed=st.one_of(st.none(), st.integers(0, 420)),
    over=st.one_of(st.none(), st.tuples(st.sampled_from(["absent", "delisting"]), st.integers(200, 460))),
    interval=st.sampled_from([None, 1, 4, 8]),
    first_is_unknown=st.booleans(),
    asked=st.lists(
        st.tuples(st.integers(0, 420), st.integers(1, 60), st.sampled_from([1, 2, 4, 5])), max_size=4
    ),
    kept=st.integers(-50, 200),
    deleted=st.integers(-50, 200),
    fetched=st.integers(0, 300),
    days_at_once=st.sampled_from([1, 5, 32]),
)
def test_the_ledger_agrees_with_a_look_at_each_hour(
    stored: Ledger,
    stretches: list[tuple[int | None, int]],
    horizon: int,
    now: int,
    listed: int | None,
    over: tuple[str, int] | None,
    interval: int | None,
    first_is_unknown: bool,
    asked: list[tuple[int, int, int]],
    kept: int,
    deleted: int,
    fetched: int,
    days_at_once: int,
) -> None:
    writer = stored.writer
    status, delisting, last_seen = "active", None, hour(0)
    if over is not None and over[0] == "absent":
        status, last_seen = "absent", hour(over[1])
    elif over is not None:
        delisting = hour(over[1])
    with writer.transaction():
        for table in ("settlement", "absence", "quote"):
            writer.change(f"DELETE FROM {table}")
        writer.change(
            "UPDATE market SET listed_time = ?, status = ?, delisting_time = ?, last_seen = ?",
            *(None if listed is None else hour(listed), status, delisting, last_seen),
        )
    if interval is not None:
        stored.quote(1, interval_hours=float(interval))
    end = 0
    rows: list[Settlement] = []
    for hours, count in stretches:
        for _ in range(count if hours else 1):
            end += hours or count
            if hours:
                rows.append(paid(end, hours=None if first_is_unknown and not rows else hours))
    stored.save(*rows)
    for start, length, times in asked:
        absent(stored, start, start + length, times, at=hour(460))

    at = hour(now) + 100
    since = span(hour(horizon), at)
    terms = TERMS._replace(kept_since=hour(kept), deleted_before=hour(deleted), fetched_since=hour(fetched))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(due, "PART_SECONDS", days_at_once * 24 * HOUR)
        markets = list(ledger(writer, "lighter", since, terms))
    told: Counter[tuple[str, str]] = Counter()
    for market in markets:
        told["stored", ""] += market.stored_seconds // HOUR
        for part in market.parts:
            told[part.state, part.reason] += (part.window.end - part.window.start) // HOUR
    assert +told == looked_at(stored, since, terms)

    # And with those who only count: they know of no retention.
    plain = list(ledger(writer, "lighter", since, TERMS))
    missing, gone = (sum(one.seconds(state) for one in plain) // HOUR for state in (MISSING, GONE))
    hours_stored = sum(one.stored_seconds for one in plain) // HOUR
    assert missing == gaps_open(writer, "lighter", horizon=hour(horizon), now=at)
    if since.start < since.end:
        holes = hole_map(writer, "lighter", since.start, since.end)
        assert sum(one.stored for one in holes) == hours_stored
        assert sum(one.gone for one in holes) == gone
        assert sum(one.expected for one in holes) == hours_stored + missing + gone
