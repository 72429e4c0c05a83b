"""Reading everything in pieces: nothing twice, nothing lost, while others write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.models import HOUR
from fundwatch.storage import paging, queries
from fundwatch.storage.errors import StorageError
from fundwatch.storage.paging import Page, pages
from fundwatch.storage.queries import MarketRow
from tests.storage.ledger import DAY, START, Ledger, hour


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "A", "B", "C")
    for symbol in "ABC":
        ledger.fill(symbol, range(1, 11))
    yield ledger
    ledger.writer.close()


def markets(ledger: Ledger) -> list[MarketRow]:
    return sorted(queries.market_rows(ledger.writer), key=lambda row: row.symbol)


def read(ledger: Ledger, since: int = 0, until: int = START + DAY) -> Iterator[Page]:
    return pages(ledger.writer.path, markets(ledger), since, until, world="real")


def hours_of(page: Page) -> list[float]:
    return [(row.funding_time - START) / HOUR for row in page.rows]


def test_every_market_has_its_page_in_the_order_asked_for(ledger: Ledger) -> None:
    found = list(read(ledger))
    assert [page.market.symbol for page in found] == ["A", "B", "C"]
    assert all(hours_of(page) == list(range(1, 11)) for page in found)


def test_the_first_moment_is_in_and_the_last_is_not(ledger: Ledger) -> None:
    found = list(read(ledger, hour(3), hour(7)))
    assert [hours_of(page) for page in found] == [[3, 4, 5, 6]] * 3


@pytest.mark.parametrize("size", [1, 12, 1000])
def test_what_stood_before_is_there_once_whatever_is_stored_meanwhile(
    ledger: Ledger, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "ROWS_PER_READING", size)
    found = []
    for page in read(ledger):
        found.append(page)
        for symbol in "ABC":
            ledger.fill(symbol, [10 + len(found)])
    for page in found:
        assert hours_of(page)[:10] == list(range(1, 11))
        assert len(set(hours_of(page))) == len(page.rows)


def test_nothing_stays_open_between_two_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the log can be emptied while an export writes to a slow disk."""
    monkeypatch.setattr(paging, "ROWS_PER_READING", 1)
    for number, _ in enumerate(read(ledger), 11):
        ledger.fill("A", [number])
        assert ledger.writer.checkpoint(truncate=True)


def test_a_database_that_became_another_one_is_not_read_on(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "ROWS_PER_READING", 1)
    found = read(ledger)
    next(found)
    with ledger.writer.transaction():
        ledger.writer.change("UPDATE market SET symbol = 'Z' WHERE symbol = 'B'")
    with pytest.raises(StorageError, match="changed from outside"):
        next(found)
