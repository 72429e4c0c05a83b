"""What an exported row says."""

from typing import Any

from fundwatch.exports.columns import NAMES
from fundwatch.exports.rows import ExportedRow, exported
from fundwatch.models import Source
from fundwatch.storage.queries import MarketRow, SettlementRow

MARKET = MarketRow(
    **dict.fromkeys(MarketRow._fields),  # type: ignore[arg-type]
)._replace(market_id=1, exchange="hyperliquid", symbol="kPEPE", ticker="PEPE", asset_class="crypto")


def row(**columns: Any) -> ExportedRow:
    stored = {
        "market_id": 1, "funding_time": 1764547200, "kind": 0, "rate": -0.0001, "interval_hours": 8.0,
        "payment_usd": None, "source": int(Source.EXCHANGE), **columns,
    }  # fmt: skip
    (found,) = exported(MARKET, [SettlementRow(**stored)])
    return found


def test_its_fields_are_the_columns() -> None:
    assert ExportedRow.__struct_fields__ == NAMES


def test_a_payment_is_told_for_its_interval_by_the_hour_and_by_the_year() -> None:
    found = row()
    assert (found.rate, found.interval_hours) == (-0.0001, 8.0)
    assert (found.hourly_rate, found.apr_percent) == (-0.0000125, -10.95)
    assert (found.funding_time, found.funding_time_iso) == (1764547200, "2025-12-01T00:00:00Z")
    assert (found.exchange, found.symbol, found.asset, found.asset_class) == (
        "hyperliquid", "kPEPE", "PEPE", "crypto",
    )  # fmt: skip
    assert (found.kind, found.source) == ("regular", "exchange")


def test_hours_that_nobody_knows_give_no_rate_per_hour() -> None:
    found = row(interval_hours=None)
    assert (found.interval_hours, found.hourly_rate, found.apr_percent) == (None, None, None)


def test_a_special_payment_covers_no_hours_and_has_no_rate_per_hour() -> None:
    found = row(kind=1, interval_hours=0.0, rate=0.01)
    assert (found.kind, found.interval_hours, found.hourly_rate) == ("special", 0.0, None)


def test_a_rate_of_zero_is_a_number() -> None:
    found = row(rate=0.0)
    assert (found.rate, found.hourly_rate, found.apr_percent) == (0.0, 0.0, 0.0)


def test_where_it_comes_from_is_said() -> None:
    assert [row(source=int(source)).source for source in Source] == ["recorded", "import", "exchange"]


def test_simulated_rows_say_so() -> None:
    stored = SettlementRow(1, 1_795_176_000, 0, 0.0001, 8.0, None, int(Source.EXCHANGE))
    (found,) = exported(MARKET, [stored], simulated=True)
    assert found.source == "demo"
