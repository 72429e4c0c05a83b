from collections.abc import Collection
from typing import Any

import pytest

from fundwatch.models import HOUR, Asset, AssetClass, Market, Quote
from fundwatch.storage import markets
from fundwatch.storage.database import Writer
from fundwatch.storage.markets import ListingChange

NOW = 1_790_000_000 // HOUR * HOUR


def market(symbol: str, **fields: Any) -> Market:
    asset = fields.pop("asset", Asset(symbol, AssetClass.CRYPTO))
    return Market("aster", symbol, asset, **fields)


def listing(
    writer: Writer, *symbols: str | Market, now: float = NOW, closed: Collection[str] = (), **more: Any
) -> ListingChange:
    listed = [market(symbol) if isinstance(symbol, str) else symbol for symbol in symbols]
    with writer.transaction():
        return markets.save_listing(writer, "aster", listed, closed, now, **more)


def quote(symbol: str = "BTC", observed_at: int = NOW, hours: float | None = 8.0, **fields: Any) -> Quote:
    fields.setdefault("hourly_rate", 0.0000125)
    return Quote("aster", symbol, observed_at, interval_hours=hours, **fields)


def quotes(writer: Writer, *given: Quote, now: float = NOW) -> int:
    with writer.transaction():
        return markets.save_quotes(writer, "aster", given, now)


def events(writer: Writer, kind: str) -> list[str]:
    return [row[0] for row in writer.rows("SELECT message FROM event WHERE kind = ? ORDER BY id", kind)]


def status(writer: Writer, symbol: str) -> str:
    found: str = writer.value("SELECT status FROM market WHERE symbol = ?", symbol)
    return found


def test_the_first_list_is_no_news(writer: Writer) -> None:
    change = listing(writer, "BTC", "ETH")

    assert change == ListingChange(new=("BTC", "ETH"))
    assert writer.value("SELECT count(*) FROM event") == 0
    assert markets.active_markets(writer, "aster") == 2


def test_a_market_is_stored_as_its_exchange_describes_it(writer: Writer) -> None:
    given = market(
        "kPEPE",
        asset=Asset("PEPE", AssetClass.CRYPTO, 1000.0),
        venue_id=7,
        group="xyz",
        listed_time=5,
        delisting_time=9,
    )
    listing(writer, given)

    assert writer.rows(
        "SELECT symbol, ticker, asset_class, multiplier, venue_id, group_name, listed_time, delisting_time,"
        " status, first_seen, last_seen FROM market"
    ) == [("kPEPE", "PEPE", "crypto", 1000.0, 7, "xyz", 5, 9, "active", NOW, NOW)]


def test_a_market_keeps_its_number_and_its_first_day(writer: Writer) -> None:
    listing(writer, market("BTC", listed_time=5, venue_id=7))
    number = markets.market_ids(writer, "aster")["BTC"]
    listing(writer, "BTC", now=NOW + HOUR)

    assert writer.rows("SELECT id, first_seen, last_seen, listed_time, venue_id FROM market") == [
        (number, NOW, NOW + HOUR, 5, 7)
    ]


def test_a_new_market_is_an_event(writer: Writer) -> None:
    listing(writer, "BTC", "ETH")
    pepe = market("kPEPE", asset=Asset("PEPE", AssetClass.CRYPTO, 1000.0))

    assert listing(writer, "BTC", "ETH", pepe).new == ("kPEPE",)
    assert events(writer, "listed") == ["kPEPE is listed (PEPE x 1000, crypto)"]


def test_a_wider_view_is_not_a_hundred_launches(writer: Writer) -> None:
    listing(writer, "BTC", whole=False)
    listing(writer, "BTC", "ETH", "SOL")

    assert events(writer, "listed") == []


