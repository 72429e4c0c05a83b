"""What two readings share: rows exactly as they were read, but what was known before is there once."""

from typing import Any

from fundwatch.storage.queries import MarketRow
from fundwatch.tui.sharing import shared
from tests.tui.markets import market


def read_again(row: MarketRow, **changed: Any) -> MarketRow:
    """`row` as another reading gives it: equal values, but other objects."""
    fresh = [
        float(repr(v)) if isinstance(v, float) else "".join(list(v)) if isinstance(v, str) else v for v in row
    ]
    return MarketRow._make(fresh)._replace(**changed)


BTC, ETH = market("BTC", "binance", 12.0), market("ETH", "lighter", -3.0)


def test_what_was_read_before_is_the_same_object() -> None:
    found = shared((BTC, ETH), [read_again(ETH), read_again(BTC)])
    assert found == (ETH, BTC)
    assert found[0] is ETH
    assert found[1] is BTC


def test_a_new_quote_takes_name_and_windows_from_the_row_before() -> None:
    read = read_again(BTC, hourly_rate=0.5, observed_at=99)
    (found,) = shared((BTC,), [read])
    assert found == read
    assert type(found) is MarketRow
    assert found.symbol is BTC.symbol
    assert found.apr_24h is BTC.apr_24h


def test_whatever_changes_is_as_it_was_read() -> None:
    for field in MarketRow._fields[1:]:
        read = read_again(BTC, **{field: "other"})
        assert shared((BTC,), [read]) == (read,), field


def test_a_market_that_is_new_or_gone_is_no_matter() -> None:
    assert shared((BTC,), [ETH]) == (ETH,)
    assert shared((), [BTC]) == (BTC,)
    assert shared((BTC,), []) == ()
