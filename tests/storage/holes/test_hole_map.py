"""Hour by hour: expected, stored, gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.models import Source, Window
from fundwatch.storage.holes.absences import FINAL_AFTER
from fundwatch.storage.holes.hole_map import HourHoles, hole_map
from fundwatch.storage.holes.missing import record_absence
from tests.storage.ledger import Ledger, hour

START, END = hour(100), hour(106)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH")
    for number in (1, 2):
        ledger.quote(number, observed_at=END, interval_hours=1.0)
    yield ledger
    ledger.writer.close()


def holes(ledger: Ledger, source: int = Source.EXCHANGE) -> list[tuple[int, int, int]]:
    return [
        (one.expected, one.stored, one.gone)
        for one in hole_map(ledger.writer, "lighter", START, END, source=source)
    ]


def test_every_hour_counts_its_markets(ledger: Ledger) -> None:
    ledger.fill("BTC", range(90, 107))
    ledger.fill("ETH", [n for n in range(90, 107) if n != 103])
    assert holes(ledger) == [(2, 2, 0)] * 2 + [(2, 1, 0)] + [(2, 2, 0)] * 3
    assert hole_map(ledger.writer, "lighter", START, END)[0] == HourHoles(hour(101), 2, 2, 0)


def test_one_payment_of_eight_hours_stores_all_its_hours(ledger: Ledger) -> None:
    ledger.fill("BTC", range(90, 107))
    ledger.fill("ETH", [96, 104], hours=8.0)
    assert holes(ledger) == [(2, 2, 0)] * 4 + [(2, 1, 0)] * 2


def test_what_was_asked_for_in_vain_too_often_is_gone(ledger: Ledger) -> None:
    ledger.fill("BTC", range(90, 107))
    ledger.fill("ETH", [n for n in range(90, 107) if n != 103])
    for time in range(FINAL_AFTER):
        with ledger.writer.transaction():
            record_absence(
                ledger.writer, "lighter", [("ETH", Window(hour(102), hour(103)))], hour(200 + 30 * time)
            )
    assert holes(ledger)[2] == (2, 1, 1)


def test_hours_before_the_first_settlement_are_not_expected(ledger: Ledger) -> None:
    ledger.fill("BTC", range(90, 107))
    ledger.fill("ETH", range(104, 107))
    with ledger.writer.transaction():
        record_absence(ledger.writer, "lighter", [("ETH", Window(hour(90), hour(103)))], hour(200))
    assert holes(ledger) == [(1, 1, 0)] * 3 + [(2, 2, 0)] * 3


def test_an_exchange_that_publishes_none_can_serve_none_again(ledger: Ledger) -> None:
    ledger.fill("BTC", range(90, 107))
    assert holes(ledger, Source.RECORDED) == [(2, 1, 1)] * 6


def test_a_market_listed_in_between_is_expected_from_then_on(ledger: Ledger) -> None:
    ledger.fill("BTC", range(90, 107))
    ledger.fill("ETH", range(90, 107))
    with ledger.writer.transaction():
        ledger.writer.change("UPDATE market SET listed_time = ? WHERE symbol = 'ETH'", hour(104))
    assert [expected for expected, _, _ in holes(ledger)] == [1, 1, 1, 1, 2, 2]
