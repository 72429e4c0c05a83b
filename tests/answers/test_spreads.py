"""Real database, hand-computed numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fundwatch.answers.spreads import Spread, spreads
from fundwatch.answers.trust import REASONS
from fundwatch.config import Config, ExchangeSection
from fundwatch.models import Source, hourly_rate
from fundwatch.storage import summary, trackers
from fundwatch.storage.database import Database, open_reader
from tests.storage.ledger import Ledger, hour, paid

NOW = hour(800) + 1000
END = 800
"""The hour at which all windows end at NOW."""

FEES = {"lighter": 0.0, "hyperliquid": 0.045, "binance": 0.05, "variational": 0.0, "paradex": None}


class Desk(Ledger):
    """A ledger that speaks of markets with their quotes and verdicts."""

    def fees(self) -> None:
        for name, fee in FEES.items():
            with self.writer.transaction():
                trackers.describe(
                    self.writer,
                    name,
                    source=Source.RECORDED if name == "variational" else Source.EXCHANGE,
                    continuous=False,
                    minute=2,
                    taker_fee_percent=fee,
                )

    def open(
        self,
        exchange: str,
        apr: float | None,
        *,
        ticker: str = "BTC",
        cluster: int | None = 0,
        group: str = "",
        multiplier: float = 1.0,
        status: str = "active",
        failures: int = 0,
        **quote: Any,
    ) -> int:
        market = self.market(
            quote.pop("symbol", f"{ticker}@{exchange}"),
            exchange=exchange,
            ticker=ticker,
            group_name=group,
            multiplier=multiplier,
            status=status,
            failures=failures,
            failure="no answer" if failures else None,
        )
        rate = None if apr is None else hourly_rate(apr)
        self.quote(
            market,
            **{"observed_at": NOW - 60, "hourly_rate": rate, "mark_price": 100.0 * multiplier, **quote},
        )
        with self.writer.transaction():
            self.writer.change(
                "INSERT INTO identity (market_id, same_as_group) VALUES (?, ?)", market, cluster
            )
        return market

    def settle(self, exchange: str, symbol: str, *rows: Any, source: Source = Source.EXCHANGE) -> None:
        self.exchange = exchange
        self.save(*(paid(end, rate, hours, symbol=symbol) for end, rate, hours in rows), source=source)
        with self.writer.transaction():
            summary.rebuild(self.writer, NOW)

    def failed_unit_check(self, exchange: str, group: str = "") -> None:
        with self.writer.transaction():
            self.writer.change(
                "INSERT INTO unit_check (exchange_id, group_name, what, verdict, n, sentence, checked_at)"
                " VALUES (?, ?, 'estimates', 'error', 99, 'rates are 100 times too high', 5)",
                trackers.exchange_id(self.writer, exchange),
                group,
            )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "f.db", "UNQUOTED")
    desk.fees()
    yield desk
    desk.writer.close()


@pytest.fixture
def db(desk: Desk) -> Iterator[Database]:
    reader = open_reader(desk.writer.path)
    yield reader
    reader.close()


def shown(db: Database, config: Config | None = None, **words: Any) -> list[Spread]:
    return spreads(db, config or Config(), NOW, **words)


def legs(pairs: list[Spread]) -> list[tuple[str, str, str, bool, str | None]]:
    return [(p.asset, p.long_exchange, p.short_exchange, p.trusted, p.reason) for p in pairs]


def test_a_pair_by_hand(desk: Desk, db: Database) -> None:
    """Gross 30.66 % APR, 0.0035 % an hour; round trip 2 x (0.045 + 0) + 0.2 = 0.29 %."""
    desk.open(
        "hyperliquid",
        -10.95,
        symbol="kPEPE",
        ticker="PEPE",
        multiplier=1000.0,
        mark_price=99_000.0,
        open_interest_usd=5e6,
        observed_at=NOW - 90,
    )
    desk.open(
        "variational",
        19.71,
        symbol="PEPE",
        ticker="PEPE",
        mark_price=101.0,
        open_interest_usd=3e6,
        quoted_spread_percent=0.2,
    )
    desk.settle("hyperliquid", "kPEPE", *((end, 0.00001, 1.0) for end in range(END - 9, END + 1)))
    desk.settle("variational", "PEPE", (END, 0.00016, 8.0), (END - 8, -0.00008, 8.0))

    (pair,) = shown(db)

    assert msgspec.structs.asdict(pair) == {
        "asset": "PEPE",
        "asset_class": "crypto",
        "long_exchange": "hyperliquid",
        "long_symbol": "kPEPE",
        "short_exchange": "variational",
        "short_symbol": "PEPE",
        "window": "now",
        "spread_apr_percent": pytest.approx(30.66),
        "net_apr_percent": pytest.approx(30.66 - 0.29 * 8760 / 168),
        "break_even_hours": pytest.approx(0.29 / 0.0035),
        "share_positive": 0.8,
        "coverage": None,
        "price_gap_percent": pytest.approx(2.0),
        "min_open_interest_usd": 3e6,
        "oldest_leg_seconds": 90,
        "trusted": True,
        "reason": None,
    }


def test_json_has_the_fields_that_were_promised(desk: Desk, db: Database) -> None:
    desk.open("lighter", 1.0)
    desk.open("binance", 9.0)
    (row,) = msgspec.json.decode(msgspec.json.encode(shown(db)))
    assert list(row) == [
        *("asset", "asset_class", "long_exchange", "long_symbol", "short_exchange", "short_symbol"),
        *("window", "spread_apr_percent", "net_apr_percent", "break_even_hours", "share_positive"),
        *("coverage", "price_gap_percent", "min_open_interest_usd", "oldest_leg_seconds"),
        *("trusted", "reason"),
    ]
    assert (row["share_positive"], row["coverage"], row["min_open_interest_usd"]) == (None, None, None)


def test_a_hundredfold_unit_error_cannot_win(desk: Desk, db: Database) -> None:
    """Long Lighter at 0.0968 %, short Variational at 5.27 %: Lighter was really at 9.68 %."""
    desk.open("lighter", 0.0968)
    desk.open("variational", 5.27, quoted_spread_percent=0.02)
    desk.open("hyperliquid", 4.0)
    desk.failed_unit_check("lighter")
    assert legs(shown(db)) == [
        ("BTC", "hyperliquid", "variational", True, None),
        ("BTC", "lighter", "variational", False, "unit check failed"),
    ]


def test_a_failed_unit_check_of_one_dex_leaves_the_others_alone(desk: Desk, db: Database) -> None:
    desk.open("hyperliquid", 30.0, ticker="TSLA", group="xyz", symbol="xyz:TSLA", volume_24h_usd=9e9)
    desk.open("hyperliquid", 20.0, ticker="TSLA", group="flx", symbol="flx:TSLA", volume_24h_usd=1.0)
    desk.open("lighter", 5.0, ticker="TSLA")
    desk.failed_unit_check("hyperliquid", "xyz")
    first, second = shown(db)
    assert (first.short_symbol, first.trusted) == ("flx:TSLA", True)
    assert (second.short_symbol, second.reason) == ("xyz:TSLA", "unit check failed")


@pytest.mark.parametrize(
    ("doubt", "reason"),
    [
        ({"observed_at": NOW - 3 * 3600}, "stale"),
        ({"status": "absent"}, "absent from the market list"),
        ({"failures": 3}, "failing"),
        ({"cluster": 1}, "not the same asset by price"),
        ({"cluster": None, "mark_price": None}, "no price to compare"),
        ({"cluster": None, "mark_price": 0.0}, "no price to compare"),
        ({"cluster": None, "mark_price": 100.0}, "prices not compared yet"),
    ],
)
def test_a_doubtful_leg_is_shown_after_the_trusted_pairs(
    desk: Desk, db: Database, doubt: dict[str, Any], reason: str
) -> None:
    desk.open("lighter", 9.0)
    desk.open("binance", 500.0, **doubt)
    desk.open("lighter", 2.0, ticker="ETH")
    desk.open("binance", 1.0, ticker="ETH")
    assert legs(shown(db)) == [
        ("ETH", "binance", "lighter", True, None),
        ("BTC", "lighter", "binance", False, reason),
    ]
    assert reason in REASONS
    assert len(shown(db, limit=1)) == 1


def test_the_worst_that_can_be_said_of_the_pair_is_its_reason(desk: Desk, db: Database) -> None:
    desk.open("lighter", 9.0, observed_at=NOW - 3 * 3600)
    desk.open("binance", 500.0, cluster=1)
    (pair,) = shown(db)
    assert (pair.reason, pair.oldest_leg_seconds) == ("stale", 3 * 3600)


def test_a_rate_that_is_not_known_is_no_leg(desk: Desk, db: Database) -> None:
    desk.open("lighter", None)
    desk.open("binance", 9.0)
    assert shown(db) == []


def test_the_window_is_what_was_paid_by_the_leg_with_less_coverage(desk: Desk, db: Database) -> None:
    """8.76 % and 26.28 % a year; 24 of 24 hours and 22 of 24."""
    desk.open("lighter", 99.0)
    desk.open("binance", -99.0)
    desk.settle("lighter", "BTC@lighter", *((end, 0.00001, 1.0) for end in range(END - 23, END + 1)))
    desk.settle("binance", "BTC@binance", *((end, 0.00003, 1.0) for end in range(END - 21, END + 1)))
    (pair,) = shown(db, window="24h")
    assert (pair.long_exchange, pair.short_exchange, pair.window) == ("lighter", "binance", "24h")
    assert pair.spread_apr_percent == pytest.approx(17.52)
    assert pair.coverage == pytest.approx(22 / 24)
    assert (pair.share_positive, pair.trusted, pair.reason) == (1.0, True, None)


def test_a_window_with_too_many_holes_is_not_ranked(desk: Desk, db: Database) -> None:
    desk.open("lighter", 99.0)
    desk.open("binance", -99.0)
    desk.settle("lighter", "BTC@lighter", *((end, 0.00001, 1.0) for end in range(END - 23, END + 1)))
    desk.settle("binance", "BTC@binance", *((end, 0.00003, 1.0) for end in range(END - 20, END + 1)))
    (pair,) = shown(db, window="24h")
    assert (pair.trusted, pair.reason) == (False, "coverage below 90 %")
    assert pair.coverage == pytest.approx(21 / 24)


@pytest.mark.parametrize("window", ["24h", "now"])
def test_recorded_estimates_are_trusted_and_said(desk: Desk, db: Database, window: str) -> None:
    desk.open("lighter", 1.0)
    desk.open("variational", 9.0, quoted_spread_percent=0.02)
    hours = range(END - 23, END + 1)
    desk.settle("lighter", "BTC@lighter", *((end, 0.00001, 1.0) for end in hours))
    desk.settle(
        "variational", "BTC@variational", *((end, 0.00002, 1.0) for end in hours), source=Source.RECORDED
    )
    (pair,) = shown(db, window=window)
    assert (pair.trusted, pair.reason, pair.share_positive) == (True, "recorded", 1.0)


def test_a_fee_that_is_not_known_leaves_net_open_and_does_not_win(desk: Desk, db: Database) -> None:
    desk.open("lighter", 0.0)
    desk.open("paradex", 500.0)
    desk.open("lighter", 0.0, ticker="ETH")
    desk.open("binance", 9.0, ticker="ETH")
    known, unknown = shown(db)
    assert (known.asset, unknown.asset) == ("ETH", "BTC")
    assert (unknown.net_apr_percent, unknown.break_even_hours, unknown.trusted) == (None, None, True)


def test_a_quoted_spread_that_is_missing_where_the_venue_publishes_them_is_a_cost_not_known(
    desk: Desk, db: Database
) -> None:
    desk.open("variational", 500.0)
    desk.open("lighter", 0.0)
    desk.open("variational", 9.0, ticker="ETH", quoted_spread_percent=0.1)
    desk.open("lighter", 0.0, ticker="ETH")
    eth, btc = shown(db, hold_hours=876)
    assert (eth.asset, btc.asset) == ("ETH", "BTC")
    assert eth.net_apr_percent == pytest.approx(8.0)
    assert btc.net_apr_percent is None


def test_your_own_fee_goes_before_that_of_the_venue(desk: Desk, db: Database) -> None:
    desk.open("lighter", 0.0)
    desk.open("binance", 20.0)
    own = Config(exchanges={"binance": ExchangeSection(taker_fee_percent=0.02), "lighter": ExchangeSection()})
    (usual,) = shown(db, hold_hours=876)
    (mine,) = shown(db, own, hold_hours=876)
    assert usual.net_apr_percent == pytest.approx(19.0)
    assert mine.net_apr_percent == pytest.approx(19.6)


def test_the_highest_net_comes_first_not_the_highest_gross(desk: Desk, db: Database) -> None:
    desk.open("hyperliquid", 0.0)
    desk.open("binance", 20.0)
    desk.open("lighter", 0.0, ticker="ETH")
    desk.open("hyperliquid", 18.0, ticker="ETH")
    assert [p.asset for p in shown(db)] == ["ETH", "BTC"]
    assert [p.asset for p in shown(db, hold_hours=8760)] == ["BTC", "ETH"]


def test_open_interest_known_to_be_small_is_left_out_and_unknown_stays_null(desk: Desk, db: Database) -> None:
    desk.open("lighter", 0.0, open_interest_usd=2e6)
    desk.open("hyperliquid", 90.0, open_interest_usd=999_999.0)
    desk.open("variational", 30.0, open_interest_usd=1e6, quoted_spread_percent=0.1)
    desk.open("binance", 20.0)
    (pair,) = shown(db)
    assert (pair.short_exchange, pair.min_open_interest_usd) == ("hyperliquid", 999_999.0)
    (pair,) = shown(db, min_oi=1e6)
    assert (pair.short_exchange, pair.min_open_interest_usd) == ("variational", 1e6)
    (pair,) = shown(db, min_oi=1.5e6)
    assert (pair.short_exchange, pair.min_open_interest_usd) == ("binance", None)
    assert shown(db, min_oi=3e6) == []


def test_nothing_collected_is_an_empty_list(db: Database) -> None:
    assert shown(db) == []
    assert shown(db, window="30d", limit=None) == []