def test_a_market_that_the_venue_closes_is_delisted_at_once(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA")

    assert listing(writer, "BTC", closed={"LUNA", "NEVERSEEN"}).delisted == ("LUNA",)
    assert status(writer, "LUNA") == "delisted"
    assert listing(writer, "BTC", closed={"LUNA"}) == ListingChange()
    assert events(writer, "delisted") == ["LUNA is delisted"]


def test_a_market_that_only_vanishes_is_absent_and_delisted_after_24_hourly_lists(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA", "ETH", "SOL")
    for hour in range(1, 24):
        change = listing(writer, "BTC", "ETH", "SOL", now=NOW + hour * HOUR)
        assert (change.absent, change.delisted, change.lost_share) == (("LUNA",), (), 0.25)
        assert status(writer, "LUNA") == "absent"

    change = listing(writer, "BTC", "ETH", "SOL", now=NOW + 24 * HOUR)
    assert (change.absent, change.delisted, change.lost_share) == ((), ("LUNA",), 0.0)
    assert events(writer, "delisted") == ["LUNA is missing from 24 lists in a row: taken for delisted"]


def test_many_lists_within_one_hour_count_as_one_absence(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA")
    for minute in range(1, 59):
        listing(writer, "BTC", now=NOW + minute * 60)

    assert writer.value("SELECT absences FROM market WHERE symbol = 'LUNA'") == 1


def test_an_absent_market_comes_back_without_a_word(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA")
    listing(writer, "BTC", now=NOW + HOUR)

    assert listing(writer, "BTC", "LUNA", now=NOW + 2 * HOUR) == ListingChange()
    assert status(writer, "LUNA") == "active"
    assert writer.value("SELECT sum(absences) FROM market") == 0
    assert writer.value("SELECT count(*) FROM event") == 0


def test_a_delisted_market_that_trades_again_is_an_event(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA")
    listing(writer, "BTC", closed={"LUNA"})

    assert listing(writer, "BTC", "LUNA").returned == ("LUNA",)
    assert status(writer, "LUNA") == "active"
    assert events(writer, "returned") == ["LUNA trades again"]


def test_a_listed_market_in_an_unreadable_row_is_not_absent(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA")

    assert listing(writer, "BTC", now=NOW + HOUR, refused_symbols={"LUNA"}) == ListingChange()
    assert status(writer, "LUNA") == "active"


def test_a_list_cut_on_purpose_says_nothing_of_the_others(writer: Writer) -> None:
    listing(writer, "BTC", "LUNA")

    assert listing(writer, "BTC", now=NOW + HOUR, whole=False) == ListingChange()
    assert status(writer, "LUNA") == "active"


def test_a_market_that_becomes_another_asset_is_an_event(writer: Writer) -> None:
    listing(writer, "BB")
    listing(writer, market("BB", asset=Asset("BB", AssetClass.EQUITY)))

    assert events(writer, "asset") == ["BB is BB, equity now, was BB, crypto"]
    assert writer.value("SELECT asset_class FROM market") == "equity"


def test_one_symbol_on_two_exchanges_is_two_markets(writer: Writer) -> None:
    listing(writer, "BTC")
    with writer.transaction():
        markets.save_listing(writer, "binance", [market("BTC")], (), NOW)

    assert markets.market_ids(writer, "aster") != markets.market_ids(writer, "binance")


def test_a_quote_is_stored_as_it_came_and_missing_is_none(writer: Writer) -> None:
    listing(writer, "BTC", "ETH")
    full = quote(
        hourly_rate=-0.002,
        next_funding_time=NOW + HOUR,
        mark_price=1.5,
        index_price=1.25,
        open_interest_usd=2e6,
        volume_24h_usd=3e6,
        quoted_spread_percent=0.01,
        hourly_rate_cap=0.005,
        session_open=False,
    )
    assert quotes(writer, full, quote("ETH", hours=None, hourly_rate=None)) == 2

    btc, eth = writer.rows("SELECT * FROM quote ORDER BY market_id")
    assert btc[1:] == (NOW, -0.002, 8.0, NOW + HOUR, 1.5, 1.25, 2e6, 3e6, 0.01, 0.005, 0)
    assert eth[1:] == (NOW,) + (None,) * 10
    assert writer.value("SELECT last_quotes FROM tracker") == NOW


def test_a_quote_of_an_unknown_market_is_passed_over(writer: Writer) -> None:
    listing(writer, "BTC")
    assert quotes(writer, quote("DOGE")) == 0
    assert writer.value("SELECT last_quotes FROM tracker") is None


def test_a_newer_quote_is_not_replaced_by_an_older_one(writer: Writer) -> None:
    listing(writer, "BTC")
    quotes(writer, quote(mark_price=2.0))
    quotes(writer, quote(observed_at=NOW - 60, mark_price=1.0))

    assert writer.rows("SELECT observed_at, mark_price FROM quote") == [(NOW, 2.0)]


@pytest.mark.parametrize("ahead", [585, 30 * 86400])
def test_a_quote_taken_while_the_clock_was_wrong_gives_way(ahead: int, writer: Writer) -> None:
    listing(writer, "BTC")
    quotes(writer, quote(observed_at=NOW + ahead, mark_price=1.0), now=NOW + ahead)
    quotes(writer, quote(mark_price=2.0))

    assert writer.rows("SELECT observed_at, mark_price FROM quote") == [(NOW, 2.0)]


def test_the_last_quote_of_each_hour_is_kept(writer: Writer) -> None:
    listing(writer, "BTC")
    for at, price in [(0, 1.0), (3300, 2.0), (3599, 3.0), (3600, 4.0), (7300, 5.0)]:
        quotes(writer, quote(observed_at=NOW + at, mark_price=price, open_interest_usd=price))

    assert writer.rows("SELECT hour, mark_price, open_interest_usd FROM market_history ORDER BY hour") == [
        (NOW, 3.0, 3.0),
        (NOW + HOUR, 4.0, 4.0),
    ]


def test_the_interval_of_a_market_is_an_event_when_first_seen_and_when_it_changes(writer: Writer) -> None:
    listing(writer, "BTC")
    for at, hours in enumerate([8.0, 8.0, None, 8.0, 4.0, 4.0, 8.0]):
        quotes(writer, quote(observed_at=NOW + at * 300, hours=hours))

    assert events(writer, "interval") == [
        "BTC pays every 8 h",
        "BTC pays every 4 h now, was 8 h",
        "BTC pays every 8 h now, was 4 h",
    ]
    assert writer.rows("SELECT time, value FROM event WHERE kind = 'interval' ORDER BY time") == [
        (NOW, 8.0),
        (NOW + 1200, 4.0),
        (NOW + 1800, 8.0),
    ]


def test_a_market_that_fails_three_sweeps_in_a_row_is_listed_as_failing(writer: Writer) -> None:
    listing(writer, "BTC", "ETH")
    for expected in ({}, {}, {"BTC": "no rate"}):
        with writer.transaction():
            markets.mark_failures(writer, "aster", {"BTC": "no \x1brate", "NEVERSEEN": "x"}, ["ETH"])
        assert markets.failing(writer, "aster") == expected

    with writer.transaction():
        markets.mark_failures(writer, "aster", {}, ["BTC", "ETH"])
    assert markets.failing(writer, "aster") == {}
    assert writer.rows("SELECT DISTINCT failures, failure FROM market") == [(0, None)]


def test_a_market_that_fails_now_and_then_is_not_failing(writer: Writer) -> None:
    listing(writer, "BTC")
    for failed in [{"BTC": "x"}, {"BTC": "x"}, {}, {"BTC": "x"}, {"BTC": "x"}]:
        with writer.transaction():
            markets.mark_failures(writer, "aster", failed, [] if failed else ["BTC"])
    assert markets.failing(writer, "aster") == {}


@pytest.mark.parametrize("absent_too", [True, False])
def test_lost_share_counts_what_should_be_there(writer: Writer, absent_too: bool) -> None:
    symbols = [f"M{n}" for n in range(20)]
    listing(writer, *symbols)
    closed = set() if absent_too else {"M0"}

    change = listing(writer, *symbols[2:], now=NOW + HOUR, closed=closed)

    assert change.lost_share == pytest.approx(2 / 20 if absent_too else 1 / 19)
