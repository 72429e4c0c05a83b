from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.analytics.windows import WINDOWS
from fundwatch.models import HOUR
from fundwatch.storage import queries, rates, summary
from fundwatch.storage.rates import of_window, rate_rows
from tests.storage.ledger import Ledger, hour

NOW = hour(800) + 1000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "BARE")
    ledger.fill("BTC", range(700, 802))
    ledger.quote(
        1,
        hourly_rate=1e-5,
        interval_hours=8.0,
        next_funding_time=hour(801),
        mark_price=9.0,
        open_interest_usd=1e6,
        volume_24h_usd=2e6,
        quoted_spread_percent=0.1,
    )
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, NOW)
        ledger.writer.change("INSERT INTO identity (market_id, same_as_group) VALUES (1, 7)")
    yield ledger
    ledger.writer.close()


@pytest.mark.parametrize("window", ["now", *WINDOWS])
def test_a_rate_row_is_a_market_row_over_one_window(ledger: Ledger, window: str) -> None:
    found = rate_rows(ledger.writer, NOW, window)
    assert sorted(found) == sorted(of_window(queries.market_rows(ledger.writer), window))
    (market,) = (row for row in queries.market_rows(ledger.writer) if row.symbol == "BTC")
    (btc,) = (row for row in found if row.symbol == "BTC")
    for name in rates.RateRow._fields[:-2]:
        assert getattr(btc, name) == getattr(market, name)
    if window == "now":
        assert (btc.apr, btc.coverage) == (None, None)
    else:
        assert (btc.apr, btc.coverage) == (
            *(getattr(market, f"apr_{window}"), getattr(market, f"coverage_{window}")),
        )


def test_rates_of_one_exchange_or_class_without_delisted_markets(ledger: Ledger) -> None:
    ledger.market("OLD", status="delisted")
    ledger.market("TSLA", asset_class="equity")
    ledger.market("TSLAUSDT", asset_class="equity", exchange="aster")

    def symbols(exchange: str | None = None, asset_class: str | None = None) -> list[str]:
        return sorted(row.symbol for row in rate_rows(ledger.writer, NOW, "now", exchange, asset_class))

    assert symbols() == ["BARE", "BTC", "TSLA", "TSLAUSDT"]
    assert symbols("lighter") == ["BARE", "BTC", "TSLA"]
    assert symbols(asset_class="equity") == ["TSLA", "TSLAUSDT"]
    assert symbols("aster", "equity") == ["TSLAUSDT"]


def test_where_nobody_collects_a_window_is_derived_and_the_estimate_of_now_is_not(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = NOW + HOUR
    (btc,) = (row for row in rate_rows(ledger.writer, later, "24h") if row.symbol == "BTC")
    assert (btc.window_end, btc.coverage) == (hour(801), 1.0)
    (btc,) = (row for row in rate_rows(ledger.writer, later + HOUR, "24h") if row.symbol == "BTC")
    assert (btc.window_end, btc.coverage) == (hour(802), 23 / 24)

    def derive(*_: object) -> None:
        raise AssertionError("settlements were read")

    monkeypatch.setattr(summary, "_derive", derive)
    assert len(rate_rows(ledger.writer, later, "now")) == 2
